"""The separator of a text table, its decimal sign, and the lines above it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from archbuild.data.columns import is_grouped, is_spaced, number_in
from archbuild.data.formats.tables.csv_rows import TOLD_SEPARATOR, csv_records, noted
from archbuild.data.formats.tables.title import has_header, has_number
from archbuild.data.guess import Guess
from archbuild.data.request import ReadOptions
from archbuild.spec.top import SEPARATORS

MARKS = ("\t", ";", "|", ",")
"""Separators that are looked for; a blank is taken where none of them cuts every line alike."""

SIGN = "decimal sign"
"""The subject of guesses about it."""

DECIMAL_COMMA_KEY = 'decimal=","'
"""The assignment that makes a comma the decimal sign; without quotes it is no YAML."""

_MOST_TITLES = 20  # lines
_NEARLY_ALL = 0.9
DECIMAL_COMMA = re.compile(r"^\s*[+-]?\d+,\d+([eE][+-]?\d+)?\s*$")
_DECIMAL_POINT = re.compile(r"^\s*[+-]?\d*\.\d+([eE][+-]?\d+)?\s*$")


class Cut(NamedTuple):
    """The cells that a separator makes of the first lines of a table.

    Attributes:
        separator: the character.
        skip: how many lines are above the table.
        share: the share of the rows with equally many cells.
        width: that number, two or more.
    """

    separator: str
    skip: int
    share: float
    width: int

    @property
    def in_words(self) -> str:
        """The separator's name and its work, for messages."""
        return f"a {separator_name(self.separator)} cuts every line into {self.width} cells"


def separator_name(mark: str) -> str:
    """Return the word for a separator in the spec's ``data`` section."""
    return next((name for name, sign in SEPARATORS.items() if sign == mark), repr(mark))


def cut_by(lines: Sequence[str], mark: str) -> Cut | None:
    """Return how a separator cuts lines; ``None`` where it leaves most of them whole.

    The first row may have one cell less than the others: the header above an index. Lines above
    with fewer cells are no part of the table.
    """
    rows = _rows(lines, mark)
    if not rows:
        return None
    width = Counter(len(cells) for _, cells in rows[len(rows) // 2 :]).most_common(1)[0][0]
    start = _start(rows, width)
    if width < 2 or start is None:
        return None
    alike = [len(cells) == width for _, cells in rows[start + 1 :]] or [True]
    return Cut(mark, rows[start][0] - 1 if start else 0, sum(alike) / len(alike), width)


def _rows(lines: Sequence[str], mark: str) -> list[tuple[int, list[str]]]:
    """Return the line, from 1, and the cells of each row; comments are none."""
    kept = ["" if line.lstrip().startswith("#") else line for line in lines]
    seen: list[str] = []
    reader = csv_records(noted(kept if any(map(str.strip, kept)) else lines, seen), mark)
    rows, before = [], 0
    for cells in reader:
        if any(cell.strip() for cell in cells) and not (before == 0 and _tells(cells, mark)):
            rows.append((before + 1, cells))
        before = len(seen)
    return rows


def _tells(cells: Sequence[str], mark: str) -> bool:
    return TOLD_SEPARATOR.match(mark.join(cells)) is not None


def _start(rows: Sequence[tuple[int, Sequence[str]]], width: int) -> int | None:
    """Return the first row of a table of that width; those above are lines of a title.

    These have one cell each, or there is a header below: words above numbers.
    """
    is_title = True
    for index, (_, cells) in enumerate(rows[: _MOST_TITLES + 1]):
        below = rows[index + 1][1] if index + 1 < len(rows) else []
        if len(cells) == width:
            if _is_apart(rows[index : index + 3], width):
                continue
            return index if is_title or not has_number(cells) else None
        if len(cells) == width - 1 and len(below) == width and _has_index(rows[index + 1 :]):
            return index
        if len(cells) > width or all(number_in(cell) is not None for cell in cells):
            return None
        is_title = is_title and len(cells) == 1
    return None


def _has_index(rows: Sequence[tuple[int, Sequence[str]]]) -> bool:
    """Return whether the first cells of rows may be their names: all differ, and none is a header.

    Of three columns or more two rows may have one name.
    """
    firsts = [cells[0] for _, cells in rows]
    is_name = len(rows[0][1]) > 2 or len(set(firsts)) == len(firsts)
    return is_name and not has_header([cells for _, cells in rows])


def _is_apart(rows: Sequence[tuple[int, Sequence[str]]], width: int) -> bool:
    """Return whether a row of words is apart, by a blank line, from a header above numbers."""
    if len(rows) < 3 or rows[1][0] < rows[0][0] + 2:
        return False
    first, header, body = (cells for _, cells in rows)
    return len(header) == width and has_number(body) and not has_number([*first, *header])


def best_cut(lines: Sequence[str]) -> Cut | None:
    """Return the cut by the separator that fits the lines best.

    That is the one that cuts every line into equally many cells, with the fewest lines above them,
    blanks between numbers last; else the one that cuts most lines alike.
    """
    cuts = [cut for mark in MARKS if (cut := cut_by(lines, mark))]
    blanks = cut_by(lines, " ")
    numbers = _share_of_numbers(lines, " ") if blanks and blanks.share == 1 else 0.0
    cuts += [blanks] if blanks and numbers > 0.5 else []
    exact = [cut for cut in cuts if cut.share == 1]
    best = min(exact, key=lambda cut: cut.skip, default=None)
    if best and blanks and blanks.skip == best.skip and numbers > _NEARLY_ALL:
        # of 0,5 1,5 commas make one cell 5 1; a blank in each line's words is no separator
        is_number = all(is_spaced(line, ",") for line in lines[1:] if "," in line)  # 1 234,5
        is_cut = best.separator == "," and is_number
        return blanks if is_cut or numbers > _share_of_numbers(lines, best.separator) else best
    most = max(cuts, key=lambda cut: cut.share, default=None)
    return best or (most if most and most.share >= 0.5 else None)


def _share_of_numbers(lines: Sequence[str], mark: str) -> float:
    """Return the share of the cells below the first row that are numbers, by either sign."""
    cells = [cell for _, row in _rows(lines, mark)[1:] for cell in row if cell.strip()]
    numbers = sum(number_in(cell) is not None or _has_comma(cell) for cell in cells)
    return numbers / max(1, len(cells))


def _has_comma(cell: str) -> bool:
    return bool(DECIMAL_COMMA.match(cell)) or is_spaced(cell, ",")


def find_decimal(
    rows: Sequence[Sequence[str]],
    separator: str,
    options: ReadOptions,
    trained: str | None = None,
) -> tuple[str, list[Guess]]:
    """Return the decimal sign: a comma where cells have one as such, and none has a point.

    Where a model reads new rows, it is the sign ``trained`` of its table, unless there are only
    cells that have the other one, and not to group digits.
    """
    if options.decimal is not None:
        return options.decimal, []
    cells = [cell.replace("\u2212", "-") for row in rows for cell in row]
    commas = [cell for cell in cells if DECIMAL_COMMA.match(cell) or _is_mixed(cell, ",")]
    points = [cell for cell in cells if _DECIMAL_POINT.match(cell) or _is_mixed(cell, ".")]
    if trained is not None and not _speaks_against(trained, commas, points):
        return trained, []
    comma_groups = separator == "," and all(is_grouped(cell, ".") for cell in commas)
    if commas and all(is_grouped(cell) for cell in points) and not comma_groups:
        return ",", [Guess(SIGN, f"a comma, as in {commas[0].strip()}", "decimal=.")]
    found = _point_in_words(commas, points, separator)
    return ".", [Guess(SIGN, f"a point{found}", DECIMAL_COMMA_KEY)] if found else []


def _speaks_against(sign: str, commas: Sequence[str], points: Sequence[str]) -> bool:
    """Return whether cells have the other decimal sign alone."""
    own, others, other = (commas, points, ".") if sign == "," else (points, commas, ",")
    has_others = any(not is_grouped(cell, sign) for cell in others)
    return has_others and all(is_grouped(cell, other) for cell in own)


def _is_mixed(cell: str, decimal: str) -> bool:
    """Return whether a number groups digits too: ``1.234,5`` where the comma is the decimal one."""
    return decimal in cell and (is_grouped(cell, decimal) or is_spaced(cell, decimal))


def _point_in_words(commas: Sequence[str], points: Sequence[str], separator: str) -> str:
    """Return what speaks against a point as the decimal sign; empty if nothing does."""
    if commas and all(is_grouped(cell, ".") for cell in commas):
        return "" if points else f"; commas, as in {commas[0].strip()}, group digits"
    if commas:
        return f", as in {points[0].strip()}; cells such as {commas[0].strip()} are texts"
    if separator == ";" and points and all(is_grouped(cell) for cell in points):
        return f", as in {points[0].strip()}, which might group digits as well"
    return ""
