"""Encoding a whole dataset, always with inference statistics and in chunks of one fixed size."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from archbuild.data.batches import ordered_batches
from archbuild.training.feed import Feed

# One fixed size: kernels may choose their algorithm by the batch's size, and a row's latent must
# not depend on which rows it is encoded with.
CHUNK = 512

Reader = Callable[[np.ndarray], np.ndarray]
"""From a batch to what is wanted of each row: ``Network.predict_latents``, ``Network.reader``."""


def encode(read: Reader, feed: Feed, chosen: np.ndarray | None = None) -> np.ndarray:
    """What ``read`` gives for all rows, or for those ``chosen`` by index; ``(n, ...)`` float32."""
    chosen = np.arange(len(feed)) if chosen is None else chosen
    parts = [
        _encode_chunk(read, feed.clean(chosen[places]))
        for places in ordered_batches(len(chosen), CHUNK)
    ]
    return np.concatenate(parts)


def encode_rows(read: Reader, rows: np.ndarray) -> np.ndarray:
    """The same for rows ``(n, *input_shape)`` as the network takes them."""
    parts = [
        _encode_chunk(read, rows[start : start + CHUNK])
        for start in range(0, max(len(rows), 1), CHUNK)
    ]
    return np.concatenate(parts)


def _encode_chunk(read: Reader, rows: np.ndarray) -> np.ndarray:
    """At most ``CHUNK`` rows; fewer are filled up with zeros for the kernel."""
    padded = np.zeros((CHUNK, *rows.shape[1:]), "float32")
    padded[: len(rows)] = rows
    return read(padded)[: len(rows)]
