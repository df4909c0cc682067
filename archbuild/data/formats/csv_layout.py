"""The layout of a text table: comments, separator, decimal sign, header, columns.

None of them is written in such a file, so each is a guess from its first lines, which is said and
which the spec's ``data`` section overrules.
"""

from __future__ import annotations

import csv
import gzip
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TextIO

from archbuild.data.columns import is_grouped
from archbuild.data.formats.header import find_header
from archbuild.data.guess import Guess
from archbuild.data.request import ReadOptions
from archbuild.errors import DataError
from archbuild.spec.top import SEPARATORS

_SEPARATORS = ("\t", ";", "|", ",")
_SAMPLE = 200  # lines
_PROBED_BYTES = 2**14
_TOLD = re.compile(r"^sep=(.)\s*$", re.IGNORECASE)
_DECIMAL_COMMA = re.compile(r"^\s*[+-]?\d+,\d+([eE][+-]?\d+)?\s*$")
_DECIMAL_POINT = re.compile(r"^\s*[+-]?\d*\.\d+([eE][+-]?\d+)?\s*$")


@dataclass(frozen=True)
class CsvLayout:
    """The layout of one text table.

    Attributes:
        path: of the file.
        separator: between the cells.
        decimal: the decimal sign.
        columns: the names; ``1``, ``2``, ... where the file has no header.
        has_header: whether the first row is one.
        width: the cells of each row; one more than ``columns`` where all rows end with a separator.
        guesses: the decisions, in words.
    """

    path: Path
    separator: str
    decimal: str
    columns: tuple[str, ...]
    has_header: bool
    width: int
    guesses: tuple[Guess, ...]


def read_layout(path: Path, options: ReadOptions) -> CsvLayout:
    """Return the layout that the first lines show and the options say.

    Raises:
        DataError: the file is empty.
    """
    separator, said = _separator(path, options)
    rows = [cells for _, cells in islice(numbered_rows(path, separator), _SAMPLE)]
    if not rows:
        raise DataError(f"{path} is empty; expected one line of numbers for each row")
    named = {".csv", ".tsv"} & {suffix.lower() for suffix in path.suffixes}
    form = [] if named else [Guess("format", f"a text table, by what {path.name} holds")]
    guesses = [*form, *said, *_comments(path)]
    decimal, said = _decimal(rows, separator, options)
    guesses += said
    first, body = rows[0], rows[1:]
    has_header, said = find_header(first, body, decimal, options)
    guesses += said
    width = len(body[0]) if body else len(first)
    columns = [cell.strip() for cell in first]
    if not has_header:
        columns = [str(number) for number in range(1, len(first) + 1)]
    columns, said = _extra_cell(columns, body, width, has_header)
    if width > len(columns) + bool(said):
        raise DataError(
            f"{path}: the first line has {len(first)} cells, and the next {width}; write a header "
            "with one name for each column, or name the separator (data.separator)"
        )
    guesses += said
    return CsvLayout(path, separator, decimal, tuple(columns), has_header, width, tuple(guesses))


def is_text_table(path: Path) -> bool:
    """Return whether a file whose suffix says nothing is a text table by its first lines."""
    try:
        with path.open("rb") as file:
            text = file.read(_PROBED_BYTES).decode("utf-8-sig", "strict")
    except (OSError, UnicodeDecodeError):
        return False
    lines = text.splitlines()
    lines = lines[:-1] if len(text) == _PROBED_BYTES else lines  # the last one is cut
    lines = [line for line in lines if line.strip() and not line.lstrip().startswith("#")]
    is_text = "\0" not in text and len(lines) > 1
    return is_text and any(_is_regular(lines, mark) for mark in _SEPARATORS)


def open_text(path: Path) -> TextIO:
    """Open a text file, unpacked where its name ends in ``.gz``."""
    if path.suffix.lower() == ".gz":
        return gzip.open(path, "rt", newline="", encoding="utf-8-sig")
    return path.open(newline="", encoding="utf-8-sig")


def numbered_rows(path: Path, separator: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows, header included, with their line numbers in the file, from 1.

    Blank lines, comments and a line ``sep=`` are left out. A line that begins with ``#`` is a
    comment, unless it has as many cells as the row after it or before it.
    """
    with open_text(path) as file:
        reader = csv.reader(file, delimiter=separator)
        width = 0
        held: tuple[int, list[str]] | None = None  # a first line that begins with #
        for cells in reader:
            if not cells or (not width and _TOLD.match(separator.join(cells))):
                continue
            if cells[0].lstrip().startswith("#") and len(cells) != width:
                held = (reader.line_num, cells) if not width else None
                continue
            if not width:
                width = len(cells)
                if held is not None and len(held[1]) == width > 1:
                    yield held[0], [held[1][0].lstrip("# "), *held[1][1:]]
            yield reader.line_num, cells


def _comments(path: Path) -> list[Guess]:
    """Return a line about the comments among the first lines."""
    with open_text(path) as file:
        lines = list(islice(file, _SAMPLE))
    found = sum(line.lstrip().startswith("#") for line in lines)
    told = any(_TOLD.match(line) for line in lines[:1])
    guesses = [Guess("separator", "as the first line says (sep=)")] if told else []
    if (found and not lines[0].lstrip().startswith("#")) or found > 1 or _is_comment(lines):
        guesses.append(Guess("comments", "lines that begin with # are left out"))
    return guesses


def _is_comment(lines: Sequence[str]) -> bool:
    """Return whether the first line is a comment rather than a header that begins with #."""
    separators = [mark for mark in _SEPARATORS if mark in lines[0]]
    second = lines[1] if len(lines) > 1 else ""
    alike = any(lines[0].count(mark) == second.count(mark) for mark in separators)
    return lines[0].lstrip().startswith("#") and not alike


def _separator(path: Path, options: ReadOptions) -> tuple[str, list[Guess]]:
    """Return the separator: the one that cuts all of the first lines into equally many cells."""
    if options.separator is not None:
        return options.separator, []
    usual = "\t" if ".tsv" in (suffix.lower() for suffix in path.suffixes) else ","
    if usual == "\t":
        return usual, []
    with open_text(path) as file:
        lines = list(islice((line for line in file if line.strip()), _SAMPLE))
    told = _TOLD.match(lines[0]) if lines else None
    if told:
        return told[1], []
    lines = [line for line in lines if not line.lstrip().startswith("#")] or lines
    found = next((mark for mark in _SEPARATORS if _is_regular(lines, mark)), None)
    found = found or max((",", ";", "\t", "|"), key=lines[0].count if lines else len)
    if found == usual:
        return found, []
    name = next(name for name, mark in SEPARATORS.items() if mark == found)
    return found, [Guess("separator", f"a {name}, as every line has it", "separator=comma")]


def _is_regular(lines: Sequence[str], separator: str) -> bool:
    """Return whether a separator cuts every line, and all into as many cells."""
    counts = {len(cells) for cells in csv.reader(lines, delimiter=separator) if cells}
    return len(counts) == 1 and counts.pop() > 1


def _decimal(
    rows: Sequence[Sequence[str]], separator: str, options: ReadOptions
) -> tuple[str, list[Guess]]:
    """Return the decimal sign: a comma where cells have one as such, and none has a point."""
    if options.decimal is not None:
        return options.decimal, []
    if separator == ",":
        return ".", []
    cells = [cell for row in rows for cell in row]
    commas = [cell for cell in cells if _DECIMAL_COMMA.match(cell)]
    points = [cell for cell in cells if _DECIMAL_POINT.match(cell)]
    if not commas or not all(is_grouped(cell) for cell in points):
        return ".", []
    return ",", [Guess("decimal sign", f"a comma, as in {commas[0].strip()}", "decimal=.")]


def _extra_cell(
    columns: list[str], body: Sequence[Sequence[str]], width: int, has_header: bool
) -> tuple[list[str], list[Guess]]:
    """Return the names for rows with one cell too many: an index in front, or a last separator."""
    ends_blank = bool(body) and all(not row[-1].strip() for row in body if row)
    same_width = width == len(columns)
    if ends_blank and width > 1 and (not same_width or not has_header or not columns[-1]):
        kept = columns[:-1] if same_width else columns
        return kept, [Guess("columns", "every line ends with a separator; no column is behind it")]
    if has_header and width == len(columns) + 1:
        found = "the rows have one cell more than the header: their first names the row"
        return ["", *columns], [Guess("columns", found)]
    return columns, []
