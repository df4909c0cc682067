from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from archbuild.data import Dataset, load_dataset
from archbuild.data.columns import TableEncoding
from archbuild.data.origin import Origin
from archbuild.data.request import ReadOptions
from archbuild.data.scaling import Scaler
from archbuild.errors import DataError


def read(folder: Path, text: str, **options: Any) -> Dataset:
    path = folder / "table.csv"
    path.write_text(text)
    return load_dataset(str(path), options=ReadOptions(**options))


def said(dataset: Dataset) -> str:
    return "\n".join(map(str, dataset.guesses))


def test_an_embedded_column_is_one_hot_and_its_block_is_known(tmp_path):
    text = "age,city,size,shop\n1,Oslo,2,a\n2,,3,b\n4,Rome,5,a\n"
    columns = {"city": "embedding", "shop": "embedding"}
    dataset = read(tmp_path, text, columns=columns)
    assert dataset.columns == (
        *("age", "city=Oslo", "city=Rome", "city is missing"),
        *("size", "shop=a", "shop=b"),
    )
    assert dataset.encoding.blocks == {"city": (1, 3), "shop": (5, 2)}
    assert "2 categories ('Oslo', 'Rome'), embedded by the network" in said(dataset)
    assert TableEncoding.from_json(dataset.encoding.to_json()) == dataset.encoding


def test_missing_cells_may_be_masked(tmp_path):
    text = "age,city,open\n1,Oslo,yes\n,,no\n4,Rome,\n"
    columns = {"city": "category"}
    dataset = read(tmp_path, text, gaps="mask", columns=columns)
    nan = np.nan
    expected = [[1, 1, 0, 1], [nan, nan, nan, 0], [4, 0, 1, nan]]
    assert dataset.gaps
    np.testing.assert_array_equal(dataset.values, expected)
    for line in ("column 'age': 1 of 3 cells missing: 0 after scaling", "data.gaps=impute"):
        assert line in said(dataset)
    imputed = read(tmp_path, text, columns=columns)
    assert not imputed.gaps
    assert "data.gaps=mask" in said(imputed)


def test_new_rows_may_have_gaps_where_masked_training_rows_had_none(tmp_path):
    known = Origin.of(
        read(tmp_path, "a,b\n1,2\n3,4\n", gaps="mask"), Scaler("none", np.zeros(1), np.ones(1))
    ).known
    assert known.gaps
    new = tmp_path / "new.csv"
    new.write_text("b,a\n5,\n")
    dataset = load_dataset(str(new), known=known)
    np.testing.assert_array_equal(dataset.values, [[np.nan, 5]])


def test_what_is_no_number_is_refused_beside_masked_cells(tmp_path):
    rows = "".join(f"{row},{row}\n" for row in range(20))
    with pytest.raises(DataError, match=r"not in line 22 \('oops'\)"):
        read(tmp_path, f"a,b\n{rows}oops,\n", gaps="mask")


def test_a_kind_that_is_told_is_kept_where_most_cells_are_numbers(tmp_path):
    rows = "".join(f"{row % 3},{row}\n" for row in range(30))
    dataset = read(tmp_path, f"zip,n\n{rows}A1,30\n", columns={"zip": "category"})
    assert dataset.columns == ("zip=0", "zip=1", "zip=2", "zip=A1", "n")


def test_a_column_told_to_be_the_label_is_no_feature_where_labels_are_not_wanted(tmp_path):
    text = "a,b,kind\n1,2,x\n3,4,y\n"
    dataset = read(tmp_path, text, labels="none", columns={"kind": "label"})
    assert (dataset.columns, dataset.labels) == (("a", "b"), None)


def read_anew(folder: Path, old: str, new: str, **options: Any) -> Dataset:
    """Read new rows in the form of a table that a model was trained on."""
    trained = read(folder, old, **options)
    known = Origin.of(trained, Scaler("none", np.zeros(1), np.ones(1))).known
    path = folder / "new.csv"
    path.write_text(new)
    return load_dataset(str(path), known=known)


@pytest.mark.parametrize(
    ("trained", "new", "known"),
    [
        ("1 2 3", "1.0 3.0 2", [0, 2, 1]),
        ("1.0 2.0", "1 2.00", [0, 1]),
        ("01 10 2", "1 10.0 2", [None, None, 2]),  # with leading zeros they are words
        ("1 1.0 2", "1.00 1 2.0", [None, 0, None]),  # of two that are one number none is meant
        ("1 2 red", "2.0 RED red", [1, None, 2]),
    ],
)
def test_categories_that_are_numbers_are_compared_as_numbers(tmp_path, caplog, trained, new, known):
    old = "x,kind\n" + "".join(f"{row},{kind}\n" for row, kind in enumerate(trained.split()))
    rows = "x,kind\n" + "".join(f"0,{kind}\n" for kind in new.split())
    dataset = read_anew(tmp_path, old, rows, columns={"kind": "category"})
    found = [np.flatnonzero(row[1:]).tolist() for row in dataset.values]
    assert found == [[] if place is None else [place] for place in known]
    assert ("does not know" in caplog.text) == (None in known)


@pytest.mark.parametrize(("new", "none"), [("a,,b", True), ("a,red,b", False)])
def test_a_column_of_which_no_value_is_known_is_said(tmp_path, caplog, new, none):
    old = "x,kind\n1,red\n2,blue\n3,\n"
    rows = "".join(f"0,{kind}\n" for kind in new.split(","))
    read_anew(tmp_path, old, f"x,kind\n{rows}", columns={"kind": "category"})
    assert "in 2 rows: 'a', 'b'" in caplog.text
    assert ("it knows none of the column's values" in caplog.text) == none


def test_short_words_and_numbers_are_truth_values_where_the_column_has_them(tmp_path):
    old = "x,open\n1,yes\n2,no\n3,yes\n"
    dataset = read_anew(tmp_path, old, "x,open\n1,Y\n2,n\n3,1.0\n4,0\n5,F\n")
    np.testing.assert_array_equal(dataset.values[:, 1], [1, 0, 1, 0, 0])
    with pytest.raises(DataError, match=r"neither true nor false .*line 2, column 'open' \(2\)"):
        read_anew(tmp_path, old, "x,open\n1,2\n")


def test_a_gap_that_training_did_not_have_is_answered_with_what_can_be_done(tmp_path):
    with pytest.raises(DataError, match=r"training table has every cell.*data\.gaps: mask"):
        read_anew(tmp_path, "a,b\n1,2\n3,4\n", "a,b\n1,\n")
