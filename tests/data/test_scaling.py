from __future__ import annotations

import io
import json

import numpy as np
import pytest

from archbuild.data import Dataset, dataset_from_arrays
from archbuild.data import dataset as dataset_module
from archbuild.data.columns import ColumnEncoding, TableEncoding
from archbuild.data.scaling import Scaler


@pytest.fixture
def table(monkeypatch) -> Dataset:
    """Three features of very different size, the last one constant, read in several parts."""
    monkeypatch.setattr(dataset_module, "_CHUNK_BYTES", 84)
    rng = np.random.default_rng(3)
    values = rng.normal((1000.0, -2.0, 0.0), (3.0, 0.01, 0.0), (100, 3))
    values[:, 2] = 0.1
    return Dataset("D", values)


def test_none_changes_nothing(table):
    rows = table.rows(slice(None))
    assert Scaler.fit(table, "none").apply(rows) is rows


def test_minmax_of_a_table_is_per_feature(table):
    rows = table.rows(slice(None))
    scaled = Scaler.fit(table, "minmax").apply(rows)
    low, high = rows[:, :2].min(axis=0), rows[:, :2].max(axis=0)
    np.testing.assert_allclose(scaled[:, :2], (rows[:, :2] - low) / (high - low), atol=1e-5)
    assert (scaled[:, 2] == 0).all()


def test_standardise_of_a_table_is_per_feature(table):
    scaled = Scaler.fit(table, "standardise").apply(table.rows(slice(None)))
    assert scaled.dtype == np.float32
    np.testing.assert_allclose(scaled.mean(axis=0), 0, atol=1e-3)
    np.testing.assert_allclose(scaled[:, :2].std(axis=0), 1, rtol=1e-3)
    assert abs(scaled[:, 2]).max() < 1e-6


@pytest.mark.parametrize("shape", [(30, 4, 5, 2), (30, 9, 2)])
def test_images_and_series_are_scaled_per_channel(shape):
    values = np.random.default_rng(0).normal((5.0, -1.0), (2.0, 0.3), shape)
    dataset = Dataset("D", values, scale=0.5)
    scaler = Scaler.fit(dataset, "standardise")
    rows = dataset.rows(slice(None))
    axes = tuple(range(len(shape) - 1))
    expected = (rows - rows.mean(axis=axes)) / rows.std(axis=axes)
    np.testing.assert_allclose(scaler.apply(rows), expected, atol=1e-4)
    assert scaler.offset.shape == (2,)


@pytest.mark.parametrize("kind", ["none", "minmax", "standardise"])
def test_a_scaler_survives_an_npz_file_without_pickle(table, kind):
    scaler = Scaler.fit(table, kind)
    file = io.BytesIO()
    np.savez(file, **scaler.to_arrays())
    file.seek(0)
    with np.load(file, allow_pickle=False) as arrays:
        again = Scaler.from_arrays(arrays)
    rows = table.rows(slice(0, 5))
    assert again.kind == kind
    np.testing.assert_array_equal(again.apply(rows), scaler.apply(rows))


@pytest.mark.parametrize("kind", ["none", "minmax", "standardise"])
def test_undo_brings_the_datasets_own_units_back(table, kind):
    scaler = Scaler.fit(table, kind)
    rows = table.rows(slice(0, 30))
    back = scaler.undo(scaler.apply(rows))
    np.testing.assert_allclose(back, rows, rtol=1e-6, atol=1e-6)
    assert back.dtype == np.float32


def test_undo_takes_rows_with_any_axes_before_them():
    images = np.random.default_rng(0).normal((5.0, -1.0), (2.0, 0.3), (30, 4, 5, 2))
    dataset = Dataset("D", images)
    scaler = Scaler.fit(dataset, "standardise")
    drawn = np.zeros((3, 7, 4, 5, 2), np.float32)
    undone = scaler.undo(drawn)
    assert undone.shape == drawn.shape
    np.testing.assert_allclose(undone[2, 6, 1, 1], images.mean(axis=(0, 1, 2)), rtol=1e-5)


def test_another_kind_is_refused(table):
    with pytest.raises(ValueError, match="'zscore'; expected one of none, minmax, standardise"):
        Scaler.fit(table, "zscore")


@pytest.mark.parametrize("kind", ["minmax", "standardise"])
def test_scaling_comes_before_rounding(kind):
    steps = np.arange(10.0)
    times = (1_700_000_000_000 + 20 * steps).astype(np.int64)[:, None]
    dataset = Dataset("x", times)
    scaler = Scaler.fit(dataset, kind)
    expected = Scaler.fit(Dataset("x", steps[:, None]), kind).apply(steps[:, None])
    scaled = scaler.apply(dataset.rows(slice(None), exact=True))
    assert scaled.dtype == np.float32
    np.testing.assert_allclose(scaled, expected, rtol=1e-6)
    again = Scaler.from_json(json.loads(json.dumps(scaler.to_json())))
    np.testing.assert_array_equal(again.apply(dataset.rows(slice(None), exact=True)), scaled)


@pytest.mark.parametrize("kind", ["minmax", "standardise"])
def test_gaps_are_left_out(kind):
    rng = np.random.default_rng(0)
    values = rng.normal(size=(50, 7, 2)).astype(np.float32) * [1, 10]
    lengths = rng.integers(2, 8, 50)
    values[np.arange(7) >= lengths[:, np.newaxis]] = np.nan
    scaler = Scaler.fit(Dataset("own", values, gaps=True), kind)
    points = values.reshape(-1, 2)
    points = points[~np.isnan(points).any(axis=1)]
    alone = Scaler.fit(Dataset("own", points), kind)
    np.testing.assert_allclose(scaler.offset, alone.offset, rtol=1e-5)
    np.testing.assert_allclose(scaler.factor, alone.factor, rtol=1e-5)


def test_marks_of_categories_weigh_no_more_than_one_number():
    encoding = TableEncoding(
        (
            ColumnEncoding("age", "number", fill=3.0, gaps=True),
            ColumnEncoding("city", "embedding", ("a", "b", "c")),
            ColumnEncoding("open", "boolean"),
            ColumnEncoding("day", "date"),
        )
    )
    assert encoding.marks == (False, True, True, True, True, True, False)
    values = np.random.default_rng(0).integers(0, 2, (50, 7)) * [9, 1, 1, 1, 1, 1, 700]
    dataset = Dataset("own", values.astype("float32"), encoding=encoding)
    scaler = Scaler.fit(dataset, "standardise")
    np.testing.assert_array_equal(scaler.factor[1:6], 1)
    rows = scaler.apply(dataset.rows(slice(None)))
    np.testing.assert_allclose(rows.mean(axis=0), 0, atol=1e-6)
    np.testing.assert_allclose(rows.std(axis=0)[[0, 6]], 1, rtol=1e-5)


@pytest.mark.parametrize("kind", ["minmax", "standardise"])
@pytest.mark.parametrize("dtype", [np.float64, np.int64, np.uint32])
def test_seconds_since_1970_stay_apart_also_when_the_scaler_is_stored(kind, dtype):
    seconds = 1_700_000_000 + 20 * np.repeat([0, 1, 2], 4) + np.tile(np.arange(4), 3)
    dataset = dataset_from_arrays("x", seconds.astype(dtype)[:, np.newaxis])
    scaler = Scaler.fit(dataset, kind)
    stored = Scaler.from_json(json.loads(json.dumps(scaler.to_json())))
    assert stored.precision == "float64"
    rows = stored.apply(dataset.rows(slice(None), exact=True))
    np.testing.assert_array_equal(rows, scaler.apply(dataset.rows(slice(None), exact=True)))
    assert len(np.unique(rows)) == 12
    former = {key: value for key, value in scaler.to_json().items() if key != "precision"}
    np.testing.assert_array_equal(Scaler.from_json(former).offset, scaler.offset)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.int16, np.int64])
@pytest.mark.parametrize("kind", ["none", "minmax", "standardise"])
def test_equal_numbers_of_any_type_are_scaled_alike(kind, dtype, rng):
    numbers = rng.integers(-500, 500, (20, 3))
    expected, found = (dataset_from_arrays("x", numbers.astype(t)) for t in (np.float32, dtype))
    scaled = [Scaler.fit(each, kind).apply(each.rows(slice(None))) for each in (expected, found)]
    np.testing.assert_array_equal(*scaled)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("size", [1e-40, 1e30])
@pytest.mark.parametrize("kind", ["minmax", "standardise"])
def test_the_smallest_and_largest_numbers_are_scaled(kind, size, dtype):
    numbers = (np.arange(12.0) * size).astype(dtype)[:, np.newaxis]
    dataset = dataset_from_arrays("x", numbers)
    scaled = Scaler.fit(dataset, kind).apply(dataset.rows(slice(None), exact=True))
    plain = dataset_from_arrays("x", np.arange(12.0)[:, np.newaxis])
    expected = Scaler.fit(plain, kind).apply(plain.rows(slice(None)))
    np.testing.assert_allclose(scaled, expected, rtol=1e-4, atol=1e-4)
