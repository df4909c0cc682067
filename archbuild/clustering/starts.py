"""The start of a head's clusters: a clustering of the pretrained latents, without labels."""

from __future__ import annotations

import hashlib
import logging
import warnings
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

import numpy as np

from archbuild.clustering.manifold import (
    manifold_clusters,
    refuse_few_rows,
    refuse_without_umap,
)
from archbuild.clustering.mixture import FITTED_ROWS, fitted_mixture, mixture_clusters
from archbuild.clustering.moments import means, nearest_centres, variances
from archbuild.clustering.tsne import tsne
from archbuild.data.dataset import chunk_slices
from archbuild.data.sample import bounded_rows, drawn_rows
from archbuild.data.spill import joined, read_part
from archbuild.spec.fields import choice, integer

K_MEANS, WARD = "k-means", "ward"
MANIFOLD, MANIFOLD_FAST = "manifold", "manifold-fast"
START = choice(
    "start",
    [
        K_MEANS,
        WARD,
        "ward-graph",
        "t-sne",
        MANIFOLD,
        MANIFOLD_FAST,
        "gaussian-mixture",
        "diagonal-mixture",
    ],
    "What finds the first clusters in the pretrained latents: k-means (20 starts), Ward's "
    "agglomeration of a sample, the same along its nearest-neighbour graph or in its t-SNE map, "
    "Gaussian mixtures in nine UMAP maps of all rows, of which the most repeatable counts, or in "
    "a single map (both: pip install 'archbuild[manifold]'), or a Gaussian mixture of a sample, "
    "with full or with diagonal covariances.",
    default=K_MEANS,
)
START_SAMPLE = integer(
    "start_sample",
    "Random rows that the start takes; null: all. A mixture is fitted to all rows of this sample, "
    "and without one to 10,000; ward, ward-graph and t-sne merge 8,000 rows at most, and the other "
    "rows follow their nearest.",
    minimum=2,
    default=None,
)

_log = logging.getLogger(__name__)
# Ward's agglomeration takes memory and time in the square of the rows
_WARD_SAMPLE: Final = 8_000
_MERGED: Final = (WARD, "ward-graph", "t-sne")
_MANIFOLDS: Final = (MANIFOLD, MANIFOLD_FAST)
_COVARIANCES: Final = {"gaussian-mixture": "full", "diagonal-mixture": "diag"}
_NEIGHBOURS: Final = 5
_GRAPH_NEIGHBOURS: Final = 3


def refuse_impossible_start(config: Mapping[str, Any], n_rows: int) -> None:
    """Make sure, before anything is trained, that a head's ``start`` can be made.

    Args:
        config: of the head; one without ``start`` needs nothing.
        n_rows: number of rows.

    Raises:
        UsageError: a package is missing.
        DataError: there are too few rows.
    """
    if config.get("start") in _MANIFOLDS:
        refuse_without_umap()
        refuse_few_rows(n_rows)


def first_clusters(
    latents: np.ndarray,
    n_clusters: int,
    start: str,
    seed: int,
    mixture_sample: int | None = None,
) -> np.ndarray:
    """Cluster the pretrained latents.

    Args:
        latents: ``(n, latent)``.
        n_clusters: how many clusters.
        start: one of ``START``'s options.
        seed: of the starts and of the sample.
        mixture_sample: rows that a mixture is fitted to, at most; ``None``: 10,000.

    Returns:
        ``(n,)`` integers. Of more than 200,000 rows, or 256 MiB, the start takes a sample drawn by
        the seed (``bounded_rows``), and the log says so; the other rows go with the nearest mean
        under k-means, with their likeliest component under a mixture, and else with the majority of
        their five nearest of 8,000 rows. Ward's method (Ward, JASA 58, 1963) merges whatever adds
        least to the squared distances, and follows clusters of any shape; rows outside its sample
        of at most 8,000 go with the majority of their five nearest rows in it. ``ward-graph``
        merges only what the graph of three nearest neighbours connects, and so follows loops.
        ``t-sne`` merges in a map of the sample (van der Maaten and Hinton, JMLR 9, 2008), which
        draws apart what only few neighbours connect. ``manifold`` and ``manifold-fast`` find
        clusters in UMAP's maps of all rows (``manifold.py``). The mixture is the likeliest of ten,
        each fitted to at most ``mixture_sample`` rows.

    Raises:
        UsageError: umap-learn is needed and not installed.
        DataError: there are too few rows for the method.
    """
    chosen = bounded_rows(len(latents), latents[:1].nbytes, seed)
    if chosen is None:
        return _clusters_of(latents, n_clusters, start, seed, mixture_sample)
    _log.info("%s", _said(start, chosen, len(latents)))
    sample = read_part(latents, chosen)
    if start in _COVARIANCES:
        fitted = mixture_sample or FITTED_ROWS
        mixture = fitted_mixture(sample, n_clusters, _COVARIANCES[start], seed, fitted)
        return _answered(latents, lambda rows: mixture.predict(rows.astype("float64")))
    found = _clusters_of(sample, n_clusters, start, seed, mixture_sample)
    if start == K_MEANS:
        centres = means(sample, found, n_clusters)
        return _answered(latents, lambda rows: nearest_centres(rows, centres))
    shown = drawn_rows(len(sample), seed, _WARD_SAMPLE)
    clusters = _answered(latents, _majority(sample[shown], found[shown]).predict)
    clusters[chosen] = found
    return clusters


def _clusters_of(
    latents: np.ndarray, n_clusters: int, start: str, seed: int, mixture_sample: int | None
) -> np.ndarray:
    """Return what ``first_clusters`` does, for rows of which none is left out."""
    if start in _MERGED:
        return _merged(latents, n_clusters, start, seed)
    if start in _COVARIANCES:
        fitted = mixture_sample or FITTED_ROWS
        return mixture_clusters(latents, n_clusters, _COVARIANCES[start], seed, fitted)
    if start in _MANIFOLDS:
        return manifold_clusters(latents, n_clusters, seed, fast=start == MANIFOLD_FAST)
    from archbuild.clustering.kmeans import kmeans

    return kmeans(latents, n_clusters, seed).clusters


def _answered(latents: np.ndarray, answer: Callable[[np.ndarray], Any]) -> np.ndarray:
    """Return the clusters of all rows, ``(n,)`` int64, from those of a part at a time."""
    slices = chunk_slices(len(latents), latents[:1].nbytes)
    parts = (np.asarray(answer(read_part(latents, part)), np.int64) for part in slices)
    return joined(parts, len(latents), f"the clusters of {len(latents):,} rows")


def _said(start: str, chosen: np.ndarray, n_rows: int) -> str:
    digest = hashlib.sha256(chosen.astype("<i8").tobytes()).hexdigest()
    return (
        f"the start, {start}, looks at {len(chosen):,} of {n_rows:,} rows, drawn by the seed "
        f"(SHA-256 of their numbers {digest[:12]}…); the others follow"
    )


class Mixture(NamedTuple):
    """The moments of clusters, as a diagonal Gaussian mixture.

    Attributes:
        weights: ``(cluster,)``.
        means: ``(cluster, latent)``.
        variances: ``(cluster, latent)``.
        clusters: ``(n,)``, of the rows that were looked at.
    """

    weights: np.ndarray
    means: np.ndarray
    variances: np.ndarray
    clusters: np.ndarray


def mixture_of(
    latents: np.ndarray, n_clusters: int, start: str, seed: int, sample: int | None = None
) -> Mixture:
    """Return the shares, means and variances of ``first_clusters``.

    Args:
        latents: ``(n, latent)``.
        n_clusters: how many clusters.
        start: one of ``START``'s options.
        seed: of the start and of the sample.
        sample: the start takes that many rows, drawn at random, and a mixture is fitted to all of
            them; ``None``: all rows, and a mixture is fitted to 10,000 of them at most.
    """
    if sample is not None and sample < len(latents):
        chosen = np.random.default_rng(seed).choice(len(latents), sample, replace=False)
        latents = read_part(latents, np.sort(chosen))
    clusters = first_clusters(latents, n_clusters, start, seed, sample)
    counts = np.bincount(clusters, minlength=n_clusters)
    centres = means(latents, clusters, n_clusters)
    squares = variances(latents, clusters, centres)
    # half a row for each: a cluster that the start left empty keeps a weight above 0
    return Mixture((counts + 0.5) / np.sum(counts + 0.5), centres, squares, clusters)


def _merged(latents: np.ndarray, n_clusters: int, start: str, seed: int) -> np.ndarray:
    chosen = np.sort(np.random.default_rng(seed).permutation(len(latents))[:_WARD_SAMPLE])
    sample = latents[chosen]
    space = tsne(sample, seed) if start == "t-sne" else sample
    clusters = _ward(space, n_clusters, graph=start == "ward-graph")
    if len(chosen) == len(latents):
        return clusters
    merged: np.ndarray = _majority(sample, clusters).predict(latents)
    return merged


def _majority(sample: np.ndarray, clusters: np.ndarray) -> Any:
    """Return what predicts the most common cluster among the nearest rows of a sample."""
    from sklearn.neighbors import KNeighborsClassifier

    return KNeighborsClassifier(min(_NEIGHBOURS, len(sample))).fit(sample, clusters)


def _ward(points: np.ndarray, n_clusters: int, graph: bool) -> np.ndarray:
    from sklearn.cluster import AgglomerativeClustering
    from sklearn.neighbors import kneighbors_graph

    near = min(_GRAPH_NEIGHBOURS, len(points) - 1)
    connectivity = kneighbors_graph(points, near) if graph else None
    ward = AgglomerativeClustering(n_clusters, linkage="ward", connectivity=connectivity)
    with warnings.catch_warnings():  # where the graph falls into parts, joining them is wanted
        warnings.filterwarnings("ignore", message="the number of connected components")
        clusters: np.ndarray = ward.fit_predict(points)
    return clusters
