"""Series that a table holds in the long form: a row for each moment of each of them."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np

from archbuild.data.columns import CATEGORICAL, DATE, NUMBER, TableEncoding
from archbuild.data.guess import Guess

_MOST_COLUMNS = 20  # the long form is narrow
_FEWEST = 20  # rows
_LENGTH = 4  # rows of a series, on average, that increase by no chance
_AT_FIRST, _LOOKED_AT = 1_000, 200_000  # rows
_TIME_NAME = re.compile(
    r"(?i:^(.*[\W_])?(t|ts|time|timestamp|datetime|date|day|hour|minute|second|step|tick|frame)$)"
)


def say_moments(encoding: TableEncoding, values: np.ndarray) -> list[Guess]:
    """Return a line where a column repeats, and a time increases with each of its values.

    A time is a date, or a number that is called like one. One that increases over the whole table
    is none of several series.

    Args:
        encoding: of the columns.
        values: ``(rows, features)``, as they were read.
    """
    if len(encoding.used) > _MOST_COLUMNS or len(values) < _FEWEST:
        return []
    rows = np.asarray(values[:_LOOKED_AT], np.float64)
    for time, moments in _times(encoding, rows):
        if (np.diff(moments) > 0).all():
            continue
        for name, series in _groups(encoding, rows):
            if name != time and _are_series(series, moments):
                found = (
                    f"'{name}' repeats with increasing '{time}': each row is one moment, and "
                    "clusters are of moments; for clusters of series write one row per series"
                )
                return [Guess("series", found)]
    return []


def _times(encoding: TableEncoding, rows: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    for name, kind, block in _blocks(encoding, rows):
        if kind == DATE or (kind == NUMBER and _TIME_NAME.search(name)):
            yield name, block[:, 0]


def _groups(encoding: TableEncoding, rows: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    """Yield the columns that may say which series a row is of, as numbers."""
    for name, kind, block in _blocks(encoding, rows):
        if kind in CATEGORICAL:
            yield name, block.argmax(axis=1)
        elif kind == NUMBER and (block % 1 == 0).all():
            yield name, block[:, 0]


def _blocks(encoding: TableEncoding, rows: np.ndarray) -> Iterator[tuple[str, str, np.ndarray]]:
    """Yield name, kind and features of each column without missing cells."""
    for column, place in encoding.places:
        block = rows[:, place]
        if not column.gaps and not np.isnan(block).any():
            yield column.name, column.kind, block


def _are_series(series: np.ndarray, moments: np.ndarray) -> bool:
    """Return whether moments increase within each of several series, which are long enough."""
    first = slice(_AT_FIRST)
    if not _increases(series[first], moments[first]) or not _increases(series, moments):
        return False
    return 2 <= len(np.unique(series)) <= len(series) / _LENGTH


def _increases(series: np.ndarray, moments: np.ndarray) -> bool:
    order = np.argsort(series, kind="stable")
    is_same = np.diff(series[order]) == 0
    return bool((np.diff(moments[order])[is_same] > 0).all())
