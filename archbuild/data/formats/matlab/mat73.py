"""MATLAB 7.3: HDF5 files whose arrays have their axes in reverse."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from archbuild.data.formats.hdf5.file import (
    attribute,
    children,
    dataset_at,
    find,
    is_dataset,
    is_group,
    is_numeric,
    opened,
    read,
    read_rows,
)
from archbuild.data.formats.hdf5.matrix import Matrix

_MAGIC = b"MATLAB 7.3"
_SPARSE = "MATLAB_sparse"  # its value is the number of rows


def is_version_73(path: Path) -> bool:
    """Return whether a file says that it is of version 7.3."""
    with path.open("rb") as file:
        return file.read(len(_MAGIC)) == _MAGIC


def headers_73(path: Path) -> dict[str, tuple[tuple[int, ...], str]]:
    """Return each variable's shape and MATLAB class; cells and structures are left out.

    Raises:
        DataError: the file cannot be read.
    """
    with opened(path) as file:
        found = {name: _header(place) for name, place in children(file).items()}
        return {name: header for name, header in found.items() if header is not None}


def load_73(path: Path, names: Sequence[str]) -> dict[str, Any]:
    """Return variables as MATLAB has them, sparse ones dense, texts as ``str``.

    Raises:
        DataError: the file cannot be read, or a variable holds something else.
    """
    with opened(path) as file:
        return {name: _load(file, find(file, name)) for name in names}


def _header(place: Any) -> tuple[tuple[int, ...], str] | None:
    kind = str(attribute(place, "MATLAB_class") or "")
    if is_group(place) and attribute(place, _SPARSE) is not None:
        columns = len(dataset_at(place, "jc")) - 1
        return (int(attribute(place, _SPARSE)), columns), kind
    return (place.shape[::-1], kind) if is_dataset(place) else None


def _load(file: Any, place: Any) -> np.ndarray:
    if is_group(place):
        return _dense(place)
    if attribute(place, "MATLAB_class") == "cell":
        return np.array([_text(file[entry]) for entry in read(place).reshape(-1)], dtype=str)
    return read_rows(place).T if is_numeric(place.dtype) and place.ndim else read(place)


def _text(place: Any) -> str:
    """Return the text in a cell: MATLAB keeps the numbers of its letters."""
    return "".join(map(chr, read(place).reshape(-1).tolist()))


def _dense(group: Any) -> np.ndarray:
    """Return a sparse variable; MATLAB keeps it by columns."""
    shape, _ = _header(group) or ((0, 0), "")
    return Matrix(group, (shape[0], shape[1]), "csc", ("data", "ir", "jc")).rows()
