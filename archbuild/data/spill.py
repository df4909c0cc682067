"""Arrays on disk: room for what may be larger than memory, and the release of their pages.

The system counts the pages of a memory map as this program's memory once they were touched, and
keeps them as long as it can. Code that goes through a map part by part releases them after each.
"""

from __future__ import annotations

import errno
import mmap
import os
import tempfile
from collections.abc import Iterable, Iterator
from math import prod
from typing import Any

import numpy as np

from archbuild.data.limits import check_room
from archbuild.errors import DataError

IN_MEMORY = 256 * 2**20
"""Arrays of at most so many bytes are held in memory; larger ones in a temporary file."""

RESULTS_IN_MEMORY = 64 * 2**20
"""As ``IN_MEMORY``, of what is computed for all rows; training holds several of these at once."""

PART_BYTES = 16 * 2**20
"""Of a map that is gone through, so many bytes at a time."""

# single rows of a map that are read before its pages are given back: 64 KiB come with each, and up
# to 2 MiB where the system keeps a file in large pages; with 1,000 rows 536 MiB were counted
_SCATTERED = 50


def room_for(shape: tuple[int, ...], dtype: Any, what: str, most: int | None = None) -> np.ndarray:
    """Return an array to be filled: in memory, or if it is large in a temporary file.

    The file has no name where the system allows it, and lies in ``$TMPDIR``, else in the system's
    folder for temporary files. Fill it part by part, with ``release`` after each.

    Args:
        shape: the rows first.
        dtype: of its values, which are not set.
        what: is read into it, for the message.
        most: bytes that are held in memory; by default, and at most, ``IN_MEMORY``.

    Raises:
        DataError: it is larger than the limit, or than the free space of that folder.
    """
    n_bytes = prod(shape) * np.dtype(dtype).itemsize
    if n_bytes <= (IN_MEMORY if most is None else min(most, IN_MEMORY)):
        return np.empty(shape, dtype)
    folder = tempfile.gettempdir()
    check_room(n_bytes, what, folder)
    with tempfile.TemporaryFile(prefix="archbuild-") as file:
        _reserve(file.fileno(), n_bytes, what, folder)
        return np.memmap(file, dtype, mode="w+", shape=shape)


def read_part(values: np.ndarray, index: Any) -> np.ndarray:
    """Copy the rows at ``index``, a slice or whole numbers; of a map no page is kept."""
    if isinstance(index, slice):
        part = np.array(values[index], order="C", subok=False)
        release(values)
        return part
    numbers = np.asarray(index, np.intp)
    part = np.empty((len(numbers), *values.shape[1:]), values.dtype)
    for start in range(0, len(numbers), _SCATTERED):
        some = slice(start, start + _SCATTERED)
        part[some] = values[numbers[some]]
        release(values)
    return part


def stacked(arrays: Iterable[np.ndarray], count: int, what: str) -> np.ndarray:
    """Return ``count`` arrays of one shape as one, ``(count, ...)``, else as ``joined``."""
    result: np.ndarray | None = None
    for place, array in enumerate(arrays):
        if result is None:
            result = room_for((count, *array.shape), array.dtype, what, RESULTS_IN_MEMORY)
        for part in parts_of(array):
            result[place, part] = array[part]
            release(result)
    if result is None:
        raise ValueError(f"expected {count} arrays, got none")
    return result


def release(values: np.ndarray) -> None:
    """Give the pages of a memory map back to the system; nothing that was written is lost.

    Other arrays, and maps whose changes are private to this program, stay as they are.
    """
    owner = _shared_map(values)
    if owner is not None and hasattr(mmap, "MADV_DONTNEED"):
        owner.madvise(mmap.MADV_DONTNEED)


def is_mapped(values: np.ndarray) -> bool:
    """Return whether an array lies in a file, so that it is gone through part by part."""
    return _shared_map(values) is not None


def _shared_map(values: np.ndarray) -> mmap.mmap | None:
    mode: str | None = None
    owner: object = values
    while isinstance(owner, np.ndarray):
        mode = getattr(owner, "mode", mode)
        owner = owner.base
    private = mode not in ("r", "r+", "w+")
    return owner if isinstance(owner, mmap.mmap) and not private else None


def parts_of(values: np.ndarray) -> Iterator[slice]:
    """Yield slices that cover the rows in order: of a map some 16 MiB each, else all rows at once.

    What a part touched of the map is released when the next one is asked for.
    """
    if not is_mapped(values):
        yield slice(0, len(values))
        return
    step = max(1, PART_BYTES // max(1, values[:1].nbytes))
    for start in range(0, len(values), step):
        yield slice(start, min(start + step, len(values)))
        release(values)


def joined(parts: Iterable[np.ndarray], n_rows: int, what: str) -> np.ndarray:
    """Join parts along their first axis: in memory, or if they are large in a temporary file.

    Args:
        parts: at least one; all of the shape and the type of the first, but for their lengths.
        n_rows: of all together.
        what: they are, for the message of ``room_for``.

    Raises:
        DataError: as ``room_for``.
    """
    result: np.ndarray | None = None
    start = kept = 0
    for part in parts:
        if result is None:
            result = room_for((n_rows, *part.shape[1:]), part.dtype, what, RESULTS_IN_MEMORY)
        result[start : start + len(part)] = part
        start, kept = start + len(part), kept + part.nbytes
        if kept >= PART_BYTES:
            release(result)
            kept = 0
    if result is None or start != n_rows:
        raise ValueError(f"expected parts of {n_rows} rows together, got {start}")
    release(result)
    return result


def _reserve(file: int, n_bytes: int, what: str, folder: str) -> None:
    """Take the space now: a map whose disk fills up ends the program without a word."""
    if not hasattr(os, "posix_fallocate"):
        return
    try:
        os.posix_fallocate(file, 0, n_bytes)
    except OSError as error:
        if error.errno in (
            errno.EOPNOTSUPP,
            errno.EINVAL,
        ):  # a file system that cannot reserve space
            return
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):  # a limit on the size of files
            raise
        raise DataError(
            f"{what} takes {n_bytes / 2**30:,.1f} GiB, which {folder} does not have "
            f"({error.strerror}); set TMPDIR to a folder on a larger disk"
        ) from error
