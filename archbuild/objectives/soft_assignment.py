"""Soft assignment by a Student-t kernel and the target distribution that sharpens it.

Source of all equations: Xie, Girshick, Farhadi, "Unsupervised deep embedding for clustering
analysis" (DEC), arXiv 1511.06335.
"""

from __future__ import annotations

from typing import Any

from keras import ops


def squared_distances(latent: Any, centres: Any) -> Any:
    """Compute ``||z_i - c_k||²`` for every pair.

    Args:
        latent: ``(batch, latent)``.
        centres: ``(cluster, latent)``.

    Returns:
        ``(batch, cluster)``, never negative: differences are squared one by one, because the
        expansion ``z² - 2zc + c²`` loses all digits where a point sits on its centre.
    """
    difference = ops.expand_dims(latent, 1) - ops.expand_dims(centres, 0)
    return ops.sum(ops.square(difference), axis=2)


def log_soft_assignment(latent: Any, centres: Any, degrees_of_freedom: float = 1.0) -> Any:
    """Compute ``log q_ik`` with ``q_ik ∝ (1 + ||z_i - c_k||² / ν)^(-(ν + 1) / 2)``.

    DEC, equation 1.

    Args:
        latent: ``(batch, latent)``.
        centres: ``(cluster, latent)``.
        degrees_of_freedom: ν of the Student-t kernel, above 0.

    Returns:
        ``(batch, cluster)``; ``exp`` of each row sums to 1.
    """
    distances = squared_distances(latent, centres)
    log_kernel = -0.5 * (degrees_of_freedom + 1.0) * ops.log1p(distances / degrees_of_freedom)
    return ops.log_softmax(log_kernel, axis=1)


def target_distribution(assignments: Any, frequency: Any = None) -> Any:
    """Compute ``p_ik ∝ q_ik² / f_k``, soft frequency ``f_k = Σ_i q_ik`` (DEC, equation 3).

    ``f_k`` is a sum over the whole set: give it all rows, not a batch, or the sum with the batch.

    Args:
        assignments: ``(n, cluster)``, rows sum to 1.
        frequency: ``(1, cluster)``, of the whole set; by default that of these rows.

    Returns:
        ``(n, cluster)``, rows sum to 1. An empty cluster gets 0.
    """
    if frequency is None:
        frequency = ops.sum(assignments, axis=0, keepdims=True)
    weight = ops.square(assignments) / ops.maximum(frequency, 1e-12)
    return weight / ops.sum(weight, axis=1, keepdims=True)


def assignment_divergence(target: Any, log_assignment: Any) -> Any:
    """Compute ``KL(P_i || Q_i) = Σ_k p_ik (log p_ik - log q_ik)`` for each row (DEC, equation 2).

    Args:
        target: ``(batch, cluster)``; a constant, gradients do not enter it.
        log_assignment: ``(batch, cluster)``.

    Returns:
        ``(batch,)``, in nats. The caller chooses sum or mean over the batch.
    """
    target = ops.stop_gradient(target)
    # 0 log 0 is 0: the floor only keeps the logarithm finite there
    log_target = ops.log(ops.maximum(target, 1e-30))
    return ops.sum(target * (log_target - log_assignment), axis=1)
