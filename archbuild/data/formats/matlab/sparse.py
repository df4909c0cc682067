"""MATLAB's sparse matrices made dense."""

from __future__ import annotations

import numpy as np

from archbuild.data.limits import MOST_TIMES_SPARSE, check_declared
from archbuild.data.spill import room_for


def dense_columns(
    values: np.ndarray, rows: np.ndarray, columns: np.ndarray, shape: tuple[int, int]
) -> np.ndarray:
    """Return a matrix with numbers at places; those that share one are added up, as MATLAB does.

    Args:
        values: ``(n,)``.
        rows: ``(n,)`` whole numbers.
        columns: ``(n,)`` likewise.
        shape: of the matrix.

    Raises:
        ValueError: a place lies outside of the matrix.
    """
    for places, size in ((rows, shape[0]), (columns, shape[1])):
        if places.size and not 0 <= places.min() <= places.max() < size:
            raise ValueError("an index lies outside of a sparse variable")
    what = "a sparse variable, made dense,"
    stored = values.nbytes + 8 * len(rows)
    check_declared(shape[0] * shape[1] * values.itemsize, stored, what, MOST_TIMES_SPARSE)
    made = room_for(shape, values.dtype.newbyteorder("="), what)
    made[...] = 0
    np.add.at(made, (rows, columns), values)
    return made
