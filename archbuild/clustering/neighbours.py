"""Count the clusters of each point's nearest neighbours."""

from __future__ import annotations

from typing import Final

import numpy as np

from archbuild.clustering.points import as_points

_NEIGHBOURS: Final = 5


def neighbour_shares(points: np.ndarray, clusters: np.ndarray, n_clusters: int) -> np.ndarray:
    """Return the share of each cluster among the five nearest neighbours of each point, and itself.

    Args:
        points: ``(n, d)``.
        clusters: ``(n,)`` integers below ``n_clusters``.
        n_clusters: how many clusters.

    Returns:
        ``(n, n_clusters)`` float32; each row sums to 1.

    Raises:
        DataError: a value is not finite.
    """
    from sklearn.neighbors import NearestNeighbors

    points = as_points(points)
    near = min(_NEIGHBOURS + 1, len(points))  # the first is the point itself
    graph = NearestNeighbors(n_neighbors=near).fit(points)
    neighbours = graph.kneighbors(points, return_distance=False)
    shares = np.zeros((len(points), n_clusters), "float32")
    rows = np.repeat(np.arange(len(points)), near)
    np.add.at(shares, (rows, clusters[neighbours].ravel()), 1.0 / near)
    return shares
