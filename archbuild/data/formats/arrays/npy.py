"""``.npy``: one array, read through a memory map."""

from __future__ import annotations

from math import prod
from pathlib import Path

import numpy as np

from archbuild.data.formats.arrays.row_axis import rows_first
from archbuild.data.guard import reading
from archbuild.data.request import Arrays, ReadRequest
from archbuild.errors import DataError
from archbuild.io.npy_header import read_header, without_warnings

_ARCHIVE = b"PK"
_ADVICE = (
    "save plain numbers with numpy.save(path, array), or copy the file again if it was cut short"
)


def read_npy(request: ReadRequest) -> Arrays:
    """Return the array of a ``.npy`` file; it stays on disk until rows are read.

    Raises:
        DataError: the file is no ``.npy``, is shorter than its header says, or holds objects.
    """
    path = request.path
    with reading(path, ".npy", _ADVICE), without_warnings():
        _refuse_others(path)
        values = np.load(path, mmap_mode="r", allow_pickle=False)
    if not isinstance(values, np.ndarray):  # a renamed .npz opens as an archive
        values.close()
        raise DataError(f"{path} is an .npz archive; rename it so that its name ends in .npz")
    rows, said = rows_first(values, None, request)
    return Arrays(rows, guesses=tuple(said))


def _refuse_others(path: Path) -> None:
    """Refuse files that NumPy would take for pickles, and arrays of Python objects.

    Raises:
        ValueError: it is neither ``.npy`` nor an archive, or its header is broken.
        DataError: it declares objects.
    """
    with path.open("rb") as file:
        start = file.read(len(np.lib.format.MAGIC_PREFIX))
        if start.startswith(_ARCHIVE):
            return
        if start != np.lib.format.MAGIC_PREFIX:
            raise ValueError("it does not begin as one" if start else "the file is empty")
        file.seek(0)
        shape, _, dtype = read_header(file)
        there = path.stat().st_size - file.tell()
    if not dtype.hasobject and prod(shape) * dtype.itemsize > there:  # NumPy's product overflows
        raise ValueError(f"its shape {shape} takes more bytes than the {there:,} that are there")
    if dtype.hasobject:
        raise DataError(
            f"{path} holds Python objects, as NumPy saves rows of unequal length or of mixed "
            "kinds; they are never loaded, because loading them can run code: bring the rows "
            "to one length (pad or cut them) and save the plain array again"
        )
