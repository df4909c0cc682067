"""Distance to the centre of the assigned cluster: the k-means part of a joint loss."""

from __future__ import annotations

from typing import Any

from keras import ops


def squared_centre_distance(latent: Any, assigned_centre: Any) -> Any:
    """Compute ``½ ||z_i - M s_i||²`` for each row.

    Args:
        latent: ``(batch, latent)``.
        assigned_centre: ``(batch, latent)``, the centre that each row is assigned to; constant.

    Returns:
        ``(batch,)``. Source: Yang et al., "Towards k-means-friendly spaces" (DCN),
        arXiv 1610.04794, equation 8 (its λ is the caller's).
    """
    return 0.5 * ops.sum(ops.square(latent - ops.stop_gradient(assigned_centre)), axis=1)


def centre_distance(latent: Any, assigned_centre: Any) -> Any:
    """Compute ``||z_i - M s_i||`` for each row: the norm itself, not its square.

    Args:
        latent: ``(batch, latent)``.
        assigned_centre: ``(batch, latent)``, the centre that each row is assigned to; constant.

    Returns:
        ``(batch,)``. Source: Aljalbout et al., arXiv 1801.07648, k-means loss as in its code. The
        norm's gradient at 0 is undefined; a small floor under the root makes it 0.
    """
    return ops.sqrt(2.0 * squared_centre_distance(latent, assigned_centre) + 1e-12)
