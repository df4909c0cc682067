"""``gmm``: a Gaussian mixture over the forward message of the module below.

Forward goes ``P(class | point)``, ``(n, K)``; back goes, for every point, the mean of its class,
``(n, J)``. A backward message from above, ``(n, K)``, is a bias on each point's classes while they
are learned; the forward message does not repeat it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, NamedTuple

import numpy as np

from archbuild import objectives
from archbuild.errors import UsageError
from archbuild.messages.module import Learned, Module, normalised, one_of
from archbuild.spec.fields import Field, boolean, choice, integer, number

INFERENCES = ("gibbs", "em", "variational")
STARTS = ("random", "k-means")

_LEAST_PROBABILITY = 1e-300


class Mixture(NamedTuple):
    """A mixture that was learned, as ``objectives/whitened.py`` takes it.

    Attributes:
        offsets: ``(K,)``.
        means: ``(K, J)``.
        whitening: ``(K, J, J)``.
        powers: ``(K,)`` of Student-t components; 0 for Gaussian ones.
        shrinks: likewise.
    """

    offsets: np.ndarray
    means: np.ndarray
    whitening: np.ndarray
    powers: np.ndarray
    shrinks: np.ndarray

    def log_joints(self, points: Any) -> Any:
        """``log P(class, point)``, a tensor ``(n, K)`` for ``(n, J)``."""
        state = Mixture(*(array.astype("float32") for array in self))
        distances = objectives.whitened_distances(points, state.means, state.whitening)
        if self.powers.any():
            return objectives.student_t_log_joints(
                distances, state.offsets, state.powers, state.shrinks
            )
        return objectives.gaussian_log_joints(distances, state.offsets)

    def covariances(self) -> np.ndarray:
        """``(K, J, J)``: of a Student-t component, ``1 / (2 p s - J s - 2 s)`` times its ``S``."""
        factors = np.linalg.inv(self.whitening)
        scatters = factors @ np.swapaxes(factors, 1, 2)
        if not self.powers.any():
            return scatters
        # v = 2p - J degrees of freedom and the scale S / (s v): a variance of v / (v - 2) of it
        freedom = 2.0 * self.powers - self.means.shape[1]
        return scatters / (self.shrinks * (freedom - 2.0))[:, None, None]


class GMM(Module):
    """Classes of points, as a Gaussian mixture.

    Args:
        n_clusters: ``K``.
        inference: ``gibbs``: collapsed Gibbs sampling (``messages/gibbs.py``), as in Serket;
            ``em``: the likeliest mixture (scikit-learn's ``GaussianMixture``); ``variational``: the
            same under priors (``BayesianGaussianMixture``).
        start: ``random`` classes, as in Serket, or those of ``k-means``.
        warm_start: whether updates after the first start from the classes of the one before; in
            Serket none does.
        sweeps: of Gibbs sampling; of the others, steps at most.
        concentration: of the Dirichlet prior of the classes' weights, for each class; in Serket 0,
            and a class that is empty stays empty. ``em`` has no such prior.
        seed: of everything random.

    Raises:
        UsageError: ``inference`` or ``start`` is none of these.

    Attributes:
        mixture: of the latest update; ``None`` before the first.
        classes: ``(n,)``, of the training points, of the latest update.
    """

    name: ClassVar[str] = "gmm"
    summary: ClassVar[str] = "a Gaussian mixture: class probabilities up, class means down"
    fields: ClassVar[tuple[Field, ...]] = (
        choice(
            "inference",
            INFERENCES,
            "How it is learned: collapsed Gibbs sampling with a Gauss-Wishart prior (Serket), "
            "expectation maximisation, or variational Bayes.",
            default="gibbs",
        ),
        choice("start", STARTS, "The classes that it starts from.", default="random"),
        boolean(
            "warm_start",
            "Whether rounds after the first start from the classes of the one before.",
            default=False,
        ),
        integer("sweeps", "Sweeps of Gibbs sampling; of the others, steps at most.", default=100),
        number(
            "concentration",
            "Of the Dirichlet prior of the classes' weights, for each class; in Serket 0.",
            default=1.0,
        ),
    )

    def __init__(
        self,
        n_clusters: int,
        *,
        inference: str = "gibbs",
        start: str = "random",
        warm_start: bool = False,
        sweeps: int = 100,
        concentration: float = 1.0,
        seed: int = 0,
    ) -> None:
        super().__init__()
        self.n_clusters = n_clusters
        self.inference = one_of("inference", inference, INFERENCES)
        self.start, self.warm_start = one_of("start", start, STARTS), warm_start
        self.sweeps, self.concentration, self.seed = sweeps, concentration, seed
        self.mixture: Mixture | None = None
        self.classes: np.ndarray | None = None

    def learn(self, data: np.ndarray) -> Learned:
        """Fit the mixture to points ``(n, J)``, under the bias of the modules above."""
        points = np.asarray(data, np.float64).reshape(len(data), -1)
        bias = self.backward_message
        log_bias = None if bias is None else np.log(np.maximum(bias, _LEAST_PROBABILITY))
        self.mixture, self.classes = self._fitted(points, log_bias)
        return self._learned(points, self.mixture.means[self.classes])

    def recognise(self, data: np.ndarray) -> Learned:
        """``P(class | point)`` of new points ``(m, J)``."""
        return self._learned(data.reshape(len(data), -1))

    def combine(self, messages: Sequence[np.ndarray]) -> np.ndarray:
        """The product of what several modules say of the classes, normalised."""
        return normalised(np.prod(messages, axis=0))

    def probabilities(self, points: Any) -> Any:
        """``P(class | point)``, a tensor ``(n, K)`` for a tensor ``(n, J)``.

        Raises:
            UsageError: nothing was learned.
        """
        from keras import ops

        return ops.exp(objectives.log_responsibilities(self.learned_mixture.log_joints(points)))

    @property
    def learned_mixture(self) -> Mixture:
        """The mixture, once there is one.

        Raises:
            UsageError: nothing was learned.
        """
        if self.mixture is None:
            raise UsageError("the gmm module has learned nothing yet; update it first")
        return self.mixture

    def parameters(self) -> dict[str, np.ndarray]:
        """``mu``: the classes' means, ``(K, J)``."""
        return {"mu": self.learned_mixture.means}

    def arrays(self) -> dict[str, np.ndarray]:
        """What was learned, by name; nothing before the first update."""
        if self.mixture is None or self.classes is None:
            return {}
        return {**self.mixture._asdict(), "classes": self.classes}

    def restore(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Take back what ``arrays`` gave."""
        if arrays:
            self.mixture = Mixture(*(arrays[name] for name in Mixture._fields))
            self.classes = arrays["classes"]

    def _fitted(
        self, points: np.ndarray, log_bias: np.ndarray | None
    ) -> tuple[Mixture, np.ndarray]:
        """The mixture, and the class of every point that it was learned with."""
        rng = np.random.default_rng([self.seed, self.rounds])
        start = self._start(points, rng)
        if self.inference == "gibbs":
            return self._sampled(points, start, log_bias, rng)
        return self._maximised(points, start, log_bias)

    def _sampled(
        self,
        points: np.ndarray,
        start: np.ndarray,
        log_bias: np.ndarray | None,
        rng: np.random.Generator,
    ) -> tuple[Mixture, np.ndarray]:
        from archbuild.messages.gibbs import CollapsedGibbs, GaussWishart

        prior = GaussWishart.around(points)
        chain = CollapsedGibbs(
            points, start, self.n_clusters, prior, self.concentration, log_bias, rng
        )
        for _ in range(self.sweeps):
            chain.sweep()
        return Mixture(*chain.predictive()), chain.classes

    def _start(self, points: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        if self.warm_start and self.classes is not None:
            return self.classes
        if self.start == "random":
            return rng.integers(0, self.n_clusters, len(points))
        from archbuild.evaluation.kmeans import kmeans

        return kmeans(points, self.n_clusters, int(rng.integers(2**31))).clusters

    def _maximised(
        self, points: np.ndarray, start: np.ndarray, log_bias: np.ndarray | None
    ) -> tuple[Mixture, np.ndarray]:
        from archbuild.messages.biased import biased_mixture

        found = biased_mixture(
            points,
            start,
            self.n_clusters,
            log_bias,
            variational=self.inference == "variational",
            steps=self.sweeps,
            concentration=self.concentration,
        )
        none = np.zeros(self.n_clusters)
        return Mixture(found.offsets, found.means, found.whitening, none, none), found.classes

    def _learned(self, points: np.ndarray, backward: np.ndarray | None = None) -> Learned:
        from archbuild.heads.base import by_rows

        found = by_rows(self.probabilities, points.astype("float32"))
        return Learned(found, backward, {"class": found.argmax(axis=1), "Pdz": found})
