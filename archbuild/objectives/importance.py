"""Importance-weighted bounds on the evidence, from the weights of several draws."""

from __future__ import annotations

from math import log
from typing import Any

from keras import ops


def importance_bound(log_weights: Any) -> Any:
    """Compute ``L_S = log (1/S) Σ_s w_s`` of each row, by log-sum-exp.

    With ``w_s = p(x, z_s) / q(z_s | x)`` and ``z_s`` from ``q`` its mean is a lower bound on
    ``log p(x)``: the evidence lower bound at ``S = 1``, never lower with more draws, and ``log
    p(x)`` in the limit. Source: Burda et al., Importance weighted autoencoders, arXiv 1509.00519,
    equation 8.

    Args:
        log_weights: ``log w_s``, ``(S, ...)``, in nats.

    Returns:
        ``(...)``: the first axis is that of the draws.
    """
    return ops.logsumexp(log_weights, axis=0) - log(log_weights.shape[0])
