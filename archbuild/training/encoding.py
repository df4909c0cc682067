"""Encode a whole dataset, always with inference statistics and in chunks of one fixed size."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from archbuild.data.batches import ordered_batches
from archbuild.networks.rows import ROWS_AT_ONCE, by_rows
from archbuild.training.feed import Feed

Reader = Callable[[np.ndarray], np.ndarray]
"""From a batch to what is wanted of each row: ``Network.predict_latents``, ``Network.reader``."""


def encode(read: Reader, feed: Feed, chosen: np.ndarray | None = None) -> np.ndarray:
    """Apply ``read`` to all rows, or to those ``chosen`` by index; ``(n, ...)`` float32."""
    chosen = np.arange(len(feed)) if chosen is None else chosen
    batches = ordered_batches(len(chosen), ROWS_AT_ONCE)
    return np.concatenate([by_rows(read, feed.clean(chosen[places])) for places in batches])
