"""``gmm``: a Gaussian mixture over the forward message of the module below.

Forward goes ``P(class | point)``, ``(n, K)``; back goes, for every point, the mean of its class,
``(n, J)``. A backward message from above, ``(n, K)``, is a bias on each point's classes while they
are learned; the forward message does not repeat it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, NamedTuple

import numpy as np

from archbuild import objectives
from archbuild.errors import UsageError
from archbuild.modules.checks import at_least, one_of
from archbuild.modules.classes import ClassModule
from archbuild.modules.module import Learned
from archbuild.modules.probabilities import logarithms
from archbuild.spec.field import Field
from archbuild.spec.fields import boolean, choice, integer, number

INFERENCES = ("gibbs", "em", "variational")
STARTS = ("random", "k-means")

_AS_THEY_ARE = (1 / 30, 30.0)
"""Standard deviations between which points are; Serket's prior is for about 1."""


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
        from keras import ops

        state = Mixture(*(ops.convert_to_tensor(array.astype("float32")) for array in self))
        distances = objectives.whitened_distances(points, state.means, state.whitening)
        if self.powers.any():
            return objectives.student_t_log_joints(
                distances, state.offsets, state.powers, state.shrinks
            )
        return objectives.gaussian_log_joints(distances, state.offsets)

    def in_units(self, unit: float) -> Mixture:
        """Return the mixture of points that are ``unit`` times as large."""
        offsets = self.offsets - self.means.shape[1] * np.log(unit)
        whitening = self.whitening / unit
        return Mixture(offsets, self.means * unit, whitening, self.powers, self.shrinks)

    def in_order(self, order: np.ndarray) -> Mixture:
        """Return the mixture with its components in another order, ``(K,)``."""
        return Mixture(*(array[order] for array in self))

    def covariances(self) -> np.ndarray:
        """``(K, J, J)``: of a Student-t component, ``1 / (2 p s - J s - 2 s)`` times its ``S``."""
        factors = np.linalg.inv(self.whitening)
        scatters = factors @ np.swapaxes(factors, 1, 2)
        if not self.powers.any():
            return scatters
        # v = 2p - J degrees of freedom and the scale S / (s v): a variance of v / (v - 2) of it
        freedom = 2.0 * self.powers - self.means.shape[1]
        return scatters / (self.shrinks * (freedom - 2.0))[:, None, None]


class _Chain(NamedTuple):
    """What one start came to."""

    log_evidence: float
    mixture: Mixture
    classes: np.ndarray


class GMM(ClassModule):
    """Classes of points, as a Gaussian mixture.

    Args:
        n_clusters: ``K``.
        inference: ``gibbs``: collapsed Gibbs sampling (``messages/gibbs.py``), as in Serket;
            ``em``: the likeliest mixture (scikit-learn's ``GaussianMixture``); ``variational``: the
            same under priors (``BayesianGaussianMixture``).
        start: ``random`` classes, as in Serket, or those of ``k-means``.
        chains: how many starts an update makes; the one whose classes and points are the most
            probable together (``em``: whose points are) is kept. In Serket 1.
        warm_start: whether, after the first update, one of them starts from the classes of the one
            before; in Serket none does.
        sweeps: of Gibbs sampling; of the others, steps at most.
        concentration: of the Dirichlet prior of the classes' weights, for each class; in Serket 0,
            and a class that is empty stays empty. ``em`` has no such prior.
        seed: of everything random.

    Raises:
        UsageError: an argument is none of what is named here, or ``concentration`` is 0 under
            ``variational``.

    Attributes:
        mixture: of the latest update; ``None`` before the first.
        classes: ``(n,)``, of the training points, of the latest update.
        log_evidence: what the chain that was kept was chosen by, in the latest update.
    """

    name: ClassVar[str] = "gmm"
    summary: ClassVar[str] = "a Gaussian mixture: class probabilities up, class means down"
    fields: ClassVar[tuple[Field, ...]] = (
        choice(
            "inference",
            INFERENCES,
            "How it is learned: collapsed Gibbs sampling with a Gauss-Wishart prior (Serket), "
            "expectation maximisation, or variational Bayes.",
            default="em",
        ),
        choice("start", STARTS, "The classes that it starts from.", default="k-means"),
        integer(
            "chains",
            "Starts in every round, of which the most probable is kept; in Serket 1.",
            maximum=1_000,
            default=20,
        ),
        boolean(
            "warm_start",
            "Whether one of them starts from the classes of the round before.",
            default=True,
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
        inference: str = "em",
        start: str = "k-means",
        chains: int = 20,
        warm_start: bool = True,
        sweeps: int = 100,
        concentration: float = 1.0,
        seed: int = 0,
    ) -> None:
        super().__init__(n_clusters)
        self.inference = one_of("inference", inference, INFERENCES)
        self.start, self.warm_start = one_of("start", start, STARTS), warm_start
        self.chains = at_least("chains", chains, 1)
        if concentration < 0:
            raise UsageError(f"concentration is {concentration}; expected a number from 0")
        self.concentration = concentration
        if inference == "variational" and not concentration:
            raise UsageError("variational inference needs a concentration above 0; 1 is usual")
        self.sweeps, self.seed = at_least("sweeps", sweeps, 1), seed
        self.mixture: Mixture | None = None
        self.classes: np.ndarray | None = None
        self.log_evidence: float | None = None

    def learn(self, data: np.ndarray) -> Learned:
        """Fit the mixture to points ``(n, J)``, under the bias of the modules above.

        Classes keep the numbers of those of the update before that they have most points in common
        with, so that rounds compare and the modules above are understood.

        Raises:
            UsageError: there are fewer points than classes, or not as many as before where it is to
                go on from their classes.
        """
        points = np.asarray(data, np.float64).reshape(len(data), -1)
        if len(points) < self.n_clusters:
            raise UsageError(
                f"{self.n_clusters} classes were asked for, and there are {len(points)} points; "
                "lower n_clusters"
            )
        if self.warm_start and self.classes is not None and len(self.classes) != len(points):
            raise UsageError(
                f"the gmm module cannot go on from the classes of {len(self.classes)} rows with "
                f"{len(points)}; give as many rows, or use a module without warm_start"
            )
        bias = self.backward_message
        log_bias = None if bias is None else logarithms(bias)
        self.mixture, self.classes = self._fitted(points, log_bias)
        return self._learned(points, self.mixture.means[self.classes])

    def recognise(self, data: np.ndarray) -> Learned:
        """``P(class | point)`` of new points ``(m, J)``.

        Raises:
            UsageError: nothing was learned, or from points of another width.
        """
        points, width = data.reshape(len(data), -1), self.learned_mixture.means.shape[1]
        if points.shape[1] != width:
            raise UsageError(
                f"the gmm module learned from rows of {width} numbers, and these have "
                f"{points.shape[1]}; give rows like those that it learned from"
            )
        return self._learned(points)

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
            raise self.refusal()
        return self.mixture

    def parameters(self) -> dict[str, np.ndarray]:
        """``mu``: the classes' means, ``(K, J)``."""
        return {"mu": self.learned_mixture.means}

    def arrays(self) -> dict[str, np.ndarray]:
        """Return the learned state by name; empty before the first update."""
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
        """Return the mixture, and the class of every point that it was learned with."""
        kind = self._sampled if self.inference == "gibbs" else self._maximised
        unit = _unit(points)
        points = points / unit
        found = []
        for chain in range(self.chains):
            rng = self.generator(chain)
            goes_on = self.warm_start and chain == 0 and self.classes is not None
            start = self.classes if goes_on else self._start(points, log_bias, rng)
            found.append(kind(points, start, log_bias, rng))
        best = max(found, key=lambda each: each.log_evidence)
        self.log_evidence = best.log_evidence
        mixture, classes = best.mixture.in_units(unit), best.classes
        if log_bias is not None or self.classes is None or len(self.classes) != len(classes):
            return mixture, classes  # what the modules above say keeps the numbers
        numbers = matching(classes, self.classes, self.n_clusters)
        return mixture.in_order(np.argsort(numbers)), numbers[classes]

    def _start(
        self, points: np.ndarray, log_bias: np.ndarray | None, rng: np.random.Generator
    ) -> np.ndarray:
        """Return the classes ``(n,)`` that a chain begins with, numbered like the modules above."""
        if self.start == "random":
            return rng.integers(0, self.n_clusters, len(points))
        from archbuild.clustering.kmeans import kmeans

        # one run each: the best of many would start all chains alike
        found = kmeans(points, self.n_clusters, int(rng.integers(2**31)), n_init=1).clusters
        if log_bias is None:
            return found
        return matching(found, log_bias.argmax(axis=1), self.n_clusters)[found]

    def _sampled(
        self,
        points: np.ndarray,
        start: np.ndarray,
        log_bias: np.ndarray | None,
        rng: np.random.Generator,
    ) -> _Chain:
        from archbuild.modules.gibbs import CollapsedGibbs, GaussWishart

        prior = GaussWishart.around(points)
        chain = CollapsedGibbs(
            points, start, self.n_clusters, prior, self.concentration, log_bias, rng
        )
        for _ in range(self.sweeps):
            chain.sweep()
        return _Chain(chain.log_joint(), Mixture(*chain.predictive()), chain.classes)

    def _maximised(
        self,
        points: np.ndarray,
        start: np.ndarray,
        log_bias: np.ndarray | None,
        rng: np.random.Generator,
    ) -> _Chain:
        from archbuild.modules.biased import biased_mixture

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
        mixture = Mixture(found.offsets, found.means, found.whitening, none, none)
        return _Chain(found.log_evidence, mixture, found.classes)

    def _learned(self, points: np.ndarray, backward: np.ndarray | None = None) -> Learned:
        from archbuild.networks.rows import by_rows

        found = by_rows(self.probabilities, points.astype("float32"))
        return Learned(found, backward, {"class": found.argmax(axis=1), "Pdz": found})


def _unit(points: np.ndarray) -> float:
    """Return the factor that points are divided by to suit the prior.

    Of points far closer together it would make one class, and a class of points far wider would
    lose all its digits when one leaves it.
    """
    spread, (least, most) = float(points.std()), _AS_THEY_ARE
    return 1.0 if spread == 0 or least <= spread <= most else spread


def matching(classes: np.ndarray, others: np.ndarray, n_classes: int) -> np.ndarray:
    """Return the number ``(K,)`` of each class among ``others``, one to one, ``(n,)`` both.

    As many points as possible then have the same number in both.
    """
    from scipy.optimize import linear_sum_assignment

    pairs = np.bincount(classes * n_classes + others, minlength=n_classes**2)
    found: np.ndarray = linear_sum_assignment(-pairs.reshape(n_classes, n_classes))[1]
    return found
