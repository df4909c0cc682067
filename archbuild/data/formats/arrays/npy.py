"""``.npy``: one array, read through a memory map."""

from __future__ import annotations

from pathlib import Path
from tokenize import TokenError

import numpy as np

from archbuild.data.formats.arrays.row_axis import rows_first
from archbuild.data.request import Arrays, ReadRequest
from archbuild.errors import DataError

_DAMAGE = (ValueError, EOFError, OSError, SyntaxError, TokenError)  # the last two: broken headers


def read_npy(request: ReadRequest) -> Arrays:
    """Return the array of a ``.npy`` file; it stays on disk until rows are read.

    Raises:
        DataError: the file is no ``.npy``, is shorter than its header says, or holds objects.
    """
    path = request.path
    try:
        values = np.load(path, mmap_mode="r", allow_pickle=False)
    except _DAMAGE as error:
        if _holds_objects(path):
            raise DataError(
                f"{path} holds Python objects, as NumPy saves rows of unequal length or of mixed "
                "kinds; they are never loaded, because loading them can run code: bring the rows "
                "to one length (pad or cut them) and save the plain array again"
            ) from error
        reason = error if _begins_as_array(path) else "it does not begin as one"
        raise DataError(
            f"{path} cannot be read as .npy ({reason}); save plain numbers with "
            "numpy.save(path, array), or copy the file again if it was cut short"
        ) from error
    if not isinstance(values, np.ndarray):  # a renamed .npz opens as an archive
        values.close()
        raise DataError(f"{path} is an .npz archive; rename it so that its name ends in .npz")
    rows, said = rows_first(values, None, request)
    return Arrays(rows, guesses=tuple(said))


def _begins_as_array(path: Path) -> bool:
    """Return whether a file begins as .npy or .npz; of others NumPy says that they are pickles."""
    with path.open("rb") as file:
        return file.read(6) in (np.lib.format.MAGIC_PREFIX, b"")


def _holds_objects(path: Path) -> bool:
    """Return whether the header of a ``.npy`` file declares Python objects."""
    try:
        with path.open("rb") as file:
            version = np.lib.format.read_magic(file)
            read = np.lib.format.read_array_header_1_0
            return version == (1, 0) and read(file)[2].hasobject
    except _DAMAGE:
        return False
