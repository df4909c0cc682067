"""Faults that keep a text table from being read as numbers, by column and line."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from archbuild.data.formats.table import LARGEST, Layout, fault_message

_MISSING = frozenset({"", "na", "n/a", "nan", "null", "none", "?"})


def describe_faults(
    lines: Iterable[tuple[int, list[str]]], layout: Layout, path: Path, otherwise: str = ""
) -> str:
    """Return a message with the columns that are not numeric and the cells that are missing.

    Args:
        lines: every line with its number, the header included.
        layout: the table's.
        path: for the message.
        otherwise: what to say where neither is found.
    """
    missing, words = _collect(lines, layout)
    return fault_message(path, words, missing, otherwise)


def is_number(cell: str) -> bool:
    """Return whether the cell can be read as a number; ``nan`` can."""
    try:
        float(cell)
    except ValueError:
        return False
    return "_" not in cell  # Python reads 1_000, table readers do not


def _collect(
    lines: Iterable[tuple[int, list[str]]], layout: Layout
) -> tuple[list[str], dict[str, str]]:
    """Return the places of missing cells, and one example for each column that holds words."""
    missing: list[str] = []
    words: dict[str, str] = {}
    label = layout.roles.label
    for position, (number, cells) in enumerate(lines):
        if position == 0 and layout.has_header:
            continue
        if label is not None and not cells[label].strip():
            missing.append(f"line {number}, column '{layout.columns[label]}'")
        for index in layout.roles.features:
            name, cell = layout.columns[index], cells[index].strip()
            if cell.casefold() in _MISSING:
                missing.append(f"line {number}, column '{name}'")
            elif not is_number(cell):
                words.setdefault(name, cell)
            elif not abs(float(cell)) <= LARGEST:  # true for NaN as well
                missing.append(f"line {number}, column '{name}' ({cell})")
    return missing, words
