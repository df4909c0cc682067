"""Compactness and separation of clusters, without any labels."""

from __future__ import annotations

import numpy as np

from archbuild.data.sample import drawn_rows

SILHOUETTE_POINTS = 5_000


def has_scores(clusters: np.ndarray, n_points: int) -> bool:
    """Return whether the scores are defined: two clusters or more, not one for every point."""
    return 2 <= np.unique(clusters).size < n_points


def sampled_silhouette(points: np.ndarray, clusters: np.ndarray, seed: int) -> float | None:
    """Return the mean silhouette over at most 5,000 points drawn without replacement.

    Between -1 and 1, higher is better (Rousseeuw, 1987). ``None`` where the sample has fewer than
    two clusters.

    Args:
        points: (n, d) float64.
        clusters: cluster of each point (n,).
        seed: draws the points.
    """
    from sklearn.metrics import silhouette_score

    drawn = drawn_rows(len(points), seed, SILHOUETTE_POINTS)
    points, clusters = points[drawn], clusters[drawn]
    if not has_scores(clusters, len(points)):
        return None
    return float(silhouette_score(points, clusters))


def calinski_harabasz(points: np.ndarray, clusters: np.ndarray) -> float:
    """Return the ratio of the variance between to that within clusters (1974; higher is better)."""
    from sklearn.metrics import calinski_harabasz_score

    return float(calinski_harabasz_score(points, clusters))


def davies_bouldin(points: np.ndarray, clusters: np.ndarray) -> float:
    """Return the mean similarity of each cluster to its nearest (1979; from 0, lower is better)."""
    from sklearn.metrics import davies_bouldin_score

    return float(davies_bouldin_score(points, clusters))
