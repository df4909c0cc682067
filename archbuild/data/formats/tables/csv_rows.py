"""The rows of a text table, with their line numbers: comments, blank lines and quotes."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from io import BufferedReader, TextIOWrapper
from itertools import chain, islice
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
    """Yield the rows, header included.

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
        rows = _filled(_records(path, file, separator, skip), separator, left_out)
        head = sample(rows, lambda row: row.is_marked)
        plain = [row for row in head if not row.is_marked] or head
        header = _marked_header(head, plain)
        width = len(plain[0].cells) if plain else 0
        begun = False
        for row in chain(head, rows):
            is_marked = row.is_marked
            if row is header:
                row.cells[0] = row.cells[0].lstrip(f"{_MARK} ")
                is_marked = False
            elif is_marked and plain is not head and not (begun and len(row.cells) == width > 1):
                left_out.comments.add(row.first)
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


def _filled(rows: Iterator[Row], separator: str, left_out: LeftOut) -> Iterator[Row]:
    """Yield the rows with a filled cell, without the line ``sep=``."""
    ends: list[int] = []  # blank lines with no row behind them yet
    begun = False
    for row in rows:
        if row.is_blank:
            if len(row.cells) > 1:
                left_out.blank.add(*ends, row.first)
                ends = []
            elif begun:
                ends.append(row.first)
        elif begun or not TOLD_SEPARATOR.match(separator.join(row.cells)):
            if ends:
                left_out.blank.add(*ends)
                ends = []
            begun = True
            yield row


def _records(path: Path, file: TextIO, separator: str, skip: int) -> Iterator[Row]:
    """Yield all rows, blank ones too; a quote that is not closed is refused."""
    seen: list[str] = []
    last: list[str] = []
    lines = _with_plain_comments(islice(file, skip, None), seen, separator)
    reader = csv_records(noted(lines, seen), separator)
    first = skip + 1
    try:
        for cells in reader:
            count = len(seen)
            if count > 1:
                long = count > _SHORT and _are_rows(seen[1:-1], separator, len(cells))
                if long or _has_fault(seen, separator, "expected after"):
                    raise _open_quote(path, first, f"is closed in line {first + count - 1} only")
            yield Row(first, first + count - 1, cells)
            first += count
            last = seen.copy()
            seen.clear()
    except csv.Error as error:  # a quote may go on to the end of a large file
        raise _fault_of_quotes(path, first, error, seen) from error
    if last and _has_fault(last, separator, "unexpected end"):
        raise _open_quote(path, first - len(last), "is never closed")


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
