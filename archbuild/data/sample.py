"""Rows drawn by a seed, for work that cannot look at all rows of large data."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from archbuild.data import spill

MOST_ROWS = 200_000
"""No start and no score without labels looks at more points: their time and memory may grow faster
than the rows do."""

_SAMPLE_BYTES: Final = 64 * 2**20


def drawn_rows(count: int, seed: int, limit: int) -> NDArray[np.intp]:
    """Draw ``(min(count, limit),)`` rows without replacement; they depend on the three alone.

    Returns:
        Row numbers in ascending order.
    """
    if count <= limit:
        return np.arange(count)
    return np.sort(np.random.default_rng(seed).choice(count, limit, replace=False))


def bounded_rows(count: int, row_bytes: int, seed: int) -> NDArray[np.intp] | None:
    """Return the rows that stand for all where these are too many; ``None``: all are looked at.

    Args:
        count: how many rows there are.
        row_bytes: of one. All rows are looked at up to 200,000 of them and 256 MiB; a sample has
            as many rows, or what fits into 64 MiB.
        seed: of the sample.
    """
    if count <= MOST_ROWS and count * row_bytes <= spill.IN_MEMORY:
        return None
    return drawn_rows(count, seed, min(MOST_ROWS, max(1, _SAMPLE_BYTES // max(1, row_bytes))))
