"""Checks of what the files of declarations say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from archbuild.errors import UsageError


def check_keys(
    entry: Mapping[str, Any], allowed: Iterable[str], needed: Iterable[str], where: str
) -> None:
    """Make sure that an entry has the keys that it needs, and no unknown ones.

    Raises:
        UsageError: it has not; the message says where, and what is expected.
    """
    unknown, missing = entry.keys() - set(allowed), set(needed) - entry.keys()
    if unknown or missing:
        found = [f"'{key}' is unknown" for key in sorted(unknown)]
        found += [f"'{key}' is missing" for key in sorted(missing)]
        raise UsageError(f"{where}: {', '.join(found)}; expected {', '.join(sorted(set(allowed)))}")
