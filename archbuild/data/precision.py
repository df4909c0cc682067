"""The range of columns of numbers, and whether float32, or float64, holds what they say."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np

EXACT = 2**53
"""Float64 holds all whole numbers up to this one."""

_EPS = float(np.finfo(np.float32).eps)
_EPS_DOUBLE = float(np.finfo(np.float64).eps)
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


class Blur(NamedTuple):
    """A column that float64 does not hold.

    Attributes:
        column: its place, from 0.
        low, high: its least and its greatest number, exactly.
    """

    column: int
    low: Any
    high: Any

    @property
    def in_words(self) -> str:
        """The loss of digits and the remedy, as words behind the name of the column."""
        step = np.spacing(max(abs(float(self.low)), abs(float(self.high))))
        return (
            f"goes from {_shown(self.low)} to {_shown(self.high)}, a range of "
            f"{float(self.high - self.low):,g}; float64, in which numbers are scaled, has steps of "
            f"{step:,g} there, so that different numbers would become equal. Subtract the column's "
            "least number and save it again"
        )


def _shown(number: Any) -> str:
    """Return a number with all digits before its point, and those behind where there are few."""
    return str(int(number)) if abs(number) >= EXACT else str(number)


def is_blur(rounding: Fraction, spread: Fraction) -> bool:
    """Return whether a rounding error hides what a column of that range says."""
    return spread > 0 and rounding > Fraction(_SHARE) * spread


def blur_of_double(parts: Iterable[np.ndarray]) -> Blur | None:
    """Return the first column that float64 would blur; ``None`` if it holds all of them.

    That may be the case of whole numbers of 64 bits and of floats of more; others are held.

    Args:
        parts: ``(rows, ..., columns)`` of one type, at least one; NaN is left out.
    """
    low: np.ndarray | None = None
    high: np.ndarray | None = None
    for part in parts:
        if part.dtype.itemsize < 8 or part.dtype == np.float64:
            return None
        points = part.reshape(-1, part.shape[-1])
        least, most = np.fmin.reduce(points, axis=0), np.fmax.reduce(points, axis=0)
        low = least if low is None else np.fmin(low, least)
        high = most if high is None else np.fmax(high, most)
    return None if low is None or high is None else _first_blur(low, high)


def _first_blur(low: np.ndarray, high: np.ndarray) -> Blur | None:
    sizes = np.maximum(np.abs(low.astype(np.float64)), np.abs(high.astype(np.float64)))
    beyond = sizes >= EXACT if low.dtype.kind in "iu" else np.isfinite(sizes)
    for column in np.flatnonzero(beyond).tolist():
        least, most = low[column].item(), high[column].item()
        spread = exactly(most) - exactly(least)
        if is_blur(Fraction(_EPS_DOUBLE) * exactly(sizes[column]), spread):
            return Blur(column, least, most)
    return None


def exactly(number: Any) -> Fraction:
    """Return a number, of Python or NumPy, as a fraction."""
    return Fraction(*number.as_integer_ratio())
