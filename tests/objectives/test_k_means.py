"""The k-means terms against NumPy."""

from __future__ import annotations

import numpy as np

from archbuild import objectives
from tests.objectives.tensors import evaluate


def test_squared_centre_distance_is_half_the_square(rng):
    z, c = rng.normal(size=(2, 6, 3))
    got = evaluate(objectives.squared_centre_distance, z.astype("f"), c.astype("f"))
    np.testing.assert_allclose(got, 0.5 * np.sum((z - c) ** 2, axis=1), rtol=1e-5)


def test_centre_distance_is_the_norm(rng):
    z, c = rng.normal(size=(2, 6, 3))
    got = evaluate(objectives.centre_distance, z.astype("f"), c.astype("f"))
    np.testing.assert_allclose(got, np.linalg.norm(z - c, axis=1), rtol=1e-5)


def test_centre_distance_is_finite_and_small_on_the_centre():
    z = np.ones((2, 3), "float32")
    assert np.all(evaluate(objectives.centre_distance, z, z) < 1e-5)
