"""``gmm``: a Gaussian mixture over the forward message of the module below.

The forward message is ``P(class | point)``, ``(n, K)``; the backward message is the mean of the
class of every point, ``(n, J)``. A backward message from above, ``(n, K)``, is a bias on each
point's classes while they are learned; the forward message does not contain it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from archbuild import objectives
from archbuild.errors import UsageError
from archbuild.io.arrays import of_shape
from archbuild.modules.checks import at_least, one_of
from archbuild.modules.classes import ClassModule
from archbuild.modules.mixture import Mixture, MixtureFit, MixtureProblem
from archbuild.modules.module import Learned
from archbuild.modules.probabilities import logarithms
from archbuild.spec.field import Field
from archbuild.spec.fields import boolean, choice, integer, number

INFERENCES = ("gibbs", "em", "variational")
STARTS = ("random", "k-means")

_UNSCALED = (1 / 30, 30.0)
"""Standard deviations between which points keep their scale; Serket's prior is for about 1."""


class GMM(ClassModule):
    """Classes of points, as a Gaussian mixture.

    Args:
        n_clusters: ``K``.
        inference: ``gibbs``: collapsed Gibbs sampling (``modules/gibbs.py``), as in Serket;
            ``em``: the likeliest mixture (scikit-learn's ``GaussianMixture``); ``variational``: the
            same under priors (``BayesianGaussianMixture``).
        start: ``random`` classes, as in Serket, or those of ``k-means``.
        chains: number of starts in an update; the one whose classes and points are the most
            probable together (``em``: whose points are) is kept. In Serket 1.
        warm_start: whether, after the first update, one of the starts is the classes of the update
            before; in Serket none is.
        sweeps: of Gibbs sampling; of the others, steps at most.
        concentration: of the Dirichlet prior of the classes' weights, for each class; in Serket 0,
            and a class that is empty stays empty. ``em`` has no such prior.
        seed: random seed.

    Raises:
        UsageError: an argument is invalid, or ``concentration`` is 0 under ``variational``.

    Attributes:
        mixture: of the latest update; ``None`` before the first.
        classes: ``(n,)``, of the training points, of the latest update.
        log_evidence: the objective by which the latest update chose among its starts.
    """

    name: ClassVar[str] = "gmm"
    summary: ClassVar[str] = "a Gaussian mixture: class probabilities up, class means down"
    fields: ClassVar[tuple[Field, ...]] = (
        choice(
            "inference",
            INFERENCES,
            "Algorithm: collapsed Gibbs sampling with a Gauss-Wishart prior (Serket), "
            "expectation maximisation, or variational Bayes.",
            default="em",
        ),
        choice("start", STARTS, "First classes of every start.", default="k-means"),
        integer(
            "chains",
            "Number of starts in every round, of which the most probable is kept; in Serket 1.",
            maximum=1_000,
            default=20,
        ),
        boolean(
            "warm_start",
            "Whether one of the starts is the classes of the round before.",
            default=True,
        ),
        integer(
            "sweeps",
            "Sweeps of Gibbs sampling; steps of the other algorithms, at most.",
            default=100,
        ),
        number(
            "concentration",
            "Concentration of the Dirichlet prior of the classes' weights; in Serket 0.",
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

        A class keeps the number of the class of the update before with which it shares the most
        points, so that rounds compare and the messages of the modules above stay valid.

        Raises:
            UsageError: there are fewer points than classes, or their number differs from the update
                before under ``warm_start``.
        """
        points = np.asarray(data, np.float64).reshape(len(data), -1)
        if len(points) < self.n_clusters:
            raise UsageError(
                f"{self.n_clusters} classes were asked for, and there are {len(points)} points; "
                "lower n_clusters"
            )
        if self.warm_start and self.classes is not None and len(self.classes) != len(points):
            raise UsageError(
                f"the gmm module cannot start {len(points)} rows from the classes of "
                f"{len(self.classes)}; give as many rows, or use a module without warm_start"
            )
        bias = self.backward_message
        log_bias = None if bias is None else logarithms(bias)
        self.mixture, self.classes = self._fitted(points, log_bias)
        backward: np.ndarray = self.mixture.means[self.classes]
        return self._learned(points, backward)

    def recognise(self, data: np.ndarray) -> Learned:
        """Return ``P(class | point)`` of new points ``(m, J)``.

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
        """Return ``P(class | point)``, a tensor ``(n, K)`` for a tensor ``(n, J)``.

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
        """Return ``mu``: the classes' means, ``(K, J)``."""
        return {"mu": self.learned_mixture.means}

    def arrays(self) -> dict[str, np.ndarray]:
        """Return the learned state by name; empty before the first update."""
        if self.mixture is None or self.classes is None:
            return {}
        return {**self.mixture._asdict(), "classes": self.classes}

    def restore(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Restore the state that ``arrays`` returned."""
        if arrays:
            self.mixture = Mixture.of(arrays, self.n_clusters)
            self.classes = of_shape(arrays, "classes", None)

    def _fitted(
        self, points: np.ndarray, log_bias: np.ndarray | None
    ) -> tuple[Mixture, np.ndarray]:
        """Return the best mixture, and the class of every point that it was learned with."""
        unit = _unit(points)
        best = self._best_fit(points / unit, log_bias)
        self.log_evidence = best.log_evidence
        mixture, classes = best.mixture.in_units(unit), best.classes
        if log_bias is not None or self.classes is None or len(self.classes) != len(classes):
            return mixture, classes  # the messages of the modules above keep the numbers
        numbers = matching(classes, self.classes, self.n_clusters)
        return mixture.in_order(np.argsort(numbers)), numbers[classes]

    def _best_fit(self, points: np.ndarray, log_bias: np.ndarray | None) -> MixtureFit:
        found = []
        for chain in range(self.chains):
            rng = self.generator(chain)
            first = self.classes if self.warm_start and chain == 0 else None
            start = self._start(points, log_bias, rng) if first is None else first
            found.append(self._fit(MixtureProblem(points, start, self.n_clusters, log_bias), rng))
        return max(found, key=lambda each: each.log_evidence)

    def _start(
        self, points: np.ndarray, log_bias: np.ndarray | None, rng: np.random.Generator
    ) -> np.ndarray:
        """Return the first classes of a chain, ``(n,)``, numbered like those of the bias."""
        if self.start == "random":
            return rng.integers(0, self.n_clusters, len(points))
        from archbuild.clustering.kmeans import kmeans

        # one run for each: the best of many would start all chains alike
        found = kmeans(points, self.n_clusters, int(rng.integers(2**31)), n_init=1).clusters
        if log_bias is None:
            return found
        numbered: np.ndarray = matching(found, log_bias.argmax(axis=1), self.n_clusters)[found]
        return numbered

    def _fit(self, problem: MixtureProblem, rng: np.random.Generator) -> MixtureFit:
        if self.inference == "gibbs":
            from archbuild.modules.gibbs import sampled_mixture

            return sampled_mixture(
                problem, sweeps=self.sweeps, concentration=self.concentration, rng=rng
            )
        from archbuild.modules.biased import biased_mixture

        concentration = self.concentration if self.inference == "variational" else None
        return biased_mixture(problem, steps=self.sweeps, concentration=concentration)

    def _learned(self, points: np.ndarray, backward: np.ndarray | None = None) -> Learned:
        from archbuild.networks.rows import by_rows

        found = by_rows(self.probabilities, points.astype("float32"))
        return Learned(found, backward, {"class": found.argmax(axis=1), "Pdz": found})


def _unit(points: np.ndarray) -> float:
    """Return the factor that points are divided by to suit the prior.

    With points that are far closer together the prior makes one class of all; with points that are
    far wider apart a class loses all its digits when a point leaves it.
    """
    spread, (least, most) = float(points.std()), _UNSCALED
    return 1.0 if spread == 0 or least <= spread <= most else spread


def matching(classes: np.ndarray, others: np.ndarray, n_classes: int) -> np.ndarray:
    """Return for each class its number among ``others``, one to one, ``(K,)``.

    As many points as possible then have equal numbers in both, ``(n,)`` each.
    """
    from scipy.optimize import linear_sum_assignment

    pairs = np.bincount(classes * n_classes + others, minlength=n_classes**2)
    found: np.ndarray = linear_sum_assignment(-pairs.reshape(n_classes, n_classes))[1]
    return found
