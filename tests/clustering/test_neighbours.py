"""Shares of clusters among nearest neighbours."""

from __future__ import annotations

import numpy as np

from archbuild.clustering.neighbours import neighbour_shares


def test_shares_are_counted_among_the_point_and_its_five_nearest(rng):
    points = rng.normal(size=(40, 3)).astype("float32")
    clusters = rng.integers(4, size=40)
    distances = ((points[:, None] - points) ** 2).sum(axis=2)
    nearest = np.argsort(distances, axis=1)[:, :6]
    expected = np.stack([(clusters[nearest] == k).mean(axis=1) for k in range(4)], axis=1)
    np.testing.assert_allclose(neighbour_shares(points, clusters, 4), expected, atol=1e-6)


def test_fewer_points_than_neighbours():
    shares = neighbour_shares(np.array([[0.0], [1.0], [2.0]]), np.array([0, 0, 2]), 3)
    np.testing.assert_allclose(shares, np.tile([2 / 3, 0, 1 / 3], (3, 1)), atol=1e-6)
