"""IDX, the format of the MNIST files: a magic number, the sizes of the axes, the bytes."""

from __future__ import annotations

from math import prod
from pathlib import Path

import numpy as np

from archbuild.data.formats.packed import Content, unpacked
from archbuild.data.limits import check_declared
from archbuild.errors import DataError

_UNSIGNED_BYTES = 0x08


def read_idx(path: Path, axes: int) -> np.ndarray:
    """Return the uint8 array in an IDX file, gzipped or not (whatever its name says).

    Args:
        path: the file.
        axes: how many axes it must have: 3 for images, 1 for labels.

    Raises:
        DataError: another magic number, fewer or more bytes than announced, or damaged gzip.
    """
    with unpacked(path) as file:
        shape = _read_header(file, path, axes)
        check_declared(prod(shape), path.stat().st_size, str(path))
        # one byte more than announced, to notice a file that goes on
        content = file.read(prod(shape) + 1)
    if len(content) != prod(shape):
        came = f"{len(content)} are there" if len(content) < prod(shape) else "it goes on"
        raise DataError(
            f"{path} declares {prod(shape)} values, {list(shape)}, but {came}; the file is "
            "damaged or was cut short, so download it again"
        )
    return np.frombuffer(content, np.uint8).reshape(shape)


def _read_header(file: Content, path: Path, axes: int) -> tuple[int, ...]:
    expected = bytes((0, 0, _UNSIGNED_BYTES, axes))
    magic = file.read(4)
    if magic != expected:
        raise DataError(
            f"{path} begins with the bytes {magic.hex(' ') or '(none)'}, and an IDX file of "
            f"{axes} {'axis' if axes == 1 else 'axes'} begins with {expected.hex(' ')}; this is "
            "another kind of file, so download it again"
        )
    sizes = file.read(4 * axes)
    if len(sizes) < 4 * axes:
        raise DataError(f"{path} ends inside its header; download it again")
    return tuple(int(size) for size in np.frombuffer(sizes, ">u4"))
