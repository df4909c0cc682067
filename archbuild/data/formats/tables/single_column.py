"""One column of numbers with decimal commas, which looks like two that a comma separates."""

from __future__ import annotations

import re
from collections.abc import Sequence

from archbuild.data.columns import is_grouped, is_spaced
from archbuild.data.formats.tables.csv_rows import csv_records, is_unfilled
from archbuild.data.formats.tables.separator import DECIMAL_COMMA, DECIMAL_COMMA_KEY, SIGN
from archbuild.data.guess import Guess
from archbuild.data.request import ReadOptions
from archbuild.data.table_form import TableForm

_LED_BY_ZERO = re.compile(r"\D0\d\d")  # a group of digits, which no column of numbers begins so
_NO_DIGIT = re.compile(r"[^\d+-]")
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
    name, body = kept[0] if named else "", kept[named:]
    pairs = [line.split(",") for line in body if "," in line]
    was_single = form if form is not None and len(form.columns) == 1 else None
    trained_comma = was_single is not None and was_single.decimal == ","
    if trained_comma and options.separator is None and options.decimal != ".":
        return bool(body) and all(map(_is_number, body)), []
    example = _grouped_example(name, body, options, was_single=was_single is not None)
    if example:
        found = f"none; blanks or apostrophes, as in {example}, group the digits of one column"
        return True, [Guess("separator", found, "separator=space")]
    asked = options.separator is not None or options.decimal == "."
    if any(" " in line for line in body):
        return False, []
    if asked or len(body) < 2 - named or not pairs or not all(map(_is_number, body)):
        return False, []
    if options.decimal == ",":
        return True, []
    shown = next(line for line in body if "," in line)
    firsts = [_NO_DIGIT.sub("", first) for first, _ in pairs]
    seconds = [second for _, second in pairs]
    plain = sum(DECIMAL_COMMA.match(line) is not None for line in body)
    ragged = plain > 0 and len(body) - plain > (0 if named else 1)
    if ragged or _look_like_fractions(firsts, seconds) or _is_below_name(firsts, name):
        found = f"a comma, as in {shown}, in one column of numbers"
        return True, [Guess(SIGN, found, "separator=comma")]
    if len(pairs) < len(body):
        return False, []
    found = f"a comma; a line such as {shown} might be one number with a decimal comma as well"
    return False, [Guess("separator", found, DECIMAL_COMMA_KEY)]


def _grouped_example(
    name: str, lines: Sequence[str], options: ReadOptions, *, was_single: bool
) -> str:
    """Return a line such as ``1 234,5`` where all lines are numbers; empty where they may be two.

    They are one where apostrophes or blanks that do not break lines group the digits, where some
    have no groups, or where a group begins with 0; ``1 234,5`` is one too below a name of one word,
    and where the training table had one column.
    """
    if options.separator is not None:
        return ""
    for sign in options.decimal or ",.":
        number = re.compile(rf"[+-]?\d+({re.escape(sign)}\d*)?")
        spaced = [line for line in lines if is_spaced(line, sign)]
        apart = [line.split() for line in spaced if " " in line]
        firsts = [cells[0] for cells in apart]
        is_one_word = "," in "".join(spaced) and " " not in name
        shown = (
            0 < len(spaced) < len(lines)
            or len(apart) < len(spaced)
            or any(map(_LED_BY_ZERO.search, spaced))
            or (bool(firsts) and (was_single or (is_one_word and _is_below_name(firsts, name))))
        )
        if shown and all(is_spaced(line, sign) or number.fullmatch(line) for line in lines):
            return spaced[0]
    return ""


def _is_number(line: str) -> bool:
    """Return whether a line is one number: ``0,75``, ``3``, ``1.234,5``, or ``1 234.5``."""
    is_spaced_number = is_spaced(line, ",") or is_spaced(line, ".")
    is_plain = DECIMAL_COMMA.match(line) or _WHOLE.fullmatch(line) or is_grouped(line)
    return bool(is_plain) or is_spaced_number


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


def _is_below_name(firsts: Sequence[str], name: str) -> bool:
    """Return whether one name is above the numbers, and those in front do not count the rows."""
    start = int(firsts[0])
    counted = list(range(start, start + len(firsts)))
    counts = len(firsts) > 1 and start in (0, 1) and list(map(int, firsts)) == counted
    return bool(name) and not counts
