"""Columns of lists in an Arrow table, such as embeddings: a feature for each place in the list."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from archbuild.data.formats.arrow.source import ArrowSource, is_numeric
from archbuild.data.guess import Guess, column_subject

if TYPE_CHECKING:
    from pyarrow import Array, RecordBatch, Schema

_ROWS = 4096


def with_lists_flat(source: ArrowSource) -> ArrowSource:
    """Return a table in which lists of one length are columns, ``emb[0]``, ``emb[1]``, ....

    Lists of numbers become so where each row has one, and all have the same length. A line says so;
    of other lists it says why not.
    """
    lists = [name for name in source.columns if _is_list(source.schema.field(name).type)]
    if not lists:
        return source
    widths = {name: _width(source, name) for name in lists}
    flat = {name: width for name, width in widths.items() if width}
    said = [_say(name, flat.get(name, 0)) for name in lists]
    return ArrowSource(
        source.path,
        _schema(source.schema, flat),
        lambda rows, columns: _batches(source, flat, rows, columns),
        (*source.guesses, *said),
    )


def _is_list(kind: Any) -> bool:
    from pyarrow import types

    checks = (types.is_list, types.is_large_list, types.is_fixed_size_list)
    return any(check(kind) for check in checks)


def _width(source: ArrowSource, name: str) -> int:
    """Return how many numbers every list of a column has; 0 if they are not alike."""
    from pyarrow import compute

    if not is_numeric(source.schema.field(name).type.value_type):
        return 0
    found: set[int | None] = set()
    for batch in source.iterate(_ROWS, columns=[name]):
        found.update(compute.unique(compute.list_value_length(batch.column(name))).to_pylist())
    width = found.pop() if len(found) == 1 else None
    return width or 0


def _say(name: str, width: int) -> Guess:
    found = f"lists of {width} numbers, a feature for each place"
    other = "lists, but not all of one number of numbers, so their places are no features"
    return Guess(column_subject(name), found if width else other)


def _schema(schema: Schema, flat: dict[str, int]) -> Schema:
    from pyarrow import field
    from pyarrow import schema as schema_of

    fields = []
    for each in schema:
        kind = each.type.value_type if each.name in flat else each.type
        fields += [field(name, kind) for name in _names(each.name, flat)]
    return schema_of(fields)


def _names(name: str, flat: dict[str, int]) -> Sequence[str]:
    return [f"{name}[{place}]" for place in range(flat[name])] if name in flat else [name]


def _batches(
    source: ArrowSource, flat: dict[str, int], rows: int, columns: Sequence[str]
) -> Iterator[RecordBatch]:
    from pyarrow import RecordBatch

    origin = {each: name for name in source.columns for each in _names(name, flat)}
    wanted = list(dict.fromkeys(origin[name] for name in columns))
    if not wanted:  # a batch that is put together from no columns would have no rows
        yield from source.iterate(rows, columns=[])
        return
    for batch in source.iterate(rows, columns=wanted):
        there: dict[str, Any] = {}
        for name in wanted:
            parts = _columns(batch.column(name), name in flat)
            there |= zip(_names(name, flat), parts, strict=True)
        yield RecordBatch.from_arrays([there[name] for name in columns], list(columns))


def _columns(column: Array, is_flat: bool) -> Sequence[Any]:
    """Return a column of lists as one for each place; of others the column itself."""
    if not is_flat:
        return [column]
    values = column.flatten()
    width = len(values) // max(1, len(column))
    # views, since NumPy would round whole numbers that stand beside missing ones
    return [values[place::width] for place in range(width)]
