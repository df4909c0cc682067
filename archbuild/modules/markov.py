"""``markov``: a hidden Markov chain over the classes of the module below.

Rows are in the order of time. The state ``z_i`` of a row follows that of the row before by a
transition matrix ``T``, and every first state is equally likely. The datum of a row, ``p_i(k)``, is
the posterior of its class, so by Bayes' rule its likelihood is ``l_i(k) ∝ p_i(k) / mean_i p_i(k)``,
and

    P(z, data) ∝ Π_i T[z_(i-1), z_i] Π_i l_i(z_i).

``T`` is learned by expectation maximisation, as if every transition had been seen ``concentration``
times beforehand. With the messages ``f`` and ``b`` of forward-backward (``forward_backward.py``),
the forward message is the posterior ``f_i l_i b_i``, ``(n, K)``; the backward message is
``a_i(k) / mean_i a_i(k)`` with ``a_i ∝ f_i b_i``: what the neighbours in time imply for a row,
without its own data and beyond the frequencies of the classes. The module below counts both
already; counted twice, the most frequent class can grow in every round until it has all rows.

The Markov module of Serket (Nakamura et al., "SERKET", Frontiers in Neurorobotics 12:25, 2018)
learns ``T`` from 100 sampled sequences and sends back ``p_i(k) Σ_j p_(i-1)(j) T[j, k]``: of the
neighbours only the row before, the row's own data with them, and no frequencies taken out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, NamedTuple

import numpy as np

from archbuild.errors import UsageError
from archbuild.io.arrays import of_shape
from archbuild.modules.checks import above_zero, at_least
from archbuild.modules.classes import ClassModule
from archbuild.modules.forward_backward import expected_transitions, neighbours
from archbuild.modules.module import Learned
from archbuild.modules.probabilities import distributions, logarithms, normalised
from archbuild.spec.field import Field
from archbuild.spec.fields import integer, number

_TOLERANCE = 1e-5
"""A step that moves no transition probability further is the last."""


class Chain(NamedTuple):
    """A learned chain.

    Attributes:
        transitions: ``T``, ``(K, K)``, from row to column.
        frequencies: of the classes, ``(K,)``.
    """

    transitions: np.ndarray
    frequencies: np.ndarray


class Markov(ClassModule):
    """Classes that follow each other in time.

    Args:
        n_clusters: ``K``, as many as the module below distinguishes.
        concentration: how often each transition, and each class, counts as seen before the data.
        steps: of expectation maximisation, at most.
        starts: rows at which a sequence of its own begins, beside the first; of the training rows,
            new ones are one sequence.
        seed: every module takes one; nothing is random here.

    Raises:
        UsageError: a number is too small, or is none.

    Attributes:
        chain: of the latest update; ``None`` before the first.
    """

    name: ClassVar[str] = "markov"
    summary: ClassVar[str] = "classes that follow each other in time: rows in their order"
    fields: ClassVar[tuple[Field, ...]] = (
        number(
            "concentration",
            "Number of times that each transition, and each class, counts as seen before the data.",
            above=0.0,
            default=0.1,
        ),
        integer("steps", "Steps of expectation maximisation, at most.", default=100),
    )

    def __init__(
        self,
        n_clusters: int,
        *,
        concentration: float = 0.1,
        steps: int = 100,
        starts: Sequence[int] = (),
        seed: int = 0,
    ) -> None:
        super().__init__(n_clusters)
        self.concentration = above_zero("concentration", concentration)
        self.steps, self.seed = at_least("steps", steps, 1), seed
        self.starts = [at_least("a start", row, 0) for row in starts]
        self.chain: Chain | None = None

    def learn(self, data: np.ndarray) -> Learned:
        """Learn ``T`` from class probabilities ``(n, K)``, under the bias of the modules above.

        The backward message passes their bias on; the forward message is without it.

        Raises:
            UsageError: the data are not ``K`` probabilities a row, or a start is not one of them.
        """
        self._refuse_other_data(data)
        breaks, received = self._breaks(len(data)), self.backward_message
        bias = 0.0 if received is None else logarithms(received)
        frequencies = self._frequencies(data)
        evidence = _evidence(data, frequencies)
        self.chain = Chain(self._likeliest(evidence + bias, breaks), frequencies)
        around = _around(evidence + bias, self.chain, breaks)
        beyond = around - logarithms(distributions(around).mean(axis=0))
        return _learned(evidence, self.chain, breaks, distributions(beyond + bias))

    def recognise(self, data: np.ndarray) -> Learned:
        """Return the posterior of new rows ``(m, K)``, as one sequence.

        Raises:
            UsageError: as ``learn``, or nothing was learned.
        """
        chain = self.learned_chain
        self._refuse_other_data(data)
        return _learned(_evidence(data, chain.frequencies), chain, np.zeros(len(data), bool))

    @property
    def learned_chain(self) -> Chain:
        """The chain, once there is one.

        Raises:
            UsageError: nothing was learned.
        """
        if self.chain is None:
            raise self.refusal()
        return self.chain

    def parameters(self) -> dict[str, np.ndarray]:
        """Return ``trans_prob``: the transition matrix ``T``, ``(K, K)``, from row to column."""
        return {"trans_prob": self.learned_chain.transitions}

    def arrays(self) -> dict[str, np.ndarray]:
        """Return the learned state by name; empty before the first update."""
        return {} if self.chain is None else self.chain._asdict()

    def restore(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Restore the state that ``arrays`` returned."""
        self.chain = None
        if arrays:
            k = self.n_clusters
            transitions = of_shape(arrays, "transitions", k, k)
            self.chain = Chain(transitions, of_shape(arrays, "frequencies", k))

    def _likeliest(self, evidence: np.ndarray, breaks: np.ndarray) -> np.ndarray:
        transitions = np.full((self.n_clusters, self.n_clusters), 1.0 / self.n_clusters)
        for _ in range(self.steps):
            before = transitions
            counts = expected_transitions(evidence, before, breaks)
            transitions = normalised(self.concentration + counts)
            if np.abs(transitions - before).max() < _TOLERANCE:
                break
        return transitions

    def _refuse_other_data(self, data: np.ndarray) -> None:
        possible = np.isfinite(data) & (data >= 0)
        if data.shape[1:] != (self.n_clusters,) or not possible.all():
            raise UsageError(
                f"the markov module takes {self.n_clusters} class probabilities for each row, "
                f"finite and not below 0; an array {data.shape} came, from {data.min():.3g} to "
                f"{data.max():.3g}; connect it to one module with as many classes"
            )

    def _frequencies(self, data: np.ndarray) -> np.ndarray:
        # a class that has no row must stay unlikely when it is divided by its frequency
        counts = self.concentration + data.sum(axis=0, dtype=np.float64)
        frequencies: np.ndarray = counts / counts.sum()
        return frequencies

    def _breaks(self, n_rows: int) -> np.ndarray:
        """Return ``(n,)``, true for a row that does not follow the row before it."""
        beyond = [row for row in self.starts if row >= n_rows]
        if beyond:
            raise UsageError(
                f"a sequence cannot start at row {beyond[0]} of {n_rows}; count rows from 0"
            )
        breaks = np.zeros(n_rows, bool)
        breaks[self.starts] = True
        return breaks


def _evidence(data: np.ndarray, frequencies: np.ndarray) -> np.ndarray:
    """Return ``log l``, ``(n, K)``."""
    evidence: np.ndarray = logarithms(data) - logarithms(frequencies)
    return evidence


def _around(evidence: np.ndarray, chain: Chain, breaks: np.ndarray) -> np.ndarray:
    """Return ``log (f b)``, ``(n, K)``, each row up to a constant."""
    before, after = neighbours(evidence, chain.transitions, breaks)
    around: np.ndarray = before + after
    return around


def _learned(
    evidence: np.ndarray, chain: Chain, breaks: np.ndarray, backward: np.ndarray | None = None
) -> Learned:
    found = distributions(_around(evidence, chain, breaks) + evidence)
    return Learned(found, backward, {"class": found.argmax(axis=1), "Pdz": found})
