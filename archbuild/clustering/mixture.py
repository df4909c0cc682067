"""A Gaussian mixture fitted to points by expectation and maximisation."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

FITTED_ROWS: Final = 10_000


def mixture_clusters(
    points: np.ndarray, n_clusters: int, covariance: str, seed: int, fitted: int = FITTED_ROWS
) -> np.ndarray:
    """Return the likeliest component of each point, in the likeliest of ten mixtures.

    Args:
        points: ``(n, d)``.
        n_clusters: number of components.
        covariance: ``full`` or ``diag``.
        seed: of the starts and of the sample.
        fitted: rows that the mixtures are fitted to, at most.

    Returns:
        ``(n,)`` integers.
    """
    values = points.astype("float64")
    mixture = fitted_mixture(values, n_clusters, covariance, seed, fitted)
    clusters: np.ndarray = mixture.predict(values)
    return clusters


def fitted_mixture(
    points: np.ndarray, n_clusters: int, covariance: str, seed: int, fitted: int = FITTED_ROWS
) -> Any:
    """Return scikit-learn's likeliest of ten mixtures; arguments as ``mixture_clusters``."""
    from sklearn.mixture import GaussianMixture

    chosen = np.random.default_rng(seed).permutation(len(points))[:fitted]
    values = points.astype("float64", copy=False)
    spread = float(np.mean(np.var(values, axis=0)))
    # from k-means itself every start ends in the same cut; ten from k-means++ do not
    mixture = GaussianMixture(
        n_clusters,
        covariance_type=covariance,
        reg_covar=1e-4 * spread + 1e-12,
        init_params="k-means++",
        n_init=10,
        max_iter=300,
        random_state=seed,
    )
    return mixture.fit(values[chosen])
