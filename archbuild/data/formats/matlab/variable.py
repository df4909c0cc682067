"""A variable of a MATLAB file of version 4 or 5, and the bytes that it is read from.

Every length is compared with what is there before it is used, so that no file can make a reader
leave its buffer; SciPy's reader, which is written in C, does for some.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any, NamedTuple

import numpy as np

MOST_AXES = 32


class Variable(NamedTuple):
    """One variable, of which the header is read.

    Attributes:
        shape: as MATLAB has it; ``()`` where a variable has none.
        kind: the name of its class: ``double``, ``uint8``, ``logical``, ``sparse``, ``char``,
            ``cell``, ``struct``.
        n_bytes: of its numbers in memory; of a sparse one, once it is dense.
        load: reads its values, and raises ``ValueError`` where the file is damaged.
    """

    shape: tuple[int, ...]
    kind: str
    n_bytes: int
    load: Callable[[], np.ndarray]


class Buffer:
    """Bytes that are taken from the front.

    Args:
        content: ``(n,)`` uint8, in memory or a memory map.
        order: ``<`` for numbers with the low byte first, ``>`` for the others.
    """

    def __init__(self, content: np.ndarray, order: str) -> None:
        self.content, self.order, self.place = content, order, 0

    def __len__(self) -> int:
        return len(self.content) - self.place

    def take(self, n_bytes: int) -> np.ndarray:
        """Return the next bytes, a view.

        Raises:
            ValueError: there are fewer.
        """
        if not 0 <= n_bytes <= len(self):
            raise ValueError(f"it ends {n_bytes - len(self)} bytes too early")
        self.place += n_bytes
        return self.content[self.place - n_bytes : self.place]

    def numbers(self, count: int, kind: str) -> np.ndarray:
        """Return the next ``(count,)`` numbers, a view; ``kind`` is a type of NumPy: ``i4``.

        Raises:
            ValueError: there are fewer.
        """
        dtype = np.dtype(self.order + kind)
        return self.take(count * dtype.itemsize).view(dtype)


def checked_shape(lengths: Any) -> tuple[int, ...]:
    """Return the axes that a file declares.

    Raises:
        ValueError: fewer than two, more than 32, or a negative length.
    """
    shape = tuple(int(length) for length in lengths)
    if not 2 <= len(shape) <= MOST_AXES or min(shape) < 0:
        raise ValueError(f"a variable of the shape {shape}")
    return shape


def by_columns(numbers: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Return numbers as an array that MATLAB has written, columns first.

    Raises:
        ValueError: there are more or fewer than the shape says.
    """
    if numbers.size != prod(shape):
        raise ValueError(f"{numbers.size} numbers for a variable of the shape {shape}")
    return numbers.reshape(shape, order="F")


def joined_letters(letters: str, shape: tuple[int, ...]) -> np.ndarray:
    """Return a matrix of letters as texts, one for each of its rows.

    Raises:
        ValueError: there are more or fewer letters than the shape says.
    """
    if len(letters) != prod(shape):
        raise ValueError(f"{len(letters)} letters for a variable of the shape {shape}")
    if not letters:
        return np.array([], dtype=str)
    table = np.array(list(letters)).reshape(shape, order="F").reshape(-1, shape[-1])
    return np.array(["".join(row) for row in table.tolist()])
