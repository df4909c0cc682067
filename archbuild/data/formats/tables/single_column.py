"""One column of numbers with decimal commas, which looks like two that a comma separates."""

from __future__ import annotations

import re
from collections.abc import Sequence

from archbuild.data.columns import is_grouped
from archbuild.data.formats.tables.csv_rows import csv_records, is_unfilled
from archbuild.data.formats.tables.separator import DECIMAL_COMMA, DECIMAL_COMMA_KEY, SIGN
from archbuild.data.guess import Guess
from archbuild.data.request import ReadOptions
from archbuild.data.table_form import TableForm

_WHOLE = re.compile(r"[+-]?\d+")
_MANY = 30  # lines in which one number in ten would end in 0


def find_single_column(
    lines: Sequence[str], options: ReadOptions, form: TableForm | None = None
) -> tuple[bool, list[Guess]]:
    """Return whether lines such as ``0,75`` are one column of numbers with a decimal comma.

    They might be two columns of whole numbers too. They are one column below a header of one name,
    unless the first numbers count the rows; and without a header where the digits behind the comma
    look like a fraction's.

    Args:
        lines: the first of the table.
        options: the user's decisions.
        form: of the training table, where a model reads new rows: if that was one such column,
            numbers are read so.
    """
    kept = [line.strip() for line in lines if not is_unfilled(line)]
    named = bool(kept) and not _is_number(kept[0]) and _is_one_cell(kept[0])
    body = kept[named:]
    pairs = [line.split(",") for line in body if DECIMAL_COMMA.match(line)]
    was_single = form is not None and len(form.columns) == 1 and form.decimal == ","
    if was_single and options.separator is None and options.decimal != ".":
        return bool(body) and all(map(_is_number, body)), []
    asked = options.separator is not None or options.decimal == "."
    if asked or len(body) < 2 - named or not pairs or not all(map(_is_number, body)):
        return False, []
    if options.decimal == ",":
        return True, []
    shown = next(line for line in body if DECIMAL_COMMA.match(line))
    firsts, seconds = zip(*pairs, strict=True)
    ragged = len(body) - len(pairs) > (0 if named else 1)
    if ragged or _look_like_fractions(firsts, seconds) or _is_below_name(firsts, named):
        found = f"a comma, as in {shown}, in one column of numbers"
        return True, [Guess(SIGN, found, "separator=comma")]
    if len(pairs) < len(body):
        return False, []
    found = f"a comma; a line such as {shown} might be one number with a decimal comma as well"
    return False, [Guess("separator", found, DECIMAL_COMMA_KEY)]


def _is_number(line: str) -> bool:
    """Return whether a line is one number: ``0,75``, ``3``, or ``1.234,5``."""
    return bool(DECIMAL_COMMA.match(line) or _WHOLE.fullmatch(line) or is_grouped(line))


def _is_one_cell(line: str) -> bool:
    return [len(cells) for cells in csv_records([line], ",")] == [1]


def _look_like_fractions(firsts: Sequence[str], seconds: Sequence[str]) -> bool:
    """Return whether what is behind the commas has the look of decimals, not of whole numbers.

    One begins with 0; or many of unequal length end in no 0, since such zeros are not written; or
    the numbers in front are -0, or all the same.
    """
    padded = any(len(second) > 1 and second.startswith("0") for second in seconds)
    unequal = len({len(second) for second in seconds}) > 1
    cut = len(seconds) >= _MANY and unequal and not any(text.endswith("0") for text in seconds)
    powers = any("e" in second.lower() for second in seconds)
    return padded or cut or powers or "-0" in firsts or (len(firsts) > 2 and len({*firsts}) == 1)


def _is_below_name(firsts: Sequence[str], named: bool) -> bool:
    """Return whether one name is above the numbers, and those in front do not count the rows."""
    start = int(firsts[0])
    counted = list(range(start, start + len(firsts)))
    counts = len(firsts) > 1 and start in (0, 1) and list(map(int, firsts)) == counted
    return named and not counts
