"""MATLAB's files of version 4: matrices one behind the other, each with a header of 20 bytes.

After "MAT-File Format", MathWorks, chapter 2.
"""

from __future__ import annotations

from functools import partial
from typing import Final

import numpy as np

from archbuild.data.formats.matlab.sparse import dense_columns
from archbuild.data.formats.matlab.variable import (
    Buffer,
    Variable,
    by_columns,
    checked_shape,
    joined_letters,
)

_KINDS: Final = ("f8", "f4", "i4", "i2", "u2", "u1")  # of the numbers, by the digit P
_ORDERS: Final = {0: "<", 1: ">"}  # by the digit M; the others are machines of long ago
_CLASSES: Final = ("double", "char", "sparse")  # by the digit T
_LONGEST_NAME: Final = 1024


def is_version_4(content: np.ndarray) -> bool:
    """Return whether bytes are a file of version 4: of later ones the first four are text."""
    return len(content) >= 4 and not content[:4].all()


def variables_4(content: np.ndarray) -> dict[str, Variable]:
    """Return the variables of a file.

    Args:
        content: ``(n,)`` uint8.

    Raises:
        ValueError: it is damaged.
    """
    low_first = int(content[:4].view("<i4")[0])
    buffer = Buffer(content, "<" if 0 <= low_first < 5000 else ">")
    found: dict[str, Variable] = {}
    while len(buffer):
        name, variable = _next(buffer)
        found[name] = variable
    return found


def _next(buffer: Buffer) -> tuple[str, Variable]:
    told, rows, columns, is_complex, name_length = map(int, buffer.numbers(5, "i4"))
    machine, rest = divmod(told, 1000)
    place, kind = divmod(rest, 10)
    place, number = divmod(place, 10)
    if _ORDERS.get(machine) != buffer.order or place or number > 5 or kind > 2:
        raise ValueError(f"a variable begins with the number {told}")
    if not 0 < name_length <= _LONGEST_NAME:
        raise ValueError(f"a name of {name_length} bytes")
    name = bytes(buffer.take(name_length)).partition(b"\0")[0].decode("latin-1")
    shape = checked_shape((rows, columns))
    numbers = buffer.numbers(rows * columns, _KINDS[number])
    imaginary = buffer.numbers(rows * columns, _KINDS[number]) if is_complex else None
    if kind == 2:
        return name, _sparse(by_columns(numbers, shape))
    if kind == 1:
        return name, Variable(shape, "char", 4 * numbers.size, partial(_texts, numbers, shape))
    load = partial(_full, numbers, imaginary, shape)
    return name, Variable(shape, _CLASSES[kind], numbers.nbytes, load)


def _full(numbers: np.ndarray, imaginary: np.ndarray | None, shape: tuple[int, ...]) -> np.ndarray:
    values = numbers if imaginary is None else numbers + 1j * imaginary
    return by_columns(values, shape)


def _texts(numbers: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    return joined_letters("".join(map(chr, numbers.astype(np.int64).tolist())), shape)


def _sparse(triples: np.ndarray) -> Variable:
    """Return a sparse matrix: rows of place, place and number, and in the last one its size."""
    if triples.shape[0] < 1 or triples.shape[1] not in (3, 4):
        raise ValueError(f"a sparse variable in an array of the shape {triples.shape}")
    sizes = triples[-1, :2]
    if not (np.isfinite(sizes).all() and (np.abs(sizes) < 2**62).all()):
        raise ValueError(f"a sparse variable of the shape {tuple(sizes.tolist())}")
    shape = checked_shape(sizes)
    n_bytes = shape[0] * shape[1] * triples.itemsize
    return Variable(shape, "sparse", n_bytes, partial(_dense, triples[:-1], shape))


def _dense(triples: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    places = triples[:, :2]
    if not ((places >= 1) & (places <= shape)).all():
        raise ValueError("an index lies outside of a sparse variable")
    values = triples[:, 2] + 1j * triples[:, 3] if triples.shape[1] == 4 else triples[:, 2]
    rows, columns = places.astype(np.int64).T - 1
    return dense_columns(values, rows, columns, (shape[0], shape[1]))
