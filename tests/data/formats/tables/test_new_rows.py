"""Rows for a model are read as the table that it was trained on was."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from archbuild.data import Dataset, load_dataset
from archbuild.data.origin import Origin
from archbuild.data.request import Known, ReadOptions
from archbuild.data.scaling import Scaler
from archbuild.errors import DataError


def known_from(folder: Path, text: str, name: str = "old.csv", **options: Any) -> Known:
    """Return the form of a training table, as a run keeps it."""
    path = folder / name
    path.write_text(text)
    dataset = load_dataset(str(path), options=ReadOptions(**options))
    origin = Origin.of(dataset, Scaler("none", np.zeros(1), np.ones(1)))
    return Origin.from_json(json.loads(json.dumps(origin.to_json()))).known


def read(folder: Path, text: str, known: Known, **options: Any) -> Dataset:
    path = folder / "new.csv"
    path.write_text(text)
    return load_dataset(str(path), known=known, options=ReadOptions(**options))


def said(dataset: Dataset) -> str:
    return "\n".join(map(str, dataset.guesses))


BANDS = "400,410,420,430\n" + "".join(f"0.{row},0.5,0.{row}1,0.7\n" for row in range(1, 9))


@pytest.mark.parametrize(
    ("header", "row", "expected"),
    [
        ("400,410,420,430", "0.1,0.2,0.3,0.4", [0.1, 0.2, 0.3, 0.4]),
        ("430,400,420,410", "0.1,0.2,0.3,0.4", [0.2, 0.4, 0.3, 0.1]),
        ("390,400,410,420,430", "9,0.1,0.2,0.3,0.4", [0.1, 0.2, 0.3, 0.4]),
        (",400,410,420,430", "7,0.1,0.2,0.3,0.4", [0.1, 0.2, 0.3, 0.4]),
    ],
)
@pytest.mark.parametrize("earlier", [False, True])
def test_one_row_under_the_models_columns_is_one_row(tmp_path, header, row, expected, earlier):
    known = known_from(tmp_path, BANDS)
    known = replace(known, form=None) if earlier else known  # a run of an earlier version
    dataset = read(tmp_path, f"{header}\n{row}\n", known)
    np.testing.assert_allclose(dataset.values, [expected])


def test_a_header_with_some_of_the_columns_is_one(tmp_path):
    known = known_from(tmp_path, BANDS)
    with pytest.raises(DataError, match="has no columns '410', '430'"):
        read(tmp_path, "400,420\n0.1,0.2\n", known)


def test_a_row_that_is_taken_for_a_header_is_answered_with_the_key(tmp_path):
    known = known_from(tmp_path, "a,b,c\n" + "1.5,2.5,0\n3.5,0,9.5\n" * 9)
    rows = "1,2,3\n7.5,0.5,5.5\n4.5,0.5,1.5\n"
    with pytest.raises(DataError, match=r"columns are: 1, 2, 3; if .* data\.header: false"):
        read(tmp_path, rows, known)
    assert len(read(tmp_path, rows, known, header=False)) == 3


def test_names_in_another_spelling_are_answered_with_them(tmp_path):
    known = known_from(tmp_path, BANDS)
    with pytest.raises(DataError, match=r"'400\.0' may be '400', '410\.0' may be '410'"):
        read(tmp_path, "400.0,410.0,420,430\n0.1,0.2,0.3,0.4\n", known)
    known = known_from(tmp_path, "age,net weight\n1,2\n3,4.5\n")
    with pytest.raises(DataError, match="'AGE' may be 'age', 'Net_Weight' may be 'net weight'"):
        read(tmp_path, "AGE,Net_Weight,ag\n1,2,3\n", known)


WITHOUT = "".join(f"{row}.5,{row % 3},{row}\n" for row in range(9))


@pytest.mark.parametrize(
    "rows", ["1,2,3\n7,0,5\n4,0,1\n", "1,2,3\n", "0,1,2\n7.5,0.5,1.5\n8.5,1,2\n"]
)
def test_a_model_of_a_table_without_header_reads_every_row(tmp_path, rows):
    dataset = read(tmp_path, rows, known_from(tmp_path, WITHOUT))
    assert len(dataset) == rows.count("\n")
    assert "header: none, as in the training table" in said(dataset)


def test_a_first_line_without_a_number_is_a_header_all_the_same(tmp_path):
    known = known_from(tmp_path, WITHOUT)
    dataset = read(tmp_path, "a,b,c\n1,2,3\n", known)
    np.testing.assert_array_equal(dataset.values, [[1, 2, 3]])
    assert "where 'a' is no number as in the training table" in said(dataset)
    with pytest.raises(DataError, match="no number: line 1, column '2' \\(x\\)"):
        read(tmp_path, "1,x,3\n1,2,3\n", known)  # a mistake, rather than a header


def test_an_index_in_front_of_columns_without_names_is_no_column(tmp_path):
    dataset = read(tmp_path, ",0,1,2\n7,1.5,2,3\n8,2.5,3,4\n", known_from(tmp_path, WITHOUT))
    np.testing.assert_array_equal(dataset.values, [[1.5, 2, 3], [2.5, 3, 4]])
    assert dataset.ids.tolist() == ["7", "8"]


def test_columns_without_names_go_by_their_places(tmp_path):
    rows = "".join(f"{row}.5,{'ab'[row % 2]},text {row} of 99,{row % 3}\n" for row in range(99))
    known = known_from(tmp_path, rows, labels="4")
    assert known.form.used == ("1", "2")
    all_columns = read(tmp_path, "2.5,b,other,0\n", known, labels="4")
    used = read(tmp_path, "2.5,b\n", known, labels="4")
    for dataset in (all_columns, used):
        np.testing.assert_array_equal(dataset.values, [[2.5, 0, 1]])
    with pytest.raises(DataError, match=r"has 3 columns, and .* on 2: '1', '2'.*places"):
        read(tmp_path, "2.5,b,other\n", known, labels="4")


def test_rows_without_a_header_take_the_order_of_the_models_names(tmp_path):
    known = known_from(tmp_path, "a,kind,b,label\n" + "1.5,x,2,u\n2.5,y,3,v\n" * 9)
    for row in ("0.5,y,7.5,u", "0.5,y,7.5"):
        dataset = read(tmp_path, f"{row}\n1.5,x,8.5{row[9:]}\n", known, header=False)
        np.testing.assert_array_equal(dataset.values, [[0.5, 0, 1, 7.5], [1.5, 1, 0, 8.5]])


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("a;b\n0,5;1,25\n2,5;3\n", "a;b\n1.234;2\n", [1234, 2]),  # where , is the decimal sign
        ("a;b\n0.5;1.25\n2.5;3\n", "a;b\n1.234;2\n", [1.234, 2]),
        ("a;b\n0,5;1,25\n2,5;3\n", "a;b\n0.5;2\n", [0.5, 2]),  # the cells speak against it
        ("a;b\n0.5;1.25\n2.5;3\n", "a;b\n0,5;2\n", [0.5, 2]),
        ("v\n0,75\n1,05\n", "0,75\n", [0.75]),
        ("v\n0,75\n1,05\n", "v\n12\n", [12]),
        ("a,b\n0,75\n1,5\n", "1,25\n", [1, 25]),
        ("a b\n1 2\n3 4.5\n", "3 4\n", [3, 4]),
    ],
)
def test_the_signs_of_the_training_table_are_the_likeliest(tmp_path, old, new, expected):
    known = known_from(tmp_path, old, header=True)
    np.testing.assert_allclose(read(tmp_path, new, known).values, [expected], rtol=1e-6)


def test_sheets_are_held_to_the_form_as_well(tmp_path):
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    for row in ([1, 2, 3], [7, 0, 5], [4, 0, 1]):
        book.active.append(row)
    book.save(tmp_path / "new.xlsx")
    known = known_from(tmp_path, WITHOUT)
    assert len(load_dataset(str(tmp_path / "new.xlsx"), known=known)) == 3


CUSTOMERS = "a,customer_id,note,b\n" + "".join(f"{n}.5,00{n},text,{n % 3}\n" for n in range(9))
CUSTOMER = {"customer_id": "identifier", "note": "ignore"}


@pytest.mark.parametrize("header", ["a,customer_id,note,b", "note,b,a,customer_id"])
def test_rows_bear_the_names_of_the_column_that_identifies_them(tmp_path, caplog, header):
    known = known_from(tmp_path, CUSTOMERS, columns=CUSTOMER)
    cells = {"a": "1.5", "customer_id": "007", "note": "far", "b": "2"}
    row = ",".join(cells[name] for name in header.split(","))
    dataset = read(tmp_path, f"{header}\n{row}\n", known, columns=CUSTOMER)
    np.testing.assert_array_equal(dataset.values, [[1.5, 2]])
    assert dataset.ids.tolist() == ["007"]
    assert not caplog.records


def test_the_form_alone_says_which_column_identifies_rows(tmp_path):
    known = known_from(tmp_path, CUSTOMERS, columns=CUSTOMER)
    assert known.form.identifiers == ("customer_id",)
    assert read(tmp_path, "customer_id,b,a\n007,2,1.5\n", known).ids.tolist() == ["007"]
    without = replace(known, form=None)  # a run of an earlier version, whose spec says it
    read_again = read(tmp_path, "customer_id,b,a\n007,2,1.5\n", without, columns=CUSTOMER)
    assert read_again.ids.tolist() == ["007"]


def test_new_rows_without_the_column_that_identifies_them_are_numbered_and_it_is_said(tmp_path):
    known = known_from(tmp_path, CUSTOMERS, columns=CUSTOMER)
    dataset = read(tmp_path, "b,a\n2,1.5\n", known, columns=CUSTOMER)
    assert dataset.ids is None
    assert "no column 'customer_id' as in the training table; rows are numbered" in said(dataset)
    dataset = read(tmp_path, "id,b,a\nx,2,1.5\n", known, columns=CUSTOMER)
    assert dataset.ids.tolist() == ["x"]
    assert "rows are named by 'id'" in said(dataset)


def test_only_the_first_of_several_identifiers_names_rows_and_none_is_a_surprise(tmp_path, caplog):
    kinds = {"note": "identifier", "customer_id": "identifier"}
    known = known_from(tmp_path, CUSTOMERS, columns=kinds)
    dataset = read(tmp_path, "b,note,a,customer_id\n2,far,1.5,007\n", known, columns=kinds)
    assert dataset.ids.tolist() == ["far"]
    assert not caplog.records


def test_rows_without_a_header_are_named_by_place(tmp_path):
    rows = "".join(f"{row}.5,x{row},{row % 3}\n" for row in range(9))
    known = known_from(tmp_path, rows, columns={"2": "identifier"})
    dataset = read(tmp_path, "2.5,x7,1\n", known, columns={"2": "identifier"})
    assert dataset.ids.tolist() == ["x7"]
    assert read(tmp_path, "2.5,1\n", known, columns={"2": "identifier"}).ids is None
