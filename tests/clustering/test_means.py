from __future__ import annotations

import numpy as np
import pytest

from archbuild.clustering.means import scores_by_means, separations


def blobs(n_clusters=4, n=120, features=3):
    random = np.random.default_rng(n_clusters)
    clusters = random.integers(n_clusters, size=n)
    centres = 3 * random.normal(size=(n_clusters, features))
    return random.normal(size=(n, features)) + centres[clusters], clusters


def means_of(points, clusters):
    return {k: points[clusters == k].mean(axis=0) for k in set(clusters.tolist())}


def simplified_silhouette(points, clusters):
    means, widths = means_of(points, clusters), []
    for point, own in zip(points, clusters, strict=True):
        distances = {k: np.linalg.norm(point - mean) for k, mean in means.items()}
        within = distances.pop(own)
        nearest = min(distances.values())
        alone = np.sum(clusters == own) == 1
        widths.append(0.0 if alone else (nearest - within) / max(nearest, within))
    return np.mean(widths)


def centre_separation(points, clusters):
    means = means_of(points, clusters)
    keys = list(means)
    between = [
        np.linalg.norm(means[k] - means[j]) for i, k in enumerate(keys) for j in keys[i + 1 :]
    ]
    own = [np.square(p - means[k]).sum() for p, k in zip(points, clusters, strict=True)]
    return np.mean(between) / np.sqrt(np.mean(own))


@pytest.mark.parametrize("block", [1, 50, 2**20])
@pytest.mark.parametrize("n_clusters", [2, 4, 100])
def test_scores_follow_their_definitions_however_they_are_cut(monkeypatch, block, n_clusters):
    monkeypatch.setattr("archbuild.clustering.means._BLOCK_DISTANCES", block)
    points, clusters = blobs(n_clusters)
    scores = scores_by_means(points, clusters)
    assert scores["simplified_silhouette"] == pytest.approx(simplified_silhouette(points, clusters))
    assert scores["centre_separation"] == pytest.approx(centre_separation(points, clusters))
    assert all(type(score) is float for score in scores.values())


def test_clusters_without_points_do_not_count():
    points, clusters = blobs()
    assert scores_by_means(points, 7 * clusters) == scores_by_means(points, clusters)


def test_neither_scale_nor_place_matters():
    points, clusters = blobs()
    moved = scores_by_means(1000 * points - 50, clusters)
    assert moved == pytest.approx(scores_by_means(points, clusters), rel=1e-9)


def test_by_hand():
    points = np.array([[0.0], [2.0], [9.0], [11.0]])
    scores = scores_by_means(points, np.array([0, 0, 1, 1]))
    assert scores["centre_separation"] == 9
    assert scores["simplified_silhouette"] == pytest.approx(((10 - 1) / 10 + (8 - 1) / 8) / 2)


def test_points_as_near_to_another_mean_as_to_their_own_are_in_neither():
    points = np.array([[-1.0], [1.0], [0.0], [0.0]])
    scores = scores_by_means(points, np.array([0, 0, 1, 1]))
    assert scores == {"simplified_silhouette": 0.0, "centre_separation": 0.0}


@pytest.mark.parametrize("value", [0.0, 0.1])
def test_means_of_points_in_one_spot_have_no_separation(value):
    points = np.full((9, 3), value)
    points[3:] += 1
    scores = scores_by_means(points, np.arange(9) // 3)
    assert scores["centre_separation"] is None


def test_separations_average_to_the_simplified_silhouette():
    rng = np.random.default_rng(0)
    points, clusters = rng.normal(size=(60, 3)), rng.integers(0, 4, 60)
    found = separations(points, clusters)
    sizes = np.bincount(clusters)
    mean = sum(found[cluster] * size for cluster, size in enumerate(sizes)) / 60
    assert mean == pytest.approx(
        scores_by_means(points, clusters)["simplified_silhouette"], abs=1e-5
    )
    assert separations(points, np.zeros(60, int)) == {}
