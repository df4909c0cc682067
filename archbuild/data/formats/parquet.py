"""``.parquet``: a table by the rules of ``table.py``, read some rows at a time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from archbuild.data.dataset import rows_at_a_time
from archbuild.data.formats.table import LARGEST, Roles, assign_roles, fault_message
from archbuild.data.request import Arrays, ReadRequest
from archbuild.data.spill import release, room_for
from archbuild.errors import DataError

if TYPE_CHECKING:
    from pyarrow import Array, DataType, RecordBatch
    from pyarrow.parquet import ParquetFile

_BUFFER_BYTES = 2**16  # of each column
_LONGEST_EXAMPLE = 30


def read_parquet(request: ReadRequest) -> Arrays:
    """Return the numeric columns as float32, and the labels and the rows' names as texts.

    Raises:
        DataError: pyarrow is not installed, columns that are not numeric, null or NaN cells, a
            named column that is not there, or a damaged file.
    """
    pyarrow = _pyarrow(request.path)
    try:
        with pyarrow.parquet.ParquetFile(
            request.path,
            pre_buffer=False,  # else a whole row group comes into memory, often the whole file
            buffer_size=_BUFFER_BYTES,
        ) as file:
            return _read(file, request)
    except (pyarrow.ArrowException, OSError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DataError(
            f"{request.path} cannot be read as Parquet ({reason}); copy it again, or save it as CSV"
        ) from error


def _pyarrow(path: Path) -> Any:
    try:
        import pyarrow.parquet
    except ImportError as error:
        raise DataError(
            f"{path} is a Parquet file, and reading it needs pyarrow, which is not installed: "
            "pip install 'archbuild[parquet]'"
        ) from error
    return pyarrow


def _read(file: ParquetFile, request: ReadRequest) -> Arrays:
    columns = tuple(file.schema_arrow.names)
    roles = assign_roles(columns, request.column, request.path, features=request.columns)
    _refuse_words(file, roles, request.path)
    shape = (file.metadata.num_rows, len(roles.features))
    values = room_for(shape, np.float32, str(request.path))
    texts: dict[int | None, list[str]] = {
        index: [] for index in (roles.label, roles.ids) if index is not None
    }
    missing: list[str] = []
    for start, batch in _batches(file, 4 * len(roles.features)):
        rows = values[start : start + len(batch)]
        for place, index in enumerate(roles.features):
            rows[:, place] = _numbers(batch.column(index))
            missing += _places(start, ~(np.abs(rows[:, place]) <= LARGEST), columns[index])
        for of_texts, kept in texts.items():
            kept += _texts(batch.column(of_texts))
        release(values)
    if roles.label is not None:
        blank = np.array([not text for text in texts[roles.label]])
        missing += _places(0, blank, columns[roles.label])
    if missing:
        raise DataError(fault_message(request.path, {}, missing))
    names = tuple(columns[index] for index in roles.features)
    return Arrays(values, texts.get(roles.label), texts.get(roles.ids), names)


def _batches(file: ParquetFile, row_bytes: int) -> Iterator[tuple[int, RecordBatch]]:
    """Yield all rows in order, in batches, each after the number of its first row."""
    start = 0
    for batch in file.iter_batches(rows_at_a_time(row_bytes)):
        yield start, batch
        start += len(batch)


def _refuse_words(file: ParquetFile, roles: Roles, path: Path) -> None:
    """Refuse columns that are not numeric, with the first cell of each."""
    schema = file.schema_arrow
    words = [index for index in roles.features if not _is_numeric(schema.field(index).type)]
    first = next(file.iter_batches(1), None) if words else None
    if first is not None:
        cells = {schema.names[index]: str(first.column(index)[0].as_py()) for index in words}
        examples = {name: cell[:_LONGEST_EXAMPLE] for name, cell in cells.items()}
        raise DataError(fault_message(path, examples, []))


def _is_numeric(kind: DataType) -> bool:
    from pyarrow import types

    checks = (types.is_integer, types.is_floating, types.is_boolean, types.is_decimal)
    return any(check(kind) for check in (*checks, types.is_null))


def _numbers(column: Array) -> np.ndarray:
    """Return the cells as float32, NaN where there is none."""
    from pyarrow import float32

    numbers: np.ndarray = column.cast(float32(), safe=False).to_numpy(zero_copy_only=False)
    return numbers


def _texts(column: Array) -> list[str]:
    """Return the cells as texts, blank where there is none."""
    return ["" if cell is None else str(cell).strip() for cell in column.to_pylist()]


def _places(start: int, missing: np.ndarray, name: str) -> list[str]:
    rows = start + np.flatnonzero(missing)
    return [f"row {row} (counted from 0), column '{name}'" for row in rows]
