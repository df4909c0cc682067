from __future__ import annotations

import numpy as np

from archbuild import objectives


def test_sum_of_squares_covers_every_weight(rng):
    a, b = rng.normal(size=(3, 4)), rng.normal(size=5)
    got = objectives.sum_of_squares([a.astype("f"), b.astype("f")])
    np.testing.assert_allclose(got, np.sum(a**2) + np.sum(b**2), rtol=1e-5)


def test_sum_of_squares_of_nothing_is_zero():
    assert objectives.sum_of_squares([]) == 0
