"""The divisors that bring images of all depths to one range.

Images of one depth, and deeper ones that hold no more than bytes, share one unit: they keep their
own numbers, and the largest of all decides the divisor. Where 8-bit images lie beside deeper ones,
each depth has a divisor of its own, kept with the model: 255 for bytes, the largest number of as
many bits as the maximum has for the others, and 1 for floats from 0 to 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil
from typing import NamedTuple

import numpy as np

from archbuild.data.guess import Guess
from archbuild.data.request import BYTES, DEEP, FLOATS, Known, ReadRequest
from archbuild.errors import DataError

_LARGEST_BYTE = 255
_LARGEST = 0xFFFFFFFF
_FRACTIONS = 2  # floats below it go from 0 to 1, or a little beyond
_WORDS = {BYTES: "8-bit images", DEEP: "images of more bits", FLOATS: "images of floats"}

Ranges = Mapping[str, tuple[float, float]]
"""Depth -> the least and the largest number of all its images."""


class Divisors(NamedTuple):
    """The divisor of each depth, and what is said about them.

    Attributes:
        by_depth: one for each depth that is there.
        guesses: the decision; none where the user made it.
    """

    by_depth: Mapping[str, float]
    guesses: tuple[Guess, ...] = ()

    @property
    def shared(self) -> float | None:
        """The one divisor of all images; ``None`` where depths have different ones."""
        found = set(self.by_depth.values())
        return found.pop() if len(found) == 1 else None

    def dtype(self, ranges: Ranges) -> np.dtype:
        """Return the type that holds the numbers: the files' own under one divisor, else floats."""
        if self.shared is None or FLOATS in ranges:
            return np.dtype(np.float32)
        if DEEP not in ranges:
            return np.dtype(np.uint8)
        low, high = ranges[DEEP]
        return np.result_type(
            np.uint16, np.min_scalar_type(int(low)), np.min_scalar_type(int(high))
        )


def divisors_for(ranges: Ranges, request: ReadRequest) -> Divisors:
    """Return what the numbers of each depth are divided by.

    Args:
        ranges: of the depths that are there, at least one.
        request: ``data.divide_by`` settles it; a trained model has divisors of its own.

    Raises:
        DataError: depths are mixed, and one of them has no range that could be compared.
    """
    told = request.options.divide_by
    if told is not None:
        return Divisors(dict.fromkeys(ranges, told))
    if request.known is not None:
        return _as_known(ranges, request.known)
    return _by_range(ranges, str(request.path))


def _by_range(ranges: Ranges, source: str) -> Divisors:
    if len(ranges) == 1 or _are_alike(ranges):
        divisor = _joint(ranges)
        return Divisors(dict.fromkeys(ranges, divisor), (_say_one(ranges, divisor),))
    by_depth = {depth: _own(depth, *ranges[depth], source) for depth in ranges}
    return Divisors(by_depth, (_say_several(ranges, by_depth),))


def _as_known(ranges: Ranges, known: Known) -> Divisors:
    """Return the divisors of the training images, and for other depths their own."""
    kept = known.divisors or _of_scale(known.scale)
    by_depth = {}
    for depth, (low, high) in ranges.items():
        is_like_bytes = depth == DEEP and high <= kept.get(BYTES, 0)
        by_depth[depth] = kept.get(BYTES if is_like_bytes else depth) or _own(depth, low, high)
    new = {depth: by_depth[depth] for depth in by_depth if depth not in known.divisors}
    if not known.divisors or not new:
        return Divisors(by_depth)
    trained = " and ".join(_words(depth, known.divisors[depth]) for depth in known.divisors)
    found = "; ".join(_words(depth, new[depth]) for depth in new)
    return Divisors(by_depth, (Guess("range", f"{found}; the model was trained on {trained}"),))


def _of_scale(scale: float | None) -> Mapping[str, float]:
    """Return the divisors of a model that keeps its scale alone."""
    divisor = 1 / scale if scale else _LARGEST_BYTE
    return {BYTES: divisor} if divisor <= _LARGEST_BYTE else {DEEP: round(divisor)}


def _are_alike(ranges: Ranges) -> bool:
    """Return whether all images hold bytes, whatever room for more the files have."""
    fits = all(low >= 0 and high <= _LARGEST_BYTE for low, high in ranges.values())
    return fits and not (FLOATS in ranges and ranges[FLOATS][1] < _FRACTIONS)


def _joint(ranges: Ranges) -> float:
    """Return the divisor of images of one unit; 1 for numbers below 0 and for fractions to 1."""
    low, high = _ends(ranges)
    is_plain = low < 0 or high > _LARGEST or (FLOATS in ranges and high < _FRACTIONS)
    return 1 if is_plain else _of_bits(high)


def _own(depth: str, low: float, high: float, source: str = "") -> float:
    """Return the divisor of a depth beside others."""
    if depth == BYTES:
        return _LARGEST_BYTE
    if source and (low < 0 or high > _LARGEST):
        raise DataError(
            f"{source} holds {_WORDS[depth]} with numbers from {low:,.6g} to {high:,.6g} beside "
            "others, so their ranges cannot be compared; give each kind a folder of its own, or "
            "say with data.divide_by what all of them are divided by"
        )
    is_plain = low < 0 or (depth == FLOATS and high < _FRACTIONS)
    return 1 if is_plain else max(_LARGEST_BYTE, _of_bits(high))


def _ends(ranges: Ranges) -> tuple[float, float]:
    return min(each[0] for each in ranges.values()), max(each[1] for each in ranges.values())


def _of_bits(high: float) -> float:
    """Return the largest number of as many bits as a number has; at least 1."""
    return float(2 ** max(1, ceil(high).bit_length()) - 1)


def _say_one(ranges: Ranges, divisor: float) -> Guess:
    low, high = _ends(ranges)
    numbers = "floats" if FLOATS in ranges else "whole numbers"
    done = f"divided by {divisor:,.0f}" if divisor != 1 else "used as they are"
    other = 1 if divisor != 1 else _LARGEST_BYTE
    said = f"{numbers} from {low:,.6g} to {high:,.6g}, {done}"
    return Guess("range", said, f"divide_by={other}")


def _say_several(ranges: Ranges, by_depth: Mapping[str, float]) -> Guess:
    parts = [
        _words(depth, by_depth[depth])
        + (f", up to {ranges[depth][1]:,.6g}" if depth != BYTES else "")
        for depth in _WORDS
        if depth in ranges
    ]
    return Guess("range", "; ".join(parts), f"divide_by={max(by_depth.values()):.0f}")


def _words(depth: str, divisor: float) -> str:
    return f"{_WORDS[depth]} divided by {divisor:,.6g}"
