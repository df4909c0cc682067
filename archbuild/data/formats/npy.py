"""``.npy``: one array, read through a memory map."""

from __future__ import annotations

import numpy as np

from archbuild.data.request import Arrays, ReadRequest
from archbuild.errors import DataError


def read_npy(request: ReadRequest) -> Arrays:
    """Return the array of a ``.npy`` file; it stays on disk until rows are read.

    Raises:
        DataError: the file is no ``.npy``, is shorter than its header says, or holds objects.
    """
    path = request.path
    try:
        values = np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, EOFError, OSError) as error:
        raise DataError(
            f"{path} cannot be read as .npy ({error}); save plain numbers with "
            "numpy.save(path, array), or copy the file again if it was cut short"
        ) from error
    if not isinstance(values, np.ndarray):  # a renamed .npz opens as an archive
        values.close()
        raise DataError(f"{path} is an .npz archive; rename it so that its name ends in .npz")
    return Arrays(values)
