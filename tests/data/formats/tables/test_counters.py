"""Columns that count the rows and are called like an identifier are no features."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from archbuild.data import Dataset, load_dataset
from archbuild.data.formats.tables.counters import is_called_like_an_id
from archbuild.data.request import ReadOptions


def read(folder: Path, table: dict[str, list[object]], **options: object) -> Dataset:
    rows = zip(*table.values(), strict=True)
    lines = [",".join(table), *(",".join(map(str, row)) for row in rows)]
    path = folder / "table.csv"
    path.write_text("\n".join(lines) + "\n")
    return load_dataset(str(path), options=ReadOptions(**options))


def said(dataset: Dataset) -> str:
    return "\n".join(map(str, dataset.guesses))


N = 12
A = [row / 2 for row in range(N)]
SHUFFLED = [(7 * row) % N + 100 for row in range(N)]


@pytest.mark.parametrize(
    "name", ["customer_id", "customerID", "rowId", "index", "nr", "No", "number", "order key"]
)
@pytest.mark.parametrize("numbers", [list(range(N)), SHUFFLED, [f"{row:03}" for row in range(N)]])
def test_a_counter_that_is_called_like_an_id_names_the_rows(tmp_path, name, numbers):
    dataset = read(tmp_path, {"a": A, name: numbers})
    assert dataset.columns == ("a",)
    assert dataset.ids.tolist() == [*map(str, numbers)]
    assert f"'{name}' counts the rows: it names them, and is no feature" in said(dataset)


def test_the_key_that_is_printed_makes_it_a_feature(tmp_path):
    dataset = read(tmp_path, {"a": A, "nr": SHUFFLED})
    assert "[otherwise: --set data.columns.nr=number]" in said(dataset)
    dataset = read(tmp_path, {"a": A, "nr": SHUFFLED}, columns={"nr": "number"})
    assert (dataset.columns, dataset.ids) == (("a", "nr"), None)


@pytest.mark.parametrize(
    ("name", "numbers"),
    [
        ("year", [*range(1990, 1990 + N)]),
        ("customer_id", [*range(N - 1), 900]),
        ("customer_id", [*range(1, N), 1]),
        ("customer_id", [row + 0.5 for row in range(N)]),
        ("customer_id", [*range(N - 1), ""]),
    ],
)
def test_other_names_and_other_numbers_stay_features(tmp_path, name, numbers):
    dataset = read(tmp_path, {"a": A, name: numbers})
    assert name in dataset.columns
    assert dataset.ids is None


def test_few_rows_and_a_counter_alone_stay_features(tmp_path):
    assert read(tmp_path, {"a": A[:9], "nr": [*range(9)]}).columns == ("a", "nr")
    assert read(tmp_path, {"nr": SHUFFLED}).columns == ("nr",)


def test_where_rows_have_names_a_counter_is_left_out(tmp_path):
    dataset = read(tmp_path, {"id": [f"x{row}" for row in range(N)], "nr": SHUFFLED, "a": A})
    assert dataset.columns == ("a",)
    assert dataset.ids[0] == "x0"
    assert dataset.form.identifiers == ("id", "nr")
    assert "it identifies them too" in said(dataset)


def test_the_fast_way_of_numbers_reads_the_rest(tmp_path):
    dataset = read(tmp_path, {"nr": SHUFFLED, "a": A, "b": A})
    np.testing.assert_array_equal(dataset.values, np.stack([A, A], axis=1))
    assert dataset.encoding is None


@pytest.mark.parametrize("name", ["paid", "width", "acid", "monkey", "volcano", "piano", "numb"])
def test_words_that_end_like_an_id_are_none(name):
    assert not is_called_like_an_id(name)
