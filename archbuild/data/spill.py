"""Arrays on disk: room for what may be larger than memory, and the release of their pages.

The system counts the pages of a memory map as this program's memory once they were touched, and
keeps them as long as it can. Code that goes through a map part by part releases them after each.
"""

from __future__ import annotations

import errno
import mmap
import os
import tempfile
from math import prod
from typing import Any

import numpy as np

from archbuild.data.limits import check_room
from archbuild.errors import DataError

IN_MEMORY = 256 * 2**20
"""Arrays of at most so many bytes are held in memory; larger ones in a temporary file."""

# single rows of a map that are read before its pages are given back: up to 64 KiB come with each
_SCATTERED = 1000


def room_for(shape: tuple[int, ...], dtype: Any, what: str) -> np.ndarray:
    """Return an array to be filled: in memory, or if it is large in a temporary file.

    The file has no name where the system allows it, and lies in ``$TMPDIR``, else in the system's
    folder for temporary files. Fill it part by part, with ``release`` after each.

    Args:
        shape: the rows first.
        dtype: of its values, which are not set.
        what: is read into it, for the message.

    Raises:
        DataError: it is larger than the limit, or than the free space of that folder.
    """
    n_bytes = prod(shape) * np.dtype(dtype).itemsize
    if n_bytes <= IN_MEMORY:
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


def release(values: np.ndarray) -> None:
    """Give the pages of a memory map back to the system; nothing that was written is lost.

    Other arrays, and maps whose changes are private to this program, stay as they are.
    """
    mode: str | None = None
    owner: object = values
    while isinstance(owner, np.ndarray):
        mode = getattr(owner, "mode", mode)
        owner = owner.base
    private = mode not in ("r", "r+", "w+")
    if isinstance(owner, mmap.mmap) and not private and hasattr(mmap, "MADV_DONTNEED"):
        owner.madvise(mmap.MADV_DONTNEED)


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
