from __future__ import annotations

import numpy as np
import pytest

from archbuild.data import load_dataset
from archbuild.data.formats.tables.odd_numbers import say_odd_numbers
from archbuild.data.request import ReadOptions

ROWS = np.arange(300.0)


@pytest.mark.parametrize(
    ("column", "line"),
    [
        (ROWS, "it counts the rows, from 0 on [otherwise: --set data.columns.a=identifier]"),
        (ROWS + 1, "it counts the rows, from 1 on"),
        (ROWS + 1001, "it counts the rows, from 1001 on"),
        (ROWS / 2, None),
        (ROWS + 0.5, None),
        (np.where(ROWS % 7, ROWS % 5, -999), "-999 may stand for a missing value: it is in 43 of"),
        (np.where(ROWS % 7, ROWS % 5 - 2, -999), None),
        (20240101 + ROWS % 28, "look like dates (20240101) [otherwise: --set data.columns.a=date]"),
        (20240101 + ROWS % 60, None),
        (20240101.5 + ROWS % 28, None),
        (np.r_[ROWS[:-1], 7], None),
    ],
)
def test_numbers_that_look_like_something_else_are_said(column, line):
    said = say_odd_numbers(["b", "a"], np.stack([ROWS % 11, column], axis=1), [0, 1])
    assert [line in str(guess) for guess in said] == [True] * (line is not None)
    assert not say_odd_numbers(["b", "a"], np.stack([ROWS % 11, column], axis=1), [0])


@pytest.mark.parametrize("name", ["id", "customer_id", "customerID", "Kunden-Nr", "KEY", "index"])
def test_columns_that_are_called_like_an_id_are_said_where_every_row_has_its_own(name):
    permuted = (ROWS * 77) % 300
    said = say_odd_numbers(["a", name], np.stack([permuted, permuted], axis=1), [0, 1])
    assert len(said) == 1
    assert "called like an id, and every row has its own number" in str(said[0])
    assert "ignore" in str(said[0])
    for column in (ROWS % 200, permuted / 2):
        assert not say_odd_numbers(["a", name], np.stack([permuted, column], axis=1), [0, 1])


@pytest.mark.parametrize("name", ["paid", "width", "acid", "monkey", "volcano"])
def test_words_that_end_like_an_id_are_none(name):
    assert not say_odd_numbers([name], ((ROWS * 77) % 300)[:, None], [0])


def test_numbers_become_dates_by_the_key_that_is_printed(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("day,x\n" + "".join(f"202401{day:02d},{day / 2}\n" for day in range(1, 31)))
    assert "--set data.columns.day=date" in str(load_dataset(str(path)).guesses[-1])
    told = load_dataset(str(path), options=ReadOptions(columns={"day": "date"}))
    assert np.diff(told.values[:, 0]).tolist() == [1] * 29


def test_columns_that_are_told_or_no_numbers_are_not_said(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("n,w,x\n" + "".join(f"{row},{'ab'[row % 2]},{row / 2}\n" for row in range(30)))
    assert "counts the rows" in " ".join(map(str, load_dataset(str(path)).guesses))
    told = load_dataset(str(path), options=ReadOptions(columns={"n": "number"}))
    assert "counts the rows" not in " ".join(map(str, told.guesses))
