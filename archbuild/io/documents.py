"""JSON text; the verbs that only look use it, so nothing heavy is imported here."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from archbuild.errors import RunError


def json_text(
    value: Any,
    *,
    source: object = "a JSON document",
    indent: int | None = None,
    ascii_only: bool = False,
) -> str:
    """Return ``value`` as JSON; NumPy scalars and arrays become numbers and lists.

    Args:
        value: what is to be written.
        source: what the error calls the document.
        indent: spaces for each level; ``None``: everything on one line.
        ascii_only: whether other characters are escaped, for a terminal of any encoding.

    Raises:
        RunError: a number is not finite, or a value has no JSON form; names ``source``.
    """
    try:
        return json.dumps(
            value, default=_plain, allow_nan=False, ensure_ascii=ascii_only, indent=indent
        )
    except (TypeError, ValueError) as error:
        raise RunError(
            f"cannot write {source}: {error}; expected finite numbers, text, lists and mappings"
        ) from error


def _plain(value: object) -> Any:
    import numpy as np

    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"a {type(value).__name__} has no JSON form")
