from __future__ import annotations

import numpy as np
import pytest

from archbuild.data import counts, dataset_from_arrays
from archbuild.data import dataset as dataset_module
from archbuild.data.request import ReadOptions
from archbuild.errors import DataError

OPTIONS = ReadOptions(counts="log_normalise")


def test_each_row_is_divided_by_its_own_sum(monkeypatch):
    monkeypatch.setattr(dataset_module, "_CHUNK_BYTES", 8)
    values = np.array([[1, 3, 0], [10, 30, 0], [0, 0, 0], [255, 0, 1]], np.uint8)
    rows = dataset_from_arrays("own", values, options=OPTIONS).rows(slice(None))
    np.testing.assert_allclose(rows[0], np.log([2501, 7501, 1]), rtol=1e-6)
    np.testing.assert_array_equal(rows[0], rows[1])
    np.testing.assert_array_equal(rows[2], [0, 0, 0])
    np.testing.assert_allclose(rows[3], np.log1p(np.array([255, 0, 1]) / 256 * 1e4), rtol=1e-6)


def test_images_and_numbers_below_0_are_no_counts():
    with pytest.raises(DataError, match="for tables of counts"):
        dataset_from_arrays("own", np.ones((4, 3, 3, 1)) * np.arange(3), options=OPTIONS)
    with pytest.raises(DataError, match="below 0"):
        counts.log_normalised(np.array([[1.0, -1.0]]), "own")


def test_counts_that_are_missing_are_no_part_of_the_sum():
    values = np.array([[1, np.nan, 3], [1, 0, 1]])
    masked = ReadOptions(counts="log_normalise", gaps="mask")
    dataset = dataset_from_arrays("own", values, options=masked)
    np.testing.assert_allclose(dataset.values[0], np.log([2501, np.nan, 7501]), rtol=1e-6)
    with pytest.raises(DataError, match="the least is -2"):
        counts.log_normalised(np.array([[np.nan, -2.0]]), "own")
