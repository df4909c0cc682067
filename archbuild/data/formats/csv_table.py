"""``.csv``, ``.tsv``: a text table, packed by gzip or not."""

from __future__ import annotations

import csv
import re
import zlib
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from archbuild.data.dataset import chunk_slices
from archbuild.data.formats.csv_layout import CsvLayout, numbered_rows, open_text, read_layout
from archbuild.data.formats.faults import LARGEST
from archbuild.data.formats.table import read_table
from archbuild.data.formats.table_source import Batch
from archbuild.data.guess import Guess
from archbuild.data.request import Arrays, ReadRequest
from archbuild.data.spill import release, room_for
from archbuild.errors import DataError

_ROWS = 4096  # read at a time as texts
_SKIPPED = re.compile(r"^\s*#")


def read_csv(request: ReadRequest) -> Arrays:
    """Return the features, the labels and the rows' names of a text table.

    ``csv_layout`` finds the layout and ``table`` the roles of the columns. The file is gone through
    several times, and is never in memory as a whole.

    Raises:
        DataError: as ``read_table``; lines of different lengths, or a file that is no text.
    """
    path = request.path
    try:
        return read_table(CsvSource(read_layout(path, request.options)), request)
    except (UnicodeDecodeError, csv.Error, EOFError, zlib.error, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise DataError(
            f"{path} is no table in UTF-8 text ({error}); save it as CSV, UTF-8"
        ) from error


class CsvSource:
    """A text table as a ``TableSource``."""

    def __init__(self, layout: CsvLayout) -> None:
        self.layout = layout
        self.path: Path = layout.path
        self.columns: tuple[str, ...] = layout.columns
        self.has_header: bool = layout.has_header
        self.decimal: str = layout.decimal
        self.guesses: tuple[Guess, ...] = layout.guesses

    def batches(self, wanted: Sequence[int]) -> Iterator[Batch]:
        """Yield the rows, some thousand at a time."""
        places: list[str] = []
        rows: list[list[str]] = []
        for number, cells in self._rows():
            places.append(f"line {number}")
            rows.append(cells)
            if len(rows) == _ROWS:
                yield _batch(places, rows, wanted)
                places, rows = [], []
        if rows:
            yield _batch(places, rows, wanted)

    def numbers(self, wanted: Sequence[int], n_rows: int) -> np.ndarray | None:
        """Return columns of plain numbers as ``(n_rows, columns)`` float64, by NumPy's parser."""
        if self.decimal == "," and self.layout.separator == ",":
            return None
        values = room_for((n_rows, len(wanted)), np.float64, str(self.path))
        with open_text(self.path) as file:
            for _ in range(self._header_lines()):
                next(file)
            lines = (line for line in file if line.strip() and not _SKIPPED.match(line))
            if self.decimal == ",":
                lines = (_with_decimal_points(line) for line in lines)
            parse = partial(
                np.loadtxt,
                comments=None,
                delimiter=self.layout.separator,
                quotechar='"',
                usecols=wanted,
                ndmin=2,
            )
            for part in chunk_slices(n_rows, 8 * len(wanted)):
                try:
                    rows = parse(lines, max_rows=part.stop - part.start)
                except ValueError:
                    return None
                if len(rows) != part.stop - part.start or not (np.abs(rows) <= LARGEST).all():
                    return None
                values[part] = rows
                release(values)
        return values

    def _rows(self) -> Iterator[tuple[int, list[str]]]:
        """Yield the rows without the header; lines of another length are refused."""
        rows = numbered_rows(self.path, self.layout.separator)
        if self.has_header:
            next(rows)
        width = self.layout.width
        for number, cells in rows:
            if len(cells) != width:
                raise DataError(
                    f"{self.path}, line {number}: {len(cells)} cells, where the first line has "
                    f"{width}; fix or drop that line"
                )
            yield number, cells

    def _header_lines(self) -> int:
        """Return how many physical lines come before the first row of data."""
        rows = numbered_rows(self.path, self.layout.separator)
        if self.has_header:
            return next(rows)[0]
        first = next(rows)[0]
        with open_text(self.path) as file:
            for number, line in enumerate(file, 1):
                if (
                    line.strip()
                    and not _SKIPPED.match(line)
                    and not line.lower().startswith("sep=")
                ):
                    return number - 1
        return first - 1


def _with_decimal_points(line: str) -> str:
    """Return a line of numbers with decimal commas as NumPy reads it.

    Raises:
        ValueError: it has a point, which may group digits or be a fault: the slow way tells.
    """
    if "." in line:
        raise ValueError(line)
    return line.replace(",", ".")


def _batch(places: list[str], rows: list[list[str]], wanted: Sequence[int]) -> Batch:
    return Batch(places, [[row[index] for row in rows] for index in wanted])
