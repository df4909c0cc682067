"""Columns of a table that are no plain numbers: their kinds, and their encoding as numbers.

==============  ==================================================================================
kind            features
==============  ==================================================================================
``number``      the number
``boolean``     0 or 1
``date``        days since 1970-01-01
``category``    one feature of 0 and 1 for each category (one-hot); all 0 for one that is unknown
``embedding``   the same, for a network with the layer ``Embedding``
==============  ==================================================================================

A column with missing cells has one more feature, 1 where the cell is missing, and the mean of the
others in the place of the missing number. If missing cells are masked, the features of such a cell
are NaN and nothing marks it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import accumulate
from typing import Any, Final

import numpy as np

from archbuild.spec.top import EMBEDDING

NUMBER, BOOLEAN, DATE, CATEGORY = "number", "boolean", "date", "category"
IDENTIFIER, IGNORE = "identifier", "ignore"
CATEGORICAL: Final = (CATEGORY, EMBEDDING)

MISSING: Final = frozenset({"", "na", "n/a", "nan", "null", "none", "?", "#n/a", "<na>", "nat"})
_BOOLEANS: Final = {"true": 1.0, "false": 0.0, "yes": 1.0, "no": 0.0}
_GROUPED: Final = {
    sign: re.compile(rf"[+-]?[1-9]\d{{0,2}}({group}\d{{3}})+({re.escape(sign)}\d*)?")
    for sign, group in ((",", r"\."), (".", ","))
}
_SPACED: Final = re.compile(r"[+-]?[1-9]\d{0,2}([ '\u2019\u00a0\u202f]\d{3})+([.,]\d*)?")
_SPACES: Final = str.maketrans("", "", " '\u2019\u00a0\u202f")
_MOST_CATEGORIES = 50
_KEPT = 10_000  # distinct texts that are counted; more make no category
_NEARLY_ALL = 0.8
_SHOWN = 5
_SECONDS_A_DAY = 86_400.0


def is_missing(cell: str) -> bool:
    """Return whether a cell stands for no value."""
    return cell.strip().casefold() in MISSING


def is_grouped(cell: str, decimal: str = ",") -> bool:
    """Return whether a number's digits are in groups of three: ``1.234,5``, or ``1,234.5``."""
    return _GROUPED[decimal].fullmatch(cell.strip()) is not None


def number_in(cell: str, decimal: str = ".") -> float | None:
    """Return the number that a cell holds; ``None`` where it holds none.

    Digits may stand in groups of three, apart by blanks, apostrophes or the sign that is not the
    decimal one; a minus may be the typographic one.
    """
    text = cell.strip().replace("\u2212", "-")
    if _SPACED.fullmatch(text):
        text = text.translate(_SPACES)
    if decimal == ",":
        if "." in text and not is_grouped(text):
            return None
        text = text.replace(".", "").replace(",", ".")
    elif "," in text:
        if not is_grouped(text, "."):
            return None
        text = text.replace(",", "")
    try:
        return None if "_" in text else float(text)  # Python reads 1_000, table readers do not
    except ValueError:
        return None


def date_in(cell: str) -> float | None:
    """Return the days since 1970 of a date in ISO 8601 form; ``None`` where the cell has none."""
    text = cell.strip()
    if len(text) < 10 or text[4] != "-":  # fromisoformat takes 20240102 and 2024-W01 as well
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return moment.timestamp() / _SECONDS_A_DAY


@dataclass
class Profile:
    """The cells of one column, counted as they come.

    Attributes:
        decimal: the decimal sign of its numbers.
        texts: how often each text occurs, in the order of the first; the first 10,000 are kept.
        missing: how many cells stand for no value.
        numbers, booleans, dates: how many can be read as such.
        odd: place and text of the first cells that are no numbers.
    """

    decimal: str = "."
    texts: Counter[str] = field(default_factory=Counter)
    rows: int = 0
    missing: int = 0
    numbers: int = 0
    booleans: int = 0
    dates: int = 0
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
        if text in self.texts or len(self.texts) < _KEPT:
            self.texts[text] += count
        if number_in(text, self.decimal) is not None:
            self.numbers += count
        elif text.casefold() in _BOOLEANS:
            self.booleans += count
        elif date_in(text) is not None:
            self.dates += count

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
        return _NEARLY_ALL * self.filled <= self.numbers < self.filled

    def kind(self) -> str:
        """Return the kind that the cells look like."""
        if not self.filled:
            return IGNORE
        for kind, count in (
            (NUMBER, self.numbers),
            (BOOLEAN, self.booleans),
            (DATE, self.dates),
        ):
            if count == self.filled:
                return kind
        if self.dates >= _NEARLY_ALL * self.filled:
            return DATE  # the cells that are none are refused by line
        if len(self.texts) <= min(_MOST_CATEGORIES, max(1, self.filled // 2)):
            return CATEGORY
        return IDENTIFIER


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
            self._mark(rows, cells)
        else:
            numbers = [self._number(cell, decimal) for cell in cells]
            rows[:, 0] = np.where(missing, np.nan if self.fill is None else self.fill, numbers)
        if self.gaps:
            rows[:, -1] = missing
        if self.masked:
            rows[missing] = np.nan
        return rows

    def unknown(self, cells: Sequence[str]) -> Counter[str]:
        """Return the categories that the training table does not have, and how often they come."""
        if self.kind not in CATEGORICAL:
            return Counter()
        known, expected = set(self.categories), self.gaps or self.masked
        texts = (cell.strip() for cell in cells if not (expected and is_missing(cell)))
        return Counter(text for text in texts if text not in known)

    def _mark(self, rows: np.ndarray, cells: Sequence[str]) -> None:
        places = {text: place for place, text in enumerate(self.categories)}
        for row, cell in enumerate(cells):
            place = places.get(cell.strip())
            if place is not None:
                rows[row, place] = 1.0

    def _number(self, cell: str, decimal: str) -> float:
        if self.kind == NUMBER:
            found = number_in(cell, decimal)
        elif self.kind == DATE:
            found = date_in(cell)
        else:
            found = _BOOLEANS.get(cell.strip().casefold())
            found = {"1": 1.0, "0": 0.0}.get(cell.strip()) if found is None else found
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
    def used(self) -> tuple[ColumnEncoding, ...]:
        """The columns that give features."""
        return tuple(column for column in self.columns if column.features)

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
        sizes = [len(column.features) for column in self.columns]
        places = zip(self.columns, accumulate(sizes, initial=0), sizes, strict=False)
        return {
            column.name: (first, size) for column, first, size in places if column.kind == EMBEDDING
        }

    def to_json(self) -> list[dict[str, Any]]:
        """Return plain JSON."""
        return [column.to_json() for column in self.columns]

    @classmethod
    def from_json(cls, document: Sequence[Mapping[str, Any]]) -> TableEncoding:
        """Return the object that ``to_json`` was called on."""
        return cls(tuple(ColumnEncoding.from_json(column) for column in document))
