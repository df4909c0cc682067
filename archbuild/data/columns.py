"""Columns of a table that are no plain numbers: their kinds, and their encoding as numbers.

==============  ==================================================================================
kind            features
==============  ==================================================================================
``number``      the number
``boolean``     0 or 1
``date``        days since 1970-01-01
``category``    one feature of 0 and 1 for each category (one-hot); all 0 for one that is unknown.
                Numbers are compared as such, unless one has leading zeros: ``1.0`` is ``1``
``embedding``   the same, for a network with the layer ``Embedding``
==============  ==================================================================================

A column with missing cells has one more feature, 1 where the cell is missing, and the mean of the
others in the place of the missing number. If missing cells are masked, the features of such a cell
are NaN and nothing marks it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from itertools import accumulate
from typing import Any, Final

import numpy as np

from archbuild.data.labels import plain_number
from archbuild.data.precision import EXACT
from archbuild.spec.top import EMBEDDING

NUMBER, BOOLEAN, DATE, CATEGORY = "number", "boolean", "date", "category"
IDENTIFIER, IGNORE = "identifier", "ignore"
CATEGORICAL: Final = (CATEGORY, EMBEDDING)

MISSING: Final = frozenset(
    {"", "na", "n/a", "nan", "-nan", "null", "none", "?", ".", "<na>", "nat", "\\n"}
    | {"#na", "#n/a", "#n/a n/a", "1.#ind", "-1.#ind", "1.#qnan", "-1.#qnan"}
)
"""Texts for no value, in small letters: as databases, pandas, R and Excel write it."""

BOOLEANS: Final = {"true": 1.0, "false": 0.0, "yes": 1.0, "no": 0.0}
_SHORT_BOOLEANS: Final = {"t": 1.0, "f": 0.0, "y": 1.0, "n": 0.0}  # words, in other columns
_GROUPED: Final = {
    sign: re.compile(rf"[+-]?[1-9]\d{{0,2}}({group}\d{{3}})+({re.escape(sign)}\d*)?")
    for sign, group in ((",", r"\."), (".", ","))
}
_BETWEEN: Final = " '\u2019\u00a0\u2007\u2009\u202f"  # groups of digits: blanks, apostrophes
_SPACED: Final = re.compile(rf"[+-]?[1-9]\d{{0,2}}([{_BETWEEN}]\d{{3}})+([.,]\d*)?")
_SPACES: Final = str.maketrans("", "", _BETWEEN)
_PADDED: Final = re.compile(r"[+-]?0\d")
_SECONDS_A_DAY = 86_400.0
_DAYS_OF_ISO: Final = 700_000  # before and after 1970, as far as a year has four digits
_FEWEST_DIGITS, _MOST_DIGITS = 15, 300  # of numbers that are compared with float64


def is_missing(cell: str) -> bool:
    """Return whether a cell stands for no value."""
    return cell.strip().casefold() in MISSING


def is_grouped(cell: str, decimal: str = ",") -> bool:
    """Return whether a number's digits are in groups of three: ``1.234,5``, or ``1,234.5``."""
    return _GROUPED[decimal].fullmatch(cell.strip()) is not None


def is_spaced(cell: str, decimal: str) -> bool:
    """Return whether blanks or apostrophes group digits: ``1 000,5``; a sign is the decimal one."""
    other = "." if decimal == "," else ","
    return other not in cell and _SPACED.fullmatch(cell.strip()) is not None


def number_in(cell: str, decimal: str = ".") -> float | None:
    """Return the number that a cell holds; ``None`` where it holds none.

    Digits may stand in groups of three, apart by blanks, apostrophes or the sign that is not the
    decimal one; a minus may be the typographic one.
    """
    text = cell.strip()
    number = _float(text) if decimal == "." else None  # most cells are as Python writes numbers
    return _float(_as_python(text, decimal)) if number is None else number


def rounding_in(
    cell: str, number: float, decimal: str = "."
) -> tuple[float | Fraction, float | Fraction]:
    """Return the number that a cell holds, exactly, and how far float64 is from it.

    It is 0 too where float64 has the digits of the cell, as programs write it.

    Args:
        cell: of a number.
        number: as ``number_in`` reads it; finite.
        decimal: the decimal sign.
    """
    if abs(number) < EXACT or not _FEWEST_DIGITS < len(cell) < _MOST_DIGITS:
        return number, 0.0
    exact = Fraction(_as_python(cell.strip(), decimal))
    is_written = exact == Fraction(repr(number))
    return exact, 0.0 if is_written else abs(exact - Fraction(number))


def _as_python(text: str, decimal: str) -> str:
    """Return a number as Python writes it; empty where digits are grouped as in no number."""
    text = text.replace("\u2212", "-")
    if _SPACED.fullmatch(text):
        text = text.translate(_SPACES)
    group = "." if decimal == "," else ","
    if group in text and not is_grouped(text, decimal):
        return ""
    return text.replace(group, "").replace(decimal, ".")


def _float(text: str) -> float | None:
    try:
        return None if "_" in text else float(text)  # Python reads 1_000, table readers do not
    except ValueError:
        return None


def date_in(cell: str, *, compact: bool = False) -> float | None:
    """Return the days since 1970 of a date in ISO 8601 form; ``None`` where the cell has none.

    Args:
        cell: ``2024-01-31``, a time behind it or not.
        compact: whether ``20240131`` is a date too, rather than a number.
    """
    text = cell.strip()
    if compact and len(text) == 8 and text.isdecimal():
        text = f"{text[:4]}-{text[4:6]}-{text[6:]}"
    if len(text) < 10 or text[4] != "-":  # fromisoformat takes 20240102 and 2024-W01 as well
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return moment.timestamp() / _SECONDS_A_DAY


def _truth_in(cell: str, decimal: str) -> float | None:
    """Return 1 or 0 for a cell of a column of truth values; ``None`` where it holds neither."""
    word = cell.strip().casefold()
    number = (BOOLEANS | _SHORT_BOOLEANS).get(word, number_in(word, decimal))
    return number if number in (0.0, 1.0) else None


def _by_number(categories: Sequence[str], decimal: str) -> dict[float | None, int]:
    """Return number -> place of the categories that are numbers; ``{}`` where they are names.

    They are names where one has leading zeros, and where two are written for one number.
    """
    numbers = [plain_number(text, decimal) for text in categories]
    found: dict[float | None, int] = {
        number: place for place, number in enumerate(numbers) if number is not None
    }
    padded = any(_PADDED.match(text) for text in categories)
    unequal = len(found) == sum(number is not None for number in numbers)
    return found if unequal and not padded else {}


@dataclass(frozen=True)
class ColumnEncoding:
    """The way from the cells of one column to features, learnt from the training table.

    Attributes:
        name: the column's.
        kind: ``number``, ``boolean``, ``date``, ``category`` or ``embedding``; ``ignore``: it is
            left out.
        categories: of a category, sorted.
        fill: the number that stands for a missing one; ``None`` where none may be missing.
        gaps: whether missing cells have a feature that marks them.
        masked: whether missing cells are NaN.
    """

    name: str
    kind: str
    categories: tuple[str, ...] = ()
    fill: float | None = None
    gaps: bool = False
    masked: bool = False

    @property
    def features(self) -> tuple[str, ...]:
        """The names of the features; a column that is left out has none."""
        if self.kind in (IDENTIFIER, IGNORE):
            return ()
        own = tuple(f"{self.name}={text}" for text in self.categories) or (self.name,)
        return (*own, f"{self.name} is missing") if self.gaps else own

    def encode(self, cells: Sequence[str], decimal: str = ".") -> np.ndarray:
        """Return the features of some cells, ``(cells, features)`` float64.

        Cells that cannot be read as the column's kind are NaN; an unknown category is all 0.
        """
        rows = np.zeros((len(cells), len(self.features)))
        missing = np.array([is_missing(cell) for cell in cells], bool)
        if self.kind in CATEGORICAL:
            self._mark(rows, cells, decimal)
        else:
            there = zip(cells, missing.tolist(), strict=True)
            numbers = [np.nan if gone else self._number(cell, decimal) for cell, gone in there]
            rows[:, 0] = np.where(missing, np.nan if self.fill is None else self.fill, numbers)
        if self.gaps:
            rows[:, -1] = missing
        if self.masked:
            rows[missing] = np.nan
        return rows

    def is_readable(self, cell: str, decimal: str = ".") -> bool:
        """Return whether a cell holds a value of the column's kind; any word is a category."""
        return self.kind in CATEGORICAL or not np.isnan(self._number(cell, decimal))

    def unknown(self, cells: Sequence[str], decimal: str = ".") -> Counter[str]:
        """Return the categories that the training table does not have, and how often they come."""
        if self.kind not in CATEGORICAL:
            return Counter()
        expected = self.gaps or self.masked
        texts = Counter(cell.strip() for cell in cells if not (expected and is_missing(cell)))
        places = self._places(texts, decimal)
        return Counter({text: count for text, count in texts.items() if text not in places})

    def _mark(self, rows: np.ndarray, cells: Sequence[str], decimal: str) -> None:
        texts = [cell.strip() for cell in cells]
        places = self._places(texts, decimal)
        for row, text in enumerate(texts):
            if text in places:
                rows[row, places[text]] = 1.0

    def _places(self, texts: Iterable[str], decimal: str) -> dict[str, int]:
        """Return the category of each text that has one, first as it is written, then by number."""
        places = {text: place for place, text in enumerate(self.categories)}
        numbers = _by_number(self.categories, decimal)
        found = {text: numbers.get(plain_number(text, decimal)) for text in {*texts} - {*places}}
        return places | {text: place for text, place in found.items() if place is not None}

    def _number(self, cell: str, decimal: str) -> float:
        if self.kind == NUMBER:
            found = number_in(cell, decimal)
        elif self.kind == DATE:
            found = date_in(cell, compact=True)
        else:
            found = _truth_in(cell, decimal)
        return np.nan if found is None else found

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON."""
        return {
            "name": self.name,
            "kind": self.kind,
            "categories": list(self.categories),
            "fill": self.fill,
            "gaps": self.gaps,
            "masked": self.masked,
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> ColumnEncoding:
        """Return the object that ``to_json`` was called on."""
        return cls(**{**document, "categories": tuple(document["categories"])})


@dataclass(frozen=True)
class TableEncoding:
    """The encodings of the columns beside labels and row names, in order."""

    columns: tuple[ColumnEncoding, ...]

    @property
    def features(self) -> tuple[str, ...]:
        """The names of all features."""
        return tuple(name for column in self.columns for name in column.features)

    @property
    def marks(self) -> tuple[bool, ...]:
        """True for each feature that is 0 or 1 by its column's kind, rather than a quantity."""
        return tuple(
            column.kind not in (NUMBER, DATE) or (column.gaps and place > 0)
            for column in self.columns
            for place in range(len(column.features))
        )

    def in_words(self, means: Sequence[float]) -> list[str]:
        """Return the mean of each feature over some rows as text.

        A mark's is the share of these rows in percent, a date's the day (ISO 8601).
        """
        kinds = [column.kind for column in self.columns for _ in column.features]
        words = []
        for mean, kind, is_mark in zip(means, kinds, self.marks, strict=True):
            if is_mark:
                words.append(f"{mean:.0%}")
            elif kind == DATE and abs(mean) < _DAYS_OF_ISO:
                day = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=float(mean))
                words.append(day.date().isoformat())
            else:
                words.append(f"{mean:.4g}")
        return words

    @property
    def used(self) -> tuple[ColumnEncoding, ...]:
        """The columns that give features."""
        return tuple(column for column in self.columns if column.features)

    @property
    def places(self) -> list[tuple[ColumnEncoding, slice]]:
        """The columns that give features, each with the places of these."""
        ends = accumulate(len(column.features) for column in self.used)
        return [
            (column, slice(end - len(column.features), end))
            for column, end in zip(self.used, ends, strict=True)
        ]

    @property
    def is_plain(self) -> bool:
        """True if every column is a number without missing cells."""
        plain = (column.kind == NUMBER and not column.gaps for column in self.columns)
        return all(plain) and not self.masks_gaps

    @property
    def masks_gaps(self) -> bool:
        """True if the features of missing cells are NaN."""
        return any(column.masked for column in self.columns)

    @property
    def blocks(self) -> dict[str, tuple[int, int]]:
        """The columns of kind ``embedding``: name -> first feature, and number of features."""
        return {
            column.name: (place.start, place.stop - place.start)
            for column, place in self.places
            if column.kind == EMBEDDING
        }

    def to_json(self) -> list[dict[str, Any]]:
        """Return plain JSON."""
        return [column.to_json() for column in self.columns]

    @classmethod
    def from_json(cls, document: Sequence[Mapping[str, Any]]) -> TableEncoding:
        """Return the object that ``to_json`` was called on."""
        return cls(tuple(ColumnEncoding.from_json(column) for column in document))
