"""Counts whose rows are of different size: negative binomials with library size."""

from __future__ import annotations

from typing import Any, Final

from keras import ops

from archbuild.data.counts import TARGET_SUM

_SHIFT: Final = 8  # Stirling's series is exact to float32 from here on


def log_normalised_counts(counts: Any) -> Any:
    """Compute ``log(1 + 10,000 x / s)``, ``s`` the sum of the row; rows of zeros stay so.

    Args:
        counts: ``(batch, features)``.

    Returns:
        The same shape.
    """
    return ops.log1p(TARGET_SUM * counts / ops.maximum(library_size(counts), 1e-6))


def library_size(counts: Any) -> Any:
    """Compute the sum of each row: ``(batch, features)`` to ``(batch, 1)``."""
    return ops.sum(counts, axis=-1, keepdims=True)


def negative_binomial_negative_log_likelihood(
    counts: Any, logits: Any, log_dispersion: Any, present: Any = None, by_row: bool = False
) -> Any:
    """Compute ``-log NB(x | m, t)``: sum over a row, mean over the batch, in nats.

    ``m = s softmax(l)`` with ``s`` the sum of the row (its library size), and
    ``log NB = log Γ(x + t) - log Γ(t) - log Γ(x + 1) + t log(t / (t + m)) + x log(m / (t + m))``,
    a variance of ``m + m² / t``.

    Args:
        counts: ``(batch, features)``, none below 0.
        logits: ``(batch, features)``.
        log_dispersion: ``(batch, features)``, ``log t``, bounded.
        present: ``(batch, features)``, 1 or 0; elements where it is 0 are left out.
        by_row: whether to leave out the mean over the batch.

    Returns:
        A scalar; ``(batch,)`` under ``by_row``. Source: Lopez et al., Deep generative modeling for
        single-cell transcriptomics, Nature Methods 15 (2018), with the observed library size;
        Eraslan et al., Nature Communications 10 (2019), eq. 1.
    """
    return _negative_sum(_log_mass(counts, logits, log_dispersion), present, by_row)


def zero_inflated_negative_log_likelihood(
    counts: Any,
    logits: Any,
    log_dispersion: Any,
    dropout_logits: Any,
    present: Any = None,
    by_row: bool = False,
) -> Any:
    """Compute ``-log ZINB(x | d, m, t)``: sum over a row, mean over the batch, in nats.

    ``ZINB(x) = d [x = 0] + (1 - d) NB(x | m, t)`` with ``d = σ(dropout_logits)``, the chance that a
    count was lost, and ``NB`` as in ``negative_binomial_negative_log_likelihood``.

    Args:
        counts: ``(batch, features)``, none below 0.
        logits: ``(batch, features)``.
        log_dispersion: ``(batch, features)``, ``log t``, bounded.
        dropout_logits: ``(batch, features)``.
        present: ``(batch, features)``, 1 or 0; elements where it is 0 are left out.
        by_row: whether to leave out the mean over the batch.

    Returns:
        A scalar; ``(batch,)`` under ``by_row``. Source: Eraslan et al., Nature Communications 10
        (2019), eq. 1 and 2, with the observed library size.
    """
    log_mass = _log_mass(counts, logits, log_dispersion)
    either = ops.where(counts > 0, log_mass, ops.logaddexp(dropout_logits, log_mass))
    return _negative_sum(either - ops.softplus(dropout_logits), present, by_row)


def _log_mass(counts: Any, logits: Any, log_dispersion: Any) -> Any:
    """Return ``log NB`` of every count."""
    dispersion = ops.exp(log_dispersion)
    log_mean = ops.log(ops.maximum(library_size(counts), 1e-6)) + ops.log_softmax(logits, axis=-1)
    log_total = ops.logaddexp(log_dispersion, log_mean)  # of t + m
    return (
        log_gamma_ratio(dispersion, counts)
        - log_gamma_ratio(ops.ones_like(counts), counts)
        - dispersion * ops.log1p(ops.exp(log_mean - log_dispersion))
        + counts * (log_mean - log_total)
    )


def _negative_sum(log_masses: Any, present: Any, by_row: bool) -> Any:
    log_masses = log_masses if present is None else log_masses * present
    rows = ops.sum(log_masses, axis=-1)
    return -rows if by_row else -ops.mean(rows)


def log_gamma_ratio(start: Any, steps: Any) -> Any:
    """Compute ``log Γ(a + x) - log Γ(a)`` for ``a > 0`` and ``x >= 0``, of any shape.

    By Stirling's series at ``a + 8``, and the recurrence from there down. Differences are taken
    before anything large is added, so float32 keeps what a difference of logarithms would lose.
    """
    below = sum(ops.log1p(steps / (start + step)) for step in range(_SHIFT))
    first = start + _SHIFT
    last = first + steps
    series = (
        steps * ops.log(last)
        + (first - 0.5) * ops.log1p(steps / first)
        - steps
        + _stirling_rest(last)
        - _stirling_rest(first)
    )
    return series - below


def _stirling_rest(value: Any) -> Any:
    """Return what Stirling's series adds to ``(z - ½) log z - z + ½ log 2π``."""
    inverse = 1.0 / value
    return inverse * (1 / 12 - ops.square(inverse) * (1 / 360 - ops.square(inverse) / 1260))
