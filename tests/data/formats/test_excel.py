from __future__ import annotations

import sys
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from archbuild.data import load_dataset
from archbuild.data.request import ReadOptions
from archbuild.errors import DataError

openpyxl = pytest.importorskip("openpyxl")


def write(path: Path, *sheets: list[list[object]]) -> str:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for rows in sheets:
        sheet = book.create_sheet()
        for row in rows:
            sheet.append(row)
    book.save(path)
    return str(path)


def test_a_table_is_read_as_from_csv(tmp_path):
    rows = [["id", "width", "day", "shop", "label"]]
    rows += [[f"r{i}", i / 2, date(1970, 1, 1 + i), "ab"[i % 2], "xyx"[i % 3]] for i in range(6)]
    rows[3][1] = None
    dataset = load_dataset(write(tmp_path / "own.xlsx", rows))
    assert dataset.columns == ("width", "width is missing", "day", "shop=a", "shop=b")
    np.testing.assert_allclose(dataset.values[:, 0], [0.0, 0.5, 1.3, 1.5, 2.0, 2.5], rtol=1e-6)
    assert dataset.values[:, 2].tolist() == [0, 1, 2, 3, 4, 5]
    assert dataset.ids.tolist() == [f"r{i}" for i in range(6)]
    assert dataset.class_names == ("x", "y")


def test_further_sheets_are_named_as_left_out(tmp_path):
    dataset = load_dataset(write(tmp_path / "own.xlsx", [["a"], [1], [2.5]], [["b"], [3]]))
    np.testing.assert_array_equal(dataset.values, [[1], [2.5]])
    assert any("1 more are left out" in str(guess) for guess in dataset.guesses)


def test_a_table_without_a_header_and_the_label_in_words(tmp_path):
    path = write(tmp_path / "own.xlsx", [[1.5, 2.5, "x"], [3.5, 4.5, "y"], [3.1, 4.2, "y"]])
    dataset = load_dataset(path, options=ReadOptions(header=False, labels="3"))
    np.testing.assert_allclose(dataset.values, [[1.5, 2.5], [3.5, 4.5], [3.1, 4.2]], rtol=1e-6)
    assert dataset.labels.tolist() == [0, 1, 1]


def test_damage_and_a_missing_library_are_named(tmp_path, monkeypatch):
    path = tmp_path / "own.xlsx"
    path.write_bytes(b"PK\x03\x04 and no more")
    with pytest.raises(DataError, match="cannot be read as an Excel workbook"):
        load_dataset(str(path))
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    with pytest.raises(DataError, match=r"pip install 'archbuild\[excel\]'"):
        load_dataset(str(path))
