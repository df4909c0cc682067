from __future__ import annotations

import logging
from pathlib import Path

import pytest

from archbuild.data.formats.table import Roles, assign_roles, fault_message
from archbuild.errors import DataError

PATH = Path("table.csv")


@pytest.mark.parametrize(
    ("columns", "wanted", "roles"),
    [
        (["a", "b"], None, Roles(None, None, (0, 1))),
        (["a", "Class", "b"], None, Roles(1, None, (0, 2))),
        (["label", "b"], "b", Roles(1, None, (0,))),
        (["", "a", "y"], None, Roles(2, 0, (1,))),
        (["Unnamed: 0", "a"], None, Roles(None, 0, (1,))),
        (["ID", "a"], None, Roles(None, 0, (1,))),
        (["a", "id"], None, Roles(None, None, (0, 1))),
        (["id", "a"], "id", Roles(0, None, (1,))),
        (["id"], None, Roles(None, None, (0,))),
        (["a", "y", "__index_level_0__"], None, Roles(1, 2, (0,))),
    ],
)
def test_each_column_has_one_role(columns, wanted, roles):
    assert assign_roles(columns, wanted, PATH) == roles


def test_without_a_header_no_column_names_the_rows():
    assert assign_roles(["1", "2"], "1", PATH, has_header=False) == Roles(0, None, (1,))


@pytest.mark.parametrize("first", ["", "Id"])
def test_a_column_that_names_the_rows_is_left_out_with_a_warning(caplog, first):
    with caplog.at_level(logging.WARNING):
        assign_roles([first, "a"], None, PATH)
    assert "left out" in caplog.text


def test_wanted_features_come_in_their_order_and_the_rest_is_named(caplog):
    with caplog.at_level(logging.WARNING):
        roles = assign_roles(["id", "a", "b", "c"], None, PATH, features=["c", "a"])
    assert roles == Roles(None, 0, (3, 1))
    assert "trained without them: b\n" in caplog.text


def test_a_feature_that_is_not_there_is_named():
    with pytest.raises(DataError, match="no column 'wight'; did you mean 'weight'"):
        assign_roles(["weight", "b"], None, PATH, features=["wight"])


def test_faults_are_listed_up_to_five():
    text = fault_message(PATH, {"b": "red"}, [f"line {line}" for line in range(7)])
    assert "'b' (for instance 'red')" in text
    assert "line 4 and 2 more" in text
    assert fault_message(PATH, {}, [], "why") == "table.csv: why"


def test_two_columns_of_one_name_are_refused():
    with pytest.raises(DataError, match="several columns of one name: 'a'; rename"):
        assign_roles(("a", "b", "a"), None, PATH)
    assign_roles(("1", "1"), None, PATH, has_header=False)


def test_labels_are_left_out_in_silence_where_features_are_given(caplog):
    roles = assign_roles(("Class", "b", "kind", "c"), "kind", PATH, features=("b", "c"))
    assert (roles.label, roles.features) == (None, (1, 3))
    assert not caplog.records
    assign_roles(("b", "c", "other"), None, PATH, features=("c", "b"))
    assert "left out, as the model was trained without them: other" in caplog.text
