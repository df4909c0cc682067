"""``.zarr``: rows and labels from the arrays of a store, read with the zarr package."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import ceil, prod
from pathlib import Path
from typing import Any, Final

import numpy as np

from archbuild.data.apart import apart
from archbuild.data.dataset import rows_at_a_time
from archbuild.data.formats.arrays.choice import NUMBERS, TEXTS, Choice
from archbuild.data.formats.arrays.labels import judge_labels
from archbuild.data.formats.arrays.row_axis import rows_first
from archbuild.data.formats.zarr.metadata import Described, described
from archbuild.data.formats.zarr.store import Node, nodes_of, opened
from archbuild.data.guess import Guess
from archbuild.data.limits import check_declared, check_records, check_size
from archbuild.data.request import Arrays, ReadRequest
from archbuild.data.spill import release, room_for
from archbuild.errors import DataError

ROOT: Final = "(root)"
"""The name of the array that is the store itself."""

_LARGE: Final = 256 * 2**20  # bytes of a chunk


@apart("a zarr store")
def read_zarr(request: ReadRequest) -> Arrays:
    """Return the rows and labels of a zarr store of version 2 or 3: a folder, or one zipped.

    Rows and labels are chosen as ``Choice`` says. Each chunk is unpacked once.

    Raises:
        DataError: zarr is not installed, the store is damaged or has links in it, or there is no
            such array, or several.
    """
    nodes = nodes_of(request.path)
    _refuse_anndata(request.path, nodes)
    there = {name: (node, of) for name, node, of in _arrays(request.path, nodes)}
    held = {name: of.held for name, (_, of) in there.items()}
    choice = Choice(request.path, held, lambda name: _named(name, there))
    key = choice.rows(request)
    shape = held[key].shape
    if held[key].kind != NUMBERS or not shape:
        raise _no_rows(_called(there[key][0].path, request.path), there[key][1])
    label_key = choice.labels(key, (shape[0], shape[-1]), request)
    found, of_labels = None, list[Guess]()
    with opened(request.path) as store:
        if label_key is not None:
            found, of_labels = _read(store, request.path, *there[label_key])
        values, of_rows = _read(store, request.path, *there[key])
    turned, said_of_rows = rows_first(values, found, request)
    labels, said = judge_labels(found, label_key or "", request.options.labels)
    guesses = (
        *(() if key == ROOT else choice.say_rows(key, shape)),
        *_say_chunks(there[key][1]),
        *of_labels,
        *of_rows,
        *said_of_rows,
        *said,
        *choice.say_left_out(key, label_key),
    )
    return Arrays(turned, labels, guesses=guesses)


def _refuse_anndata(path: Path, nodes: list[Node]) -> None:
    if {"obs", "var"} <= {node.path for node in nodes}:
        raise DataError(
            f"{path} has the layout of AnnData, which is read from .h5ad: in Python, "
            "anndata.read_zarr(PATH).write_h5ad('cells.h5ad')"
        )


def _arrays(path: Path, nodes: list[Node]) -> Iterator[tuple[str, Node, Described]]:
    for node in nodes:
        try:
            found = described(node)
        except (ValueError, TypeError, RecursionError) as error:
            raise DataError(
                f"{_called(node.path, path)} cannot be read ({error}); copy the store again"
            ) from error
        if found is not None:
            yield node.path or ROOT, node, found


def _called(name: str, path: Path) -> str:
    return f"the array '{name}' in {path}" if name else f"the array in {path}"


def _named(name: str, there: Mapping[str, Any]) -> str | None:
    path = name.strip("/")
    return path if path in there else None


def _no_rows(called: str, found: Described) -> DataError:
    what = found.fault or f"holds {found.held.words} of the shape {found.held.shape}"
    return DataError(f"{called} {what}; rows are numbers, of two axes or more as a rule")


def _say_chunks(found: Described) -> list[Guess]:
    if found.chunk_bytes <= _LARGE:
        return []
    gib = found.chunk_bytes / 2**30
    text = f"each of {gib:.1f} GiB, which is unpacked whole in memory; smaller ones would take less"
    return [Guess("chunks", text)]


def _say_missing(array: Any, what: str) -> list[Guess]:
    """Say how many chunks are not there: as the format has it, they are the fill value."""
    missing = array.nchunks - array.nchunks_initialized
    if not missing:
        return []
    text = (
        f"{missing:,} of {array.nchunks:,} of {what} are not stored, and read as its fill value "
        f"{array.fill_value}"
    )
    return [Guess("chunks", text)]


def _read(store: Any, path: Path, node: Node, found: Described) -> tuple[np.ndarray, list[Guess]]:
    """Return an array, and a line about chunks that are not stored.

    Each chunk is unpacked once; a large array lies on disk.

    Raises:
        DataError: its type or its packing is not known, or its shape, or that of its chunks, is
            out of proportion to what is stored.
    """
    import zarr

    what = _called(node.path, path)
    if found.fault:
        raise DataError(f"{what} {found.fault}")
    check_declared(found.n_bytes, node.stored, what)
    check_declared(found.chunk_bytes, node.stored, f"a chunk of {what}")
    check_size(found.chunk_bytes, f"a chunk of {what}")
    check_records(found.n_chunks, node.stored, what, "chunks")
    with zarr.config.set({"threading.max_workers": 1, "async.concurrency": 1}):
        array = zarr.open_array(store, path=node.path, mode="r", zarr_format=found.version)
        if array.shape != found.held.shape:
            raise ValueError("its shape is not the one in its metadata")
        said = _say_missing(array, what)
        if found.held.kind == TEXTS:
            return _texts(array), said
        values = room_for(array.shape, array.dtype, what)
        for block in _blocks(found):
            values[block] = array[block]
            release(values)
    return values, said


def _texts(array: Any) -> np.ndarray:
    values = np.asarray(array[...])
    if values.dtype.kind == "S":
        decoded: np.ndarray = np.char.decode(values, "utf-8", "replace")
        return decoded
    return np.array(values.tolist(), dtype=str)  # NumPy casts no texts of any length


def _blocks(found: Described) -> Iterator[tuple[slice, ...]]:
    """Yield parts that cover an array: whole chunks, as many as make some 16 MiB.

    They grow along the last axis first, so that parts are whole rows where rows are not too long.
    """
    shape = found.held.shape
    size = [min(of, chunk) for of, chunk in zip(shape, found.chunks, strict=True)]
    for axis in range(len(shape) - 1, -1, -1):
        times = rows_at_a_time(prod(size) * found.item_bytes)
        size[axis] = min(shape[axis], size[axis] * times)
        if size[axis] < shape[axis]:
            break
    steps = [ceil(of / max(1, step)) for of, step in zip(shape, size, strict=True)]
    for place in np.ndindex(*steps):
        yield tuple(
            slice(at * step, min(of, (at + 1) * step))
            for at, step, of in zip(place, size, shape, strict=True)
        )
