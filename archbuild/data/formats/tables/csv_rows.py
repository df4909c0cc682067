"""The rows of a text table, with their line numbers: comments, blank lines and quotes."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from io import BufferedReader, TextIOWrapper
from itertools import chain, compress, islice
from operator import itemgetter, not_
from pathlib import Path
from typing import NamedTuple, TextIO, TypeVar

from archbuild.data.formats.packed import open_gzip
from archbuild.data.formats.tables.left_out import LeftOut
from archbuild.data.formats.tables.title import has_header
from archbuild.data.limits import FREE_TEXT
from archbuild.errors import DataError

TOLD_SEPARATOR = re.compile(r"^sep=(.)\s*$", re.IGNORECASE)
"""A first line that names the separator, as Excel writes it."""

# a line cut by another sign than its own is one cell, and tables of genes have long lines
csv.field_size_limit(2**26)

_BYTE_ORDER = (b"\xff\xfe", b"\xfe\xff")  # of UTF-16
_SAMPLE = 200  # rows, or lines
_MOST_COMMENTS = 10_000  # above a table; those of genomes have thousands
_BLOCK = 4096  # lines that are cut at a time
_SHORT = 3  # lines that a quoted cell may have without a look at them
_MARK = "#"


Item = TypeVar("Item")


class Row(NamedTuple):
    """A row of a text table.

    Attributes:
        first: the line where it begins, from 1.
        last: the line where it ends; a later one where a quoted cell has line breaks.
        cells: the texts.
    """

    first: int
    last: int
    cells: list[str]

    @property
    def is_blank(self) -> bool:
        """True if no cell is filled."""
        cells = self.cells
        return not (cells and cells[0].strip()) and not any(map(str.strip, cells))

    @property
    def is_marked(self) -> bool:
        """True if it begins with ``#``."""
        return self.cells[0].lstrip()[:1] == _MARK


class Block(NamedTuple):
    """Rows of a text table that follow one another.

    Attributes:
        firsts, lasts: as ``Row.first`` and ``Row.last``.
        cells: as ``Row.cells``.
    """

    firsts: Sequence[int]
    lasts: Sequence[int]
    cells: list[list[str]]

    @classmethod
    def of(cls, rows: Iterable[Row]) -> Block:
        """Return rows as a block."""
        firsts, lasts, cells = [list(each) for each in zip(*rows, strict=True)] or ([], [], [])
        return cls(firsts, lasts, cells)

    def where(self, wanted: Sequence[bool]) -> Block:
        """Return some of the rows."""
        return Block(
            [*compress(self.firsts, wanted)],
            [*compress(self.lasts, wanted)],
            [*compress(self.cells, wanted)],
        )

    def behind(self, count: int) -> Block:
        """Return the rows without some in front."""
        return Block(self.firsts[count:], self.lasts[count:], self.cells[count:])

    def without_comments(self, width: int, left_out: LeftOut) -> Block:
        """Return the rows behind the first plain one without comments, which are counted.

        Args:
            width: the cells of a row; one that begins with ``#`` and has as many is none.
            left_out: counts them.
        """
        if _MARK not in "".join(map(itemgetter(0), self.cells)):
            return self
        kept = [row[0].lstrip()[:1] != _MARK or len(row) == width > 1 for row in self.cells]
        left_out.comments.add([*compress(self.firsts, map(not_, kept))])
        return self.where(kept)


def open_text(path: Path, errors: str = "strict") -> TextIO:
    """Open a text file in UTF-8, or in UTF-16 where its first bytes say so.

    It is unpacked where its name ends in ``.gz``.

    Args:
        path: of the file.
        errors: what becomes of bytes that are no text, as ``open`` says.
    """
    with _opened(path) as file:
        encoding = "utf-16" if file.read(2) in _BYTE_ORDER else "utf-8-sig"
    return TextIOWrapper(_opened(path), encoding=encoding, errors=errors, newline="")


def is_packed(path: Path) -> bool:
    """Return whether a text file is packed by gzip, by its name."""
    return path.suffix.lower() == ".gz"


def _opened(path: Path) -> BufferedReader:
    return open_gzip(path, FREE_TEXT) if is_packed(path) else path.open("rb")


def is_unfilled(line: str) -> bool:
    """Return whether a line is blank, or begins with ``#`` as comments do."""
    return line.lstrip()[:1] in ("", _MARK)


def sample(items: Iterator[Item], is_marked: Callable[[Item], bool]) -> list[Item]:
    """Return the first items, which tell what a table is like, and all comments above them.

    Args:
        items: the lines, or the rows; what follows is left in it.
        is_marked: whether one may be a comment.
    """
    taken: list[Item] = []
    end, begun = _MOST_COMMENTS, False
    for item in items:
        taken.append(item)
        if not begun and not is_marked(item):
            end, begun = len(taken) - 1 + _SAMPLE, True
        if len(taken) == end:
            break
    return taken


def csv_records(lines: Iterable[str], separator: str) -> Iterator[list[str]]:
    """Return the reader of the cells of lines.

    Several blanks in a row separate like one, and blanks in front of a cell are no part of it.
    """
    if separator == " ":
        lines = (line.strip().replace("\t", " ") + "\n" for line in lines)
    return csv.reader(lines, delimiter=separator, skipinitialspace=True)


def numbered_rows(
    path: Path, separator: str, skip: int = 0, left_out: LeftOut | None = None
) -> Iterator[Row]:
    """Yield the rows, header included, one by one; the arguments are those of `numbered_blocks`."""
    for block in numbered_blocks(path, separator, skip, left_out):
        yield from map(Row, block.firsts, block.lasts, block.cells)


def numbered_blocks(
    path: Path, separator: str, skip: int = 0, left_out: LeftOut | None = None
) -> Iterator[Block]:
    """Yield the rows, header included, many at a time: the head, then some thousand each.

    Blank lines, comments and a line ``sep=`` are left out. A line that begins with ``#`` is a
    comment, unless it has as many cells as the others, or is the header.

    Args:
        path: of the table.
        separator: between the cells; a blank stands for any number of blanks and tabs.
        skip: how many lines at the top are no part of the table.
        left_out: counts what is left out.

    Raises:
        DataError: a quote is not closed.
    """
    left_out = left_out if left_out is not None else LeftOut()
    with open_text(path) as file:
        reader = _Reader(path, islice(file, skip, None), separator, skip + 1, left_out)
        head = sample(reader.rows(), lambda row: row.is_marked)
        plain = [row for row in head if not row.is_marked] or head
        header = _marked_header(head, plain)
        width = len(plain[0].cells) if plain else 0
        yield Block.of(_without_comments_above(head, plain, header, left_out))
        for block in reader.blocks():
            yield block if plain is head else block.without_comments(width, left_out)


def _without_comments_above(
    head: Sequence[Row], plain: Sequence[Row], header: Row | None, left_out: LeftOut
) -> Iterator[Row]:
    """Yield the first rows without comments; the header loses its mark."""
    width = len(plain[0].cells) if plain else 0
    begun = False
    for row in head:
        is_marked = row.is_marked
        if row is header:
            row.cells[0] = row.cells[0].lstrip(f"{_MARK} ")
            is_marked = False
        elif is_marked and plain is not head and not (begun and len(row.cells) == width > 1):
            left_out.comments.add([row.first])
            continue
        begun = begun or not is_marked
        yield row


def _marked_header(head: Sequence[Row], plain: Sequence[Row]) -> Row | None:
    """Return the header that begins with ``#``: the last such line above rows of its width.

    It is a comment where the row below is a header: words above numbers.
    """
    if plain is head or not plain:
        return None
    above = [row for row in head if row.last < plain[0].first]
    if not above or not len(above[-1].cells) == len(plain[0].cells) > 1:
        return None
    return None if has_header([row.cells for row in plain]) else above[-1]


class _Reader:
    """The rows of a text table with a filled cell: the first one by one, the others in blocks.

    Args:
        path: for messages.
        lines: of the table, of which none is read before it is needed.
        separator: between the cells.
        first: the number of the first line, from 1.
        left_out: counts blank lines.
    """

    def __init__(
        self, path: Path, lines: Iterator[str], separator: str, first: int, left_out: LeftOut
    ) -> None:
        self._path, self._lines, self._separator = path, lines, separator
        self._first, self._left_out = first, left_out
        self._blank: list[int] = []  # lines with no row behind them yet
        self._has_ended, self._has_breaks = False, False

    def rows(self) -> Iterator[Row]:
        """Yield rows one by one, without the line ``sep=``."""
        seen: list[str] = []
        begun = False
        for row in self._records(_with_plain_comments(self._lines, seen, self._separator), seen):
            if row.is_blank:
                self._note_blank(row.first, len(row.cells), begun)
            elif begun or not TOLD_SEPARATOR.match(self._separator.join(row.cells)):
                self._note_row()
                begun = True
                yield row

    def blocks(self) -> Iterator[Block]:
        """Yield the rows behind those that were taken one by one."""
        while lines := list(islice(self._lines, _BLOCK)):
            block = None if self._has_breaks else self._of_lines(lines)
            yield self._filled(block or self._one_by_one(lines))

    def _of_lines(self, lines: Sequence[str]) -> Block | None:
        """Return a row for each line; ``None`` where a quoted cell has line breaks.

        Such a cell takes the line behind the last one as well.
        """
        try:
            records = list(csv_records(chain(lines, ("\n",)), self._separator))
        except csv.Error:
            return None
        if len(records) != len(lines) + 1:
            return None
        records.pop()
        numbers = range(self._first, self._first + len(lines))
        self._first = numbers.stop
        return Block(numbers, numbers, records)

    def _one_by_one(self, lines: Sequence[str]) -> Block:
        """Return the rows that begin in the lines, the last of which may go on behind them."""
        end, rows = self._first + len(lines), []
        for row in self._records(chain(lines, self._lines), []):
            rows.append(row)
            if self._first >= end:
                break
        # where many cells have line breaks, it would be in vain to cut the next lines at once
        self._has_breaks = any(row.first < row.last for row in rows)
        return Block.of(rows)

    def _records(self, lines: Iterable[str], seen: list[str]) -> Iterator[Row]:
        """Yield all rows, blank ones too; a quote that is not closed is refused.

        ``seen`` has the lines of a row that is being read.
        """
        path, separator = self._path, self._separator
        reader = csv_records(self._noted(lines, seen), separator)
        try:
            for cells in reader:
                first, count = self._first, len(seen)
                if count > 1:
                    long = count > _SHORT and _are_rows(seen[1:-1], separator, len(cells))
                    if long or _has_fault(seen, separator, "expected after"):
                        raise _open_quote(
                            path, first, f"is closed in line {first + count - 1} only"
                        )
                if self._has_ended and _has_fault(seen, separator, "unexpected end"):
                    raise _open_quote(path, first, "is never closed")
                self._first += count
                seen.clear()
                yield Row(first, first + count - 1, cells)
        except csv.Error as error:  # a quote may go on to the end of a large file
            raise _fault_of_quotes(path, self._first, error, seen) from error

    def _noted(self, lines: Iterable[str], seen: list[str]) -> Iterator[str]:
        yield from noted(lines, seen)
        self._has_ended = True

    def _filled(self, block: Block) -> Block:
        """Return the rows with a filled cell."""
        cells = block.cells
        filled = [bool(row and (row[0].strip() or any(map(str.strip, row)))) for row in cells]
        if all(filled):
            self._note_row()
            return block
        for first, row, is_filled in zip(block.firsts, cells, filled, strict=True):
            if is_filled:
                self._note_row()
            else:
                self._note_blank(first, len(row), True)
        return block.where(filled)

    def _note_blank(self, line: int, n_cells: int, begun: bool) -> None:
        if n_cells > 1:
            self._left_out.blank.add([*self._blank, line])
            self._blank = []
        elif begun:
            self._blank.append(line)

    def _note_row(self) -> None:
        if self._blank:
            self._left_out.blank.add(self._blank)
            self._blank = []


def _with_plain_comments(
    lines: Iterator[str], seen: Sequence[str], separator: str
) -> Iterator[str]:
    """Yield lines; comments above a table lose quotes that are none of a cell: ``# a, "b``.

    ``seen`` is empty where a row begins.
    """
    for line in lines:
        if not (seen or is_unfilled(line)):
            yield line
            break
        is_broken = not seen and '"' in line and _has_fault([line], separator)
        yield line.replace('"', "") if is_broken else line
    yield from lines


def noted(lines: Iterable[str], seen: list[str]) -> Iterator[str]:
    """Yield lines, and note them in ``seen``."""
    for line in lines:
        seen.append(line)
        yield line


def _are_rows(lines: Sequence[str], separator: str, width: int) -> bool:
    """Return whether lines inside a quoted cell look like rows of the table."""
    return width > 1 and all(len(cells) == width for cells in csv_records(lines, separator))


def _has_fault(lines: Sequence[str], separator: str, fault: str = "") -> bool:
    """Return whether a row has a fault of quotes, by the words of the strict parser."""
    try:
        for _ in csv.reader(lines, delimiter=separator, skipinitialspace=True, strict=True):
            pass
    except csv.Error as error:
        return fault in str(error)
    return False


def _fault_of_quotes(path: Path, first: int, error: csv.Error, seen: list[str]) -> Exception:
    return _open_quote(path, first, "is not closed") if len(seen) > 1 else error


def _open_quote(path: Path, line: int, what: str) -> DataError:
    return DataError(
        f"{path}, line {line}: a quote opens in this line and {what}, so that the rows behind it "
        "would be one cell; close it, or write it twice where it is part of a text"
    )
