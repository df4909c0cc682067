"""Where the clusters of a head begin: a clustering of the pretrained latents, without labels."""

from __future__ import annotations

import warnings
from typing import Final

import numpy as np

from archbuild.spec.fields import choice

START = choice(
    "start",
    ["k-means", "ward", "ward-graph", "gaussian-mixture"],
    "What finds the first clusters in the pretrained latents: k-means (20 starts), Ward's "
    "agglomeration of a sample, the same along its nearest-neighbour graph, or a "
    "full-covariance Gaussian mixture of a sample.",
    default="k-means",
)

# Ward's agglomeration takes memory and time in the square of the rows
_WARD_SAMPLE: Final = 8_000
_MIXTURE_SAMPLE: Final = 10_000
_NEIGHBOURS: Final = 5
_GRAPH_NEIGHBOURS: Final = 3


def first_clusters(latents: np.ndarray, n_clusters: int, start: str, seed: int) -> np.ndarray:
    """Cluster the pretrained latents.

    Args:
        latents: ``(n, latent)``.
        n_clusters: how many clusters.
        start: one of ``START``'s options.
        seed: of the starts and of the sample.

    Returns:
        ``(n,)`` integers. Ward's method (Ward, JASA 58, 1963) merges whatever adds least to the
        squared distances, and follows clusters of any shape; rows outside its sample of at most
        8,000 go with the majority of their five nearest rows in it. ``ward-graph`` merges only
        what the graph of three nearest neighbours connects, and so follows loops. The mixture is
        the likeliest of ten, each fitted to at most 10,000 rows.
    """
    if start in ("ward", "ward-graph"):
        return _ward(latents, n_clusters, start == "ward-graph", np.random.default_rng(seed))
    if start == "gaussian-mixture":
        return _mixture(latents, n_clusters, seed)
    from archbuild.evaluation.kmeans import kmeans

    return kmeans(latents, n_clusters, seed).clusters


def means(latents: np.ndarray, clusters: np.ndarray, n_clusters: int) -> np.ndarray:
    """``(n_clusters, latent)`` float32: the mean of each cluster's rows; 0 for an empty one."""
    sums = np.zeros((n_clusters, latents.shape[1]))
    np.add.at(sums, clusters, latents)
    counts = np.bincount(clusters, minlength=n_clusters)[:, None]
    return (sums / np.maximum(counts, 1)).astype("float32")


def _ward(
    latents: np.ndarray, n_clusters: int, graph: bool, rng: np.random.Generator
) -> np.ndarray:
    from sklearn.cluster import AgglomerativeClustering
    from sklearn.neighbors import KNeighborsClassifier, kneighbors_graph

    chosen = np.sort(rng.permutation(len(latents))[:_WARD_SAMPLE])
    sample = latents[chosen]
    near = min(_GRAPH_NEIGHBOURS, len(sample) - 1)
    connectivity = kneighbors_graph(sample, near) if graph else None
    ward = AgglomerativeClustering(n_clusters, linkage="ward", connectivity=connectivity)
    with warnings.catch_warnings():  # where the graph falls into parts, joining them is wanted
        warnings.filterwarnings("ignore", message="the number of connected components")
        clusters = ward.fit_predict(sample)
    if len(chosen) == len(latents):
        return clusters
    neighbours = KNeighborsClassifier(min(_NEIGHBOURS, len(sample)))
    return neighbours.fit(sample, clusters).predict(latents)


def _mixture(latents: np.ndarray, n_clusters: int, seed: int) -> np.ndarray:
    from sklearn.mixture import GaussianMixture

    chosen = np.random.default_rng(seed).permutation(len(latents))[:_MIXTURE_SAMPLE]
    values = latents.astype("float64")
    spread = float(np.mean(np.var(values, axis=0)))
    # from k-means itself every start ends in the same cut; ten from k-means++ do not
    mixture = GaussianMixture(
        n_clusters,
        reg_covar=1e-4 * spread + 1e-12,
        init_params="k-means++",
        n_init=10,
        max_iter=300,
        random_state=seed,
    )
    return mixture.fit(values[chosen]).predict(values)
