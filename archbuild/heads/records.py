"""Records that heads take and return: evidence, rows to write files about, and updates."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

Decoder = Callable[[np.ndarray], np.ndarray]
"""From latents ``(n, latent)`` to rows ``(n, *input_shape)`` in the units of the data."""


class Evidence(NamedTuple):
    """Draws of ``q(z | x)`` weighed for a bound on ``log p(x)``, as tensors.

    Attributes:
        log_weights: ``log p(x, z) - log q(z | x)`` in nats, ``(draws, batch)``.
        divergences: for each level of a hierarchy, bottom first, ``log q - log p`` of every unit,
            a mean over the draws, ``(batch, units)``; none where there is one level.
    """

    log_weights: Any
    divergences: tuple[Any, ...] = ()


class TrainedRows(NamedTuple):
    """The rows of a stage that has ended.

    Attributes:
        decode: the trained decoder.
        losses: of every epoch, ``(epochs,)``.
        labels: ``(n,)`` true classes, to measure with and nothing else; ``None`` without.
    """

    decode: Decoder
    losses: np.ndarray
    labels: np.ndarray | None


class NewRows(NamedTuple):
    """New rows, as a trained model encodes them.

    Attributes:
        decode: the trained decoder.
        latents: of the rows, ``(n, latent)``.
        labels: ``(n,)`` true classes, to measure with and nothing else; ``None`` without.
    """

    decode: Decoder
    latents: np.ndarray
    labels: np.ndarray | None


class Update(NamedTuple):
    """One update of the modules of a head above the network.

    Attributes:
        number: counted from 1.
        latents: ``(n, latent)`` of the training rows, the input of the update.
        clusters: ``(n,)``, the cluster of each row after the update.
        drawn: whether the latents are draws of ``q(z | row)``; else they are its means.
    """

    number: int
    latents: np.ndarray
    clusters: np.ndarray
    drawn: bool
