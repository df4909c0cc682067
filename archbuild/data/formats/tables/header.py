"""The header of a table: whether the first row is one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from archbuild.data.columns import CATEGORICAL, NUMBER, ColumnEncoding, is_missing, number_in
from archbuild.data.formats.tables.roles import LABEL_COLUMNS
from archbuild.data.guess import Guess, listed
from archbuild.data.request import Known, ReadOptions
from archbuild.data.table_form import TableForm, holds_names

_INTEGER = re.compile(r"^\s*[+-]?\d+\s*$")


def find_header(
    first: Sequence[str],
    body: Sequence[Sequence[str]],
    decimal: str,
    options: ReadOptions,
    known: Known | None = None,
) -> tuple[bool, list[Guess]]:
    """Return whether the first row is a header, and the line that says so where it is a guess.

    Where a model reads new rows, a row with the names of its columns is a header, and a model
    of a table without one reads none, unless the first row cannot be one of its rows.
    """
    if options.header is not None:
        return options.header, []
    if known is not None and known.has_names:
        columns = known.form.columns if known.form else ()
        if holds_names(first, known.used_columns, columns):
            return True, []
    elif known is not None and known.form is not None and len(first) in known.form.widths:
        return _as_without_header(first, decimal, known, known.form)
    reason = _header_reason(first, body, decimal, options)
    if reason:
        return True, [Guess("header", f"the first line, {reason}", "header=false")]
    by_place = known is not None and known.has_names
    order = ", and the columns are the model's, in its order" if by_place else ""
    found = f"none; the first line is a row like the others{order}"
    return False, [Guess("header", found, "header=true")]


def _as_without_header(
    first: Sequence[str], decimal: str, known: Known, form: TableForm
) -> tuple[bool, list[Guess]]:
    """Return whether the first row is a header all the same: words in the place of all numbers."""
    names = form.columns if len(first) == len(form.columns) else form.used
    cells = dict(zip(names, first, strict=True))
    encoded = {column.name: column for column in known.encoding.used} if known.encoding else {}
    encodings = [encoded.get(name, ColumnEncoding(name, NUMBER)) for name in form.used]
    quantities = [column for column in encodings if column.kind not in CATEGORICAL]
    filled = [column for column in quantities if not is_missing(cells[column.name])]
    if filled and not any(column.is_readable(cells[column.name], decimal) for column in filled):
        shown = cells[filled[0].name].strip()
        found = f"the first line, where '{shown}' is no {filled[0].kind} as in the training table"
        return True, [Guess("header", found, "header=false")]
    return False, [Guess("header", "none, as in the training table", "header=true")]


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
