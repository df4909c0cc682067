"""The spec's ``binarise``: grey values from 0 to 1 as the probabilities of pixels that are 0 or 1.

Training draws pixels anew for every batch (``sampled``). Everything else sees one binarisation that
never changes (``fixed``): the threshold of each pixel is a hash of the whole row, so a row becomes
the same pixels in every run, under every seed, and in a batch of any size.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import Final

import numpy as np

from archbuild.errors import DataError

ROUNDING: Final = 1e-6
"""The distance beyond 0 and 1 to which float32 may carry a value that is scaled to them."""

_BLOCK_VALUES = 2**20  # of which the thresholds are in memory at a time, 8 bytes each
_STEP = np.uint64(0x9E3779B97F4A7C15)
_MIX = ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB))


def sampled(rows: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw each value as 1 with the probability that it says, else 0.

    Args:
        rows: ``(batch, ...)`` float32 from 0 to 1.
        rng: one float32 is drawn for each value, in the order of ``rows``.

    Returns:
        An array of the same shape, float32.
    """
    pixels: np.ndarray = (rng.random(rows.shape, np.float32) < rows).astype(np.float32)
    return pixels


def fixed(rows: np.ndarray) -> np.ndarray:
    """Return the binarisation of each row that depends on the row alone.

    Args:
        rows: ``(batch, ...)`` float32 from 0 to 1.

    Returns:
        An array of the same shape, float32; rows of 0 and 1 stay as they are.
    """
    flat = np.ascontiguousarray(rows.reshape(len(rows), -1)) + np.float32(0)  # no negative zeros
    pixels = np.empty(flat.shape, np.float32)
    step = max(1, _BLOCK_VALUES // max(1, flat.shape[1]))
    for start in range(0, len(flat), step):
        part = slice(start, start + step)
        pixels[part] = _thresholds(flat[part]) < flat[part]
    return pixels.reshape(rows.shape)


def refuse_other_than_probabilities(rows: np.ndarray, source: str) -> None:
    """Make sure that values can be probabilities; NaN passes.

    Raises:
        DataError: some lie outside 0 to 1.
    """
    outside = (rows < -ROUNDING) | (rows > 1 + ROUNDING)
    if outside.any():
        low, high = np.fmin.reduce(rows, axis=None), np.fmax.reduce(rows, axis=None)
        raise DataError(
            f"{source} has values from {low:g} to {high:g} after scaling, and binarise: sample "
            "takes values as probabilities, from 0 to 1; scale them so (scaling: minmax, "
            "data.divide_by), or leave binarise out"
        )


def _thresholds(rows: np.ndarray) -> np.ndarray:
    """Return numbers uniform in [0, 1) for each row ``(batch, values)``: SplitMix64 of its hash.

    Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014.
    """
    seeds = [int.from_bytes(blake2b(row, digest_size=8).digest(), "little") for row in rows]
    steps = np.arange(1, rows.shape[1] + 1, dtype=np.uint64)
    state: np.ndarray = np.array(seeds, np.uint64)[:, np.newaxis] + _STEP * steps
    for shift, factor in _MIX:
        state = (state ^ (state >> np.uint64(shift))) * np.uint64(factor)
    state ^= state >> np.uint64(31)
    thresholds: np.ndarray = (state >> np.uint64(40)).astype(np.float32) * np.float32(2**-24)
    return thresholds
