"""scikit-learn's Gaussian mixtures, with another voice on the class of every point."""

from __future__ import annotations

import warnings
from typing import Any, NamedTuple

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import BayesianGaussianMixture, GaussianMixture


class Found(NamedTuple):
    """A mixture, and what it says of the points.

    Attributes:
        offsets: ``log π_k - ½ log|2π S_k|``, ``(K,)``; of the variational one, expectations.
        means: ``(K, J)``.
        whitening: ``(K, J, J)``.
        classes: ``(n,)``, the most probable of each point under the bias.
        log_evidence: what was maximised, bias included: the mean over the points of their log
            density; of the variational mixture the lower bound of all of them, but for a constant.
    """

    offsets: np.ndarray
    means: np.ndarray
    whitening: np.ndarray
    classes: np.ndarray
    log_evidence: float


class _Biased:
    """Adds a bias to the log-joints of the points that a mixture is fitted to."""

    log_bias: Any = 0.0
    start: np.ndarray

    # neither is public in scikit-learn, whose versions differ in what else they hand on
    def _estimate_weighted_log_prob(self, X: np.ndarray, **others: Any) -> np.ndarray:
        joints: np.ndarray = super()._estimate_weighted_log_prob(X, **others)  # type: ignore[misc]
        return joints + self.log_bias

    def _initialize(self, X: np.ndarray, resp: np.ndarray, **others: Any) -> None:
        members = np.eye(self.n_components)[self.start]  # type: ignore[attr-defined]
        super()._initialize(X, members, **others)  # type: ignore[misc]


class _Likeliest(_Biased, GaussianMixture):
    pass


class _Variational(_Biased, BayesianGaussianMixture):
    # nor is this; without it a step would not see that it follows the bias
    def _compute_lower_bound(self, log_resp: np.ndarray, log_prob_norm: Any, **others: Any) -> Any:
        bound = super()._compute_lower_bound(log_resp, log_prob_norm, **others)
        return bound + np.sum(np.exp(log_resp) * self.log_bias)


def biased_mixture(
    points: np.ndarray,
    start: np.ndarray,
    n_classes: int,
    log_bias: np.ndarray | None,
    *,
    variational: bool,
    steps: int,
    concentration: float,
) -> Found:
    """Fit a mixture with full covariances to points ``(n, J)``.

    Args:
        points: what it is fitted to.
        start: the class of every point that it starts from, ``(n,)``.
        n_classes: ``K``.
        log_bias: ``(n, K)``, added to every point's log-joints in each step; ``None``: nothing.
        variational: under priors (Bishop, Pattern Recognition and Machine Learning, 10.2), else the
            likeliest mixture.
        steps: at most.
        concentration: of the variational mixture's weights, above 0.
    """
    # the draw that scikit-learn starts from gives way to ``start``
    shared = {"init_params": "random", "max_iter": steps, "random_state": 0}
    if variational:
        prior = {
            "weight_concentration_prior_type": "dirichlet_distribution",
            "weight_concentration_prior": concentration,
        }
        model = _Variational(n_components=n_classes, **prior, **shared)
    else:
        model = _Likeliest(n_components=n_classes, **shared)
    model.start = start
    model.log_bias = 0.0 if log_bias is None else log_bias
    with warnings.catch_warnings():  # the next round goes on from the message
        warnings.simplefilter("ignore", ConvergenceWarning)
        classes = model.fit_predict(points)
    whitening = np.swapaxes(model.precisions_cholesky_, 1, 2)
    offsets = _offsets(model, whitening, points[0])
    return Found(offsets, model.means_, whitening, classes, model.lower_bound_)


def _offsets(model: Any, whitening: np.ndarray, point: np.ndarray) -> np.ndarray:
    """Return the part of a class's log-joint beside its distance, from the joints of one point."""
    model.log_bias = 0.0
    joints: np.ndarray = model._estimate_weighted_log_prob(point[None])[0]
    away = np.einsum("kij,kj->ki", whitening, point - model.means_)
    return joints + 0.5 * np.sum(away**2, axis=1)
