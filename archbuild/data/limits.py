"""Limits on the size of what a file declares, checked before it is read."""

from __future__ import annotations

import os
import shutil

from archbuild.errors import DataError

LARGEST_ARRAY = 64 * 2**30
"""No array of more bytes than this is read, into memory or onto disk: 64 GiB."""

_MAPPED = "if the file is sound, save the array as .npy, which is read where it lies"


def check_size(n_bytes: int, what: str) -> None:
    """Refuse an array of ``n_bytes`` that memory cannot hold, before it is made.

    Raises:
        DataError: more than 64 GiB, or more than this machine's memory.
    """
    limit = min(LARGEST_ARRAY, _physical_memory())
    if n_bytes > limit:
        raise DataError(
            f"{what} would take {n_bytes / 2**30:,.1f} GiB of memory, and the limit here is "
            f"{limit / 2**30:,.1f} GiB; {_MAPPED}"
        )


def check_room(n_bytes: int, what: str, folder: str) -> None:
    """Refuse an array of ``n_bytes`` that the disk of a folder cannot hold, before it is made.

    Raises:
        DataError: more than 64 GiB, or more than is free.
    """
    limit = min(LARGEST_ARRAY, _free_space(folder))
    if n_bytes > limit:
        raise DataError(
            f"{what} would take {n_bytes / 2**30:,.1f} GiB, and the limit in {folder} is "
            f"{limit / 2**30:,.1f} GiB; set TMPDIR to a folder on a larger disk, or, {_MAPPED}"
        )


def _physical_memory() -> int:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):  # a system that does not report it
        return LARGEST_ARRAY


def _free_space(folder: str) -> int:
    return shutil.disk_usage(folder).free
