"""Arrays of all rows in files: written and read part by part where memory would not hold them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import IO

import numpy as np

from archbuild.data import spill
from archbuild.data.spill import is_mapped, joined, parts_of, read_part
from archbuild.io.atomic import save_members
from archbuild.io.reading import map_npy, read_npy, refuse_non_finite


def save_rows(path: Path, array: np.ndarray) -> None:
    """Write an array to ``path`` in place as ``np.save`` does, of a map a part at a time."""
    with path.open("wb") as stream:
        _write_rows(stream, array)


def save_archive(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write named arrays to ``path`` in place as ``io.atomic.save_npz``, of maps part by part."""
    save_members(path, {name: partial(_write_rows, array=of) for name, of in arrays.items()})


def _write_rows(stream: IO[bytes], array: np.ndarray) -> None:
    if not is_mapped(array):
        np.lib.format.write_array(stream, array, allow_pickle=False)
        return
    header = {
        "descr": np.lib.format.dtype_to_descr(array.dtype),
        "fortran_order": False,
        "shape": array.shape,
    }
    np.lib.format.write_array_header_1_0(stream, header)
    for part in parts_of(array):
        stream.write(read_part(array, part).data.cast("B"))


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
