"""Tables that a program has drawn for readers: with lines of dashes below the header."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from archbuild.errors import DataError

_RULE = frozenset("-+|: \t\r\n")
_TOP = 10  # lines


def refuse_drawn(path: Path, lines: Sequence[str]) -> None:
    """Refuse what psql and mysql print, and tables of Markdown.

    Raises:
        DataError: one of the first lines is a rule, ``----+----`` or ``|---|---|``.
    """
    for number, line in enumerate(lines[:_TOP], 1):
        if _RULE.issuperset(line) and "---" in line and ("+" in line or "|" in line):
            raise DataError(
                f"{path}, line {number}: a line of dashes, as psql and mysql draw it for readers; "
                "export the table as CSV (psql --csv, or \\copy ... to 'table.csv' csv header)"
            )
