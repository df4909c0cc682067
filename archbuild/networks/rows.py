"""Tensors as NumPy, and functions of rows applied a fixed number of rows at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

ROWS_AT_ONCE = 512
"""A row's answer must not depend on which rows it is asked with, and kernels may choose their
algorithm by the batch's size: so there is one size for all."""


def to_numpy(tensor: Any) -> np.ndarray:
    """A backend's tensor or variable, wherever it lies, as NumPy."""
    from keras import ops

    return np.asarray(ops.convert_to_numpy(tensor))


def by_rows(function: Callable[[np.ndarray], Any], values: np.ndarray) -> np.ndarray:
    """``function`` of the rows ``(n, ...)``, a fixed number of them at a time, joined as NumPy.

    So pairwise distances fit in memory, and a row's answer does not depend on how many rows it is
    asked with: kernels may sum in another order for another size. The last rows are filled up with
    zeros.

    Args:
        function: from ``(rows, ...)`` to a tensor with one entry for each row.
        values: all rows.
    """
    parts = []
    for start in range(0, max(len(values), 1), ROWS_AT_ONCE):
        rows = values[start : start + ROWS_AT_ONCE]
        padded = np.zeros((ROWS_AT_ONCE, *values.shape[1:]), values.dtype)
        padded[: len(rows)] = rows
        parts.append(to_numpy(function(padded))[: len(rows)])
    return np.concatenate(parts)
