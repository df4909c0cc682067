"""The interface between a table in some format and what is made of it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol, overload

import numpy as np

from archbuild.data.guess import Guess


class Places(Sequence[str]):
    """The places of rows, for messages, put into words when they are asked for: ``line 2``.

    Args:
        unit: of the file: ``line``.
        numbers: of the rows.
        remark: behind the number.
    """

    def __init__(self, unit: str, numbers: Sequence[int], remark: str = "") -> None:
        self._unit, self._numbers, self._remark = unit, numbers, remark

    def __len__(self) -> int:
        return len(self._numbers)

    @overload
    def __getitem__(self, place: int) -> str: ...
    @overload
    def __getitem__(self, place: slice) -> list[str]: ...
    def __getitem__(self, place: int | slice) -> str | list[str]:
        if isinstance(place, slice):
            return [self[each] for each in range(len(self))[place]]
        return f"{self._unit} {self._numbers[place]}{self._remark}"


class Batch(NamedTuple):
    """Some rows of a table, as texts.

    Attributes:
        places: of each row, for messages: ``line 2``.
        columns: the cells of each column that was asked for.
    """

    places: Sequence[str]
    columns: Sequence[Sequence[str]]


class TableSource(Protocol):
    """A table in some format.

    Attributes:
        path: for messages.
        columns: the names; ``1``, ``2``, ... without a header.
        has_header: whether the columns have names of their own.
        decimal: the decimal sign in its cells.
    """

    path: Path
    columns: tuple[str, ...]
    has_header: bool
    decimal: str

    @property
    def guesses(self) -> tuple[Guess, ...]:
        """The decisions of its reader, once the rows have been read."""

    def batches(self, wanted: Sequence[int]) -> Iterator[Batch]:
        """Yield all rows in order, the wanted columns alone."""

    def numbers(self, wanted: Sequence[int], n_rows: int) -> np.ndarray | None:
        """Return columns of plain finite numbers, ``(n_rows, columns)``; ``None`` if they are not.

        This is the fast way for tables that hold nothing else.
        """


def column_name(cell: str) -> str:
    """Return the name that a header's cell gives, in one line: line breaks in it become blanks."""
    return re.sub(r"[^\S ]+", " ", cell.strip())
