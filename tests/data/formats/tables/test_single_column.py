from __future__ import annotations

import pytest

from archbuild.data.formats.tables.single_column import find_single_column
from archbuild.data.request import ReadOptions
from archbuild.data.table_form import TableForm


@pytest.mark.parametrize(
    ("text", "single"),
    [
        ("0,75 1,05 2,5", True),  # 05 is no whole number
        ("0,75 0,31 0,5", True),
        ("1,31 2,27 1,54", False),
        ("v 1,31 2,27 1,54", True),
        ('"a,b" 1,31 2,27 1,54', True),
        ("v 0,31 1,27 2,54", False),  # row numbers
        ("v 0,75", True),
        ("v 1,5 3 2,5", True),
        ("1,5 3 2,5 4 7,1", True),
        ("1,5 3 2,5", False),  # one line may be broken
        ("-0,5 1,5 2,5", True),
        ("1,5e3 2,5 3,1", True),
        ("1.234,5 2,5 31,75 4", True),
        ("1.234,5 2.345,5 3.456,5", False),
        ("a,b 1,31 2,27", False),
        ("v 1,31 x", False),
        ("1 2 3", False),
        (" ".join(f"{n % 7},{n % 9 + 1}{n % 5 + 1 if n % 3 else ''}" for n in range(40)), True),
        (" ".join(f"{n % 7},{n % 90 + 1}" for n in range(40)), False),
    ],
)
def test_one_column_is_told_from_two(text, single):
    lines = [f"{line}\n" for line in text.split(" ")]
    found, said = find_single_column(lines, ReadOptions())
    assert found is single
    assert all(guess.overrule for guess in said)
    assert len(said) == 1 or not found


@pytest.mark.parametrize(
    ("text", "single"),
    [
        ("v|1 234,5|2 469,25|7", True),
        ("v|1 234,5|2 469,25", False),  # row numbers
        ("a b|1 234,5|7 469,25", False),
        ("1 234,5|7 469,25", False),
        ("1 234,5|7 069,25", True),  # no number begins with 0
        ("v|1 234.5|7 469.25", False),
        ("1 234.5|7 069.25", True),
        ("1\u00a0234,5|0,5|-7\u00a0469,25", True),
        ("1\u202f234.5|7\u202f469.25", True),
        ("1'234.5|7\u2019469.25", True),
        ("1\u2009234|7\u2009469", True),
        ("v|1 234,5|7 469.25", False),
        ("v|1.234,5|7.469,25", True),
        ("1.234,5|7.469,25", False),
    ],
)
def test_digits_in_groups_are_told_from_columns(text, single):
    lines = [f"{line}\n" for line in text.split("|")]
    found, said = find_single_column(lines, ReadOptions())
    assert found is single
    assert all(guess.overrule for guess in said)
    assert len(said) == 1 or not found
    assert find_single_column(lines, ReadOptions(separator=" ")) == (False, [])


def test_digits_in_groups_are_read_as_in_the_training_table():
    lines, form = ["1 234.5\n", "7 469.25\n"], TableForm(True, ("v",), ("v",), ".")
    assert find_single_column(lines, ReadOptions())[0] is False
    assert find_single_column(lines, ReadOptions(), form)[0] is True


@pytest.mark.parametrize(
    ("options", "single"),
    [({"decimal": ","}, True), ({"decimal": "."}, False), ({"separator": ","}, False)],
)
def test_what_the_user_says_is_done_without_a_word(options, single):
    lines = ["1,31\n", "2,27\n"]
    assert find_single_column(lines, ReadOptions(**options)) == (single, [])
