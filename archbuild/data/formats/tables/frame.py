"""A data frame in memory, of pandas or polars, as a table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from archbuild.data.formats.tables.roles import LABEL
from archbuild.data.formats.tables.source import Batch
from archbuild.data.formats.tables.table import read_table
from archbuild.data.guess import Guess
from archbuild.data.precision import EXACT
from archbuild.data.request import Arrays, ReadOptions, ReadRequest

_ROWS = 4096


def is_frame(values: Any) -> bool:
    """Return whether values are a data frame: named columns that can be asked for one by one."""
    return (
        hasattr(values, "columns") and hasattr(values, "__getitem__") and hasattr(values, "shape")
    )


def is_plain_frame(frame: Any) -> bool:
    """Return whether every cell of a frame is a number: such a frame is an array with names.

    One with whole numbers that lose digits beside floats is none.
    """
    try:
        values = np.asarray(frame)
    except (TypeError, ValueError):
        return False
    # true where one is NaN as well
    is_held = values.dtype.kind == "f" and bool((np.abs(values) < EXACT).all())
    return values.dtype.kind in "biu" or is_held


def read_frame(frame: Any, request: ReadRequest) -> Arrays:
    """Return the features of a frame; no column of it is taken for labels.

    Args:
        frame: of pandas or polars; the index of the former is not looked at.
        request: ``path`` names the frame in messages.

    Raises:
        DataError: as ``read_table``.
    """
    source, given = FrameSource(frame, request.path), request.options
    columns = {
        name: kind
        for name, kind in given.columns.items()
        if kind != LABEL or name in source.columns  # labels need not be there
    }
    options = ReadOptions(labels="none", gaps=given.gaps, columns=columns, missing=given.missing)
    return read_table(source, ReadRequest(request.path, None, options, request.known))


class FrameSource:
    """A frame as a ``TableSource``."""

    def __init__(self, frame: Any, path: Path) -> None:
        self.path = path
        self.columns: tuple[str, ...] = tuple(map(str, frame.columns))
        self.has_header = True
        self.decimal = "."
        self.guesses: tuple[Guess, ...] = ()
        self._cells = [frame[name] for name in frame.columns]
        self._n_rows = len(frame)

    def batches(self, wanted: Sequence[int]) -> Iterator[Batch]:
        """Yield the rows as texts, some thousand at a time."""
        cells = [list(self._cells[index]) for index in wanted]
        for start in range(0, self._n_rows, _ROWS):
            stop = min(start + _ROWS, self._n_rows)
            places = [f"row {row} (counted from 0)" for row in range(start, stop)]
            yield Batch(places, [list(map(_text, column[start:stop])) for column in cells])

    def numbers(self, wanted: Sequence[int], n_rows: int) -> np.ndarray | None:
        """Return ``None``: a frame of plain numbers is read as an array."""
        return None


def _text(cell: Any) -> str:
    """Return a cell as text, blank for a missing one; dates in ISO 8601 form."""
    if cell is None or not _equals_itself(cell):
        return ""
    isoformat = getattr(cell, "isoformat", None)
    return str(isoformat()) if isoformat else str(cell)


def _equals_itself(cell: Any) -> bool:
    """Return whether a cell holds a value: NaN and NaT differ from themselves, NA does neither."""
    try:
        return bool(cell == cell)
    except TypeError:
        return False
