"""A softmax fitted to clusters."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import make_blobs

from archbuild.clustering.softmax import fitted_softmax


@pytest.mark.parametrize("number", [2, 3, 5])
def test_it_says_what_the_clusters_are(number):
    points, clusters = make_blobs(
        200, n_features=4, centers=number, cluster_std=0.5, random_state=2
    )
    kernel, bias = fitted_softmax(100 + 50 * points, clusters, number, seed=0)
    np.testing.assert_array_equal(np.argmax((100 + 50 * points) @ kernel + bias, axis=1), clusters)


@pytest.mark.parametrize("present", [[1], [0, 3], [0, 2, 3]])
def test_a_cluster_without_points_is_never_the_likeliest(present, rng):
    points = rng.normal(size=(60, 2))
    clusters = np.asarray(present)[np.arange(60) % len(present)]
    kernel, bias = fitted_softmax(points, clusters, 5, seed=0)
    assert (kernel.shape, bias.shape) == ((2, 5), (5,))
    assert set(np.argmax(points @ kernel + bias, axis=1)) <= set(present)
