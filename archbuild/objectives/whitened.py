"""Mixtures whose components have full covariances: Gaussians, and the Student-t that predicts one.

Each component stands as a mean ``m``, a whitening ``W`` with ``W S Wᵀ = I`` of a scale matrix
``S`` (the inverse of its Cholesky factor), and an offset: its log weight and all of its
normalisation, which depend on no value. Nothing is then inverted or exponentiated.
"""

from __future__ import annotations

from typing import Any

from keras import ops


def whitened_distances(value: Any, means: Any, whitening: Any) -> Any:
    """Compute ``(z_i - m_k)ᵀ S_k^-1 (z_i - m_k) = |W_k (z_i - m_k)|²``.

    Args:
        value: ``(batch, latent)``.
        means: ``(cluster, latent)``.
        whitening: ``(cluster, latent, latent)``.

    Returns:
        ``(batch, cluster)``, never below 0.
    """
    differences = ops.expand_dims(value, 1) - means
    return ops.sum(ops.square(ops.einsum("kij,bkj->bki", whitening, differences)), axis=-1)


def gaussian_log_joints(distances: Any, offsets: Any) -> Any:
    """Compute ``log π_k + log N(z_i | m_k, S_k) = offset_k - ½ d_ik``, in nats.

    Args:
        distances: ``(batch, cluster)``, from ``whitened_distances``.
        offsets: ``log π_k - ½ log|2π S_k|``, ``(cluster,)``.
    """
    return offsets - 0.5 * distances


def student_t_log_joints(distances: Any, offsets: Any, powers: Any, shrinks: Any) -> Any:
    """Compute ``log π_k + log t_k(z_i) = offset_k - p_k log(1 + s_k d_ik)``, in nats.

    The predictive density of a Gaussian under a Gauss-Wishart prior: with ``r`` and ``ν`` as they
    are after the data, ``p = (ν + 1)/2`` and ``s = r / (r + 1)`` (Murphy, "Conjugate Bayesian
    analysis of the Gaussian distribution", 2007, section 9.3; ``modules/gibbs.py``).

    Args:
        distances: ``(batch, cluster)``, from ``whitened_distances``.
        offsets: ``(cluster,)``.
        powers: ``p``, ``(cluster,)``.
        shrinks: ``s``, ``(cluster,)``.
    """
    return offsets - powers * ops.log1p(shrinks * distances)
