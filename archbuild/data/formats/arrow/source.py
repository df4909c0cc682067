"""An Arrow table, read some rows at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from archbuild.data.dataset import rows_at_a_time
from archbuild.data.formats.tables.faults import LARGEST
from archbuild.data.formats.tables.source import Batch
from archbuild.data.guess import Guess
from archbuild.data.precision import EXACT
from archbuild.data.spill import release, room_for

if TYPE_CHECKING:
    from pyarrow import Array, DataType, RecordBatch, Schema

_CELL_BYTES = 64  # that a cell takes as text, roughly


class ArrowSource:
    """An Arrow table as a ``TableSource``.

    Args:
        path: of its file.
        schema: its columns.
        iterate: from a number of rows and the names of columns to record batches.
        guesses: the decisions that finding it took.
    """

    def __init__(
        self,
        path: Path,
        schema: Schema,
        iterate: Callable[..., Iterator[RecordBatch]],
        guesses: tuple[Guess, ...] = (),
    ) -> None:
        self.path = path
        self.columns: tuple[str, ...] = tuple(schema.names)
        self.has_header = True
        self.decimal = "."
        self.guesses = guesses
        self.schema = schema
        self.iterate = iterate

    def cells(self, name: str, rows: int) -> Iterator[list[Any]]:
        """Yield a column as Python objects, some rows at a time."""
        for batch in self.iterate(rows, columns=[name]):
            yield batch.column(name).to_pylist()

    def batches(self, wanted: Sequence[int]) -> Iterator[Batch]:
        """Yield the rows as texts, some at a time."""
        names = [self.columns[index] for index in wanted]
        start = 0
        for batch in self.iterate(rows_at_a_time(_CELL_BYTES * max(1, len(names))), columns=names):
            places = [f"row {start + row} (counted from 0)" for row in range(len(batch))]
            yield Batch(places, [_texts(batch.column(name)) for name in names])
            start += len(batch)

    def numbers(self, wanted: Sequence[int], n_rows: int) -> np.ndarray | None:
        """Return numeric columns as ``(n_rows, columns)`` float64."""
        if not all(is_numeric(self.schema.field(index).type) for index in wanted):
            return None
        names = [self.columns[index] for index in wanted]
        # whole numbers beyond are rounded, which the slow way counts
        exact = [_is_exact(self.schema.field(index).type) for index in wanted]
        limits = np.where(exact, float(EXACT), LARGEST)
        values = room_for((n_rows, len(wanted)), np.float64, str(self.path))
        start = 0
        for batch in self.iterate(rows_at_a_time(8 * len(wanted)), columns=names):
            rows = values[start : start + len(batch)]
            for place, name in enumerate(names):
                rows[:, place] = _numbers(batch.column(name))
            if not (np.abs(rows) <= limits).all():
                return None
            start += len(batch)
            release(values)
        return values


def is_numeric(kind: DataType) -> bool:
    """Return whether a type is of numbers or truth values."""
    from pyarrow import types

    checks = (types.is_integer, types.is_floating, types.is_boolean, types.is_decimal)
    return any(check(kind) for check in checks)


def _is_exact(kind: DataType) -> bool:
    from pyarrow import types

    return bool(types.is_integer(kind) or types.is_decimal(kind))


def _numbers(column: Array) -> np.ndarray:
    """Return the cells as float64, NaN where there is none."""
    from pyarrow import float64, types, uint8

    if types.is_boolean(column.type):
        column = column.cast(uint8())
    numbers: np.ndarray = column.cast(float64(), safe=False).to_numpy(zero_copy_only=False)
    return numbers


def _texts(column: Array) -> list[str]:
    """Return the cells as texts, blank where there is none."""
    return ["" if cell is None else str(cell).strip() for cell in column.to_pylist()]
