from __future__ import annotations

import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from archbuild.data import Dataset, load_dataset, spill
from archbuild.data import dataset as dataset_module
from archbuild.data.request import Known, ReadOptions
from archbuild.errors import DataError

pa = pytest.importorskip("pyarrow")
pytest.importorskip("pyarrow.parquet")


def write(path: Path, **columns: Any) -> Path:
    pa.parquet.write_table(pa.table(columns), path)
    return path


def read(folder: Path, column: str = "", **columns: Any) -> Dataset:
    path = write(folder / "table.parquet", **columns)
    return load_dataset(f"{path}:{column}" if column else str(path))


def test_numbers_of_every_kind_are_read_and_labels_found(tmp_path):
    dataset = read(
        tmp_path,
        id=["x", "y"],
        whole=pa.array([1, 2], pa.int8()),
        flag=[True, False],
        price=[Decimal("1.5"), Decimal("2.5")],
        real=[0.25, -4.0],
        label=pa.array(["cat", "ant"]).dictionary_encode(),
    )
    np.testing.assert_array_equal(dataset.values, [[1, 1, 1.5, 0.25], [2, 0, 2.5, -4]])
    assert dataset.values.dtype == np.float32
    assert dataset.columns == ("whole", "flag", "price", "real")
    assert dataset.ids.tolist() == ["x", "y"]
    assert dataset.class_names == ("ant", "cat")
    assert dataset.labels.tolist() == [1, 0]


def test_the_label_column_can_be_named(tmp_path):
    dataset = read(tmp_path, "kind", kind=[10, 2, 10], a=[1.0, 2.0, 3.0])
    assert dataset.class_names == ("2", "10")
    assert dataset.columns == ("a",)


def test_a_short_suffix_is_read_as_well(tmp_path):
    path = write(tmp_path / "table.pq", a=[1.0, 2.0])
    assert load_dataset(str(path)).shape == (1,)


def test_large_tables_are_read_in_parts_onto_disk(tmp_path, monkeypatch):
    monkeypatch.setattr(spill, "IN_MEMORY", 100)
    monkeypatch.setattr(dataset_module, "_CHUNK_BYTES", 64)
    values = np.random.default_rng(0).normal(size=(101, 2)).astype(np.float32)
    dataset = read(tmp_path, a=values[:, 0], b=values[:, 1], y=np.arange(101) % 3)
    assert isinstance(dataset.values, np.memmap)
    np.testing.assert_array_equal(dataset.values, values)
    assert dataset.labels.tolist() == [row % 3 for row in range(101)]


@pytest.mark.parametrize(
    ("columns", "column", "part"),
    [
        ({"a": ["red", "blue"]}, "", "no column that can be used"),
        ({"a": [1e300, 1.0]}, "", "row 0 (counted from 0), column 'a'"),
        ({"a": [1.0, float("inf")]}, "", "row 1 (counted from 0), column 'a'"),
        ({"a": [None, None]}, "", "no column that can be used"),
        ({"a": [1.0, 2.0], "label": ["", None]}, "label", "since it is blank in every row"),
        ({"width": [1.0, 2.0]}, "widht", "did you mean 'width'?"),
        ({"label": [1, 2]}, "", "no column beside its labels"),
        ({"a": [1.0]}, "", "at least 2 rows"),
        ({"a": pa.array([], pa.string())}, "", "no rows"),
    ],
)
def test_what_cannot_be_read_is_named(tmp_path, columns, column, part):
    with pytest.raises(DataError) as caught:
        read(tmp_path, column, **columns)
    assert part in str(caught.value)
    assert "table.parquet" in str(caught.value)


@pytest.mark.parametrize("labels", [["x", None, "y"], [2.0, float("nan"), 3.0], [2, None, 3]])
def test_rows_without_a_label_are_counted(tmp_path, labels):
    dataset = read(tmp_path, a=[1.0, 2.0, 3.0], label=labels)
    assert dataset.labels.tolist() == [0, -1, 1]
    assert any("1 of 3 rows have no label" in guess.found for guess in dataset.guesses)


def test_a_damaged_file_is_refused(tmp_path):
    path = write(tmp_path / "table.parquet", a=np.arange(1000.0))
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(DataError, match="cannot be read as a Parquet file"):
        load_dataset(str(path))


def test_without_pyarrow_the_message_names_the_extra(tmp_path, monkeypatch):
    path = write(tmp_path / "table.parquet", a=[1.0, 2.0])
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    with pytest.raises(DataError, match=r"pip install 'archbuild\[parquet\]'"):
        load_dataset(str(path))


def test_feather_files_are_read(tmp_path):
    path = tmp_path / "table.feather"
    feather = pytest.importorskip("pyarrow.feather")
    feather.write_feather(pa.table({"a": [1.0, 2.0, None], "city": ["x", "y", "x"]}), path)
    dataset = load_dataset(str(path), options=ReadOptions(columns={"city": "category"}))
    assert dataset.columns == ("a", "a is missing", "city=x", "city=y")
    assert dataset.values[:, 0].tolist() == [1.0, 2.0, 1.5]


def test_whole_numbers_that_lose_digits_are_counted(tmp_path):
    keys, halves = [2**60 + 2**50 * row + row for row in range(20)], [row / 2 for row in range(20)]
    dataset = read(tmp_path, key=keys, x=halves)
    assert dataset.shape == (2,)
    assert "19 of 20 cells are whole numbers beyond 2^53" in " ".join(map(str, dataset.guesses))


@pytest.mark.parametrize("last", [2**60 + 19, None])
def test_whole_numbers_that_float64_would_blur_are_refused(tmp_path, last):
    keys, halves = [*(2**60 + row for row in range(19)), last], [row / 2 for row in range(20)]
    with pytest.raises(DataError, match=f"'key' goes from {2**60} to "):
        read(tmp_path, key=keys, x=halves)
    with pytest.raises(DataError, match=rf"'key\[0\]' goes from {2**60} to "):
        read(tmp_path, key=[[key, 1] for key in keys])


LISTS = [[1.0, 2.0], [3.0, 4.0], [5.0, None]]


@pytest.mark.parametrize("kind", [pa.list_(pa.float32()), pa.list_(pa.float64(), 2)])
def test_lists_of_one_length_are_features(tmp_path, kind):
    lists = pa.array([*LISTS[:2], [5.0, 6.0]], kind)
    dataset = read(tmp_path, size=[7, 8, 9], emb=lists, label=["a", "b", "a"])
    assert dataset.columns == ("size", "emb[0]", "emb[1]")
    np.testing.assert_array_equal(dataset.values, [[7, 1, 2], [8, 3, 4], [9, 5, 6]])
    assert dataset.n_classes == 2
    said = "\n".join(map(str, dataset.guesses))
    assert "column 'emb': lists of 2 numbers, a feature for each place" in said
    known = Known(dataset.columns, dataset.encoding, dataset.scale)
    again = load_dataset(str(tmp_path / "table.parquet"), known=known)
    np.testing.assert_array_equal(again.values, dataset.values)


def test_a_gap_in_a_list_is_a_missing_cell(tmp_path):
    dataset = read(tmp_path, emb=pa.array(LISTS, pa.list_(pa.float64())))
    assert dataset.columns == ("emb[0]", "emb[1]", "emb[1] is missing")


def test_lists_of_several_lengths_are_named(tmp_path):
    dataset = read(tmp_path, emb=[[1.0], [1.0, 2.0], [3.0]], size=[0.5, 0.1, 0.7])
    assert dataset.columns == ("size",)
    assert any("not all of one number" in str(guess) for guess in dataset.guesses)
