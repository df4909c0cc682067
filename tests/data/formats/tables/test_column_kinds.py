from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from archbuild.data import Dataset, load_dataset, profile
from archbuild.data.formats.tables import encoding as table_encoding
from archbuild.data.request import Known, ReadOptions
from archbuild.errors import DataError


def read(folder: Path, text: str) -> Dataset:
    path = folder / "table.csv"
    path.write_text(text, encoding="utf-8")
    return load_dataset(str(path))


def said(dataset: Dataset) -> str:
    return "\n".join(map(str, dataset.guesses))


@pytest.mark.parametrize(("count", "columns"), [(5, 5), (60, 0)])
def test_numbers_with_leading_zeros_are_names(tmp_path, count, columns):
    rows = "".join(f"{1000 + row % count:05d},{row}.5\n" for row in range(60))
    dataset = read(tmp_path, f"zip,x\n{rows}")
    assert dataset.shape == (columns + 1,)
    assert re.search("column 'zip': .*leading zeros", said(dataset))
    assert "--set data.columns.zip=number" in said(dataset)
    path = tmp_path / "table.csv"
    told = load_dataset(str(path), options=ReadOptions(columns={"zip": "number"}))
    np.testing.assert_array_equal(told.values[:3], [[1000, 0.5], [1001, 1.5], [1002, 2.5]])
    new = load_dataset(str(path), known=Known(told.columns, told.encoding, told.scale))
    np.testing.assert_array_equal(new.values, told.values)


def test_numbers_and_words_with_leading_zeros_are_names(tmp_path):
    rows = "".join(f"{f'{row:04d}' if row % 9 else f'K{row}'},{row}.5\n" for row in range(60))
    assert "column 'code': left out: numbers with leading" in said(
        read(tmp_path, f"code,x\n{rows}")
    )


def test_whole_numbers_that_lose_digits_are_counted(tmp_path):
    rows = "".join(f"{2**60 + 2**50 * row + row},{row}.5\n" for row in range(60))
    line = "column 'key': 59 of 60 cells are whole numbers beyond 2^53, which are rounded: 59 "
    assert f"{line}different ones become 59" in said(read(tmp_path, f"key,x\n{rows}"))
    exact = "".join(f"{2**60 + 2**20 * row},{row}.5\n" for row in range(60))
    assert "2^53" not in said(read(tmp_path, f"key,x\n{exact}"))
    floats = "".join(f"{1.1234567890123456e30 * row!r},{row}.5\n" for row in range(60))
    assert "2^53" not in said(read(tmp_path, f"key,x\n{floats}"))


@pytest.mark.parametrize("form", ["{}", "{}.0", '"{:,}"', "{}e0"])
def test_whole_numbers_that_float64_would_blur_are_refused(tmp_path, form):
    rows = "".join(f"{form.format(2**60 + row)},{row}.5\n" for row in range(60))
    with pytest.raises(DataError, match=rf"'key' goes from {2**60} to {2**60 + 59}, a range of 59"):
        read(tmp_path, f"key,x\n{rows}")
    options = ReadOptions(columns={"key": "ignore"})
    assert load_dataset(str(tmp_path / "table.csv"), options=options).columns == ("x",)


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        ("{} kg", "numbers with 'kg' behind them ('10 kg')"),
        ("{}%", "numbers with '%' behind them ('10%')"),
        ("€ {}", "numbers with '€' in front of them ('€ 10')"),
        ("({})", "numbers with '(' in front of them and ')' behind them"),
        ("{}.01.2024", "dates in another form than 2024-01-31 ('10.01.2024')"),
        ("1/{}/24", "dates in another form than 2024-01-31"),
        ("8:{}", "times of day ('8:10')"),
    ],
)
def test_what_is_left_out_is_told_by_its_look(tmp_path, cell, words):
    rows = "".join(f"{cell.format(row)},{row}.5\n" for row in range(10, 40))
    assert f"column 'a': left out: {words}" in said(read(tmp_path, f"a,x\n{rows}"))


@pytest.mark.parametrize(
    ("kind", "cell", "line"),
    [
        ("number", "soon", "no number: line 11, column 'a' (soon)"),
        ("date", "soon", "no date in ISO 8601 form (2024-01-31): line 11, column 'a' (soon)"),
        ("boolean", "maybe", "neither true nor false"),
    ],
)
def test_a_cell_that_is_not_of_the_kind_that_the_user_states_is_named(tmp_path, kind, cell, line):
    path = tmp_path / "table.csv"
    good = {"number": "1", "date": "2024-01-02", "boolean": "yes"}[kind]
    path.write_text("a,x\n" + f"{good},1\n" * 9 + f"{cell},2\n" + f"{cell},2\n" * 9)
    with pytest.raises(DataError) as caught:
        load_dataset(str(path), options=ReadOptions(columns={"a": kind}))
    assert line in str(caught.value)


def test_truth_values_may_be_words_and_digits(tmp_path):
    rows = "".join(f"{('TRUE', '0', 'yes', '1')[row % 4]},{row}.5\n" for row in range(40))
    dataset = read(tmp_path, f"a,x\n{rows}")
    assert dataset.values[:4, 0].tolist() == [1, 0, 1, 1]
    assert "true and false" in said(dataset)


def test_a_feature_without_a_name_and_an_empty_column_are_said(tmp_path):
    dataset = read(tmp_path, "a,,c\n" + "".join(f"{row}.5,{row % 3},\n" for row in range(20)))
    assert "columns: the column 2 has no name, and is a feature" in said(dataset)
    assert "column 'c': left out: no cell has a value" in said(dataset)


def test_a_category_of_more_values_than_are_kept_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(table_encoding, "MOST_DISTINCT", 20)
    monkeypatch.setattr(profile, "MOST_DISTINCT", 20)
    path = tmp_path / "table.csv"
    path.write_text("a,x\n" + "".join(f"n{row},1\n" for row in range(30)))
    with pytest.raises(DataError, match="'a' has 20 different values or more, too many"):
        load_dataset(str(path), options=ReadOptions(columns={"a": "category"}))
