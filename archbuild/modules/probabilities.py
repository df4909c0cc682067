"""Class probabilities, and their logarithms."""

from __future__ import annotations

import numpy as np


def logarithms(probabilities: np.ndarray) -> np.ndarray:
    """Of any shape; a probability too small for its float is small, not impossible."""
    return np.log(np.maximum(probabilities, np.finfo(np.float64).tiny))


def distributions(log_weights: np.ndarray) -> np.ndarray:
    """Rows ``(n, K)`` that are known up to a constant each, as probabilities."""
    return normalised(np.exp(log_weights - log_weights.max(axis=1, keepdims=True)))


def normalised(weights: np.ndarray) -> np.ndarray:
    """Rows ``(n, K)`` that are not below 0, as distributions; a row of zeros as the uniform one."""
    totals = weights.sum(axis=1, keepdims=True)
    uniform = np.full_like(weights, 1.0 / weights.shape[1], dtype=np.float64)
    return np.divide(weights, totals, out=uniform, where=totals > 0)
