"""Moments part by part, against those of all points at once."""

from __future__ import annotations

import numpy as np
import pytest

from archbuild.clustering import moments
from archbuild.data import spill


@pytest.fixture
def points(rng):
    return rng.normal(3.0, 2.0, (50, 4)).astype("float32")


@pytest.fixture
def clusters(rng):
    return rng.integers(0, 3, 50)  # of 4: the last one is empty


@pytest.fixture
def mapped(points, monkeypatch):
    """The points in a file, of which 7 are a part."""
    monkeypatch.setattr(spill, "IN_MEMORY", 10)
    monkeypatch.setattr(spill, "PART_BYTES", 7 * points[:1].nbytes)
    room = spill.joined([points], len(points), "points")
    assert spill.is_mapped(room)
    return room


def test_means_and_variances_are_those_of_all_points_to_the_bit(points, clusters, mapped):
    means = moments.means(points, clusters, 4)
    np.testing.assert_array_equal(moments.means(mapped, clusters, 4), means)
    np.testing.assert_allclose(means[1], points[clusters == 1].mean(axis=0), rtol=1e-6)
    assert (means[3] == 0).all()
    variances = moments.variances(points, clusters, means)
    np.testing.assert_array_equal(moments.variances(mapped, clusters, means), variances)
    np.testing.assert_allclose(variances[1], points[clusters == 1].var(axis=0), rtol=1e-5)


def test_spread_and_distance_are_those_of_all_points(points, clusters, mapped):
    expected = np.mean(np.var(points.astype("float64"), axis=0))
    assert moments.spread(points) == pytest.approx(expected, rel=1e-6)
    assert moments.spread(mapped) == pytest.approx(expected, rel=1e-6)
    centres = moments.means(points, clusters, 4)
    expected = np.mean(np.square(points - centres[clusters], dtype="float64"))
    assert moments.mean_square_distance(points, clusters, centres) == pytest.approx(expected)
    assert moments.mean_square_distance(mapped, clusters, centres) == pytest.approx(expected)


def test_the_nearest_centre_is_the_one_of_the_least_distance(points):
    centres = points[:5] + 0.01
    assert moments.nearest_centres(points[:5], centres).tolist() == [0, 1, 2, 3, 4]
