"""Class probabilities, and their logarithms."""

from __future__ import annotations

import numpy as np


def logarithms(probabilities: np.ndarray) -> np.ndarray:
    """Return the logarithms of an array of any shape; 0 counts as the smallest normal float64."""
    found: np.ndarray = np.log(np.maximum(probabilities, np.finfo(np.float64).tiny))
    return found


def distributions(log_weights: np.ndarray) -> np.ndarray:
    """Return the probabilities of rows ``(n, K)`` of logarithms, each row up to a constant."""
    return normalised(np.exp(log_weights - log_weights.max(axis=1, keepdims=True)))


def normalised(weights: np.ndarray) -> np.ndarray:
    """Scale rows ``(n, K)``, none below 0, to a sum of 1; a row of zeros becomes uniform."""
    totals = weights.sum(axis=1, keepdims=True)
    uniform = np.full_like(weights, 1.0 / weights.shape[1], dtype=np.float64)
    found: np.ndarray = np.divide(weights, totals, out=uniform, where=totals > 0)
    return found
