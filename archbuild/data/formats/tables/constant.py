"""Columns of a table that hold one value in every row."""

from __future__ import annotations

from collections.abc import Set

import numpy as np

from archbuild.data.columns import CATEGORICAL, DATE, IGNORE, ColumnEncoding, TableEncoding
from archbuild.data.guess import Guess, column_key, column_subject, listed
from archbuild.data.spill import parts_of

_MOST = 3  # columns with a line each
_WHY = "tells rows apart in nothing"


def say_constant(encoding: TableEncoding, values: np.ndarray, told: Set[str]) -> list[Guess]:
    """Return a line for each column that holds one value, or one for all if they are many.

    Args:
        encoding: of the columns.
        values: ``(rows, features)``, as they were read.
        told: the names of the columns whose kind the user states.
    """
    if len(values) < 2:
        return []
    same = _constant_features(values)
    found = [
        (column, float(values[0, place.start]))
        for column, place in encoding.places
        if same[place].all() and column.name not in told
    ]
    if len(found) > _MOST:
        names = [column.name for column, _ in found]
        return [Guess("constant columns", f"{listed(names)}: each {_WHY}")]
    return [
        Guess(
            column_subject(column.name),
            f"constant, {_in_words(column, number)} in every row: {_WHY}",
            column_key(column.name, IGNORE),
        )
        for column, number in found
    ]


def _constant_features(values: np.ndarray) -> np.ndarray:
    """Return for each feature whether all rows have one number, in one pass at most."""
    first = np.array(values[0])
    same = np.ones(values.shape[1], bool)
    for part in parts_of(values):
        same &= (values[part] == first).all(axis=0)
        if not same.any():
            break
    return same


def _in_words(column: ColumnEncoding, number: float) -> str:
    if column.kind in CATEGORICAL:
        return f"'{column.categories[0]}'"
    return "one date" if column.kind == DATE else f"{number:g}"
