from __future__ import annotations

from itertools import permutations, product

import numpy as np
import pytest

from archbuild.errors import DataError
from archbuild.evaluation.accuracy import (
    classification_error,
    clustering_accuracy,
    confident_point_accuracy,
    contingency,
    match_clusters,
    purity,
    sequence_error,
    swap_accuracy,
)
from archbuild.evaluation.scores import BRIEF, label_scores, sequence_scores

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


def majority_share(labels, clusters):
    groups = [labels[clusters == cluster].tolist() for cluster in np.unique(clusters)]
    return sum(max(map(group.count, group)) for group in groups) / len(labels)


def accuracy_of_carriers(labels, assignments):
    """Every cluster named by its most confident point, every point by its likeliest cluster."""
    right = 0
    carriers = [max(range(len(labels)), key=column.__getitem__) for column in assignments.T]
    for label, row in zip(labels, assignments, strict=True):
        right += labels[carriers[int(np.argmax(row))]] == label
    return right / len(labels)


def accuracy_by_renaming(labels, clusters):
    """Serket's: exchange names i and j of all points wherever that helps, until nothing does."""
    names, best, improved = clusters, 0.0, True
    while improved:
        improved = False
        for i, j in product(range(max(clusters) + 1), repeat=2):
            exchanged = np.where(names == i, j, np.where(names == j, i, names))
            share = np.mean(exchanged == labels)
            if share > best:
                names, best, improved = exchanged, share, True
    return best


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
    assert list(scores) == ["acc", "nmi", "ari", "purity"]
    assert scores["acc"] == clustering_accuracy(labels, clusters)
    assert scores["nmi"] == pytest.approx(nmi_by_formula(counts), abs=1e-10)
    assert scores["ari"] == pytest.approx(ari_by_formula(counts), abs=1e-10)
    assert scores["purity"] == purity(labels, clusters)
    assert all(type(score) is float for score in scores.values())


def test_a_renamed_partition_is_perfect():
    labels = np.arange(30) % 3
    scores = label_scores(labels, (labels + 1) % 3)
    assert scores == pytest.approx(dict.fromkeys(scores, 1))


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize(("n_classes", "n_clusters"), [*SIZES, (6, 6), (10, 10)])
def test_swap_accuracy_is_serkets(n_classes, n_clusters, seed):
    labels, clusters = random_pair(n_classes, n_clusters, seed)
    labels = np.random.default_rng(seed).permutation(n_classes)[labels]
    expected = accuracy_by_renaming(labels, clusters)
    assert swap_accuracy(labels, clusters) == pytest.approx(expected, abs=1e-12)
    assert swap_accuracy(labels, clusters) <= clustering_accuracy(labels, clusters)


def test_swaps_miss_what_only_three_names_at_once_bring():
    labels, clusters = np.array([0, 0, 1, 1, 1]), np.array([0, 2, 0, 0, 1])
    # best are 0 -> 1, 1 -> 2 and 2 -> 0; each swap alone gains a point and loses one
    assert clustering_accuracy(labels, clusters) == 0.6
    assert swap_accuracy(labels, clusters) == 0.4


def test_swap_accuracy_begins_with_the_names_that_clusters_have():
    # a tie of two matchings: the one that is there stays
    labels, clusters = np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1])
    assert swap_accuracy(labels, clusters) == 0.5


def test_a_class_beyond_the_last_cluster_is_nobodys_in_swaps():
    labels, clusters = np.array([2, 2, 2, 0]), np.array([0, 0, 0, 1])
    assert clustering_accuracy(labels, clusters) == 1
    assert swap_accuracy(labels, clusters) == 0.25


def test_swap_accuracy_counts_labels_of_one_byte():
    labels = np.arange(40, dtype="uint8")
    assert swap_accuracy(labels, labels[::-1]) == 1


@pytest.mark.parametrize(("n_classes", "n_clusters"), SIZES)
def test_purity_is_the_share_of_the_majorities(n_classes, n_clusters):
    labels, clusters = random_pair(n_classes, n_clusters)
    assert purity(labels, clusters) == pytest.approx(majority_share(labels, clusters), abs=1e-12)
    assert purity(labels, clusters) >= clustering_accuracy(labels, clusters)
    assert purity(labels, np.arange(60)) == 1


@pytest.mark.parametrize(("n_classes", "n_clusters"), SIZES)
def test_the_most_confident_point_names_its_cluster(n_classes, n_clusters):
    labels, clusters = random_pair(n_classes, n_clusters)
    noise = np.random.default_rng(1).dirichlet(np.ones(n_clusters), 60)
    assignments = 0.5 * np.eye(n_clusters)[clusters] + 0.5 * noise
    expected = accuracy_of_carriers(labels, assignments)
    assert confident_point_accuracy(labels, assignments) == pytest.approx(expected, abs=1e-12)


def test_two_clusters_may_share_a_name_and_one_bad_carrier_spoils_its_cluster():
    labels = np.array(["a", "a", "b", "b", "b"])
    assignments = np.array([[0.9, 0.1], [0.2, 0.8], [0.3, 0.7], [0.4, 0.6], [0.8, 0.2]])
    # both carriers are of class a; the majority of the second cluster is b
    assert confident_point_accuracy(labels, assignments) == 0.4
    assert purity(labels, assignments.argmax(axis=1)) == 0.6


def test_of_equally_confident_points_the_first_names_the_cluster():
    labels = np.array([1, 0, 0])
    assert confident_point_accuracy(labels, np.ones((3, 1))) == pytest.approx(1 / 3)


def test_a_cluster_without_points_changes_nothing():
    labels, assignments = np.array([0, 1, 1]), np.array([[0.9, 0.1], [0.3, 0.7], [0.2, 0.8]])
    with_empty = np.column_stack([assignments, np.full(3, 0.05)])
    assert confident_point_accuracy(labels, assignments) == 1
    assert confident_point_accuracy(labels, with_empty) == 1


@pytest.mark.parametrize(("n", "shape"), [(3, (3,)), (3, (2, 3)), (0, (0, 3)), (3, (3, 0))])
def test_probabilities_that_do_not_fit_are_refused(n, shape):
    with pytest.raises(DataError, match="one row of cluster probabilities for each label"):
        confident_point_accuracy(np.zeros(n), np.ones(shape))


def test_probabilities_that_are_not_finite_name_no_cluster():
    with pytest.raises(DataError, match="not finite"):
        confident_point_accuracy(np.zeros(2), np.array([[0.5, 0.5], [np.nan, 0.5]]))


@pytest.mark.parametrize(("labels", "clusters"), [([], []), ([0, 1], [0]), ([[0]], [[0]])])
def test_what_does_not_fit_is_refused(labels, clusters):
    with pytest.raises(DataError, match="one entry for each point"):
        label_scores(np.array(labels), np.array(clusters))
    with pytest.raises(DataError, match="one entry for each point"):
        swap_accuracy(np.array(labels), np.array(clusters))


def test_points_without_a_label_are_left_out():
    labels, clusters = random_pair(3, 4)
    known = np.arange(60) % 4 > 0
    some = np.where(known, labels, -1)
    assert label_scores(some, clusters) == label_scores(labels[known], clusters[known])
    assert match_clusters(some, clusters) == match_clusters(labels[known], clusters[known])
    assert swap_accuracy(some, clusters) == swap_accuracy(labels[known], clusters[known])
    assignments = np.random.default_rng(0).dirichlet(np.ones(4), 60)
    found = confident_point_accuracy(some, assignments)
    assert found == confident_point_accuracy(labels[known], assignments[known])
    with pytest.raises(DataError, match="no point has a label"):
        clustering_accuracy(np.full(60, -1), clusters)


def test_a_classification_error_counts_the_wrong_classes_among_labelled_rows():
    labels, classes = np.array([0, 1, 2, 2, -1]), np.array([0, 1, 1, 2, 0])
    assert classification_error(labels, classes) == pytest.approx(1 / 4)
    assert classification_error(labels, (labels + 1) % 3) == 1.0  # no mapping helps
    with pytest.raises(DataError, match="one length"):
        classification_error(labels, classes[:3])


def test_a_sequence_is_wrong_where_any_of_its_labels_is():
    labels = np.array([[0, 1], [2, 2], [1, 0], [0, -1]])
    classes = np.array([[0, 1], [2, 1], [0, 1], [1, 1]])
    assert sequence_error(labels, classes) == pytest.approx(2 / 3)  # of those with all labels
    assert sequence_scores(labels, classes) == pytest.approx(
        {"error": 4 / 7, "sequence_error": 2 / 3}
    )


@pytest.mark.parametrize(
    ("labels", "classes", "words"),
    [
        ([0, 1], [0, 1], "sequences of one length"),
        ([[0, 1]], [[0, 1, 1]], "sequences of one length"),
        ([[0, -1]], [[0, 1]], "no point has all labels"),
    ],
)
def test_sequences_that_do_not_fit_are_refused(labels, classes, words):
    with pytest.raises(DataError, match=words):
        sequence_error(np.array(labels), np.array(classes))


def test_short_tables_show_what_every_paper_reports():
    assert list(BRIEF) == ["error", "sequence_error", "acc", "nmi", "ari", "silhouette"]
