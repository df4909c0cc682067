"""scikit-learn's Gaussian mixtures, with a bias on the class of every point."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import BayesianGaussianMixture, GaussianMixture

from archbuild.modules.mixture import Mixture, MixtureFit, MixtureProblem


class _Biased:
    """Adds a bias to the log-joints of the points that a mixture is fitted to."""

    log_bias: Any = 0.0
    start: np.ndarray

    # neither is public in scikit-learn, whose versions pass other arguments on
    def _estimate_weighted_log_prob(self, X: np.ndarray, **others: Any) -> np.ndarray:
        joints: np.ndarray = super()._estimate_weighted_log_prob(X, **others)  # type: ignore[misc]
        biased: np.ndarray = joints + self.log_bias
        return biased

    def _initialize(self, X: np.ndarray, resp: np.ndarray, **others: Any) -> None:
        members = np.eye(self.n_components)[self.start]  # type: ignore[attr-defined]
        super()._initialize(X, members, **others)  # type: ignore[misc]


class _Likeliest(_Biased, GaussianMixture):
    pass


class _Variational(_Biased, BayesianGaussianMixture):
    # nor is this; without it the bound would leave out the bias that a step follows
    def _compute_lower_bound(self, log_resp: np.ndarray, log_prob_norm: Any, **others: Any) -> Any:
        bound = super()._compute_lower_bound(log_resp, log_prob_norm, **others)
        return bound + np.sum(np.exp(log_resp) * self.log_bias)


def biased_mixture(
    problem: MixtureProblem, *, steps: int, concentration: float | None = None
) -> MixtureFit:
    """Fit a Gaussian mixture with full covariances.

    Args:
        problem: the points, their first classes and their bias.
        steps: of expectation maximisation or variational inference, at most.
        concentration: of the Dirichlet prior of the weights, above 0, for the variational mixture
            (Bishop, Pattern Recognition and Machine Learning, 10.2); ``None``: the likeliest one.

    Returns:
        The fit. ``log_evidence`` is the mean log density of the points, of the variational mixture
        the lower bound of all of them, up to a constant; ``classes`` are the most probable under
        the bias, and ``offsets`` of the variational mixture are expectations.
    """
    model = _model(problem.n_classes, steps, concentration)
    model.start = problem.start
    model.log_bias = 0.0 if problem.log_bias is None else problem.log_bias
    with warnings.catch_warnings():  # the next round continues from the message
        warnings.simplefilter("ignore", ConvergenceWarning)
        classes = model.fit_predict(problem.points)
    whitening = np.swapaxes(model.precisions_cholesky_, 1, 2)
    offsets = _offsets(model, whitening, problem.points[0])
    mixture = Mixture.gaussian(offsets, model.means_, whitening)
    return MixtureFit(model.lower_bound_, mixture, classes)


def _model(n_classes: int, steps: int, concentration: float | None) -> Any:
    # ``start`` replaces the draw that scikit-learn starts from
    shared = {"init_params": "random", "max_iter": steps, "random_state": 0}
    if concentration is None:
        return _Likeliest(n_components=n_classes, **shared)
    return _Variational(
        n_components=n_classes,
        weight_concentration_prior_type="dirichlet_distribution",
        weight_concentration_prior=concentration,
        **shared,
    )


def _offsets(model: Any, whitening: np.ndarray, point: np.ndarray) -> np.ndarray:
    """Return the part of a class's log-joint beside its distance, from the joints of one point."""
    model.log_bias = 0.0
    joints: np.ndarray = model._estimate_weighted_log_prob(point[None])[0]
    away = np.einsum("kij,kj->ki", whitening, point - model.means_)
    offsets: np.ndarray = joints + 0.5 * np.sum(away**2, axis=1)
    return offsets
