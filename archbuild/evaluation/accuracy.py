"""Agreement of clusters with classes. Labels serve to measure, never to train or to choose.

Points whose label is a negative number have none, and are left out.
"""

from __future__ import annotations

import numpy as np

from archbuild.errors import DataError


def contingency(labels: np.ndarray, clusters: np.ndarray) -> np.ndarray:
    """Count the points of each class in each cluster.

    Args:
        labels: true classes (n,), whole numbers or text.
        clusters: cluster of each point (n,).

    Returns:
        Counts (C, K), int64: one row for each class and one column for each cluster that occurs,
        both in the order of ``numpy.unique``.

    Raises:
        DataError: the two are empty or not of one length.
    """
    return _counted(labels, clusters)[0]


def match_clusters(labels: np.ndarray, clusters: np.ndarray) -> dict[int, int]:
    """Give each cluster a class of its own so that as many points as possible agree.

    The one-to-one matching of Kuhn's Hungarian method, as the field's accuracy is defined
    (Xie et al., DEC, arXiv 1511.06335, equation 10).

    Args:
        labels: true classes (n,).
        clusters: cluster of each point (n,).

    Returns:
        Cluster -> class. Where there are more clusters than classes the surplus clusters are
        absent; where there are fewer, some classes have no cluster.

    Raises:
        DataError: as :func:`contingency`.
    """
    counts, classes, groups = _counted(labels, clusters)
    rows, columns = _assignment(counts)
    return {
        groups[column].item(): classes[row].item()
        for row, column in sorted(zip(rows, columns, strict=True), key=lambda pair: pair[1])
    }


def classification_error(labels: np.ndarray, classes: np.ndarray) -> float:
    """Return the share of points whose predicted class is not their own, between 0 and 1.

    Args:
        labels: true classes (n,).
        classes: predicted ones (n,), numbered in the same way.

    Raises:
        DataError: as :func:`contingency`.
    """
    labels, classes = _labelled(labels, classes)
    _counted(labels, classes)
    return float(np.mean(labels != classes))


def sequence_error(labels: np.ndarray, classes: np.ndarray) -> float:
    """Return the share of points with a wrong class anywhere in their sequence, between 0 and 1.

    Args:
        labels: true classes (n, T); points with an unknown one are left out.
        classes: predicted ones (n, T), numbered in the same way.

    Raises:
        DataError: the shapes differ, or no point has all its labels.
    """
    labels, classes = np.asarray(labels), np.asarray(classes)
    if labels.ndim != 2 or labels.shape != classes.shape:
        raise DataError(
            "labels and classes must be sequences of one length, one for each point: labels came "
            f"as {labels.shape}, classes as {classes.shape}"
        )
    known = (labels >= 0).all(axis=1)
    if not known.any():
        raise DataError("no point has all labels of its sequence, so no sequence can be compared")
    return float(np.mean((labels != classes).any(axis=1)[known]))


def clustering_accuracy(labels: np.ndarray, clusters: np.ndarray) -> float:
    """Return the share of points whose cluster is matched to their class, between 0 and 1.

    Points of clusters without a class count as wrong; see :func:`match_clusters`.
    """
    counts = contingency(labels, clusters)
    rows, columns = _assignment(counts)
    return float(counts[rows, columns].sum() / counts.sum())


def swap_accuracy(labels: np.ndarray, clusters: np.ndarray) -> float:
    """Return the accuracy of the first matching that no swap of two classes improves.

    It starts with cluster ``k`` as class ``k`` and takes every swap that helps, class after class,
    until a whole pass brings none; never above :func:`clustering_accuracy`. A class beyond the
    last cluster's number is unused. Only for comparison with Serket (Nakamura et al., Frontiers
    in Neurorobotics 12:25, 2018), whose code reports it.

    Args:
        labels: true classes (n,), whole numbers from 0.
        clusters: cluster of each point (n,), whole numbers from 0.

    Raises:
        DataError: as :func:`contingency`.
    """
    labels, clusters = _labelled(labels, clusters)
    _counted(labels, clusters)
    size = int(max(np.max(labels), np.max(clusters))) + 1
    pairs = np.ravel_multi_index((labels, clusters), (size, size))
    counts = np.bincount(pairs, minlength=size * size).reshape(size, size)
    held = np.arange(int(np.max(clusters)) + 1)  # the cluster of each class
    improved = True
    while improved:
        improved = False
        for i, j in np.ndindex(held.size, held.size):
            before = counts[i, held[i]] + counts[j, held[j]]
            if counts[i, held[j]] + counts[j, held[i]] > before:
                held[[i, j]] = held[[j, i]]
                improved = True
    return float(counts[np.arange(held.size), held].sum() / counts.sum())


def purity(labels: np.ndarray, clusters: np.ndarray) -> float:
    """Return the share of points that are of the most frequent class of their cluster.

    Clusters may share a class (many-to-one), so more clusters score higher: never compare it with
    an accuracy, nor between numbers of clusters.

    Raises:
        DataError: as :func:`contingency`.
    """
    counts = contingency(labels, clusters)
    return float(counts.max(axis=0).sum() / counts.sum())


def confident_point_accuracy(labels: np.ndarray, assignments: np.ndarray) -> float:
    """Return the accuracy by the protocol of the adversarial autoencoder, which GMVAE reports.

    Every cluster takes the class of the one point that is likeliest to be in it, the first of
    several, and a point counts as right where its likeliest cluster took its class (Makhzani et
    al., AAE, arXiv 1511.05644). Clusters may share a class, and K labels are spent on naming
    them: never compare it with :func:`clustering_accuracy`.

    Args:
        labels: true classes (n,).
        assignments: probability of each cluster for each point (n, K).

    Raises:
        DataError: there are not n rows of probabilities, or one is not a finite number.
    """
    labels, assignments = np.asarray(labels), np.asarray(assignments)
    _check_assignments(labels, assignments)
    labels, assignments = _labelled(labels, assignments)
    names = labels[assignments.argmax(axis=0)]
    return float(np.mean(names[assignments.argmax(axis=1)] == labels))


def normalised_mutual_information(labels: np.ndarray, clusters: np.ndarray) -> float:
    """Return the mutual information over the arithmetic mean of the two entropies, 0 to 1.

    Raises:
        DataError: as :func:`contingency`.
    """
    from sklearn.metrics import normalized_mutual_info_score

    labels, clusters = _labelled(labels, clusters)
    _counted(labels, clusters)
    return float(normalized_mutual_info_score(labels, clusters, average_method="arithmetic"))


def adjusted_rand_index(labels: np.ndarray, clusters: np.ndarray) -> float:
    """Return the Rand index adjusted for chance (Hubert and Arabie, 1985); may be negative.

    Raises:
        DataError: as :func:`contingency`.
    """
    from sklearn.metrics import adjusted_rand_score

    labels, clusters = _labelled(labels, clusters)
    _counted(labels, clusters)
    return float(adjusted_rand_score(labels, clusters))


def _counted(labels: np.ndarray, clusters: np.ndarray) -> tuple[np.ndarray, ...]:
    labels, clusters = np.asarray(labels), np.asarray(clusters)
    if labels.ndim != 1 or labels.shape != clusters.shape or labels.size == 0:
        raise DataError(
            "labels and clusters must be two lists of one length, one entry for each point: "
            f"labels came as {labels.shape}, clusters as {clusters.shape}"
        )
    labels, clusters = _labelled(labels, clusters)
    classes, rows = np.unique(labels, return_inverse=True)
    groups, columns = np.unique(clusters, return_inverse=True)
    counts = np.zeros((classes.size, groups.size), dtype=np.int64)
    np.add.at(counts, (rows, columns), 1)
    return counts, classes, groups


def _labelled(labels: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the points that have a label, of both.

    Raises:
        DataError: there is none.
    """
    labels, rows = np.asarray(labels), np.asarray(rows)
    if labels.dtype.kind not in "if" or labels.shape != rows.shape[:1] or not labels.size:
        return labels, rows
    known = labels >= 0
    if not known.any():
        raise DataError("no point has a label, so clusters cannot be compared with classes")
    return labels[known], rows[known]


def _check_assignments(labels: np.ndarray, assignments: np.ndarray) -> None:
    if assignments.ndim != 2 or labels.shape != assignments.shape[:1] or assignments.size == 0:
        raise DataError(
            "expected one row of cluster probabilities for each label: assignments came as "
            f"{assignments.shape}, labels as {labels.shape}"
        )
    if not np.isfinite(assignments).all():
        raise DataError(
            "some cluster probabilities are not finite, so no cluster can be named; train again "
            "with a lower learning rate"
        )


def _assignment(counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    from scipy.optimize import linear_sum_assignment

    rows, columns = linear_sum_assignment(counts, maximize=True)
    return rows, columns
