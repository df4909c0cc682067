"""A softmax fitted to clusters: multinomial logistic regression."""

from __future__ import annotations

import warnings
from typing import Final

import numpy as np

_FITTED_ROWS: Final = 10_000
_NEVER: Final = -30.0
"""The logit of a cluster without points: a probability of e^-30 at most beside the others."""


def fitted_softmax(
    points: np.ndarray, clusters: np.ndarray, n_clusters: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Fit ``softmax(x W + b)`` to clusters, on at most 10,000 points, with scikit-learn's penalty.

    Args:
        points: ``(n, d)``.
        clusters: ``(n,)`` integers below ``n_clusters``.
        n_clusters: how many clusters.
        seed: of the sample.

    Returns:
        ``W`` ``(d, n_clusters)`` and ``b`` ``(n_clusters,)``, float32. A cluster without a point in
        the sample is never the likeliest.
    """
    from sklearn.linear_model import LogisticRegression

    chosen = np.random.default_rng(seed).permutation(len(points))[:_FITTED_ROWS]
    values = points[chosen].astype(np.float64)
    centre, scale = values.mean(axis=0), float(values.std()) or 1.0
    present = np.unique(clusters[chosen])
    kernel = np.zeros((points.shape[1], n_clusters))
    bias = np.full(n_clusters, _NEVER)
    if len(present) == 1:
        bias[present] = 0.0
        return kernel.astype("float32"), bias.astype("float32")
    with warnings.catch_warnings():  # of many clusters among few rows, and of its last digits
        warnings.simplefilter("ignore")
        model = LogisticRegression(max_iter=500).fit((values - centre) / scale, clusters[chosen])
    weights, offsets = model.coef_, model.intercept_
    if len(present) == 2:  # scikit-learn then keeps the difference of the two alone
        weights, offsets = np.concatenate([-weights, weights]) / 2, np.array([-1, 1]) * offsets / 2
    kernel[:, present] = weights.T / scale
    bias[present] = offsets - centre @ kernel[:, present]
    return kernel.astype("float32"), bias.astype("float32")
