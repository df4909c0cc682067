"""Collapsed Gibbs sampling of a Gaussian mixture: every class's mean and precision integrated out.

The model: class weights ``π ~ Dirichlet(concentration)``, for each class a precision
``Λ ~ Wishart(S_0^-1, ν_0)`` and a mean ``μ ~ N(m_0, (r_0 Λ)^-1)``, for each point a class
``c ~ π`` and ``x ~ N(μ_c, Λ_c^-1)``. With ``N`` points, a class has the posterior

    r = r_0 + N,  ν = ν_0 + N,  m = (r_0 m_0 + Σ x) / r
    S = S_0 + Σ x xᵀ + r_0 m_0 m_0ᵀ - r m mᵀ

and a point that is not among them the predictive Student-t with ``ν - J + 1`` degrees of freedom,

    log t(x) = log Γ((ν + 1)/2) - log Γ((ν - J + 1)/2) - J/2 log(π (r + 1)/r) - ½ log|S|
               - (ν + 1)/2 log(1 + r/(r + 1) (x - m)ᵀ S^-1 (x - m)).

A sweep draws each point's class in turn from ``(N_k + concentration) t_k(x) bias_k`` with the point
itself left out. Source: Murphy, "Conjugate Bayesian analysis of the Gaussian distribution" (2007),
section 8 and 9; the class weights and their bias as in the GMM module of Serket (Nakamura et al.,
"SERKET", Frontiers in Neurorobotics 12:25, 2018), which has no concentration: there a class that
is empty stays empty.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final, NamedTuple

import numpy as np
from scipy.special import gammaln, multigammaln

from archbuild.modules.mixture import Mixture, MixtureFit, MixtureProblem

_BLOCK: Final = 128
"""Points that are scored ahead: until one of them moves, no other's scores can have changed."""


@dataclass(frozen=True)
class GaussWishart:
    """The prior of a class.

    Attributes:
        mean: ``m_0``, ``(J,)``.
        scatter: ``S_0``, ``(J, J)``.
        strength: ``r_0``, the number of points that the prior's mean counts as.
        freedom: ``ν_0``, above ``J - 1``.
    """

    mean: np.ndarray
    scatter: np.ndarray
    strength: float
    freedom: float

    @classmethod
    def around(cls, points: np.ndarray) -> GaussWishart:
        """Return Serket's prior for points ``(n, J)``: their mean, ``0.1 I``, 1 and ``J + 2``."""
        size = points.shape[1]
        return cls(points.mean(axis=0), 0.1 * np.eye(size), 1.0, size + 2.0)


class ClassPosterior(NamedTuple):
    """The posterior of each class's Gaussian, as its points give it.

    Attributes:
        counts: ``N``, ``(K,)``.
        means: ``m``, ``(K, J)``.
        scatters: ``S``, ``(K, J, J)``.
    """

    counts: np.ndarray
    means: np.ndarray
    scatters: np.ndarray


def class_posterior(
    points: np.ndarray, classes: np.ndarray, n_classes: int, prior: GaussWishart
) -> ClassPosterior:
    """Return the posterior of every class, given its points.

    Args:
        points: ``(n, J)``.
        classes: ``(n,)`` from 0 to ``n_classes - 1``.
        n_classes: ``K``; the posterior of an empty class is its prior.
        prior: of each class.
    """
    members = np.eye(n_classes)[classes]
    counts = members.sum(axis=0)
    strengths = prior.strength + counts
    # around the prior's mean, where the difference of large squares loses no digits
    shifted = points - prior.mean
    shifts = members.T @ shifted / strengths[:, None]
    scatters = np.stack(
        [prior.scatter + (shifted * weight[:, None]).T @ shifted for weight in members.T]
    )
    scatters -= strengths[:, None, None] * shifts[:, :, None] * shifts[:, None, :]
    return ClassPosterior(counts, prior.mean + shifts, scatters)


@dataclass(frozen=True)
class _Constants:
    """The constants of the predictive density for every count of a class up to ``n``.

    ``log t + log(N + concentration) = offset[N] - ½ log|S| - power[N] log(1 + shrink[N] q)``.
    """

    n: int
    size: int
    prior: GaussWishart
    concentration: float

    @cached_property
    def strength(self) -> np.ndarray:
        return self.prior.strength + np.arange(self.n + 1.0)

    @cached_property
    def power(self) -> np.ndarray:
        return (self.prior.freedom + np.arange(self.n + 1.0) + 1.0) / 2.0

    @cached_property
    def shrink(self) -> np.ndarray:
        return self.strength / (self.strength + 1.0)

    @cached_property
    def offset(self) -> np.ndarray:
        with np.errstate(divide="ignore"):  # without a concentration an empty class is impossible
            log_weight = np.log(np.arange(self.n + 1.0) + self.concentration)
        density = gammaln(self.power) - gammaln(self.power - self.size / 2.0)
        offset: np.ndarray = log_weight + density - self.size / 2.0 * np.log(np.pi / self.shrink)
        return offset


class CollapsedGibbs:
    """A chain over the classes of points.

    Args:
        points: ``(n, J)``.
        classes: ``(n,)``, of the start.
        n_classes: ``K``.
        prior: of each class.
        concentration: of the Dirichlet prior of the weights, for each class; 0: an empty class
            stays empty.
        log_bias: ``(n, K)``, added to the log-joints of every point, up to a constant for each;
            ``None``: nothing.
        rng: generator of every draw.
    """

    def __init__(
        self,
        points: np.ndarray,
        classes: np.ndarray,
        n_classes: int,
        prior: GaussWishart,
        concentration: float,
        log_bias: np.ndarray | None,
        rng: np.random.Generator,
    ) -> None:
        self.points = np.asarray(points, np.float64)
        self.classes = np.array(classes, np.int64)
        self.n_classes, self.prior, self.rng = n_classes, prior, rng
        self.concentration = concentration
        self.log_bias = np.zeros((1, n_classes)) if log_bias is None else log_bias
        self.constants = _Constants(len(points), self.points.shape[1], prior, concentration)

    def sweep(self) -> int:
        """Draw the class of every point in turn, each given all others; return how many moved.

        The draw is by the largest of score plus Gumbel noise, so nothing is normalised.
        """
        self._refresh()
        noise = self.rng.gumbel(size=(len(self.points), self.n_classes)) + self.log_bias
        starts = range(0, len(self.points), _BLOCK)
        return sum(self._block(np.s_[start : start + _BLOCK], noise) for start in starts)

    def posterior(self) -> ClassPosterior:
        """Return the posterior of every class, under the present classes."""
        return class_posterior(self.points, self.classes, self.n_classes, self.prior)

    def predictive(self) -> Mixture:
        """Return the predictive distribution of a further point, a Student-t for each class."""
        counts, means, scatters = self.posterior()
        count, table = counts.astype(np.int64), self.constants
        whitening = np.linalg.inv(np.linalg.cholesky(scatters))
        offsets = table.offset[count] - 0.5 * np.linalg.slogdet(scatters)[1]
        return Mixture(offsets, means, whitening, table.power[count], table.shrink[count])

    def log_joint(self) -> float:
        """Return ``log p(points, classes)`` in nats, up to a constant that depends on the points.

        The marginal likelihood of every class (Murphy, 2007, section 9.2), the
        Dirichlet-multinomial of the counts, and the bias. Without a concentration only classes that
        have points count.
        """
        counts, _, scatters = self.posterior()
        held = counts[counts > 0]
        size, prior = self.points.shape[1], self.prior
        freedoms, strengths = prior.freedom + held, prior.strength + held
        spread = np.linalg.slogdet(prior.scatter)[1]
        spreads = np.linalg.slogdet(scatters[counts > 0])[1]
        classes = (
            multigammaln(freedoms / 2.0, size)
            - multigammaln(prior.freedom / 2.0, size)
            + 0.5 * (prior.freedom * spread - freedoms * spreads)
            + 0.5 * size * np.log(prior.strength / strengths)
            - 0.5 * size * held * np.log(np.pi)
        )
        weights = gammaln(held + self.concentration)
        if self.concentration:
            weights = weights - gammaln(self.concentration)
        rows = np.arange(len(self.points)) if len(self.log_bias) > 1 else 0
        return float(np.sum(classes + weights) + self.log_bias[rows, self.classes].sum())

    def log_conditionals(self) -> np.ndarray:
        """Return ``(n, K)`` log-probabilities of each point's next class, rows up to a constant."""
        self._refresh()
        scores = self._scores(self.points, self.classes, range(self.n_classes))
        conditionals: np.ndarray = scores + self.log_bias
        return conditionals

    def _refresh(self) -> None:
        """Compute the state of every class from its points, free of accumulated rounding errors."""
        counts, self._means, scatters = self.posterior()
        self._counts = counts.astype(np.int64)
        self._inverses = np.linalg.inv(scatters)
        self._log_determinants = np.linalg.slogdet(scatters)[1]

    def _block(self, rows: slice, noise: np.ndarray) -> int:
        """Sweep over some points; after one moves, only the points behind it are scored anew."""
        points, classes = self.points[rows], self.classes[rows]
        scores = self._scores(points, classes, range(self.n_classes)) + noise[rows]
        at, moved = 0, 0
        while True:
            movers = np.flatnonzero(scores[at:].argmax(axis=1) != classes[at:])
            if not len(movers):
                return moved
            at += int(movers[0])
            pair = [int(classes[at]), int(scores[at].argmax())]
            self._move(points[at], *pair)
            classes[at] = pair[1]  # a view of all classes
            at, moved = at + 1, moved + 1
            ahead = np.s_[at:]
            scores[ahead, pair] = self._scores(points[ahead], classes[ahead], pair)
            scores[ahead, pair] += noise[rows][ahead, pair]

    def _scores(
        self, points: np.ndarray, classes: np.ndarray, columns: Sequence[int]
    ) -> np.ndarray:
        """Return ``log((N_k + concentration) t_k(x))``, each point left out of its own class."""
        return np.stack([self._score(points, classes == k, k) for k in columns], axis=1)

    def _score(self, points: np.ndarray, own: np.ndarray, k: int) -> np.ndarray:
        difference = points - self._means[k]
        distance = np.einsum("bi,bi->b", difference @ self._inverses[k], difference)
        count, table = self._counts[k], self.constants
        spread = 0.5 * self._log_determinants[k]
        score: np.ndarray = table.offset[count] - spread
        score = score - table.power[count] * np.log1p(table.shrink[count] * distance)
        if own.any():
            # without the point S loses g d dᵀ, whose inverse and determinant are known from q
            gain = 1.0 / table.shrink[count - 1]
            rest = 1.0 - gain * distance[own]
            left = gain * gain * distance[own] / rest
            score[own] = table.offset[count - 1] - spread - 0.5 * np.log(rest)
            score[own] -= table.power[count - 1] * np.log1p(table.shrink[count - 1] * left)
        return score

    def _move(self, point: np.ndarray, old: int, new: int) -> None:
        """Take a point out of one class and put it into another, by rank-one updates."""
        strength = self.constants.strength
        self._update(point, old, -strength[self._counts[old]] / strength[self._counts[old] - 1])
        self._means[old] -= (point - self._means[old]) / strength[self._counts[old] - 1]
        self._counts[old] -= 1
        self._update(point, new, self.constants.shrink[self._counts[new]])
        self._means[new] += (point - self._means[new]) / strength[self._counts[new] + 1]
        self._counts[new] += 1

    def _update(self, point: np.ndarray, k: int, factor: float) -> None:
        """Add ``factor d dᵀ`` to ``S``, in inverse and determinant (Sherman and Morrison)."""
        difference = point - self._means[k]
        direction = self._inverses[k] @ difference
        rest = 1.0 + factor * (difference @ direction)
        self._inverses[k] -= (factor / rest) * np.outer(direction, direction)
        self._log_determinants[k] += np.log(rest)


def sampled_mixture(
    problem: MixtureProblem, *, sweeps: int, concentration: float, rng: np.random.Generator
) -> MixtureFit:
    """Sample the classes of points, under Serket's prior.

    Args:
        problem: the points, their first classes and their bias.
        sweeps: number of sweeps.
        concentration: of the Dirichlet prior of the weights, for each class.
        rng: generator of every draw.

    Returns:
        The fit after the last sweep; ``log_evidence`` is ``log p(points, classes)``.
    """
    points, start, n_classes, log_bias = problem
    prior = GaussWishart.around(points)
    chain = CollapsedGibbs(points, start, n_classes, prior, concentration, log_bias, rng)
    for _ in range(sweeps):
        chain.sweep()
    return MixtureFit(chain.log_joint(), chain.predictive(), chain.classes)
