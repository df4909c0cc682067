"""Values that are missing (NaN): how many there are, and what is left without any value."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np

from archbuild.data.dataset import chunk_slices
from archbuild.data.guess import Guess, listed
from archbuild.data.spill import read_part
from archbuild.errors import DataError


def judge_missing(
    values: np.ndarray, source: str, columns: Sequence[str] = (), *, is_new: bool = False
) -> list[Guess]:
    """Return the line about missing values; what has no value at all is refused.

    The array is gone through a part at a time.

    Args:
        values: ``(n, ..., columns or channels)``, NaN where a value is missing.
        source: for messages.
        columns: the names of a table's features; ``()``: they go by their places.
        is_new: whether these are new rows of a trained model, which may lack a column.

    Raises:
        DataError: there is no value, or, in rows to train on, none in a column or channel.
    """
    if values.dtype.kind != "f":
        return []
    count, rows, empty = 0, 0, np.ones(values.shape[-1], bool)
    for part in chunk_slices(len(values), prod(values.shape[1:]) * values.itemsize):
        gone = np.isnan(read_part(values, part)).reshape(part.stop - part.start, -1, len(empty))
        count += int(gone.sum())
        rows += int(gone.all(axis=(1, 2)).sum())
        empty &= gone.all(axis=(0, 1))
    if count == values.size:
        raise DataError(
            f"{source}: all {count:,} values are missing (NaN); check how the file was written"
        )
    if empty.any() and not is_new:
        raise _without_value(values.ndim, np.flatnonzero(empty).tolist(), source, columns)
    found = f"{count:,} of {values.size:,} values, 0 after scaling; the loss leaves them out"
    none_left = f"; {rows:,} of {len(values):,} rows have no value at all" if rows else ""
    return [Guess("missing", f"{found}{none_left}")] if count else []


def _without_value(
    n_axes: int, places: Sequence[int], source: str, columns: Sequence[str]
) -> DataError:
    names = [columns[place] if len(columns) else str(place) for place in places]
    kind = ("column" if n_axes == 2 else "channel") + ("s" if len(names) > 1 else "")
    counted = "" if len(columns) else " (counted from 0)"
    verb = "have" if len(names) > 1 else "has"
    return DataError(
        f"{source}: the {kind} {listed(names)}{counted} {verb} no value at all, only NaN; leave "
        "them out and save the rest again"
    )
