from __future__ import annotations

import numpy as np
import pytest

from archbuild.clustering.means import scores_by_means
from archbuild.errors import DataError
from archbuild.evaluation.scores import SCORES, label_free_scores

LABEL_FREE = tuple(key for key, score in SCORES.items() if not score.needs_labels)


def blobs(n=90, seed=0):
    random = np.random.default_rng(seed)
    clusters = np.arange(n) % 3
    centres = np.array([[0, 0, 0, 1], [4, 0, 1, 0], [0, 5, 0, 0]])
    return random.normal(size=(n, 4)) + centres[clusters], clusters


def silhouette(points, clusters):
    """Rousseeuw (1987): (b - a) / max(a, b), averaged."""
    distances = np.linalg.norm(points[:, None] - points[None], axis=-1)
    values = []
    for i, own in enumerate(clusters):
        within = distances[i, clusters == own].sum() / (np.sum(clusters == own) - 1)
        others = [distances[i, clusters == k].mean() for k in set(clusters.tolist()) - {own}]
        values.append((min(others) - within) / max(min(others), within))
    return np.mean(values)


def calinski_harabasz(points, clusters):
    """Between-cluster over within-cluster variance, each by its degrees of freedom."""
    groups = [points[clusters == k] for k in np.unique(clusters)]
    between = sum(len(g) * np.square(g.mean(0) - points.mean(0)).sum() for g in groups)
    within = sum(np.square(g - g.mean(0)).sum() for g in groups)
    return between / (len(groups) - 1) / (within / (len(points) - len(groups)))


def davies_bouldin(points, clusters):
    """The worst ratio of summed scatters to centre distance for each cluster, averaged."""
    groups = [points[clusters == k] for k in np.unique(clusters)]
    centres = [g.mean(0) for g in groups]
    scatter = [np.linalg.norm(g - c, axis=1).mean() for g, c in zip(groups, centres, strict=True)]
    size = range(len(groups))
    ratios = [
        [
            (scatter[i] + scatter[j]) / np.linalg.norm(centres[i] - centres[j])
            for j in size
            if j != i
        ]
        for i in size
    ]
    return np.mean([max(row) for row in ratios])


def test_scores_by_means_are_among_them():
    points, clusters = blobs()
    scores = label_free_scores(points, clusters, seed=0)
    expected = scores_by_means(points, clusters)
    assert {name: scores[name] for name in expected} == expected


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_scores_follow_their_definitions(dtype):
    points, clusters = blobs()
    points = points.astype(dtype)
    scores = label_free_scores(points, clusters, seed=0)
    exact = points.astype(np.float64)
    assert tuple(scores) == LABEL_FREE
    assert scores["silhouette"] == pytest.approx(silhouette(exact, clusters), rel=1e-9)
    assert scores["calinski_harabasz"] == pytest.approx(
        calinski_harabasz(exact, clusters), rel=1e-9
    )
    assert scores["davies_bouldin"] == pytest.approx(davies_bouldin(exact, clusters), rel=1e-9)


def test_large_offsets_do_not_spoil_float32_points():
    points, clusters = blobs()
    shifted = (points + 1000).astype(np.float32)
    scores = label_free_scores(shifted, clusters, seed=0)
    expected = calinski_harabasz(shifted.astype(np.float64), clusters)
    assert scores["calinski_harabasz"] == pytest.approx(expected, rel=1e-9)


def test_the_silhouette_is_sampled_by_the_seed(monkeypatch):
    monkeypatch.setattr("archbuild.evaluation.label_free.SILHOUETTE_POINTS", 30)
    points, clusters = blobs()
    first, again, other = (label_free_scores(points, clusters, seed) for seed in (1, 1, 2))
    assert first == again
    assert first["silhouette"] != other["silhouette"]
    assert first["davies_bouldin"] == other["davies_bouldin"]
    drawn = np.sort(np.random.default_rng(1).choice(90, 30, replace=False))
    assert first["silhouette"] == pytest.approx(silhouette(points[drawn], clusters[drawn]))


@pytest.mark.parametrize("clusters", [np.zeros(6, int), np.arange(6)], ids=["one", "each"])
def test_undefined_scores_are_none(clusters):
    scores = label_free_scores(np.random.default_rng(0).normal(size=(6, 2)), clusters, seed=0)
    assert scores == dict.fromkeys(LABEL_FREE)


def test_images_are_flattened():
    points, clusters = blobs()
    images = points.reshape(-1, 2, 2, 1)
    assert label_free_scores(images, clusters, 0) == label_free_scores(points, clusters, 0)


def test_lengths_must_agree():
    with pytest.raises(DataError, match="each of 90 points"):
        label_free_scores(blobs()[0], np.zeros(5, int), seed=0)
