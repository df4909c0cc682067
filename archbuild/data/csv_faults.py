"""What keeps a table from being read as numbers, in words: which column, which line."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from archbuild.data.csv_table import Layout

_SHOWN = 5
_LARGEST = 3.4e38  # float32's
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
        parts.append(
            f"blank, NaN, or beyond float32: {shown}{more}; fill these cells in or drop the rows"
        )
    return f"{path}: " + ("; ".join(parts) or otherwise or "it cannot be read as numbers")


def is_number(cell: str) -> bool:
    """Whether the cell can be read as a number; ``nan`` can."""
    try:
        float(cell)
    except ValueError:
        return False
    return "_" not in cell  # Python reads 1_000, table readers do not


def _collect(
    lines: Iterable[tuple[int, list[str]]], layout: Layout
) -> tuple[list[str], dict[str, str]]:
    """The places of missing cells, and one example for each column that holds words."""
    missing: list[str] = []
    words: dict[str, str] = {}
    for position, (number, cells) in enumerate(lines):
        if position == 0 and layout.has_header:
            continue
        if layout.label is not None and not cells[layout.label].strip():
            missing.append(f"line {number}, column '{layout.columns[layout.label]}'")
        for index in layout.features:
            name, cell = layout.columns[index], cells[index].strip()
            if cell.casefold() in _MISSING:
                missing.append(f"line {number}, column '{name}'")
            elif not is_number(cell):
                words.setdefault(name, cell)
            elif not abs(float(cell)) <= _LARGEST:  # true for NaN as well
                missing.append(f"line {number}, column '{name}' ({cell})")
    return missing, words
