"""The binary matrix format of NORB: a magic number, the number of axes, their sizes, the values.

All integers are little-endian and of 32 bits. At least three sizes are stored: those of axes that
are not there are padding. Source: the readme of the small NORB dataset, v1.0.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import prod
from pathlib import Path
from typing import Any, Final

import numpy as np

from archbuild.data.dataset import rows_at_a_time
from archbuild.data.formats.packed import Content, unpacked
from archbuild.errors import DataError

BYTES: Final = 0x1E3D4C55
INTEGERS: Final = 0x1E3D4C54
"""The magic numbers of the kinds that are read."""

_DTYPES: Mapping[int, np.dtype[Any]] = {BYTES: np.dtype(np.uint8), INTEGERS: np.dtype("<i4")}
_STORED_SIZES = 3


def read_matrix(path: Path, magic: int, shape: tuple[int, ...]) -> np.ndarray:
    """Return the whole array in a file, gzipped or not.

    Args:
        path: the file.
        magic: ``BYTES`` or ``INTEGERS``, which it must have.
        shape: which it must have.

    Raises:
        DataError: another kind or shape, more or fewer values, or a damaged file.
    """
    return np.concatenate(list(read_rows(path, magic, shape)))


def read_rows(path: Path, magic: int, shape: tuple[int, ...]) -> Iterator[np.ndarray]:
    """Yield the array in a file as ``read_matrix`` gives it, some 16 MiB of rows at a time."""
    dtype, row = _DTYPES[magic], shape[1:]
    row_bytes = prod(row) * dtype.itemsize
    step = rows_at_a_time(row_bytes)
    with unpacked(path) as file:
        _check_header(file, path, magic, shape)
        for start in range(0, shape[0], step):
            wanted = min(step, shape[0] - start)
            content = file.read(wanted * row_bytes)
            if len(content) != wanted * row_bytes:
                raise DataError(f"{path} ends before its {shape[0]} rows; download it again")
            yield np.frombuffer(content, dtype).reshape(wanted, *row)
        if file.read(1):
            raise DataError(f"{path} goes on behind its {shape[0]} rows; download it again")


def _check_header(file: Content, path: Path, magic: int, shape: tuple[int, ...]) -> None:
    sizes = (*shape, *[1] * (_STORED_SIZES - len(shape)))
    expected = np.array([magic, len(shape), *sizes], "<u4")
    found = np.frombuffer(file.read(expected.nbytes).ljust(expected.nbytes, b"\0"), "<u4")
    n_known = 2 + len(shape)  # what pads the sizes may be anything
    if not np.array_equal(found[:n_known], expected[:n_known]):
        raise DataError(
            f"{path} begins with the magic number {found[0]:#x}, {found[1]} axes and the sizes "
            f"{found[2:n_known].tolist()}; expected {magic:#x}, {len(shape)} and {list(shape)}, so "
            "this is another file, or damaged: download it again"
        )
