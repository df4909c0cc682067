"""Sums over the classes of rows, some of which have a label: the semi-supervised bounds.

Source: Maaløe et al., Auxiliary deep generative models, arXiv 1602.05473, equations 6 to 12, and
Kingma et al., Semi-supervised learning with deep generative models, arXiv 1406.5298.
"""

from __future__ import annotations

from typing import Any

from keras import ops


def class_weights(log_classes: Any, labels: Any = None) -> Any:
    """Return the weight of each class in the bound of each row: ``q(y | x)``, or 1 for its label.

    Args:
        log_classes: ``log q(y | x)``, ``(batch, class)``.
        labels: ``(batch,)`` integer classes, -1 where unknown; ``None``: all are.
    """
    posterior = ops.exp(log_classes)
    if labels is None:
        return posterior
    return ops.where(_known(labels), _one_hot(labels, log_classes), posterior)


def class_divergence(log_classes: Any, log_prior: Any, labels: Any = None) -> Any:
    """Compute ``Σ_y q (log q - log p)`` of each row, and ``-log p(label)`` where it is known.

    Args:
        log_classes: ``log q(y | x)``, ``(batch, class)``; finite.
        log_prior: ``log p(y | ·)``, ``(batch, class)`` or ``(class,)``; finite.
        labels: as of ``class_weights``.

    Returns:
        ``(batch,)``, in nats.
    """
    weights = class_weights(log_classes, labels)
    if labels is not None:  # a label has no entropy
        log_classes = ops.where(_known(labels), 0.0, log_classes)
    return ops.sum(weights * (log_classes - log_prior), axis=1)


def label_loss(log_classes: Any, labels: Any) -> Any:
    """Compute ``-log (1/S) Σ_s q_s(label | x)`` of each row, 0 where its label is unknown.

    The mean over the draws is inside the logarithm, as in the authors' code.

    Args:
        log_classes: ``log q_s(y | x)``, ``(draws, batch, class)``.
        labels: ``(batch,)`` integer classes, -1 where unknown.

    Returns:
        ``(batch,)``, in nats.
    """
    draws = log_classes.shape[0]
    log_mean = ops.logsumexp(log_classes, axis=0) - ops.log(float(draws))
    return -ops.sum(_one_hot(labels, log_mean) * log_mean, axis=1)


def mean_by_kind(values: Any, labels: Any = None, weight: float = 1.0) -> Any:
    """Compute the mean over rows without a label plus the mean over rows with one, a scalar.

    So few labelled rows weigh as much as many without a label. A kind without rows adds 0.

    Args:
        values: ``(batch,)``.
        labels: as of ``class_weights``.
        weight: of the mean over the rows with a label.
    """
    if labels is None:
        return ops.mean(values)
    known = ops.cast(labels >= 0, values.dtype)
    return _mean_where(1.0 - known, values) + weight * _mean_where(known, values)


def class_imbalance(log_classes: Any) -> Any:
    """Compute ``KL(mean of q(y | x) over a batch || uniform) = log K - H[mean of q]``, a scalar.

    0 where the classes are used equally, ``log K`` where a single one is.

    Args:
        log_classes: ``log q(y | x)``, ``(batch, class)``.
    """
    batch, classes = ops.shape(log_classes)[0], log_classes.shape[1]
    log_share = ops.logsumexp(log_classes, axis=0) - ops.log(ops.cast(batch, log_classes.dtype))
    return ops.log(float(classes)) + ops.sum(ops.exp(log_share) * log_share)


def _known(labels: Any) -> Any:
    """Return which rows have a label, ``(batch, 1)``."""
    return ops.expand_dims(labels >= 0, 1)


def _one_hot(labels: Any, like: Any) -> Any:
    """Return ``(batch, class)``, of zeros where a label is unknown."""
    found = ops.one_hot(ops.maximum(labels, 0), like.shape[-1], dtype=like.dtype)
    return ops.where(_known(labels), found, ops.zeros_like(found))


def _mean_where(chosen: Any, values: Any) -> Any:
    return ops.sum(chosen * values) / ops.maximum(ops.sum(chosen), 1.0)
