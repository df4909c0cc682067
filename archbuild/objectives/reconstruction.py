"""Reconstruction losses: three negative log-likelihoods.

``squared_error`` is a mean over all elements, as in the deep-clustering literature; the two
likelihoods are sums over the elements of a row and means over the batch, as an evidence lower
bound needs them.
"""

from __future__ import annotations

from math import log, pi
from typing import Any

from keras import ops


def _sum_over_row(values: Any, present: Any = None) -> Any:
    """Sum (batch, ...) over all axes but the first, to (batch,); ``present`` 0 is left out."""
    values = values if present is None else values * present
    return ops.sum(values, axis=tuple(range(1, len(values.shape))))


def squared_error(inputs: Any, reconstruction: Any, present: Any = None) -> Any:
    """Compute the mean of ``(x - x̂)²`` over the batch and over all elements.

    Args:
        inputs: ``(batch, ...)``.
        reconstruction: ``(batch, ...)``, the same shape.
        present: ``(batch, ...)``, 1 or 0; the mean is over the elements where it is 1.

    Returns:
        A scalar. Source: Aljalbout et al., arXiv 1801.07648, section 3 (reconstruction loss).
    """
    errors = ops.square(inputs - reconstruction)
    if present is None:
        return ops.mean(errors)
    return ops.sum(errors * present) / ops.maximum(ops.sum(present), 1.0)


def bernoulli_negative_log_likelihood(
    inputs: Any, logits: Any, present: Any = None, by_row: bool = False
) -> Any:
    """Compute binary cross-entropy from logits: sum over a row, mean over the batch, in nats.

    ``-[x log σ(l) + (1 - x) log(1 - σ(l))] = softplus(l) - x l``, which never overflows.

    Args:
        inputs: ``(batch, ...)`` in [0, 1]; grey values are taken as probabilities.
        logits: ``(batch, ...)``.
        present: ``(batch, ...)``, 1 or 0; elements where it is 0 are left out.
        by_row: whether to leave out the mean over the batch.

    Returns:
        A scalar; ``(batch,)`` under ``by_row``. Source: Kingma and Welling, arXiv 1312.6114,
        appendix C.1.
    """
    rows = _sum_over_row(ops.softplus(logits) - inputs * logits, present)
    return rows if by_row else ops.mean(rows)


def gaussian_negative_log_likelihood(
    inputs: Any, mean: Any, log_variance: Any, present: Any = None, by_row: bool = False
) -> Any:
    """Compute ``-log N(x | m, s)``: sum over a row, mean over the batch, in nats.

    ``½ Σ_j [log 2π + log s_j + (x_j - m_j)² / s_j]``.

    Args:
        inputs: ``(batch, ...)``.
        mean: ``(batch, ...)``.
        log_variance: ``(batch, ...)``, already bounded.
        present: ``(batch, ...)``, 1 or 0; elements where it is 0 are left out.
        by_row: whether to leave out the mean over the batch.

    Returns:
        A scalar; ``(batch,)`` under ``by_row``. Source: Kingma and Welling, arXiv 1312.6114,
        appendix C.2.
    """
    squared = ops.square(inputs - mean) * ops.exp(-log_variance)
    rows = 0.5 * _sum_over_row(log(2.0 * pi) + log_variance + squared, present)
    return rows if by_row else ops.mean(rows)
