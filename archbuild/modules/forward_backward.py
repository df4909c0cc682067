"""Forward-backward: what the rows before and after each row imply for its state.

The likelihoods ``l_i(k)`` of the rows and the transition matrix ``T`` of a hidden Markov chain give

    f_0(k) = 1/K,      f_i(k) = Σ_j f_(i-1)(j) l_(i-1)(j) T[j, k]
    b_(n-1)(j) = 1,    b_i(j) = Σ_k T[j, k] l_(i+1)(k) b_(i+1)(k).

The rows are cut into ``√n`` blocks that are processed side by side: first comes what a block makes
of each state before it, then, with what enters every block, every row. Each step is scaled; as no
transition is impossible, nothing underflows. Source: Rabiner, "A tutorial on hidden Markov models"
(1989), section III.
"""

from __future__ import annotations

from math import isqrt
from typing import NamedTuple

import numpy as np

from archbuild.modules.probabilities import distributions, logarithms


def neighbours(
    evidence: np.ndarray, transitions: np.ndarray, breaks: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Compute ``log f`` and ``log b``.

    Args:
        evidence: ``log l``, ``(n, K)``.
        transitions: ``T``, ``(K, K)``, all above 0.
        breaks: ``(n,)``, true for a row that does not follow the row before it.

    Returns:
        Two arrays ``(n, K)``, each row up to a constant.
    """
    blocks = _in_blocks(evidence, transitions, breaks)
    entering, leaving = blocks.ends()
    before, after = blocks.before(entering), blocks.after(leaving)
    return _rows(before, len(evidence)), _rows(after, len(evidence))


def expected_transitions(
    evidence: np.ndarray, transitions: np.ndarray, breaks: np.ndarray
) -> np.ndarray:
    """Compute how often each state is expected to follow each, ``(K, K)``.

    Args:
        evidence: ``log l``, ``(n, K)``.
        transitions: ``T``, ``(K, K)``, all above 0.
        breaks: ``(n,)``, true for a row that does not follow the row before it.
    """
    before, after = neighbours(evidence, transitions, breaks)
    within = ~breaks[1:]
    past = distributions((before + evidence)[:-1][within])
    future = distributions((evidence + after)[1:][within])
    # P(z_(i-1) = j, z_i = k) ∝ past[j] T[j, k] future[k], for each i
    totals = np.einsum("ij,jk,ik->i", past, transitions, future, optimize=True)
    expected: np.ndarray = transitions * (past.T @ (future / totals[:, None]))
    return expected


class _Blocks(NamedTuple):
    """A sequence in blocks that are processed side by side.

    Attributes:
        likelihoods: ``(length, blocks, K)``, at most 1.
        breaks: ``(length, blocks)``.
        transitions: ``T``, ``(K, K)``.
    """

    likelihoods: np.ndarray
    breaks: np.ndarray
    transitions: np.ndarray

    def ends(self) -> tuple[np.ndarray, np.ndarray]:
        """Compute ``f`` at the first row and ``b`` at the last row of every block."""
        through = self._through()
        entering, leaving = np.ones((2, *self.likelihoods.shape[1:]))
        for block in range(len(through) - 1):
            entering[block + 1] = _scaled(entering[block] @ through[block])
        for block in range(len(through) - 1, 0, -1):
            leaving[block - 1] = _scaled(through[block] @ leaving[block])
        return entering, leaving

    def before(self, entering: np.ndarray) -> np.ndarray:
        """Compute ``f`` of every row, ``(length, blocks, K)``."""
        found, past = np.empty(self.likelihoods.shape), entering
        for step, likelihood in enumerate(self.likelihoods):
            found[step] = self._onward(past, step)
            past = _scaled(found[step] * likelihood)
        return found

    def after(self, leaving: np.ndarray) -> np.ndarray:
        """Compute ``b`` of every row, ``(length, blocks, K)``."""
        found, future = np.empty(self.likelihoods.shape), leaving
        for step in range(len(found) - 1, -1, -1):
            found[step] = future
            known = (self.likelihoods[step] * future) @ self.transitions.T
            future = np.where(self.breaks[step][:, None], 1.0, _scaled(known))
        return found

    def _through(self) -> np.ndarray:
        """Compute what every block makes of each state before it, ``(blocks, K, K)``."""
        _, n_blocks, n_states = self.likelihoods.shape
        through = np.tile(np.eye(n_states), (n_blocks, 1, 1))
        for step, likelihood in enumerate(self.likelihoods):
            through = self._onward(through, step) * likelihood[:, None]
            through /= through.max(axis=(1, 2), keepdims=True)
        return through

    def _onward(self, past: np.ndarray, step: int) -> np.ndarray:
        """Go one row on; across a break every state follows every other equally."""
        anew = self.breaks[step].reshape(-1, *[1] * (past.ndim - 1))
        even = past.sum(axis=-1, keepdims=True) / len(self.transitions)
        onward: np.ndarray = np.where(anew, even, past @ self.transitions)
        return onward


def _in_blocks(evidence: np.ndarray, transitions: np.ndarray, breaks: np.ndarray) -> _Blocks:
    """Cut rows into blocks; the last is filled up with rows that follow none, each state alike."""
    n_rows, n_states = evidence.shape
    length = isqrt(n_rows - 1) + 1
    missing = -n_rows % length
    likelihoods = np.exp(evidence - evidence.max(axis=1, keepdims=True))
    likelihoods = np.concatenate([likelihoods, np.ones((missing, n_states))])
    alone = np.concatenate([breaks, np.ones(missing, bool)])
    alone[0] = True
    blocks = likelihoods.reshape(-1, length, n_states).swapaxes(0, 1)
    return _Blocks(blocks, alone.reshape(-1, length).T, transitions)


def _rows(blocks: np.ndarray, n_rows: int) -> np.ndarray:
    """Return the logarithms of ``(length, blocks, K)`` in the order of the rows, ``(n, K)``."""
    return logarithms(blocks.swapaxes(0, 1).reshape(-1, blocks.shape[-1])[:n_rows])


def _scaled(weights: np.ndarray) -> np.ndarray:
    """Scale rows ``(..., K)`` to a maximum of 1 each."""
    scaled: np.ndarray = weights / weights.max(axis=-1, keepdims=True)
    return scaled
