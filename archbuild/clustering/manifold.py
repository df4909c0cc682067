"""Clusters in UMAP's maps of all rows; of several maps, the one that agrees best with the others.

UMAP (McInnes et al., arXiv 1802.03426) draws apart what only few neighbours connect, so that a
mixture in its map finds clusters of any shape, as in N2D (McConville et al., arXiv 1908.05968).
Which clusters it finds depends on the number of neighbours and on chance. Neither is chosen by
labels here: clusters that are really there are found again from another seed (Ben-Hur et al.,
Pacific Symposium on Biocomputing 2002).
"""

from __future__ import annotations

import warnings
from typing import Any, Final

import numpy as np

from archbuild.clustering.mixture import mixture_clusters
from archbuild.clustering.points import as_points
from archbuild.environment import installed
from archbuild.errors import DataError, UsageError

_DIMENSIONS: Final = 10
_NEIGHBOURS: Final = (4, 10, 20)
"""The row itself is one of them. Loops and sheets (COIL-20) need few, blobs (MNIST) many."""
_MAPS: Final = 3
"""Of each number of neighbours."""
_FAST_NEIGHBOURS: Final = 20
_EXACT_ROWS: Final = 5_000
"""Up to that many, neighbours are found by all distances, beyond by descent (NN-descent)."""
FEWEST_ROWS: Final = 2 * _DIMENSIONS


def manifold_clusters(
    latents: np.ndarray, n_clusters: int, seed: int, fast: bool = False
) -> np.ndarray:
    """Cluster points in UMAP's maps of them, by Gaussian mixtures with full covariances.

    Maps are drawn with 4, 10 and 20 neighbours, three of each from seeds of their own. The number
    of neighbours is the one whose three clusterings agree best with each other (mean normalised
    mutual information), and of these three the one that agrees best with the other two counts.

    Args:
        latents: ``(n, d)``, at least 20 rows. No sample: every row is in the graph.
        n_clusters: how many clusters.
        seed: of the graph, the maps and the mixtures.
        fast: whether to draw a single map, with 20 neighbours, in a ninth of the time: clusters
            then vary from seed to seed, and loops are torn.

    Returns:
        ``(n,)`` integers.

    Raises:
        DataError: there are too few rows, or a value is not finite.
        UsageError: umap-learn is not installed.
    """
    points = as_points(latents)
    refuse_few_rows(len(points))
    graph = _Graph(points, seed)
    if fast:
        return graph.clusters(n_clusters, _FAST_NEIGHBOURS, seed)
    found = [
        [graph.clusters(n_clusters, near, seed + map_) for map_ in range(_MAPS)]
        for near in _NEIGHBOURS
    ]
    agreements = [_agreements(clusterings) for clusterings in found]
    size = int(np.argmax([agreement.mean() for agreement in agreements]))
    return found[size][int(np.argmax(agreements[size]))]


class _Graph:
    """The nearest neighbours of all rows, found once for all maps."""

    def __init__(self, points: np.ndarray, seed: int) -> None:
        self._umap = _umap()
        self._points = points.astype(np.float32)
        most = min(max(_NEIGHBOURS), len(points) - 1)
        self._near, self._distances = _nearest(self._umap, self._points, most, seed)

    def clusters(self, n_clusters: int, near: int, seed: int) -> np.ndarray:
        """Return the clusters of one map, ``(n,)``."""
        near = min(near, self._near.shape[1])
        method = self._umap.UMAP(
            n_neighbors=near,
            n_components=min(_DIMENSIONS, self._points.shape[1]),
            min_dist=0.0,
            # UMAP itself would read further columns as neighbours too
            precomputed_knn=(self._near[:, :near], self._distances[:, :near], None),
            random_state=seed,
            n_jobs=1,  # more threads would leave the map to chance
        )
        with warnings.catch_warnings():  # of rows without neighbours, and of its own defaults
            warnings.simplefilter("ignore")
            return mixture_clusters(method.fit_transform(self._points), n_clusters, "full", seed)


def _nearest(umap: Any, points: np.ndarray, most: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the nearest rows of each, itself the first, and their distances: ``(n, most)``."""
    if len(points) <= _EXACT_ROWS:
        from sklearn.neighbors import NearestNeighbors

        exact = NearestNeighbors(n_neighbors=most).fit(points)
        distances, near = exact.kneighbors(points)
        return near, distances.astype(np.float32)
    chance = np.random.RandomState(seed)
    near, distances, _ = umap.umap_.nearest_neighbors(
        points, most, "euclidean", {}, False, chance, n_jobs=1
    )
    return near, distances


def refuse_few_rows(n_rows: int) -> None:
    """Make sure that there are enough rows for a map.

    Raises:
        DataError: there are fewer than 20.
    """
    if n_rows < FEWEST_ROWS:
        raise DataError(
            f"start: manifold needs at least {FEWEST_ROWS} rows for a map, and {n_rows} came; take "
            "another start (--set head.start=k-means)"
        )


def refuse_without_umap() -> None:
    """Make sure that umap-learn is installed, without the seconds that its import takes.

    Raises:
        UsageError: it is not.
    """
    if installed("umap-learn") is None:
        raise UsageError(
            "start: manifold draws maps with umap-learn, which is not installed: "
            "pip install 'archbuild[manifold]'; or take another start (--set head.start=t-sne)"
        )


def _umap() -> Any:
    refuse_without_umap()
    import umap

    return umap


def _agreements(clusterings: list[np.ndarray]) -> np.ndarray:
    """Return each clustering's mean normalised mutual information with the others."""
    from sklearn.metrics import normalized_mutual_info_score

    count = len(clusterings)
    shared = np.zeros((count, count))
    for first in range(count):
        for second in range(first):
            value = normalized_mutual_info_score(clusterings[first], clusterings[second])
            shared[first, second] = shared[second, first] = value
    agreements: np.ndarray = shared.sum(axis=1) / (count - 1)
    return agreements
