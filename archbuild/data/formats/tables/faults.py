"""Messages about cells that cannot be read as what their column holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isinf, isnan
from pathlib import Path

from archbuild.data.columns import BOOLEAN, DATE, is_missing, number_in
from archbuild.errors import DataError
from archbuild.printable import shortened

LARGEST = 3.4e38
"""Float32's largest number; cells beyond it are refused."""

_SHOWN = 5
_LONGEST_CELL = 40  # characters


class NoFeatures(DataError):
    """A table in which no column can be used."""


_NO_NUMBER = "no number"
_NO_GAPS = "missing, where the training table has every cell"
_CAUSES = {
    BOOLEAN: "neither true nor false (nor yes, no, y, n, 1, 0)",
    DATE: "no date in ISO 8601 form (2024-01-31)",
}
_FILL = "fill these cells in or drop the rows"
_ADVICE = {
    _NO_GAPS: f"{_FILL}, or train anew with data.gaps: mask, with which cells of any column may be "
    "missing",
    _CAUSES[BOOLEAN]: "write true or false, yes or no, y or n, t or f, or 1 or 0",
    _CAUSES[DATE]: "write dates as YYYY-MM-DD, as 2024-01-31",
    _NO_NUMBER: "write plain numbers in these cells, without units, or drop the rows",
}


def cell_fault(cell: str, kind: str, place: str, decimal: str = ".") -> tuple[str, str]:
    """Return why a cell cannot be read as its column's kind, and its place with what it holds."""
    if is_missing(cell):
        cause = _NO_GAPS
    elif kind in _CAUSES:
        cause = _CAUSES[kind]
    else:
        cause = number_fault(cell, number_in(cell, decimal))
    return cause, place_of_cell(place, cell)


def place_of_cell(place: str, cell: str) -> str:
    """Return a place with what its cell holds, long cells shortened."""
    return f"{place} ({shortened(cell, _LONGEST_CELL)})" if cell else place


def number_fault(cell: str, number: float | None) -> str:
    """Return why the number in a cell is none that float32 holds.

    Digits that are beyond float64 too are read as infinity, and are not called so.
    """
    if number is None or isnan(number):
        return _NO_NUMBER
    is_written = isinf(number) and not any(map(str.isdecimal, cell))
    return "infinite" if is_written else f"beyond float32, whose numbers end at {LARGEST:g}"


def fault_message(path: Path, faults: Mapping[str, Sequence[str]], otherwise: str = "") -> str:
    """Return the message for a table that cannot be read as numbers.

    Args:
        path: of the table.
        faults: cause -> the places of its cells.
        otherwise: what to say where there are none.
    """
    parts = [
        f"{cause}: {', '.join(places[:_SHOWN])}"
        + (f" and {len(places) - _SHOWN} more" if len(places) > _SHOWN else "")
        for cause, places in faults.items()
    ]
    if not parts:
        return f"{path}: {otherwise or 'it cannot be read as numbers'}"
    advice = dict.fromkeys(_ADVICE.get(cause, _FILL) for cause in faults)
    return f"{path}: {'; '.join((*parts, *advice))}"
