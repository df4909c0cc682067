"""Scores by distances to the clusters' means, in time and memory linear in the points."""

from __future__ import annotations

import numpy as np

from archbuild.data.sample import bounded_rows
from archbuild.data.spill import read_part

_BLOCK_DISTANCES = 2**20


def scores_by_means(points: np.ndarray, clusters: np.ndarray) -> dict[str, float | None]:
    """Return the two scores that look at nothing but clusters' means.

    Args:
        points: (n, d) float64.
        clusters: cluster of each point (n,), at least two different ones.

    Returns:
        ``simplified_silhouette``: the mean over all points of (b - a) / max(a, b), where a and b
        are the distances to the own and to the nearest other cluster's mean; 0 for a point alone
        in its cluster, as in the silhouette itself (Hruschka et al., 2004; between -1 and 1).
        ``centre_separation``: the distance between the means of two clusters, averaged over all
        pairs as S3VDC does (Cao et al., arXiv 2005.08047), over the root mean square of a. This
        division is our own: without a unit, spaces can be compared (from 0). ``None`` where
        all points lie on their cluster's mean.
    """
    from scipy.spatial.distance import pdist

    _, groups, sizes = np.unique(clusters, return_inverse=True, return_counts=True)
    means = np.stack([points[groups == group].mean(axis=0) for group in range(len(sizes))])
    own, other = _distances(points, means, groups)
    alone = sizes[groups] == 1
    radius = np.sqrt(np.square(own).mean())
    spread = radius > np.finfo(float).eps * np.abs(points).max()  # more than rounding
    return {
        "simplified_silhouette": float(np.where(alone, 0.0, _widths(own, other)).mean()),
        "centre_separation": float(pdist(means).mean() / radius) if spread else None,
    }


def separations(points: np.ndarray, clusters: np.ndarray) -> dict[int, float]:
    """Return the simplified silhouette (``scores_by_means``) of each populated cluster.

    Of many points a sample is looked at (``data.sample.bounded_rows``), the same every time.

    Args:
        points: (n, d).
        clusters: cluster of each point (n,).

    Returns:
        cluster -> the mean over its points, -1 to 1, to six digits; empty for a single cluster.
    """
    chosen = bounded_rows(len(points), points[:1].nbytes, seed=0)
    if chosen is not None:
        points, clusters = read_part(points, chosen), clusters[chosen]
    numbers, groups, sizes = np.unique(clusters, return_inverse=True, return_counts=True)
    if len(numbers) < 2:
        return {}
    points = points.astype(np.float64)
    means = np.stack([points[groups == group].mean(axis=0) for group in range(len(sizes))])
    widths = _widths(*_distances(points, means, groups))
    return {
        int(number): round(float(widths[groups == group].mean()), 6)
        for group, number in enumerate(numbers)
    }


def _distances(
    points: np.ndarray, means: np.ndarray, groups: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return ``(n,)`` distances to the own and to the nearest other mean."""
    from scipy.spatial.distance import cdist

    own, other = np.empty(len(points)), np.empty(len(points))
    block = max(1, _BLOCK_DISTANCES // len(means))
    for first in range(0, len(points), block):
        rows = slice(first, first + block)
        distances, mine = cdist(points[rows], means), groups[rows, None]
        own[rows] = np.take_along_axis(distances, mine, axis=1)[:, 0]
        np.put_along_axis(distances, mine, np.inf, axis=1)
        other[rows] = distances.min(axis=1)
    return own, other


def _widths(own: np.ndarray, other: np.ndarray) -> np.ndarray:
    further = np.maximum(own, other)  # 0 for a point on two means at once, which is in between
    widths: np.ndarray = np.divide(other - own, further, out=np.zeros_like(own), where=further > 0)
    return widths
