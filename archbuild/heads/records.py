"""What a head is told of rows when it writes files of its own, and what it tells of its updates."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

Decoder = Callable[[np.ndarray], np.ndarray]
"""From latents ``(n, latent)`` to rows ``(n, *input_shape)`` in the units of the data."""


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
    """Rows that a trained model is asked about.

    Attributes:
        decode: the trained decoder.
        latents: of the rows, ``(n, latent)``.
        labels: ``(n,)`` true classes, to measure with and nothing else; ``None`` without.
    """

    decode: Decoder
    latents: np.ndarray
    labels: np.ndarray | None


class Update(NamedTuple):
    """One update of what a head keeps above the network.

    Attributes:
        number: counted from 1.
        latents: ``(n, latent)`` of the training rows, as the update took them.
        clusters: ``(n,)``, the cluster that the update put each row into.
        drawn: whether the latents are draws of ``q(z | row)``; else they are its means.
    """

    number: int
    latents: np.ndarray
    clusters: np.ndarray
    drawn: bool
