"""Tables of counts: transcripts of a cell, words of a text, events of a day.

The sum of a row says how much was counted, and the rest what. ``data.counts: log_normalise`` takes
the sum away, as single-cell people do, and brings large counts closer to small ones.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from archbuild.data.dataset import Dataset, chunk_slices
from archbuild.data.spill import read_part, release, room_for
from archbuild.errors import DataError

LOG_NORMALISE: Final = "log_normalise"
TARGET_SUM: Final = 10_000.0
"""What every row sums to before the logarithm."""

_LEAST_COLUMNS = 100
_LEAST_MAXIMUM = 10  # below, they may be answers or marks
_SAMPLE_ROWS = 2000


def log_normalised(values: np.ndarray, source: str) -> np.ndarray:
    """Return ``log(1 + 10,000 x / s)`` with ``s`` the sum of each row; rows of zeros stay so.

    Each row is on its own, so new rows get the numbers that they would have among the old ones.

    Args:
        values: ``(rows, columns)``.
        source: for messages.

    Returns:
        float32, in memory or if it is large on disk.

    Raises:
        DataError: they are no table, or a number is below 0.
    """
    if values.ndim != 2:
        raise DataError(
            f"{source} holds rows of shape {values.shape[1:]}, and data.counts is for tables of "
            "counts; remove data.counts from the spec"
        )
    result = room_for(values.shape, np.float32, source)
    for part in chunk_slices(len(values), 8 * values.shape[1]):
        rows = read_part(values, part).astype(np.float64)
        least = np.fmin.reduce(rows, axis=None, initial=np.inf)  # NaN is a count that is missing
        if least < 0:
            raise DataError(
                f"{source} holds numbers below 0 (the least is {least:g}), so they are no "
                "counts; remove data.counts from the spec, or choose other values with data.array"
            )
        sums = np.nansum(rows, axis=1, keepdims=True)
        result[part] = np.log1p(rows * (TARGET_SUM / np.where(sums > 0, sums, 1.0)))
        release(result)
    return result


def look_like_counts(dataset: Dataset) -> bool:
    """Return whether rows are many whole numbers, mostly 0, of which most others are small.

    Pixels are whole as well, but not small where they are not 0.
    """
    if dataset.values.ndim != 2 or dataset.shape[0] < _LEAST_COLUMNS or dataset.scale != 1.0:
        return False
    rows = read_part(dataset.values, slice(0, _SAMPLE_ROWS))
    positive = rows[rows > 0]
    return bool(
        rows.min() >= 0
        and 0 < len(positive) < rows.size / 2
        and positive.max() >= _LEAST_MAXIMUM
        and (positive == np.rint(positive)).all()
        and np.median(positive) <= _LEAST_MAXIMUM / 2
    )
