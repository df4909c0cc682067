"""Diagonal Gaussians: densities and divergences, all in terms of log-variances."""

from __future__ import annotations

from math import log, pi
from typing import Any, Final

from keras import ops

LARGEST_LOG_VARIANCE: Final = 10.0


def bounded_log_variance(value: Any) -> Any:
    """Keep a log-variance within +-10, smoothly: ``10 tanh(x / 10)``; of any shape.

    The slope is 1 where log-variances usually are, and fades where a clip's would drop to 0, so a
    variance that has run away can come back.
    """
    return LARGEST_LOG_VARIANCE * ops.tanh(value / LARGEST_LOG_VARIANCE)


def unbounded_log_variance(log_variance: Any) -> Any:
    """Invert ``bounded_log_variance``; at the bounds themselves, nearly."""
    limit = 0.99 * LARGEST_LOG_VARIANCE
    inside = ops.clip(log_variance, -limit, limit)
    return LARGEST_LOG_VARIANCE * ops.arctanh(inside / LARGEST_LOG_VARIANCE)


def gaussian_log_density(value: Any, mean: Any, log_variance: Any) -> Any:
    """Compute ``log N(x | m, diag s) = -½ Σ_j [log 2π + log s_j + (x_j - m_j)² / s_j]``, in nats.

    Args:
        value: ``(..., latent)``.
        mean: ``(..., latent)``; the three broadcast against each other.
        log_variance: ``(..., latent)``.

    Returns:
        ``(...)``, the last axis summed.
    """
    scaled = ops.square(value - mean) * ops.exp(-log_variance)
    return -0.5 * ops.sum(log(2.0 * pi) + log_variance + scaled, axis=-1)


def gaussian_log_ratio(
    value: Any, mean: Any, log_variance: Any, other_mean: Any, other_log_variance: Any
) -> Any:
    """Compute ``log N(x_j | μ_j, v_j) - log N(x_j | m_j, s_j)`` of every unit, in nats.

    Its mean over draws of the first Gaussian is the unit's part of ``gaussian_divergence``.

    Args:
        value: ``(..., latent)``; the five broadcast against each other.
        mean: ``(..., latent)``, as the other three.
        log_variance: of the first Gaussian.
        other_mean: of the second Gaussian.
        other_log_variance: of the second Gaussian.

    Returns:
        ``(..., latent)``: no axis is summed.
    """
    here = ops.square(value - mean) * ops.exp(-log_variance)
    there = ops.square(value - other_mean) * ops.exp(-other_log_variance)
    return 0.5 * (other_log_variance - log_variance + there - here)


def merged_gaussians(
    mean: Any, log_variance: Any, other_mean: Any, other_log_variance: Any
) -> tuple[Any, Any]:
    """Weigh two Gaussians by their precisions: what their densities' product is proportional to.

    ``v = 1 / (1/v₁ + 1/v₂)``, ``μ = v (μ₁/v₁ + μ₂/v₂)``, from log-variances: the share of the first
    precision is ``σ(log v₂ - log v₁)``, so that nothing overflows. Source: Sønderby et al., Ladder
    variational autoencoders, arXiv 1602.02282, equations 17 and 18.

    Args:
        mean: ``(..., latent)``, as the other three.
        log_variance: of the first Gaussian.
        other_mean: of the second Gaussian.
        other_log_variance: of the second Gaussian.

    Returns:
        Mean and log-variance, ``(..., latent)`` each.
    """
    share = ops.sigmoid(other_log_variance - log_variance)
    merged = other_mean + share * (mean - other_mean)
    return merged, -ops.logaddexp(-log_variance, -other_log_variance)


def gaussian_divergence(
    mean: Any, log_variance: Any, other_mean: Any, other_log_variance: Any
) -> Any:
    """Compute ``KL( N(μ, diag v) || N(m, diag s) )``, in nats.

    ``½ Σ_j [log s_j - log v_j + (v_j + (μ_j - m_j)²) / s_j - 1]``; shapes as in
    ``gaussian_log_density``. Source: Kingma and Welling, arXiv 1312.6114, appendix B, for any
    second Gaussian.
    """
    ratio = ops.exp(log_variance - other_log_variance)
    shift = ops.square(mean - other_mean) * ops.exp(-other_log_variance)
    return 0.5 * ops.sum(other_log_variance - log_variance + ratio + shift - 1.0, axis=-1)


def standard_gaussian_divergence(mean: Any, log_variance: Any) -> Any:
    """Compute ``KL( N(μ, diag v) || N(0, I) )``: ``(..., latent)`` to ``(...)``, in nats."""
    return gaussian_divergence(mean, log_variance, ops.zeros_like(mean), ops.zeros_like(mean))


def reparameterised(mean: Any, log_variance: Any, noise: Any) -> Any:
    """Draw ``μ + √v ε`` from ``N(μ, diag v)``, so that gradients pass through.

    Args:
        mean: ``(batch, latent)``.
        log_variance: ``(batch, latent)``.
        noise: ``(..., batch, latent)``, standard normal; 0 gives the mean.

    Returns:
        The shape of ``noise``. Source: Kingma and Welling, arXiv 1312.6114, section 2.4.
    """
    return mean + ops.exp(0.5 * log_variance) * noise
