"""The numbers of series: text to floats, and what float64 loses of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import numpy as np

from archbuild.data.columns import is_missing, number_in, rounding_in
from archbuild.data.dataset import chunk_slices
from archbuild.data.formats.tables.faults import LARGEST
from archbuild.data.precision import EXACT, Blur, exactly, extremes, is_blur
from archbuild.data.spill import read_part
from archbuild.errors import DataError

_LONGEST = 30  # characters of a cell that are shown


def at_line(path: Path, number: int, error: DataError) -> DataError:
    """Return an error of a line with its place in front."""
    return DataError(f"{path}, line {number}: {error}")


def number_or_gap(cell: str) -> float | None:
    """Return the number in a cell, NaN where it is missing; ``None`` where it is no such number."""
    number = number_in(cell)
    if number is None and is_missing(cell):
        return np.nan
    return None if number is None or abs(number) > LARGEST else number


@dataclass
class _Beyond:
    """The whole numbers of a channel that float64 may not hold.

    Attributes:
        low, high: the least and the greatest, exactly.
        rounding: how far float64 is from one, at most.
    """

    low: float | Fraction
    high: float | Fraction
    rounding: float | Fraction


@dataclass
class Numbers:
    """The way from the cells of series to numbers."""

    _beyond: dict[int, _Beyond] = field(default_factory=dict)

    def read(self, text: str, channel: int) -> list[float]:
        """Return cells between commas as numbers; ``?`` and NaN stand for a missing one.

        Raises:
            DataError: a cell holds something else; its text begins with the cell's place.
        """
        cells = text.split(",")
        try:
            numbers = [*map(float, cells)]
        except ValueError:
            return self._slowly(cells, channel) if text.strip() else []
        # true of no NaN, and the text tells what float64 loses
        is_plain = all([-EXACT < number < EXACT for number in numbers])
        return numbers if is_plain and "_" not in text else self._slowly(cells, channel)

    def note(self, cell: str, number: float, channel: int) -> None:
        """Note a number that float64 may not hold."""
        if abs(number) >= EXACT:
            exact, rounding = rounding_in(cell, number)
            seen = self._beyond.setdefault(channel, _Beyond(exact, exact, rounding))
            seen.low, seen.high = min(seen.low, exact), max(seen.high, exact)
            seen.rounding = max(seen.rounding, rounding)

    def blur(self, values: np.ndarray) -> Blur | None:
        """Return the first channel that float64 would blur; ``None`` if it holds all of them.

        Args:
            values: the numbers, ``(n, length, channels)``.
        """
        if not any(each.rounding for each in self._beyond.values()):
            return None
        parts = chunk_slices(len(values), values[:1].nbytes)
        low, high = extremes(read_part(values, part) for part in parts)
        for channel, seen in sorted(self._beyond.items()):
            ends = (exactly(end[channel]) for end in (low, high) if abs(end[channel]) < EXACT)
            known = [Fraction(seen.low), Fraction(seen.high), *ends]
            least, most = min(known), max(known)
            if is_blur(Fraction(seen.rounding), most - least):
                return Blur(channel, least, most)
        return None

    def _slowly(self, cells: Sequence[str], channel: int) -> list[float]:
        numbers = []
        for place, cell in enumerate(cells, 1):
            number = number_or_gap(cell)
            if number is None:
                shown = cell.strip()[:_LONGEST]
                raise DataError(f"value {place}, '{shown}', is no finite number")
            self.note(cell, number, channel)
            numbers.append(number)
        return numbers
