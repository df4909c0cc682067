"""``.csv``, ``.tsv``: a text table, packed by gzip or not."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import islice
from operator import itemgetter
from pathlib import Path

import numpy as np

from archbuild.data.dataset import chunk_slices
from archbuild.data.formats.packed import check_gzipped_text
from archbuild.data.formats.tables.csv_layout import CsvLayout, read_layout
from archbuild.data.formats.tables.csv_rows import (
    Block,
    is_packed,
    is_unfilled,
    numbered_blocks,
    numbered_rows,
    open_text,
)
from archbuild.data.formats.tables.left_out import LeftOut
from archbuild.data.formats.tables.source import Batch, Places
from archbuild.data.formats.tables.table import read_table
from archbuild.data.guard import reading
from archbuild.data.guess import Guess
from archbuild.data.precision import EXACT
from archbuild.data.request import Arrays, ReadRequest
from archbuild.data.spill import release, room_for
from archbuild.errors import DataError

_LONGEST = 40  # letters of a line that are shown


def read_csv(request: ReadRequest) -> Arrays:
    """Return the features, the labels and the rows' names of a text table.

    ``csv_layout`` finds the layout and ``table`` the roles of the columns. The file is gone through
    several times, and is never in memory as a whole.

    Raises:
        DataError: as ``read_table``; lines of different lengths, or a file that is no text.
    """
    path = request.path
    with reading(path, "a table in UTF-8 text", "save it as CSV, UTF-8"):
        if is_packed(path):
            check_gzipped_text(path)
        try:
            layout = read_layout(path, request.options, request.known)
            _refuse_short_rows(layout)
            arrays = read_table(CsvSource(layout), request)
        except UnicodeDecodeError as error:
            raise _other_encoding(path, error) from error
    assert arrays.form is not None  # of a table there is one
    return arrays._replace(form=replace(arrays.form, separator=layout.separator))


def _refuse_short_rows(layout: CsvLayout) -> None:
    """Refuse a table most of whose rows have fewer cells than its header has names."""
    if len(layout.columns) > layout.width:
        raise DataError(
            f"{layout.path}: the header has {len(layout.columns)} names, and the rows below have "
            f"{layout.width} cells; {layout.hint or 'give each row a cell for each name'}"
        )


def _other_encoding(path: Path, error: UnicodeDecodeError) -> DataError:
    """Return the message for text in another encoding, with the first line that shows it."""
    with open_text(path, errors="surrogateescape") as file:
        broken = ((line, text) for line, text in enumerate(file, 1) if not _is_utf8(text))
        line, text = next(broken, (0, ""))
    guess = text.encode("utf-8", "surrogateescape").decode("cp1252", "replace").strip()
    return DataError(
        f"{path} is no table in UTF-8 text ({error.reason} in line {line}, which reads "
        f"'{guess[:_LONGEST]}' as Windows-1252); save it as CSV, UTF-8: in Excel 'CSV UTF-8', else "
        f"iconv -f CP1252 -t UTF-8 {path.name}"
    )


def _is_utf8(text: str) -> bool:
    return not any("\udc80" <= letter <= "\udcff" for letter in text)


class CsvSource:
    """A text table as a ``TableSource``."""

    def __init__(self, layout: CsvLayout) -> None:
        self.layout = layout
        self.path: Path = layout.path
        self.columns: tuple[str, ...] = layout.columns
        self.has_header: bool = layout.has_header
        self.decimal: str = layout.decimal
        self._left_out = LeftOut()

    @property
    def guesses(self) -> tuple[Guess, ...]:
        """The decisions; what is left out is counted while the rows are read."""
        return (*self.layout.guesses, *self._left_out.guesses())

    def batches(self, wanted: Sequence[int]) -> Iterator[Batch]:
        """Yield the rows, some thousand at a time."""
        for block in self._blocks():
            columns = [list(map(itemgetter(index), block.cells)) for index in wanted]
            yield Batch(Places("line", block.lasts), columns)

    def numbers(self, wanted: Sequence[int], n_rows: int) -> np.ndarray | None:
        """Return columns of plain numbers as ``(n_rows, columns)`` float64, by NumPy's parser."""
        separator = self.layout.separator
        if self.decimal == "," and separator == ",":
            return None
        values = room_for((n_rows, len(wanted)), np.float64, str(self.path))
        with open_text(self.path) as file:
            below = islice(file, self._lines_above(), None)
            plain = (line for line in below if not is_unfilled(line))
            lines = _without_names(plain, separator)
            if self.decimal == ",":
                lines = map(_with_decimal_points, lines)
            parse = partial(
                np.loadtxt,
                comments=None,
                delimiter=None if separator == " " else separator,
                quotechar='"',
                usecols=wanted,
                ndmin=2,
            )
            for part in chunk_slices(n_rows, 8 * len(wanted)):
                try:
                    with warnings.catch_warnings():
                        warnings.simplefilter("ignore", UserWarning)  # of no rows: counted below
                        rows = parse(lines, max_rows=part.stop - part.start)
                except ValueError:
                    return None
                if len(rows) != part.stop - part.start or not (np.abs(rows) < EXACT).all():
                    return None  # whole numbers beyond are rounded, which the slow way counts
                values[part] = rows
                release(values)
        return values

    def _blocks(self) -> Iterator[Block]:
        """Yield the rows without the header; lines of another length are refused."""
        self._left_out = LeftOut()
        layout = self.layout
        has_header = self.has_header
        for block in numbered_blocks(self.path, layout.separator, layout.skip, self._left_out):
            rows = block.behind(1) if has_header else block
            has_header = False
            self._check_widths(rows)
            if rows.cells:
                yield rows

    def _check_widths(self, rows: Block) -> None:
        """Make sure that each row has as many cells as the table has columns.

        Raises:
            DataError: one has not, or has a cell behind the last column.
        """
        width, ends_blank = self.layout.width, self.layout.width > len(self.columns)
        if not {*map(len, rows.cells)} <= {width}:
            row = next(place for place, cells in enumerate(rows.cells) if len(cells) != width)
            raise DataError(
                f"{self.path}, line {rows.lasts[row]}: {len(rows.cells[row])} cells, where the "
                f"first line has {width}; {self.layout.hint or 'fix or drop that line'}"
            )
        for line, cells in zip(rows.lasts, rows.cells, strict=True) if ends_blank else ():
            if cells[-1].strip():
                raise DataError(
                    f"{self.path}, line {line}: '{cells[-1].strip()}' stands behind the separator "
                    "that ends the lines above, in a column without a name; name it"
                )

    def _lines_above(self) -> int:
        """Return how many lines come before the first row of data."""
        first = next(numbered_rows(self.path, self.layout.separator, self.layout.skip))
        return first.last if self.has_header else first.first - 1


def _without_names(lines: Iterable[str], separator: str) -> Iterator[str]:
    """Yield lines that have no number with leading zeros, which may be a name.

    Raises:
        ValueError: one has: the slow way tells.
    """
    first = re.compile(r"[\s\"]*[+-]?0\d")
    others = re.compile(rf"{re.escape(separator)}[\s\"]*[+-]?0\d")  # a literal in front is quick
    for line in lines:
        if first.match(line) or others.search(line):
            raise ValueError(line)
        yield line


def _with_decimal_points(line: str) -> str:
    """Return a line of numbers with decimal commas as NumPy reads it.

    Raises:
        ValueError: it has a point, which may group digits or be a fault: the slow way tells.
    """
    if "." in line:
        raise ValueError(line)
    return line.replace(",", ".")
