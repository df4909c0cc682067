from __future__ import annotations

from pathlib import Path

import pytest

from archbuild.data.formats.tables.roles import Unused, assign_roles, chosen_roles
from archbuild.data.request import ReadOptions
from archbuild.errors import DataError

PATH = Path("table.csv")


@pytest.mark.parametrize(
    ("columns", "labels", "roles"),
    [
        (["a", "b"], None, (None, None, (0, 1))),
        (["a", "Class", "b"], None, (1, None, (0, 2))),
        (["label", "b"], "b", (1, None, (0,))),
        (["a", "label"], "none", (None, None, (0, 1))),
        (["", "a", "y"], None, (2, 0, (1,))),
        (["Unnamed: 0", "a"], None, (None, 0, (1,))),
        (["ID", "a"], None, (None, 0, (1,))),
        (["a", "id"], None, (None, None, (0, 1))),
        (["id", "a"], "id", (0, None, (1,))),
        (["id"], None, (None, None, (0,))),
        (["a", "y", "__index_level_0__"], None, (1, 2, (0,))),
    ],
)
def test_each_column_has_one_role(columns, labels, roles):
    assert assign_roles(columns, ReadOptions(labels=labels), PATH)[:3] == roles


@pytest.mark.parametrize(
    ("kinds", "roles"),
    [
        ({"y": "number"}, (None, 0, (1, 2))),
        ({"a": "label"}, (1, 0, (2,))),
        ({"a": "identifier"}, (2, 1, (0,))),
        ({"a": "ignore", "id": "number"}, (2, None, (0,))),
    ],
)
def test_kinds_that_the_user_states_overrule_names(kinds, roles):
    assert assign_roles(["id", "a", "y"], ReadOptions(columns=kinds), PATH)[:3] == roles


def test_without_a_header_no_column_names_the_rows():
    roles = assign_roles(["1", "2"], ReadOptions(labels="1"), PATH, has_header=False)
    assert roles[:3] == (0, None, (1,))


@pytest.mark.parametrize("first", ["", "Id"])
def test_a_column_that_names_the_rows_is_left_out_and_said(first):
    (guess,) = assign_roles([first, "a"], ReadOptions(), PATH).guesses
    assert "left out" in str(guess)


def test_columns_that_a_model_knows_come_in_their_order_and_the_rest_is_named(caplog):
    roles = chosen_roles(["id", "a", "b", "c", "y"], ["c", "a"], PATH)
    assert roles[:3] == (None, 0, (3, 1))
    assert "left out, as the model was trained without them: b" in caplog.text
    assert ", y" not in caplog.text


@pytest.mark.parametrize(
    "ask",
    [
        lambda columns: assign_roles(columns, ReadOptions(columns={"wight": "number"}), PATH),
        lambda columns: assign_roles(columns, ReadOptions(labels="wight"), PATH),
        lambda columns: chosen_roles(columns, ["wight"], PATH),
    ],
)
def test_a_column_that_is_not_there_is_named(ask):
    with pytest.raises(DataError, match="no column 'wight'; did you mean 'weight'"):
        ask(["weight", "b"])


def test_two_columns_of_one_name_are_refused():
    with pytest.raises(DataError, match="several columns of one name: 'a'; rename"):
        assign_roles(("a", "b", "a"), ReadOptions(), PATH)
    assign_roles(("1", "1"), ReadOptions(), PATH, has_header=False)


@pytest.mark.parametrize("name", ["0", "4"])
def test_columns_without_a_header_count_from_1(name):
    with pytest.raises(DataError, match="columns are counted from 1, and the last is 3"):
        assign_roles(("1", "2", "3"), ReadOptions(labels=name), PATH, has_header=False)


@pytest.mark.parametrize(
    ("columns", "unused", "meant"),
    [
        (["a", "comment"], Unused(), None),
        (["a", "incomes"], Unused(), "incomes"),
        (["a", "incomes"], Unused(ignored=["incomes"]), None),
        (["a", "Income"], Unused(others=["Income"]), None),
    ],
)
def test_a_missing_column_may_be_one_that_is_close_and_of_no_other_use(columns, unused, meant):
    with pytest.raises(DataError) as caught:
        chosen_roles(columns, ["a", "income"], PATH, unused=unused)
    said = f"no column 'income'; did you mean '{meant}'?" if meant else "no column 'income'. Its"
    assert said in str(caught.value)


def test_none_of_several_missing_columns_is_one_of_another_use():
    with pytest.raises(DataError, match=r"no columns 'income', 'b', .*; 'B' may be 'b'"):
        chosen_roles(["B", "Income"], ["income", "b"], PATH, unused=Unused(ignored=["Income"]))
