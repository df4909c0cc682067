"""Grey values as probabilities of pixels."""

from __future__ import annotations

import numpy as np
import pytest

from archbuild.data import binarise
from archbuild.errors import DataError


@pytest.fixture
def grey(rng):
    return rng.random((40, 6, 5, 1)).astype(np.float32)


@pytest.mark.parametrize(
    "draw", [lambda rows: binarise.sampled(rows, np.random.default_rng(1)), binarise.fixed]
)
def test_pixels_are_1_as_often_as_their_value_says(draw, rng):
    values = np.linspace(0, 1, 9, dtype=np.float32)
    rows = np.tile(np.repeat(values, 5), (2000, 1))
    rows[:, 1] = rng.random(2000)  # or else all would have one hash
    pixels = draw(rows)
    assert pixels.dtype == np.float32
    assert set(np.unique(pixels)) == {0, 1}
    shares = pixels.mean(axis=0).reshape(9, 5)[:, 2:].mean(axis=1)
    np.testing.assert_allclose(shares, values, atol=0.03)
    np.testing.assert_array_equal(shares[[0, -1]], [0, 1])


def test_the_fixed_one_depends_on_nothing_but_the_row(grey, monkeypatch):
    whole = binarise.fixed(grey)
    np.testing.assert_array_equal(binarise.fixed(grey[::-1]), whole[::-1])
    np.testing.assert_array_equal(binarise.fixed(grey[7:8].reshape(1, 30)), whole[7].reshape(1, 30))
    np.testing.assert_array_equal(binarise.fixed(np.where(grey == 0, -0.0, grey)), whole)
    monkeypatch.setattr(binarise, "_BLOCK_VALUES", 70)
    np.testing.assert_array_equal(binarise.fixed(grey), whole)


def test_the_fixed_one_is_the_same_for_everyone():
    rows = np.full((2, 12), 0.5, np.float32)
    rows[1, 0] = 0.25
    assert binarise.fixed(rows).astype(int).tolist() == [
        [1, 0, 0, 1, 1, 1, 1, 1, 1, 0, 1, 0],
        [1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1],
    ]


def test_pixels_and_rows_do_not_hang_together():
    rows = np.full((500, 20), 0.5, np.float32)
    rows[:, 0] = np.linspace(0.4, 0.6, 500)
    correlation = np.corrcoef(binarise.fixed(rows)[:, 1:].T)
    assert np.abs(correlation - np.eye(19)).max() < 0.2


def test_pixels_stay_pixels(rng):
    rows = rng.integers(0, 2, (50, 7)).astype(np.float32)
    np.testing.assert_array_equal(binarise.fixed(rows), rows)
    np.testing.assert_array_equal(binarise.sampled(rows, rng), rows)


@pytest.mark.parametrize("value", [-0.1, 1.1, 255])
def test_what_is_no_probability_is_refused(grey, value):
    binarise.refuse_other_than_probabilities(grey, "rows")
    grey[3, 2, 1] = value
    with pytest.raises(DataError, match=rf"rows has values from .*{value:g}.*binarise: sample"):
        binarise.refuse_other_than_probabilities(grey, "rows")
