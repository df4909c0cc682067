"""Sparse matrices made dense, once their indices are known to lie inside."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from archbuild.data.guard import reading
from archbuild.data.limits import MOST_TIMES_SPARSE, check_declared, check_size
from archbuild.errors import DataError


def dense(matrix: Any, source: str) -> np.ndarray:
    """Return a matrix of SciPy as an array; its own conversion writes wherever an index says.

    Raises:
        DataError: an index lies outside the matrix, or it is larger than memory.
    """
    what = f"the sparse matrix in {source}"
    n_bytes = prod(matrix.shape) * max(8, matrix.dtype.itemsize)
    stored = matrix.nnz * (matrix.dtype.itemsize + 8)
    check_declared(n_bytes, stored, f"{what}, made dense,", MOST_TIMES_SPARSE)
    check_size(n_bytes, f"{what}, made dense,")
    with reading(what, "a sparse matrix", "copy it again, or save it again"):
        if hasattr(matrix, "indptr"):
            _check_pointers(matrix)
        if hasattr(matrix, "check_format"):
            matrix.check_format(full_check=True)
        places = matrix.tocoo()
    for axis, size in zip(places.coords, matrix.shape, strict=True):
        if ((axis < 0) | (axis >= size)).any():
            raise DataError(f"{what} is damaged: an index lies outside it; save it again")
    rows: np.ndarray = places.toarray()
    return rows


def _check_pointers(matrix: Any) -> None:
    """Refuse pointers that do not rise; SciPy looks no further where the last of them is 0.

    Its conversion then writes as many places as the others say, into memory for none.

    Raises:
        ValueError: they do not rise from 0 to the number of indices.
    """
    pointers = np.asarray(matrix.indptr)
    rises = pointers.ndim == 1 and pointers.size and pointers[0] == 0
    if not rises or (pointers[1:] < pointers[:-1]).any() or pointers[-1] > len(matrix.indices):
        raise ValueError(
            f"its pointers do not rise from 0 to the number of its indices, {len(matrix.indices):,}"
        )
