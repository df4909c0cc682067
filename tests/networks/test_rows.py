"""Rows a fixed number at a time: neither the number asked nor the place in a block counts."""

from __future__ import annotations

import numpy as np
import pytest
from keras import ops

from archbuild.networks.rows import ROWS_AT_ONCE, by_rows


def dense(rng, features, units):
    weights = rng.normal(size=(features, units)).astype("float32")
    return (features,), lambda rows: ops.matmul(rows, weights)


def convolution(rng, size, channels, filters):
    kernel = rng.normal(size=(3, 3, channels, filters)).astype("float32")
    return (size, size, channels), lambda rows: ops.conv(rows, kernel, padding="same")


@pytest.mark.parametrize(
    ("make", "sizes"),
    [
        (dense, (3, 10)),
        (dense, (10, 50)),
        (dense, (64, 3)),
        (dense, (784, 500)),
        (convolution, (8, 1, 4)),
        (convolution, (14, 32, 64)),
    ],
)
def test_a_row_has_one_answer_wherever_it_stands(make, sizes, rng):
    shape, function = make(rng, *sizes)
    row = rng.normal(size=(1, *shape)).astype("float32")
    answers = by_rows(function, np.repeat(row, ROWS_AT_ONCE + 3, axis=0))
    np.testing.assert_array_equal(answers, np.broadcast_to(answers[:1], answers.shape))


def test_the_last_block_is_filled_up(rng):
    seen = []
    values = rng.normal(size=(ROWS_AT_ONCE + 1, 2)).astype("float32")

    def double(rows):
        seen.append(rows.shape)
        return 2 * rows

    np.testing.assert_array_equal(by_rows(double, values), 2 * values)
    assert seen == [(ROWS_AT_ONCE, 2)] * 2
    assert by_rows(double, values[:0]).shape == (0, 2)
