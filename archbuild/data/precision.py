"""The range of columns of numbers, and whether float32 holds what they say."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

_EPS = float(np.finfo(np.float32).eps)
_STEP = float(np.finfo(np.float32).smallest_subnormal)  # near 0
_SHARE = 1e-5  # of a column's range; a rounding error below it changes no cluster


def extremes(parts: Iterable[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Return the least and the greatest value of each column or channel; NaN is left out.

    Args:
        parts: ``(rows, ..., columns)``, at least one.
    """
    low, high = np.full(1, np.inf), np.full(1, -np.inf)
    for part in parts:
        points = part.reshape(-1, part.shape[-1])
        # fmin and fmax leave NaN out
        low = np.fmin(low, np.fmin.reduce(points, axis=0))
        high = np.fmax(high, np.fmax.reduce(points, axis=0))
    return low, high


def needs_double(parts: Iterable[np.ndarray]) -> bool:
    """Return whether rounding to float32 would blur a column.

    A column of Unix seconds does: float32 has steps of 128 there, wider than a minute. The
    rounding error is compared with the range of the column.

    Args:
        parts: ``(rows, ..., columns)`` of float64 or integers.
    """
    low, high = extremes(parts)
    spread, size = high - low, np.maximum(np.abs(low), np.abs(high))
    rounding = np.maximum(_EPS * size, _STEP)
    return bool(((spread > 0) & (rounding > _SHARE * spread)).any())
