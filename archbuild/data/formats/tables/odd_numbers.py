"""Columns of numbers that may stand for something else: row numbers, missing cells, dates."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from archbuild.data.columns import DATE, IDENTIFIER, IGNORE, date_in
from archbuild.data.formats.tables.counters import FEWEST_ROWS, is_called_like_an_id
from archbuild.data.guess import Guess, column_key, column_subject

_SAMPLE = 200  # rows
_CODES = (-99.0, -999.0, -9999.0, -99999.0)


def say_odd_numbers(names: Sequence[str], values: np.ndarray, places: Sequence[int]) -> list[Guess]:
    """Return a line for each column whose numbers look like something else.

    Args:
        names: of the features.
        values: ``(rows, features)``, as they were read.
        places: the features that are looked at.
    """
    if len(values) < FEWEST_ROWS:
        return []
    first = np.asarray(values[:_SAMPLE], np.float64)
    whole = (first % 1 == 0).all(axis=0)
    steps = (np.diff(first, axis=0) == 1).all(axis=0) & whole
    named = np.array([is_called_like_an_id(name) for name in names]) & whole
    compact = whole & (first >= 1900_01_01).all(axis=0) & (first <= 2100_12_31).all(axis=0)
    coded = np.isin(first, _CODES).any(axis=0)
    said = []
    for place in sorted({*np.flatnonzero(steps | named | compact | coded).tolist()} & {*places}):
        found = _look(names[place], np.asarray(values[:, place], np.float64))
        if found:
            reason, key = found
            said.append(Guess(column_subject(names[place]), f"a feature, though {reason}", key))
    return said


def _look(name: str, numbers: np.ndarray) -> tuple[str, str] | None:
    """Return what one column looks like, and the key by which it is read so."""
    if all(date_in(f"{number:.0f}", compact=True) is not None for number in set(numbers.tolist())):
        return f"its numbers look like dates ({numbers[0]:.0f})", column_key(name, DATE)
    if (np.diff(numbers) == 1).all():
        return f"it counts the rows, from {numbers[0]:.0f} on", column_key(name, IDENTIFIER)
    if (
        is_called_like_an_id(name)
        and (numbers % 1 == 0).all()
        and len(set(numbers)) == len(numbers)
    ):
        return "it is called like an id, and every row has its own number", column_key(name, IGNORE)
    lowest = numbers.min()
    if lowest in _CODES and (numbers[numbers != lowest] >= 0).all():
        count = int((numbers == lowest).sum())
        return (
            f"{lowest:.0f} may stand for a missing value: it is in {count:,} of {len(numbers):,} "
            "cells, and no other number is below 0"
        ), f"missing=[{lowest:.0f}]"
    return None
