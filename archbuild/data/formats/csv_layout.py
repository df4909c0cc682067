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
from itertools import islice, pairwise
from pathlib import Path
from typing import TextIO

from archbuild.data.columns import is_grouped, number_in
from archbuild.data.formats.roles import LABEL_COLUMNS
from archbuild.data.guess import Guess, listed
from archbuild.data.request import ReadOptions
from archbuild.errors import DataError
from archbuild.spec.top import SEPARATORS

_SEPARATORS = ("\t", ";", "|", ",")
_SAMPLE = 200  # lines
_PROBED_BYTES = 2**14
_TOLD = re.compile(r"^sep=(.)\s*$", re.IGNORECASE)
_DECIMAL_COMMA = re.compile(r"^\s*[+-]?\d+,\d+([eE][+-]?\d+)?\s*$")
_DECIMAL_POINT = re.compile(r"^\s*[+-]?\d*\.\d+([eE][+-]?\d+)?\s*$")
_INTEGER = re.compile(r"^\s*[+-]?\d+\s*$")


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


def find_header(
    first: Sequence[str], body: Sequence[Sequence[str]], decimal: str, options: ReadOptions
) -> tuple[bool, list[Guess]]:
    """Return whether the first row is a header, and the line that says so where it is a guess."""
    if options.header is not None:
        return options.header, []
    reason = _header_reason(first, body, decimal, options)
    if reason:
        return True, [Guess("header", f"the first line, {reason}", "header=false")]
    return False, [Guess("header", "none; the first line is a row like the others", "header=true")]


def _header_reason(
    first: Sequence[str], body: Sequence[Sequence[str]], decimal: str, options: ReadOptions
) -> str | None:
    """Return why the first row is a header; ``None`` if it is a row like the others."""
    is_number = [number_in(cell, decimal) is not None for cell in first]
    words = [
        not number and cell.strip() != "" for number, cell in zip(is_number, first, strict=True)
    ]
    names = {*LABEL_COLUMNS, (options.labels or "label").casefold()}
    under = body[0] if body else [""] * len(first)
    for word, cell, below in zip(words, first, under, strict=False):
        if word and cell.strip().casefold() in names:
            return f"which names the column '{cell.strip()}'"
        if word and number_in(below, decimal) is not None:
            return f"where '{cell.strip()}' stands above numbers"
    if any(words) and not any(is_number):
        return "which is all words"
    if len(first) > 1 and not first[0].strip() and under[0].strip():
        return "whose first cell is blank above row numbers"
    return _reason_of_numbers(first, body, decimal)


def _reason_of_numbers(
    first: Sequence[str], body: Sequence[Sequence[str]], decimal: str
) -> str | None:
    """Return why a first line of numbers is a header all the same; ``None`` if it is a row.

    Headers of numbers are years, wavelengths, or the column numbers that data frames write: they
    rise from column to column as no row below does, and they do not look like the cells below.
    """
    places = [place for place, cell in enumerate(first) if number_in(cell, decimal) is not None]
    rows = [row for row in body if len(row) == len(first)]
    if not places or len(rows) < 2:
        return None
    names = [number_in(first[place], decimal) or 0.0 for place in places]
    below = [[number_in(row[place], decimal) for place in places] for row in rows]
    outside = _share_outside(names, below)
    whole = all(_INTEGER.match(first[place]) for place in places)
    fractions = _share_with_fractions(rows, places)
    shown = listed(tuple(first[place].strip() for place in places), 3)
    if whole and _is_sequence(names) and not any(_is_sequence(row) for row in below):
        counts = names[0] in (0, 1) and fractions > 0.95
        if counts or (len(names) > 2 and (outside >= 0.5 or fractions >= 0.5 or len(names) > 5)):
            return f"whose numbers count up ({shown}), as no row does"
    rising = len(names) > 3 and _is_rising(names) and not any(_is_rising(row) for row in below)
    if (
        len(set(names)) == len(names)
        and outside >= 0.9
        and (rising or (whole and _are_years(names)))
    ):
        return f"whose numbers ({shown}) lie outside those of the columns below"
    return None


def _share_outside(names: Sequence[float], below: Sequence[Sequence[float | None]]) -> float:
    """Return the share of the columns whose name is no number that its cells could be."""
    outside = 0
    for place, name in enumerate(names):
        cells = [number for row in below if (number := row[place]) is not None]
        outside += not cells or not min(cells) <= name <= max(cells)
    return outside / len(names)


def _share_with_fractions(rows: Sequence[Sequence[str]], places: Sequence[int]) -> float:
    cells = [row[place] for row in rows for place in places]
    return sum(not _INTEGER.match(cell) for cell in cells) / len(cells)


def _is_sequence(numbers: Sequence[float | None]) -> bool:
    """Return whether whole numbers go up or down in equal steps."""
    if any(number is None or number % 1 for number in numbers):
        return False
    steps = {second - first for first, second in pairwise(numbers)}  # type: ignore[operator]
    return len(steps) <= 1 and 0 not in steps


def _is_rising(numbers: Sequence[float | None]) -> bool:
    if any(number is None for number in numbers):
        return False
    steps = [second - first for first, second in pairwise(numbers)]  # type: ignore[operator]
    return all(step > 0 for step in steps) or all(step < 0 for step in steps)


def _are_years(numbers: Sequence[float]) -> bool:
    return len(numbers) > 1 and all(1500 <= number <= 2200 for number in numbers)


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
