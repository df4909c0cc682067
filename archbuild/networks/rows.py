"""Tensors as NumPy, and functions of rows applied a fixed number of rows at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from archbuild.data.spill import PART_BYTES, joined, release

ROWS_AT_ONCE = 384
"""Rows of every block of ``by_rows``.

A row's result must not depend on the rows it is computed with, nor on its place among them. Kernels
choose their algorithm by the batch's size: so there is one size for all. They multiply a fixed
number of rows at a time (6, in blocks of 48, with AVX2; 8, 16 or 48 with AVX-512) and sum the rows
that remain in another order: so the size is a multiple of all these. With 512, the last two rows
of a block, 512 = 85 * 6 + 2, differed in their last digit from the same rows elsewhere.
"""


def to_numpy(tensor: Any) -> np.ndarray:
    """Return a backend's tensor or variable, wherever it lies, as NumPy."""
    from keras import ops

    return np.asarray(ops.convert_to_numpy(tensor))


def by_rows(function: Callable[[np.ndarray], Any], values: np.ndarray) -> np.ndarray:
    """Apply ``function`` to rows ``(n, ...)``, a fixed number at a time; join as NumPy.

    So pairwise distances fit in memory, and a row's answer does not depend on its company
    (``ROWS_AT_ONCE``). The last rows are filled up with zeros. Values may be a memory map, and
    results that are large are one (``joined``).

    Args:
        function: from ``(rows, ...)`` to a tensor with one entry for each row.
        values: all rows.
    """
    return joined(_blocks(function, values), len(values), f"the results for {len(values):,} rows")


def _blocks(function: Callable[[np.ndarray], Any], values: np.ndarray) -> Iterator[np.ndarray]:
    read = 0
    for start in range(0, max(len(values), 1), ROWS_AT_ONCE):
        rows = values[start : start + ROWS_AT_ONCE]
        padded = np.zeros((ROWS_AT_ONCE, *values.shape[1:]), values.dtype)
        padded[: len(rows)] = rows
        yield to_numpy(function(padded))[: len(rows)]
        read += rows.nbytes
        if read >= PART_BYTES:
            release(values)
            read = 0
    release(values)
