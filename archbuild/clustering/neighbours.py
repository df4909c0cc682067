"""Count the clusters of each point's nearest neighbours."""

from __future__ import annotations

from typing import Final

import numpy as np

from archbuild.clustering.points import as_points
from archbuild.data.dataset import chunk_slices
from archbuild.data.sample import bounded_rows, drawn_rows
from archbuild.data.spill import joined, read_part

_NEIGHBOURS: Final = 5
_SAMPLE: Final = 20_000


def neighbour_shares(points: np.ndarray, clusters: np.ndarray, n_clusters: int) -> np.ndarray:
    """Return the share of each cluster among the five nearest neighbours of each point, and itself.

    Of more points than starts look at (``data.sample.bounded_rows``) the neighbours are looked for
    in a sample, of 20,000 at most, and a point that is not in it has six.

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

    if bounded_rows(len(points), points[:1].nbytes, seed=0) is None:
        points = as_points(points)
        parts, shown = [slice(0, len(points))], points
    else:
        chosen = drawn_rows(len(points), 0, _SAMPLE)
        parts = list(chunk_slices(len(points), points[:1].nbytes))
        shown, clusters = as_points(read_part(points, chosen)), clusters[chosen]
    near = min(_NEIGHBOURS + 1, len(shown))  # the first is the point itself
    graph = NearestNeighbors(n_neighbors=near).fit(shown)

    def shares(part: slice) -> np.ndarray:
        neighbours = graph.kneighbors(as_points(read_part(points, part)), return_distance=False)
        found = np.zeros((len(neighbours), n_clusters), "float32")
        rows = np.repeat(np.arange(len(neighbours)), near)
        np.add.at(found, (rows, clusters[neighbours].ravel()), 1.0 / near)
        return found

    return joined(map(shares, parts), len(points), f"the neighbours of {len(points):,} rows")
