"""The loss of a classifier."""

from __future__ import annotations

from typing import Any

from keras import ops


def label_cross_entropy(labels: Any, logits: Any) -> Any:
    """Compute the mean of ``-log p(label)`` over the labels that are known.

    Args:
        labels: ``(...)`` integer classes, negative where unknown.
        logits: ``(..., class)``, of which ``softmax`` gives ``p``.

    Returns:
        A scalar in nats; 0 where no label is known.
    """
    known = ops.cast(labels >= 0, logits.dtype)
    chosen = ops.one_hot(labels, logits.shape[-1], dtype=logits.dtype)  # all 0 where unknown
    summed = -ops.sum(chosen * ops.log_softmax(logits, axis=-1))
    return summed / ops.maximum(ops.sum(known), 1.0)
