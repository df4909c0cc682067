"""``markov``: a hidden Markov chain over the classes of the module below.

Rows are in the order of time. The state ``z_i`` of a row follows that of the row before by a
transition matrix ``T``, and the first is any. What came for a row, ``p_i(k)``, is the posterior of
its class, so by Bayes' rule the likelihood of its data is ``l_i(k) ∝ p_i(k) / mean_i p_i(k)``, and

    P(z, data) ∝ Π_i T[z_(i-1), z_i] Π_i l_i(z_i).

``T`` is learned by expectation maximisation, as if every transition had been seen ``concentration``
times beforehand. With what comes from before a row and from after it,

    f_0(k) = 1/K,      f_i(k) = Σ_j f_(i-1)(j) l_(i-1)(j) T[j, k]
    b_(n-1)(j) = 1,    b_i(j) = Σ_k T[j, k] l_(i+1)(k) b_(i+1)(k),

forward goes the posterior ``f_i l_i b_i``, ``(n, K)``; back goes ``a_i(k) / mean_i a_i(k)`` with
``a_i ∝ f_i b_i``: what the neighbours in time say of a row without its own data, and beyond the
frequencies of the classes. The module below counts both already; told again, the most frequent
class can grow in every round until it has all rows. Source: Rabiner, "A tutorial on hidden Markov
models" (1989), section III.

The Markov module of Serket (Nakamura et al., "SERKET", Frontiers in Neurorobotics 12:25, 2018)
learns ``T`` from 100 sampled sequences and sends back ``p_i(k) Σ_j p_(i-1)(j) T[j, k]``: of the
neighbours only the row before, the row's own data with them, and no frequencies taken out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isqrt
from typing import ClassVar

import numpy as np

from archbuild.errors import UsageError
from archbuild.modules.checks import above_zero, at_least
from archbuild.modules.classes import ClassModule
from archbuild.modules.module import Learned
from archbuild.modules.probabilities import distributions, logarithms, normalised
from archbuild.spec.field import Field
from archbuild.spec.fields import integer, number

_TOLERANCE = 1e-5
"""A step that moves no transition probability further is the last."""


class Markov(ClassModule):
    """Classes that follow each other in time.

    Args:
        n_clusters: ``K``, as many as the module below tells apart.
        concentration: how often each transition, and each class, counts as seen before the data.
        steps: of expectation maximisation, at most.
        starts: rows at which a sequence of its own begins, beside the first; of the training rows,
            new ones are one sequence.
        seed: every module takes one; nothing is random here.

    Raises:
        UsageError: a number is too small, or is none.

    Attributes:
        transitions: ``T``, ``(K, K)``, from row to column; ``None`` before the first update.
        frequencies: of the classes, ``(K,)``; likewise.
    """

    name: ClassVar[str] = "markov"
    summary: ClassVar[str] = "classes that follow each other in time: rows in their order"
    fields: ClassVar[tuple[Field, ...]] = (
        number(
            "concentration",
            "How often each transition, and each class, counts as seen before the data.",
            above=0.0,
            default=0.1,
        ),
        integer("steps", "Of expectation maximisation, at most.", default=100),
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
        self.transitions: np.ndarray | None = None
        self.frequencies: np.ndarray | None = None

    def learn(self, data: np.ndarray) -> Learned:
        """Learn ``T`` from class probabilities ``(n, K)``, under the bias of the modules above.

        The backward message passes their bias on; the forward message is without it.

        Raises:
            UsageError: the data are not ``K`` probabilities a row, or a start is not one of them.
        """
        self._refuse_other_data(data)
        breaks, heard = self._breaks(len(data)), self.backward_message
        bias = 0.0 if heard is None else logarithms(heard)
        self.frequencies = self._frequencies(data)
        evidence = self._evidence(data)
        self.transitions = self._likeliest(evidence + bias, breaks)
        around = sum(neighbours(evidence + bias, self.transitions, breaks))
        beyond = around - logarithms(distributions(around).mean(axis=0))
        return self._learned(evidence, breaks, distributions(beyond + bias))

    def recognise(self, data: np.ndarray) -> Learned:
        """Return the posterior of new rows ``(m, K)``, as one sequence.

        Raises:
            UsageError: as ``learn``, or nothing was learned.
        """
        self._refuse_unlearned()
        self._refuse_other_data(data)
        return self._learned(self._evidence(data), np.zeros(len(data), bool))

    def parameters(self) -> dict[str, np.ndarray]:
        """``trans_prob``: the transition matrix ``T``, ``(K, K)``, from row to column."""
        self._refuse_unlearned()
        return {"trans_prob": self.transitions}

    def arrays(self) -> dict[str, np.ndarray]:
        """Return the learned state by name; empty before the first update."""
        if self.transitions is None:
            return {}
        return {"transitions": self.transitions, "frequencies": self.frequencies}

    def restore(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Take back what ``arrays`` gave."""
        self.transitions = arrays.get("transitions")
        self.frequencies = arrays.get("frequencies")

    def _learned(
        self, evidence: np.ndarray, breaks: np.ndarray, backward: np.ndarray | None = None
    ) -> Learned:
        around = sum(neighbours(evidence, self.transitions, breaks))
        found = distributions(around + evidence)
        return Learned(found, backward, {"class": found.argmax(axis=1), "Pdz": found})

    def _likeliest(self, evidence: np.ndarray, breaks: np.ndarray) -> np.ndarray:
        transitions = np.full((self.n_clusters, self.n_clusters), 1.0 / self.n_clusters)
        for _ in range(self.steps):
            before = transitions
            counts = expected_transitions(evidence, before, breaks)
            transitions = normalised(self.concentration + counts)
            if np.abs(transitions - before).max() < _TOLERANCE:
                break
        return transitions

    def _refuse_unlearned(self) -> None:
        if self.transitions is None:
            raise self.refusal()

    def _refuse_other_data(self, data: np.ndarray) -> None:
        possible = np.isfinite(data) & (data >= 0)
        if data.shape[1:] != (self.n_clusters,) or not possible.all():
            raise UsageError(
                f"the markov module takes {self.n_clusters} class probabilities for each row, "
                f"finite and not below 0; an array {data.shape} came, from {data.min():.3g} to "
                f"{data.max():.3g}; connect it to one module that tells as many classes apart"
            )

    def _frequencies(self, data: np.ndarray) -> np.ndarray:
        # a class that has no row must stay unlikely when it is divided by its frequency
        counts = self.concentration + data.sum(axis=0, dtype=np.float64)
        return counts / counts.sum()

    def _evidence(self, data: np.ndarray) -> np.ndarray:
        """``log l``, ``(n, K)``."""
        return logarithms(data) - logarithms(self.frequencies)

    def _breaks(self, n_rows: int) -> np.ndarray:
        """Which rows ``(n,)`` do not follow the row before."""
        beyond = [row for row in self.starts if row >= n_rows]
        if beyond:
            raise UsageError(
                f"a sequence cannot start at row {beyond[0]} of {n_rows}; count rows from 0"
            )
        breaks = np.zeros(n_rows, bool)
        breaks[self.starts] = True
        return breaks


def neighbours(
    evidence: np.ndarray, transitions: np.ndarray, breaks: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """``log f`` and ``log b``, what comes from before and from after each row.

    The rows are cut into ``√n`` blocks that are gone through side by side: first for what a block
    makes of each state before it, then, once it is known what came, for every row. Each step is
    scaled; as no transition is impossible, nothing underflows.

    Args:
        evidence: ``log l``, ``(n, K)``.
        transitions: ``T``, ``(K, K)``, all above 0.
        breaks: ``(n,)``, which rows do not follow the row before.

    Returns:
        Two arrays ``(n, K)``, each row up to a constant.
    """
    n_rows, n_states = evidence.shape
    likelihoods, alone = _in_blocks(evidence, breaks)
    length, n_blocks, _ = likelihoods.shape

    def onward(past: np.ndarray, step: int) -> np.ndarray:
        # across a break nothing is known: as if every state followed every other equally
        anew = alone[step].reshape(-1, *[1] * (past.ndim - 1))
        return np.where(anew, past.sum(axis=-1, keepdims=True) / n_states, past @ transitions)

    through = np.tile(np.eye(n_states), (n_blocks, 1, 1))
    for step in range(length):
        through = onward(through, step) * likelihoods[step][:, None]
        through /= through.max(axis=(1, 2), keepdims=True)

    entering, leaving = np.ones((2, n_blocks, n_states))
    for block in range(n_blocks - 1):
        entering[block + 1] = _scaled(entering[block] @ through[block])
    for block in range(n_blocks - 1, 0, -1):
        leaving[block - 1] = _scaled(through[block] @ leaving[block])

    before, after = np.empty((2, length, n_blocks, n_states))
    past, future = entering, leaving
    for step in range(length):
        before[step] = onward(past, step)
        past = _scaled(before[step] * likelihoods[step])
    for step in range(length - 1, -1, -1):
        after[step] = future
        known = (likelihoods[step] * future) @ transitions.T
        future = np.where(alone[step][:, None], 1.0, _scaled(known))
    rows = (part.swapaxes(0, 1).reshape(-1, n_states)[:n_rows] for part in (before, after))
    return tuple(logarithms(part) for part in rows)


def _in_blocks(evidence: np.ndarray, breaks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Likelihoods ``(length, blocks, K)`` of at most 1, and breaks ``(length, blocks)``.

    The last block is filled up with rows that follow nothing and know nothing.
    """
    n_rows, n_states = evidence.shape
    length = isqrt(n_rows - 1) + 1
    missing = -n_rows % length
    likelihoods = np.exp(evidence - evidence.max(axis=1, keepdims=True))
    likelihoods = np.concatenate([likelihoods, np.ones((missing, n_states))])
    alone = np.concatenate([breaks, np.ones(missing, bool)])
    alone[0] = True
    blocks = likelihoods.reshape(-1, length, n_states).swapaxes(0, 1)
    return blocks, alone.reshape(-1, length).T


def _scaled(weights: np.ndarray) -> np.ndarray:
    """Rows ``(..., K)``, each to a maximum of 1."""
    return weights / weights.max(axis=-1, keepdims=True)


def expected_transitions(
    evidence: np.ndarray, transitions: np.ndarray, breaks: np.ndarray
) -> np.ndarray:
    """How often each state is expected to follow each, ``(K, K)``; arguments as ``neighbours``."""
    before, after = neighbours(evidence, transitions, breaks)
    within = ~breaks[1:]
    past = distributions((before + evidence)[:-1][within])
    future = distributions((evidence + after)[1:][within])
    # P(z_(i-1) = j, z_i = k) ∝ past[j] T[j, k] future[k], for each i
    totals = np.einsum("ij,jk,ik->i", past, transitions, future, optimize=True)
    return transitions * (past.T @ (future / totals[:, None]))
