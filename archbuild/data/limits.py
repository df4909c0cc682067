"""Limits on the size of what a file declares, checked before it is read.

A file of a few bytes can declare, or unpack to, more than any memory holds. What it may take
depends on what it stores, never on the machine: 64 MiB, or 100 times what is stored; the few files
that are larger and honest are let in by an environment variable, which the refusal names.
"""

from __future__ import annotations

import os
import shutil
from math import ceil
from typing import Final

from archbuild.errors import DataError

LARGEST_ARRAY = 64 * 2**30
"""No array of more bytes than this is read, into memory or onto disk: 64 GiB."""

FREE_BYTES: Final = 64 * 2**20
"""So many bytes may be declared or unpacked whatever is stored: 64 MiB."""

FREE_TEXT: Final = 16 * 2**20
"""Likewise of text, which takes longer to read: 16 MiB."""

FREE_LINES: Final = 500_000
"""Likewise of lines of packed text, each of which takes some microseconds however short it is."""

FREE_CELLS: Final = 2_000_000
"""Likewise of cells, as commas and other separators part them."""

FREE_COLUMNS: Final = 100_000
"""So many columns a text table may have, each of which takes some kilobytes and 40 microseconds."""

FREE_RECORDS: Final = 100_000
"""Likewise of packed records, and of chunks of an array, each of which takes time however short."""

BYTES_A_RECORD: Final = 16
"""More may be, one for so many bytes; the checksums of a record take half of them."""

LINES_A_BYTE: Final = 10
"""More lines may be, up to so many for each byte that is stored; real data reach some 3."""

CELLS_A_BYTE: Final = 30
"""Likewise of cells; tables that are nearly all 0 reach some 15."""

MOST_TIMES: Final = 100
"""More may be, up to so many times the bytes that are stored; real data reach some 20 times."""

MOST_TIMES_SPARSE: Final = 1000
"""Likewise of sparse matrices made dense: one number in a thousand, at least, is stored."""

MOST_TIMES_IMAGES: Final = 500
"""Likewise of the pixels of all images of a folder or file; real masks reach some 300."""

ENVIRONMENT_VARIABLE: Final = "ARCHBUILD_LARGEST_GIB"
"""Set by users who trust their files: so many GiB are allowed whatever is stored."""

_MAPPED = "if the file is sound, save the array as .npy, which is read where it lies"


def allowed_bytes(stored: int, times: int = MOST_TIMES, free: int = FREE_BYTES) -> int:
    """Return how many bytes may come out of so many that are stored.

    Raises:
        DataError: ``$ARCHBUILD_LARGEST_GIB`` is no number.
    """
    return max(free, times * stored, told_bytes())


def told_bytes() -> int:
    """Return the bytes that the user allows; 0 if nothing is said."""
    told = os.environ.get(ENVIRONMENT_VARIABLE, "").strip()
    if not told:
        return 0
    if not told.isdecimal() or not told.isascii() or len(told) > 9:
        raise DataError(
            f"the environment variable {ENVIRONMENT_VARIABLE} is '{told[:40]}'; expected a whole "
            "number of GiB, as 100"
        )
    return int(told) * 2**30


def check_declared(
    n_bytes: int, stored: int, what: str, times: int = MOST_TIMES, free: int = FREE_BYTES
) -> None:
    """Refuse what is out of proportion to the bytes that are stored, before it is made.

    Args:
        n_bytes: that the file declares, or that it unpacks to.
        stored: the bytes that these come from.
        what: would take them, for the message.
        times: how many times more than is stored are accepted.
        free: the bytes that are accepted in any case.

    Raises:
        DataError: it is more than ``allowed_bytes``.
    """
    allowed = allowed_bytes(stored, times, free)
    if n_bytes > allowed:
        raise DataError(
            f"{what} would take {_in_words(n_bytes)}, and {_in_words(stored)} are stored for it; "
            f"so small a file may take {_in_words(allowed)}, since more is damage or an attack as "
            f"a rule. {_override(n_bytes)}"
        )


def check_pieces(n_lines: int, n_cells: int, stored: int, what: str) -> None:
    """Refuse packed text of more lines or cells than such a file has, before they are read.

    Args:
        n_lines: in the text.
        n_cells: likewise.
        stored: the bytes that the text is packed into.
        what: the text is, for the message.

    Raises:
        DataError: there are more, and ``$ARCHBUILD_LARGEST_GIB`` does not allow as many bytes.
    """
    for count, kind, free, times in (
        (n_lines, "lines", FREE_LINES, LINES_A_BYTE),
        (n_cells, "cells", FREE_CELLS, CELLS_A_BYTE),
    ):
        allowed = max(free, times * stored, told_bytes())
        if count > allowed:
            raise DataError(
                f"{what} has more than {allowed:,} {kind}, and {_in_words(stored)} are stored for "
                f"it; so many in so small a file are damage or an attack as a rule. "
                f"{_override(count)}"
            )


def check_records(count: int, stored: int, what: str, kind: str = "records") -> None:
    """Refuse more records, or chunks, than what is stored has room for.

    Args:
        count: of records.
        stored: the bytes that they are packed into.
        what: they are in, for the message.
        kind: what they are.

    Raises:
        DataError: there are more, and ``$ARCHBUILD_LARGEST_GIB`` does not allow as many bytes.
    """
    allowed = max(FREE_RECORDS, stored // BYTES_A_RECORD, told_bytes())
    if count > allowed:
        raise DataError(
            f"{what} has more than {allowed:,} {kind}, and {_in_words(stored)} are stored for "
            f"them; so many in so small a file are damage or an attack as a rule. "
            f"{_override(count)}"
        )


def check_columns(count: int, what: str) -> None:
    """Refuse a text table of more columns than tables have, before they are looked at.

    Raises:
        DataError: there are more, and ``$ARCHBUILD_LARGEST_GIB`` does not allow as many bytes.
    """
    if count > max(FREE_COLUMNS, told_bytes()):
        raise DataError(
            f"{what} has {count:,} columns, and a text table may have {FREE_COLUMNS:,}; are its "
            "rows and columns swapped, or its lines joined? As .npy an array may have any number. "
            f"{_override(count)}"
        )


def check_size(n_bytes: int, what: str) -> None:
    """Refuse an array of ``n_bytes`` that memory cannot hold, before it is made.

    Raises:
        DataError: more than 64 GiB, or more than this machine's memory.
    """
    limit = min(_largest(), _physical_memory())
    if n_bytes > limit:
        raise DataError(
            f"{what} would take {n_bytes / 2**30:,.1f} GiB of memory, and the limit here is "
            f"{limit / 2**30:,.1f} GiB; {_MAPPED}{_override_of_largest(n_bytes)}"
        )


def check_room(n_bytes: int, what: str, folder: str) -> None:
    """Refuse an array of ``n_bytes`` that the disk of a folder cannot hold, before it is made.

    Raises:
        DataError: more than 64 GiB, or more than is free.
    """
    limit = min(_largest(), _free_space(folder))
    if n_bytes > limit:
        raise DataError(
            f"{what} would take {n_bytes / 2**30:,.1f} GiB, and the limit in {folder} is "
            f"{limit / 2**30:,.1f} GiB; set TMPDIR to a folder on a larger disk, or, {_MAPPED}"
            f"{_override_of_largest(n_bytes)}"
        )


def _largest() -> int:
    return max(LARGEST_ARRAY, told_bytes())


def _override(n_bytes: int) -> str:
    return (
        f"If you trust the file, allow it by the environment variable {ENVIRONMENT_VARIABLE}="
        f"{ceil(n_bytes / 2**30)}"
    )


def _override_of_largest(n_bytes: int) -> str:
    return f". {_override(n_bytes)}" if n_bytes > _largest() else ""


def _in_words(n_bytes: int) -> str:
    """Return a number of bytes in the unit that fits: ``64.0 MiB``."""
    for unit, size in (("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10)):
        if n_bytes >= size:
            return f"{n_bytes / size:,.1f} {unit}"
    return f"{n_bytes:,} bytes"


def _physical_memory() -> int:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):  # a system that does not report it
        return LARGEST_ARRAY


def _free_space(folder: str) -> int:
    return shutil.disk_usage(folder).free
