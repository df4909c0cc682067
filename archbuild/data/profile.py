"""The look of a column's cells: its kind, and why it may be none of numbers."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from math import inf, isfinite
from typing import Final

from archbuild.data.columns import (
    BOOLEAN,
    BOOLEANS,
    CATEGORY,
    DATE,
    IDENTIFIER,
    IGNORE,
    NUMBER,
    date_in,
    is_missing,
    number_in,
    rounding_in,
)
from archbuild.data.precision import Blur, is_blur

MOST_DISTINCT: Final = 10_000
"""Different texts of a column that are kept; more make no category."""

_MOST_CATEGORIES = 50
_NEARLY_ALL = 0.8
_SHOWN = 5
_PADDED: Final = re.compile(r"[+-]?0\d+")
_OTHER_DATE: Final = re.compile(r"\d{1,4}([./-])\d{1,2}\1\d{2,4}( .*)?")
_TIME: Final = re.compile(r"\d{1,2}:\d{2}(:\d{2}([.,]\d+)?)?")
_IN_AFFIXES: Final = re.compile(r"(\D*?)[+-]?\d[\d.,]*(\D*)")


@dataclass
class Profile:
    """The cells of one column, counted as they come.

    Attributes:
        decimal: the decimal sign of its numbers.
        texts: how often each text occurs, in the order of the first; ``MOST_DISTINCT`` are kept.
        missing: how many cells stand for no value.
        numbers, booleans, dates: how many can be read as such.
        padded: how many are whole numbers with leading zeros, such as ``01234``.
        rounded: how many are numbers of 2^53 and beyond that float64 does not hold.
        rounding: how far float64 is from them, at most.
        low, high: the least and the greatest number, exactly; finite.
        odd: place and text of the first cells that are no numbers.
    """

    decimal: str = "."
    texts: Counter[str] = field(default_factory=Counter)
    rows: int = 0
    missing: int = 0
    numbers: int = 0
    booleans: int = 0
    dates: int = 0
    padded: int = 0
    rounded: int = 0
    rounding: float | Fraction = 0.0
    low: float | Fraction = inf
    high: float | Fraction = -inf
    odd: list[tuple[str, str]] = field(default_factory=list)

    def add(self, cells: Sequence[str], places: Sequence[str]) -> None:
        """Count more cells; ``places`` say for messages where each is."""
        for text, count in Counter(map(str.strip, cells)).items():
            self._count(text, count)
        self.rows += len(cells)
        if self.missing + self.numbers < self.rows and len(self.odd) < _SHOWN:
            self._note_odd(cells, places)

    def _count(self, text: str, count: int) -> None:
        if is_missing(text):
            self.missing += count
            return
        if text in self.texts or len(self.texts) < MOST_DISTINCT:
            self.texts[text] += count
        number = number_in(text, self.decimal)
        if number is not None:
            self.numbers += count
            self.padded += count if _PADDED.fullmatch(text) else 0
            self._compare(text, number, count)
        elif text.casefold() in BOOLEANS:
            self.booleans += count
        elif date_in(text) is not None:
            self.dates += count

    def _compare(self, text: str, number: float, count: int) -> None:
        """Note how far float64 is from a number."""
        if not isfinite(number):
            return
        exact, rounding = rounding_in(text, number, self.decimal)
        if rounding:
            self.rounded += count
            self.rounding = max(self.rounding, rounding)
        self.low, self.high = min(self.low, exact), max(self.high, exact)

    @property
    def blur(self) -> Blur | None:
        """The blur of the numbers in float64; ``None`` where it tells them apart."""
        if not self.rounding:
            return None
        low, high = Fraction(self.low), Fraction(self.high)
        return Blur(0, low, high) if is_blur(Fraction(self.rounding), high - low) else None

    def _note_odd(self, cells: Sequence[str], places: Sequence[str]) -> None:
        for place, cell in zip(places, cells, strict=True):
            if not is_missing(cell) and number_in(cell, self.decimal) is None:
                self.odd.append((place, cell.strip()))
                if len(self.odd) == _SHOWN:
                    return

    @property
    def filled(self) -> int:
        """Number of cells that hold a value."""
        return self.rows - self.missing

    @property
    def nearly_numeric(self) -> bool:
        """True if most cells are numbers and some are not: a fault rather than a kind."""
        mostly = _NEARLY_ALL * self.filled <= self.numbers < self.filled
        return mostly and not self.padded and not self._is_boolean

    @property
    def _is_boolean(self) -> bool:
        """True if every cell is a truth value, 0 and 1 among words such as true."""
        numbers = {text for text in self.texts if number_in(text, self.decimal) is not None}
        return (
            self.booleans > 0
            and numbers <= {"0", "1"}
            and (self.numbers + self.booleans == self.filled)
        )

    def kind(self) -> str:
        """Return the kind that the cells look like."""
        if not self.filled:
            return IGNORE
        for kind, count in (
            (NUMBER, self.numbers if not self.padded else 0),
            (BOOLEAN, self.filled if self._is_boolean else 0),
            (DATE, self.dates),
        ):
            if count == self.filled:
                return kind
        if self.dates >= _NEARLY_ALL * self.filled:
            return DATE  # the cells that are none are refused by line
        if len(self.texts) <= min(_MOST_CATEGORIES, max(1, self.filled // 2)):
            return CATEGORY
        return IDENTIFIER

    def in_words(self) -> str:
        """Return what texts look like that are no category: ``numbers with 'kg' behind them``."""
        for pattern, name in (
            (_OTHER_DATE, "dates in another form than 2024-01-31"),
            (_TIME, "times of day"),
        ):
            if all(map(pattern.fullmatch, self.texts)):
                return f"{name} ('{next(iter(self.texts))}')"
        if self._have_other_sign:
            other, own = ("comma", "point") if self.decimal == "." else ("point", "comma")
            shown = next(iter(self.texts))
            return (
                f"numbers with a decimal {other} ('{shown}'), where the table has a decimal {own}"
            )
        if self.padded:
            return f"numbers with leading zeros ('{self.padded_example}')"
        return self._affixes() or "text"

    @property
    def _have_other_sign(self) -> bool:
        """True if every cell is a number, by the decimal sign that the table does not have."""
        other = "," if self.decimal == "." else "."
        readable = all(number_in(text, other) is not None for text in self.texts)
        return readable and self.numbers < self.filled

    @property
    def padded_example(self) -> str:
        """The first whole number with leading zeros."""
        return next((text for text in self.texts if _PADDED.fullmatch(text)), "")

    def _affixes(self) -> str:
        """Return what is around the numbers in the texts; empty if they have nothing in common."""
        matches = list(map(_IN_AFFIXES.fullmatch, self.texts))
        found = {match.groups() if match else ("", "") for match in matches}
        before, behind = next(iter(found)) if len(found) == 1 else ("", "")
        signs = [f"'{before.strip()}' in front of them"] if before.strip() else []
        signs += [f"'{behind.strip()}' behind them"] if behind.strip() else []
        return f"numbers with {' and '.join(signs)} ('{next(iter(self.texts))}')" if signs else ""

    def merged(self) -> tuple[int, int]:
        """Return how many numbers float64 does not hold, and how many it makes of them."""
        numbers = {text: number_in(text, self.decimal) for text in self.texts}
        finite = {
            text: each for text, each in numbers.items() if each is not None and isfinite(each)
        }
        pairs = [(*rounding_in(text, each, self.decimal), each) for text, each in finite.items()]
        lost = [(exact, number) for exact, rounding, number in pairs if rounding]
        return len({exact for exact, _ in lost}), len({number for _, number in lost})
