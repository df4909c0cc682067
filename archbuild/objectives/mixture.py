"""Gaussian mixtures as priors: responsibilities in log space, and the divergences of a bound.

The components are those of one mixture, ``(cluster, latent)``, or of one mixture for each row,
``(batch, cluster, latent)``, as where a network of another latent makes them (GMVAE).
"""

from __future__ import annotations

from typing import Any, Final

from keras import ops

from archbuild.objectives.gaussian import gaussian_divergence, gaussian_log_density

INVERSE_MIN_MAX_SHARPNESS: Final = 20.0
_LEAST_RANGE: Final = 1e-3  # nats


def component_log_joints(latent: Any, log_weights: Any, means: Any, log_variances: Any) -> Any:
    """Compute ``log π_k + log N(z_i | m_k, diag s_k)`` for every row and component.

    Args:
        latent: ``(batch, latent)``.
        log_weights: ``(cluster,)``.
        means: ``(cluster, latent)`` or ``(batch, cluster, latent)``.
        log_variances: of the shape of ``means``.

    Returns:
        ``(batch, cluster)``, in nats. Its log-sum-exp over the clusters is ``log p(z_i)``.
    """
    return log_weights + gaussian_log_density(ops.expand_dims(latent, 1), means, log_variances)


def log_responsibilities(log_joints: Any) -> Any:
    """Compute ``log p(k | z_i)`` from ``component_log_joints``: Bayes' rule by log-softmax.

    Args:
        log_joints: ``(batch, cluster)``; any constant per row cancels.

    Returns:
        ``(batch, cluster)``; ``exp`` of each row sums to 1. Source: Jiang et al., "Variational
        deep embedding" (VaDE), arXiv 1611.05148, equation 16, without its way over ``exp``.
    """
    return ops.log_softmax(log_joints, axis=1)


def inverse_min_max_log_responsibilities(log_joints: Any) -> Any:
    """Return S3VDC's stand-in for ``log p(k | z_i)``: energies scaled to 0..1 over the batch.

    ``e = -log_joints``, ``ê = (e - min e) / (max e - min e)`` over all rows and clusters of the
    batch, and ``softmax_k(-20 ê)``. A cluster is at most ``e^20`` times as likely as another, and
    the value depends on the rest of the batch: it is for training, never for reporting. A component
    that is far from every row takes the whole scale for itself, and the others look alike then.

    Args:
        log_joints: ``(batch, cluster)``.

    Returns:
        ``(batch, cluster)``; ``exp`` of each row sums to 1. Source: Cao et al., "Simple, scalable,
        and stable variational deep clustering" (S3VDC), arXiv 2005.08047, inverse min-max.
    """
    energies = -log_joints
    lowest, highest = ops.min(energies), ops.max(energies)
    # below the floor all rows and clusters agree: no 0 / 0, and no slope without bound
    scaled = (energies - lowest) / ops.maximum(highest - lowest, _LEAST_RANGE)
    return ops.log_softmax(-INVERSE_MIN_MAX_SHARPNESS * scaled, axis=1)


def component_divergences(mean: Any, log_variance: Any, means: Any, log_variances: Any) -> Any:
    """Compute ``KL( q(z | x_i) || N(m_k, diag s_k) )`` for every row and component.

    Args:
        mean: of ``q``, ``(batch, latent)``.
        log_variance: of ``q``, ``(batch, latent)``.
        means: ``(cluster, latent)`` or ``(batch, cluster, latent)``.
        log_variances: of the shape of ``means``.

    Returns:
        ``(batch, cluster)``, in nats, never below 0.
    """
    return gaussian_divergence(
        ops.expand_dims(mean, 1), ops.expand_dims(log_variance, 1), means, log_variances
    )


def tightest_log_responsibilities(log_weights: Any, divergences: Any) -> Any:
    """Return the ``q(k | x_i)`` of the tightest bound: ``∝ π_k exp(-KL_ik)``, in log space.

    ``E_q(k) [KL_ik] + KL(q(k) || π)`` is smallest there, with value ``-log Σ_k π_k exp(-KL_ik)``
    (the mean-field update of a categorical factor: Bishop, Pattern Recognition and Machine
    Learning, equation 10.9). Unlike ``p(k | z)`` it needs no sample.

    Args:
        log_weights: ``(cluster,)``.
        divergences: ``(batch, cluster)``, from ``component_divergences``.

    Returns:
        ``(batch, cluster)``; ``exp`` of each row sums to 1.
    """
    return ops.log_softmax(log_weights - divergences, axis=1)


def expected_divergence(log_assignment: Any, divergences: Any) -> Any:
    """Compute ``Σ_k q_ik KL_ik``, the conditional prior's part of the bound, exact in the clusters.

    Args:
        log_assignment: ``log q_ik``, ``(batch, cluster)``.
        divergences: ``(batch, cluster)``.

    Returns:
        ``(batch,)``, in nats. Sources: VaDE, arXiv 1611.05148, equation 12; GMVAE (Dilokthanakul
        et al.), arXiv 1611.02648, the conditional prior term of equation 4.
    """
    return ops.sum(ops.exp(log_assignment) * divergences, axis=1)


def categorical_divergence(log_assignment: Any, log_weights: Any) -> Any:
    """Compute ``KL(q_i || π) = Σ_k q_ik (log q_ik - log π_k)`` for each row.

    Args:
        log_assignment: ``log q_ik``, ``(batch, cluster)``; finite, as a log-softmax is.
        log_weights: ``log π_k``, ``(cluster,)``.

    Returns:
        ``(batch,)``, in nats.
    """
    return ops.sum(ops.exp(log_assignment) * (log_assignment - log_weights), axis=1)


def categorical_entropy(log_assignment: Any) -> Any:
    """Compute ``H[q_i] = -Σ_k q_ik log q_ik`` for each row.

    Of ``p(k | x, w)`` it is the consistency violation: how undecided the generative model is about
    the cluster of what the encoder gave. Source: GMVAE, arXiv 1611.02648, first two versions.

    Args:
        log_assignment: ``(batch, cluster)``; finite.

    Returns:
        ``(batch,)``, in nats, between 0 and ``log K``.
    """
    return -ops.sum(ops.exp(log_assignment) * log_assignment, axis=1)


def at_least(divergence: Any, minimum: float) -> Any:
    """Compute ``max(λ, KL)``: a divergence below ``minimum`` adds nothing and has no gradient.

    The minimum information constraint. Source: Kingma et al., arXiv 1606.04934, appendix C.8 (free
    bits); used on the cluster's divergence by the final version of GMVAE, arXiv 1611.02648.

    Args:
        divergence: of any shape, in nats: a scalar clamps the batch's mean, rows each for itself.
        minimum: λ, in nats.
    """
    return ops.maximum(divergence, minimum)
