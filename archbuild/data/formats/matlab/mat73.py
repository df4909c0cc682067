"""MATLAB 7.3: HDF5 files whose arrays have their axes in reverse."""

from __future__ import annotations

from functools import partial
from math import prod
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
from archbuild.data.formats.matlab.variable import Variable

_MAGIC = b"MATLAB 7.3"
_HDF5 = b"\x89HDF\r\n\x1a\n"
_HEADER_BYTES = 512
_ITEM_BYTES = {"uint8": 1, "int8": 1, "uint16": 2, "int16": 2, "uint32": 4, "int32": 4, "single": 4}
_SPARSE = "MATLAB_sparse"  # its value is the number of rows


def is_version_73(path: Path) -> bool:
    """Return whether a file says that it is of version 7.3, or is HDF5 behind MATLAB's header."""
    with path.open("rb") as file:
        start = file.read(_HEADER_BYTES + len(_HDF5))
    return start.startswith(_MAGIC) or start[_HEADER_BYTES:] == _HDF5


def variables_73(path: Path) -> dict[str, Variable]:
    """Return the variables of a file; cells and structures are left out.

    Raises:
        DataError: the file cannot be read.
    """
    with opened(path) as file:
        found = {name: _header(place) for name, place in children(file).items()}
    return {
        name: Variable(*header, _n_bytes(*header), partial(_loaded, path, name))
        for name, header in found.items()
        if header is not None
    }


def _n_bytes(shape: tuple[int, ...], kind: str) -> int:
    return _ITEM_BYTES.get(kind, 8) * prod(shape)


def _loaded(path: Path, name: str) -> np.ndarray:
    """Return a variable as MATLAB has it, a sparse one dense, a text as ``str``."""
    with opened(path) as file:
        return np.asarray(_load(file, find(file, name)))


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
