"""Sums over every sequence of states of a short chain."""

from __future__ import annotations

from itertools import pairwise, product

import numpy as np


def weigh(states, likelihoods, transitions, breaks):
    """``P(z, data)`` of one sequence; each break begins at random."""
    found = 1.0 / len(transitions)
    for row, (before, after) in enumerate(pairwise(states), start=1):
        found *= 1.0 / len(transitions) if breaks[row] else transitions[before, after]
    return found * np.prod([likelihoods[row, state] for row, state in enumerate(states)])


def enumerated(likelihoods, transitions, breaks):
    """Posterior ``(n, K)``, the same without each row's own data, and expected transitions."""
    n, k = likelihoods.shape
    inside, around, counts = np.zeros((n, k)), np.zeros((n, k)), np.zeros((k, k))
    for states in product(range(k), repeat=n):
        weight = weigh(states, likelihoods, transitions, breaks)
        for row, state in enumerate(states):
            inside[row, state] += weight
            around[row, state] += weight / likelihoods[row, state]
            if row and not breaks[row]:
                counts[states[row - 1], state] += weight
    total = inside[0].sum()
    return inside / total, around / around.sum(axis=1, keepdims=True), counts / total


def probabilities(log_weights):
    weights = np.exp(log_weights)
    return weights / weights.sum(axis=1, keepdims=True)
