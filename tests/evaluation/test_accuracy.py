from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest

from archbuild.errors import DataError
from archbuild.evaluation.accuracy import (
    clustering_accuracy,
    contingency,
    label_scores,
    match_clusters,
)

SIZES = [(3, 3), (2, 4), (5, 3), (1, 3), (4, 1)]


def random_pair(n_classes, n_clusters, seed=0):
    random = np.random.default_rng(seed)
    labels = random.integers(n_classes, size=60)
    noise = random.integers(n_clusters, size=60)
    return labels, np.where(random.random(60) < 0.5, labels % n_clusters, noise)


def accuracy_by_permutations(labels, clusters, size):
    """Try every one-to-one relabelling."""
    return max(
        np.mean(np.asarray(permutation)[clusters] == labels)
        for permutation in permutations(range(size))
    )


def entropy(shares):
    shares = shares[shares > 0]
    return -(shares * np.log(shares)).sum()


def nmi_by_formula(counts):
    joint = counts / counts.sum()
    rows, columns = entropy(joint.sum(1)), entropy(joint.sum(0))
    return 2 * (rows + columns - entropy(joint.ravel())) / (rows + columns)


def ari_by_formula(counts):
    def pairs(number):
        return number * (number - 1) / 2

    together = pairs(counts).sum()
    rows, columns = pairs(counts.sum(1)).sum(), pairs(counts.sum(0)).sum()
    expected = rows * columns / pairs(counts.sum())
    return (together - expected) / ((rows + columns) / 2 - expected)


def test_contingency_counts_classes_in_rows_and_clusters_in_columns():
    counts = contingency(np.array([0, 0, 1, 2]), np.array([5, 5, 5, 1]))
    np.testing.assert_array_equal(counts, [[0, 2], [0, 1], [1, 0]])


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("n_classes", "n_clusters"), SIZES)
def test_accuracy_is_the_best_of_all_relabellings(n_classes, n_clusters, seed):
    labels, clusters = random_pair(n_classes, n_clusters, seed)
    expected = accuracy_by_permutations(labels, clusters, max(n_classes, n_clusters))
    assert clustering_accuracy(labels, clusters) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(("n_classes", "n_clusters"), SIZES)
def test_the_matching_is_one_to_one_and_gives_the_accuracy(n_classes, n_clusters):
    labels, clusters = random_pair(n_classes, n_clusters)
    matching = match_clusters(labels, clusters)
    assert len(set(matching.values())) == len(matching) == min(n_classes, n_clusters)
    named = np.array([matching.get(cluster, -1) for cluster in clusters.tolist()])
    assert np.mean(named == labels) == pytest.approx(clustering_accuracy(labels, clusters))


def test_the_matching_keeps_the_names_of_classes():
    labels, clusters = np.array([7, 7, 3, 3, 3]), np.array([1, 1, 0, 0, 1])
    assert match_clusters(labels, clusters) == {0: 3, 1: 7}
    assert match_clusters(np.array(["cat", "dog"]), np.array([1, 0])) == {1: "cat", 0: "dog"}


@pytest.mark.parametrize(("n_classes", "n_clusters"), [(3, 3), (2, 4), (5, 3)])
def test_nmi_and_ari_follow_their_formulas(n_classes, n_clusters):
    labels, clusters = random_pair(n_classes, n_clusters)
    counts = contingency(labels, clusters)
    scores = label_scores(labels, clusters)
    assert list(scores) == ["acc", "nmi", "ari"]
    assert scores["acc"] == clustering_accuracy(labels, clusters)
    assert scores["nmi"] == pytest.approx(nmi_by_formula(counts), abs=1e-10)
    assert scores["ari"] == pytest.approx(ari_by_formula(counts), abs=1e-10)
    assert all(type(score) is float for score in scores.values())


def test_a_renamed_partition_is_perfect():
    labels = np.arange(30) % 3
    assert label_scores(labels, (labels + 1) % 3) == pytest.approx({"acc": 1, "nmi": 1, "ari": 1})


@pytest.mark.parametrize(("labels", "clusters"), [([], []), ([0, 1], [0]), ([[0]], [[0]])])
def test_what_does_not_fit_is_refused(labels, clusters):
    with pytest.raises(DataError, match="one entry for each point"):
        label_scores(np.array(labels), np.array(clusters))
