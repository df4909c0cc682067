from __future__ import annotations

import numpy as np
import pytest

from archbuild.clustering.points import as_points
from archbuild.errors import DataError


@pytest.mark.parametrize(
    ("values", "dtype"),
    [
        (np.zeros((4, 3, 3, 1), np.uint8), np.float32),
        (np.zeros((4, 9), np.float32), np.float32),
        (np.zeros((4, 9), np.float64), np.float64),
        (np.zeros((9, 4), np.float32).T, np.float32),
    ],
)
def test_values_become_one_contiguous_row_each(values, dtype):
    points = as_points(values)
    assert points.shape == (4, 9)
    assert points.dtype == dtype
    assert points.flags.c_contiguous


def test_points_that_are_not_finite_are_counted():
    values = np.zeros((5, 2))
    values[1, 0], values[3] = np.nan, np.inf
    with pytest.raises(DataError, match="2 of 5 points"):
        as_points(values)


@pytest.mark.parametrize("values", [np.zeros((0, 3)), np.zeros((3, 0)), np.array(1.0)])
def test_no_points_are_refused(values):
    with pytest.raises(DataError, match="one row of values for each point"):
        as_points(values)
