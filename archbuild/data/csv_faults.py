"""What keeps a table from being read as numbers, in words: which column, which line."""

from __future__ import annotations

from collections.abc import Iterable
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from archbuild.data.csv_table import Layout

_SHOWN = 5
_MISSING = frozenset({"", "na", "n/a", "nan", "null", "none", "?"})


def describe_faults(
    lines: Iterable[tuple[int, list[str]]], layout: Layout, path: Path, otherwise: str = ""
) -> str:
    """A message that names the columns that are not numeric and the cells that are blank or NaN.

    Args:
        lines: every line with its number, the header included.
        layout: the table's.
        path: for the message.
        otherwise: what to say where neither is found.
    """
    missing, words = _collect(lines, layout)
    parts = []
    if words:
        named = ", ".join(f"'{name}' (for instance '{cell}')" for name, cell in words.items())
        parts.append(
            f"these columns are not numeric: {named}; drop them, turn them into numbers, or, for "
            f"the labels, write {path}:COLUMN"
        )
    if missing:
        shown = ", ".join(missing[:_SHOWN])
        more = f" and {len(missing) - _SHOWN} more" if len(missing) > _SHOWN else ""
        parts.append(f"blank or not finite: {shown}{more}; fill these cells in or drop the rows")
    return f"{path}: " + ("; ".join(parts) or otherwise or "it cannot be read as numbers")


def _collect(
    lines: Iterable[tuple[int, list[str]]], layout: Layout
) -> tuple[list[str], dict[str, str]]:
    """The places of missing cells, and one example for each column that holds words."""
    missing: list[str] = []
    words: dict[str, str] = {}
    for position, (number, cells) in enumerate(lines):
        if position == 0 and layout.has_header:
            continue
        for index, cell in enumerate(text.strip() for text in cells):
            name = layout.columns[index]
            if cell.casefold() in _MISSING:
                missing.append(f"line {number}, column '{name}'")
            elif index in layout.features and not _is_finite(cell):
                if _is_word(cell):
                    words.setdefault(name, cell)
                else:
                    missing.append(f"line {number}, column '{name}' ({cell})")
    return missing, words


def _is_word(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return True
    return False


def _is_finite(cell: str) -> bool:
    return not _is_word(cell) and isfinite(float(cell))
