"""A table in which further texts or numbers stand for missing values, as the user says."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from archbuild.data.columns import number_in
from archbuild.data.formats.tables.source import Batch, TableSource
from archbuild.data.guess import Guess


def with_marks(source: TableSource, marks: Sequence[str], names: int | None) -> TableSource:
    """Return a table whose cells are blank where they hold one of the marks.

    Args:
        source: the table.
        marks: ``-99``, ``unknown``; letters' case does not count, and numbers may be written in
            any way: ``-99.0``.
        names: the column that names the rows, which keeps its cells; ``None`` if there is none.
    """
    return MarkedSource(source, tuple(marks), names) if marks else source


class MarkedSource:
    """A ``TableSource`` whose cells are blank where they hold a mark, as ``with_marks`` says."""

    def __init__(self, source: TableSource, marks: Sequence[str], names: int | None) -> None:
        self.path, self.columns = source.path, source.columns
        self.has_header, self.decimal = source.has_header, source.decimal
        self._source, self._names = source, names
        self._texts = {mark.strip().casefold() for mark in marks}
        self._numbers = {number_in(mark) for mark in marks} - {None}

    @property
    def guesses(self) -> tuple[Guess, ...]:
        """The decisions of the table's reader."""
        return self._source.guesses

    def batches(self, wanted: Sequence[int]) -> Iterator[Batch]:
        """Yield the rows of the table, with blanks in the place of marks."""
        for batch in self._source.batches(wanted):
            columns = [
                cells if index == self._names else list(map(self._unmarked, cells))
                for index, cells in zip(wanted, batch.columns, strict=True)
            ]
            yield batch._replace(columns=columns)

    def numbers(self, wanted: Sequence[int], n_rows: int) -> np.ndarray | None:
        """Return ``None``: some of the numbers may be marks."""
        return None

    def _unmarked(self, cell: str) -> str:
        is_mark = cell.strip().casefold() in self._texts
        return "" if is_mark or number_in(cell, self.decimal) in self._numbers else cell
