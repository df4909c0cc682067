"""Arrays of all rows in files: written and read part by part where memory would not hold them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from archbuild.data import spill
from archbuild.data.spill import joined, parts_of, read_part
from archbuild.io.reading import map_npy, read_npy, refuse_non_finite


def save_rows(path: Path, array: np.ndarray) -> None:
    """Write an array to ``path`` in place as ``np.save`` does, of a map a part at a time."""
    save_parts(path, array.shape, array.dtype, (read_part(array, part) for part in parts_of(array)))


def save_parts(
    path: Path, shape: tuple[int, ...], dtype: np.dtype[Any], parts: Iterable[np.ndarray]
) -> None:
    """Write the array that ``parts`` make together, with the bytes that ``np.save`` would write."""
    header = {
        "descr": np.lib.format.dtype_to_descr(dtype),
        "fortran_order": False,
        "shape": tuple(shape),
    }
    with path.open("wb") as stream:
        np.lib.format.write_array_header_1_0(stream, header)
        for part in parts:
            stream.write(np.ascontiguousarray(part).data)


def read_rows(path: Path, shape: tuple[int | None, ...]) -> np.ndarray:
    """Return the array of a ``.npy`` file: in memory, or if it is large a map, to read from only.

    Args:
        path: the file.
        shape: what is expected; ``None`` for an axis of any length.

    Raises:
        RunError: as ``io.reading.read_npy``.
    """
    if not _is_large(path):
        return read_npy(path, shape)
    array = map_npy(path, shape)
    for part in parts_of(array):
        refuse_non_finite(array[part], path)
    return array


def copied_rows(path: Path) -> np.ndarray:
    """Return a copy of the array of a ``.npy`` file of any shape, whose file may then be removed.

    Raises:
        RunError: as ``io.reading.read_npy``.
    """
    array = map_npy(path, None)
    parts = (read_part(array, part) for part in parts_of(array))
    copied = joined(parts, len(array), f"the rows of {path}")
    for part in parts_of(copied):
        refuse_non_finite(copied[part], path)
    return copied


def _is_large(path: Path) -> bool:
    return path.is_file() and path.stat().st_size > min(spill.RESULTS_IN_MEMORY, spill.IN_MEMORY)
