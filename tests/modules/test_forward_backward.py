"""Forward-backward against sums over every sequence of states."""

from __future__ import annotations

import time

import numpy as np
import pytest

from archbuild.modules.forward_backward import expected_transitions, neighbours
from tests.modules.chains import enumerated, probabilities


@pytest.mark.parametrize("starts", [[], [2], [1, 4]], ids=["one", "two", "three"])
def test_messages_are_sums_over_all_sequences(short_chain, starts):
    likelihoods, transitions = short_chain
    breaks = np.isin(np.arange(5), starts)
    posterior, around, counts = enumerated(likelihoods, transitions, breaks)
    evidence = np.log(likelihoods)
    before, after = neighbours(evidence, transitions, breaks)
    np.testing.assert_allclose(probabilities(before + after + evidence), posterior, rtol=1e-10)
    np.testing.assert_allclose(probabilities(before + after), around, rtol=1e-10)
    found = expected_transitions(evidence, transitions, breaks)
    np.testing.assert_allclose(found, counts, rtol=1e-10)


def row_by_row(evidence, transitions, breaks):
    """``log f`` and ``log b`` by the equations of the module's docstring."""
    k = len(transitions)
    steps = [np.full((k, k), -np.log(k)) if each else np.log(transitions) for each in breaks]
    before, after = np.zeros_like(evidence), np.zeros_like(evidence)
    for row in range(1, len(evidence)):
        past = before[row - 1] + evidence[row - 1]
        before[row] = np.logaddexp.reduce(past[:, None] + steps[row], axis=0)
    for row in range(len(evidence) - 1, 0, -1):
        after[row - 1] = np.logaddexp.reduce(steps[row] + evidence[row] + after[row], axis=1)
    return before, after


@pytest.mark.parametrize("n_rows", [1, 2, 3, 4, 16, 17, 24, 25, 300])
@pytest.mark.parametrize("spread", [1.0, 300.0], ids=["usual", "sure"])
def test_blocks_leave_no_mark(rng, n_rows, spread):
    evidence, breaks = spread * rng.normal(size=(n_rows, 4)), rng.random(n_rows) < 0.1
    transitions = rng.dirichlet(np.full(4, 0.3), size=4) + 1e-9
    transitions /= transitions.sum(axis=1, keepdims=True)
    expected = row_by_row(evidence, transitions, breaks)
    for found, wanted in zip(neighbours(evidence, transitions, breaks), expected, strict=True):
        assert np.all(np.isfinite(found))
        wanted = wanted - np.logaddexp.reduce(wanted, axis=1)[:, None]
        found = found - np.logaddexp.reduce(found, axis=1)[:, None]
        np.testing.assert_allclose(found, wanted, atol=1e-8)


def test_a_row_does_not_receive_its_own_data():
    """The message for a row is the same whatever came for it, if ``T`` is."""
    data = np.array([[0.7, 0.3], [0.4, 0.6], [0.2, 0.8], [0.9, 0.1]])
    evidence, transitions = np.log(data), np.array([[0.8, 0.2], [0.3, 0.7]])
    other = evidence.copy()
    other[2] = np.log([0.99, 0.01])
    around, changed = (
        np.add(*neighbours(each, transitions, np.zeros(4, bool))) for each in (evidence, other)
    )
    np.testing.assert_allclose(probabilities(around)[2], probabilities(changed)[2], rtol=1e-12)
    assert not np.allclose(probabilities(around)[1], probabilities(changed)[1])


def test_a_pass_over_3000_rows_of_10_classes_is_quick(rng):
    evidence = np.log(rng.dirichlet(np.ones(10), size=3000))
    start = time.perf_counter()
    expected_transitions(evidence, np.full((10, 10), 0.1), np.zeros(3000, bool))
    assert time.perf_counter() - start < 1.0
