"""How compact and how separate clusters are, without any labels."""

from __future__ import annotations

import numpy as np

from archbuild.clustering.means import scores_by_means
from archbuild.clustering.points import as_points
from archbuild.errors import DataError

SILHOUETTE_POINTS = 5_000

LABEL_FREE_SCORES = (
    "silhouette",
    "simplified_silhouette",
    "centre_separation",
    "calinski_harabasz",
    "davies_bouldin",
)


def label_free_scores(
    latents: np.ndarray, clusters: np.ndarray, seed: int
) -> dict[str, float | None]:
    """Return five scores of a clustering in the space it lives in, computed in float64.

    Args:
        latents: points (n, d), or (n, ...) which is flattened.
        clusters: cluster of each point (n,).
        seed: draws the points of the sampled silhouette.

    Returns:
        ``silhouette``, the mean over at most 5,000 points drawn without replacement (Rousseeuw,
        1987; between -1 and 1, higher is better); ``simplified_silhouette``, over all points and
        against clusters' means (between -1 and 1), and ``centre_separation`` (from 0, higher is
        better; both in :func:`~archbuild.clustering.means.scores_by_means`);
        ``calinski_harabasz`` (1974; higher is better); ``davies_bouldin`` (1979; from 0, lower is
        better). A score that is not defined, with fewer than two occupied clusters or a cluster
        for every point, is ``None``.

    Raises:
        DataError: the lengths differ, or a value is not finite.
    """
    from sklearn.metrics import calinski_harabasz_score, davies_bouldin_score

    points = as_points(latents).astype(np.float64, copy=False)
    clusters = np.asarray(clusters)
    if clusters.shape != (len(points),):
        raise DataError(
            f"expected one cluster for each of {len(points)} points; clusters came as "
            f"{clusters.shape}"
        )
    if not _defined(clusters):
        return dict.fromkeys(LABEL_FREE_SCORES)
    return {
        "silhouette": _silhouette(points, clusters, seed),
        **scores_by_means(points, clusters),
        "calinski_harabasz": float(calinski_harabasz_score(points, clusters)),
        "davies_bouldin": float(davies_bouldin_score(points, clusters)),
    }


def _silhouette(points: np.ndarray, clusters: np.ndarray, seed: int) -> float | None:
    from sklearn.metrics import silhouette_score

    drawn = _sample(len(points), seed)
    points, clusters = points[drawn], clusters[drawn]
    return float(silhouette_score(points, clusters)) if _defined(clusters) else None


def _sample(n_points: int, seed: int) -> np.ndarray:
    if n_points <= SILHOUETTE_POINTS:
        return np.arange(n_points)
    drawn = np.random.default_rng(seed).choice(n_points, SILHOUETTE_POINTS, replace=False)
    return np.sort(drawn)


def _defined(clusters: np.ndarray) -> bool:
    return 2 <= np.unique(clusters).size < len(clusters)
