"""Clusters in UMAP's maps: what is chosen among them, and what the maps find."""

from __future__ import annotations

import numpy as np
import pytest

from archbuild.clustering import manifold
from archbuild.clustering.kmeans import kmeans
from archbuild.clustering.manifold import manifold_clusters
from archbuild.clustering.starts import first_clusters, refuse_impossible_start
from archbuild.errors import DataError, UsageError
from archbuild.evaluation.accuracy import clustering_accuracy


class Maps:
    """Stands for the graph: clusterings by number of neighbours and seed."""

    def __init__(self, points, seed):
        self.first = seed

    def clusters(self, n_clusters, near, seed):
        return CLUSTERINGS[near][seed - self.first]


TRUE = np.repeat([0, 1, 2], 10)
OTHER = np.roll(TRUE, 3)
CHANCE = [np.random.default_rng(seed).integers(3, size=30) for seed in range(3)]
CLUSTERINGS = {4: CHANCE, 10: [OTHER, TRUE, TRUE], 20: [TRUE, OTHER, np.roll(TRUE, 6)]}


@pytest.fixture
def rings():
    """Two rings, one inside the other, with a little noise: no plane and no centre parts them."""
    rng = np.random.default_rng(0)
    angle, which = rng.uniform(0, 2 * np.pi, 240), np.arange(240) % 2
    radius = np.where(which, 4.0, 1.0)
    points = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
    return (points + rng.normal(0, 0.1, points.shape)).astype("float32"), which


def test_the_number_of_neighbours_and_the_map_that_others_agree_with_are_chosen(monkeypatch):
    monkeypatch.setattr(manifold, "_Graph", Maps)
    np.testing.assert_array_equal(manifold_clusters(np.zeros((30, 2)), 3, seed=7), TRUE)


def test_names_of_clusters_do_not_count():
    agreements = manifold._agreements([TRUE, 2 - TRUE, (TRUE + 1) % 3])
    np.testing.assert_allclose(agreements, 1.0)


def test_rings_are_found_alike_from_the_same_seed(rings):
    pytest.importorskip("umap")
    points, which = rings
    found = first_clusters(points, 2, "manifold", seed=0)
    assert clustering_accuracy(which, found) == 1.0
    assert clustering_accuracy(which, kmeans(points, 2, seed=0).clusters) < 0.7
    fast = [first_clusters(points, 2, "manifold-fast", seed=3) for _ in range(2)]
    np.testing.assert_array_equal(fast[0], fast[1])


def test_identical_rows_are_mapped_too():
    pytest.importorskip("umap")
    points = np.repeat(np.eye(3, dtype="float32"), 30, axis=0)
    found = first_clusters(points, 3, "manifold-fast", seed=0)
    assert clustering_accuracy(np.repeat([0, 1, 2], 30), found) == 1.0


def test_few_rows_are_refused():
    with pytest.raises(DataError, match=r"at least 20 rows .* 19 came; .*head.start=k-means"):
        manifold_clusters(np.zeros((19, 2)), 2, seed=0)


def test_the_missing_package_is_named_before_anything_is_trained(monkeypatch):
    monkeypatch.setattr(manifold, "installed", lambda package: None)
    with pytest.raises(UsageError, match=r"umap-learn.*archbuild\[manifold\].*t-sne"):
        refuse_impossible_start({"start": "manifold-fast"}, 50)
    refuse_impossible_start({"start": "k-means"}, 50)
    refuse_impossible_start({}, 5)
