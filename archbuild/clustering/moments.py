"""Moments of points that may be larger than memory, from sums over parts of them."""

from __future__ import annotations

import numpy as np

from archbuild.data.spill import is_mapped, parts_of, release


def means(latents: np.ndarray, clusters: np.ndarray, n_clusters: int) -> np.ndarray:
    """Return each cluster's mean row, ``(n_clusters, latent)`` float32; 0 for an empty one."""
    sums = np.zeros((n_clusters, latents.shape[1]))
    for part in parts_of(latents):
        np.add.at(sums, clusters[part], latents[part])
    return _divided(sums, clusters)


def variances(latents: np.ndarray, clusters: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """Return the mean square about each cluster's centre, ``(n_clusters, latent)`` float32.

    Args:
        latents: ``(n, latent)``.
        clusters: ``(n,)``.
        centres: ``(n_clusters, latent)``; an empty cluster gets 0.
    """
    sums = np.zeros(centres.shape)
    for part in parts_of(latents):
        squares = np.square(latents[part] - centres[clusters[part]])
        np.add.at(sums, clusters[part], squares)
    return _divided(sums, clusters)


def spread(latents: np.ndarray) -> float:
    """Return the mean over the dimensions of the variance of all points."""
    if not is_mapped(latents):
        return float(np.mean(np.var(latents, axis=0)))
    centre = mean_of(latents)
    squares = np.zeros(latents.shape[1])
    for part in parts_of(latents):
        squares += np.square(latents[part] - centre).sum(axis=0)
    return float(np.mean(squares / len(latents)))


def mean_of(latents: np.ndarray) -> np.ndarray:
    """Return the mean of all points ``(n, d)``, in float64."""
    total = np.zeros(latents.shape[1])
    for part in parts_of(latents):
        total += latents[part].sum(axis=0, dtype="float64")
    mean: np.ndarray = total / len(latents)
    return mean


def mean_square_distance(latents: np.ndarray, clusters: np.ndarray, centres: np.ndarray) -> float:
    """Return the mean square of the elements of ``latents - centres[clusters]``."""
    if not is_mapped(latents):
        return float(np.mean(np.square(latents - centres[clusters]), dtype="float64"))
    total = 0.0
    for part in parts_of(latents):
        total += float(np.square(latents[part] - centres[clusters[part]]).sum(dtype="float64"))
    return total / latents.size


def nearest_centres(points: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """Return the number of the nearest of ``centres`` ``(cluster, d)`` to each point, ``(n,)``."""
    from scipy.spatial.distance import cdist

    nearest: np.ndarray = cdist(points, centres, "sqeuclidean").argmin(axis=1)
    return nearest


def _divided(sums: np.ndarray, clusters: np.ndarray) -> np.ndarray:
    counts = np.bincount(clusters, minlength=len(sums))[:, None]
    release(clusters)
    return (sums / np.maximum(counts, 1)).astype("float32")
