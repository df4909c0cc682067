"""Check the JSON files of a run against the schemas that lie in ``schemas/``."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from textwrap import shorten
from typing import Any

from archbuild.errors import RunError
from archbuild.io.reading import START_OVER, read_json

_LONGEST = 200
_SCHEMAS = Path(__file__).with_name("schemas")


def read_checked(path: Path, kind: str) -> dict[str, Any]:
    """Return a JSON document that follows the schema ``kind``: ``manifest``, ``metrics``, ...

    Raises:
        RunError: the file cannot be read, is not JSON or does not follow the schema; names the
            file, the value, what was expected and what came.
    """
    document = read_json(path)
    refuse_invalid(document, kind, path)
    found: dict[str, Any] = document
    return found


def refuse_invalid(document: Any, kind: str, path: Path) -> None:
    """Make sure that a document follows the schema ``kind``; raises as :func:`read_checked`."""
    from jsonschema.exceptions import best_match

    error = best_match(_validator(kind).iter_errors(document))
    if error is not None:
        place = error.json_path.removeprefix("$").removeprefix(".") or "the document"
        message = shorten(error.message, _LONGEST, placeholder="…")
        raise RunError(f"{path} is damaged ({place}: {message}); {START_OVER}")


@cache
def _validator(kind: str) -> Any:
    from jsonschema import Draft7Validator

    schema = json.loads((_SCHEMAS / f"{kind}.json").read_text(encoding="utf-8"))
    return Draft7Validator(schema)
