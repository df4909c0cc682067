"""``.npz``: several arrays by name. What they claim to be is checked before any is read."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from math import prod
from pathlib import Path
from typing import NamedTuple, cast

import numpy as np

from archbuild.data.dataset import chunk_slices
from archbuild.data.formats.arrays.labels import judge_labels
from archbuild.data.formats.arrays.npz_parts import Parts, parts_of
from archbuild.data.formats.arrays.row_axis import rows_first
from archbuild.data.formats.arrays.sparse import dense
from archbuild.data.formats.zipped import check_members
from archbuild.data.guard import reading
from archbuild.data.guess import Guess, listed, value_key
from archbuild.data.request import Arrays, ReadRequest
from archbuild.data.spill import read_part, release, room_for
from archbuild.errors import DataError
from archbuild.io.npy_header import read_header

VALUE_KEYS = ("x", "X", "data")
LABEL_KEYS = ("y", "Y", "labels")


class Header(NamedTuple):
    """The header of an array of the archive, and the number of bytes stored for it."""

    shape: tuple[int, ...]
    fortran_order: bool
    dtype: np.dtype
    n_bytes: int


def read_npz(request: ReadRequest) -> Arrays:
    """Return ``x``, ``X`` or ``data``, and ``y``, ``Y`` or ``labels`` if there are any.

    Without such a key the only array of two axes or more is taken; ``data.array`` and
    ``data.labels`` name others. A matrix that was saved by ``scipy.sparse.save_npz`` is read as
    well.

    Raises:
        DataError: no such key, a damaged archive, objects in it, or more than the disk holds.
    """
    keys = npz_headers(request.path)
    if {"format", "shape", "data"} <= keys.keys():
        return _read_sparse(request.path, keys)
    rows_key = request.options.array or pick_key(keys, VALUE_KEYS) or _only_array(keys)
    parts = parts_of(keys) if rows_key is None else None
    if parts is not None:
        return _read_parts(request, keys, parts)
    if rows_key is None:
        raise DataError(
            f"{request.path} has the arrays {', '.join(keys) or '(none)'}; expected the data under "
            f"{', '.join(VALUE_KEYS)} and, if there are labels, {', '.join(LABEL_KEYS)}: save it "
            "with numpy.savez(path, x=..., y=...), or name them by data.array and data.labels"
        )
    asked = request.options.labels if request.wants_labels else None
    label_key = asked or pick_key(keys, LABEL_KEYS)
    wanted = [rows_key] if label_key is None else [rows_key, label_key]
    arrays = read_arrays(request.path, wanted)
    labels = arrays.get(label_key or "")
    values, said_of_rows = rows_first(arrays[rows_key], labels, request)
    labels, said = judge_labels(labels, label_key or "", asked)
    said_of_keys = _say_keys(keys, rows_key, label_key, request.options.array)
    return Arrays(values, labels, guesses=(*said_of_rows, *said, *said_of_keys))


def _read_parts(request: ReadRequest, keys: Mapping[str, Header], parts: Parts) -> Arrays:
    """Return the rows of all parts, one below the other, with their labels if all have some."""
    arrays = read_arrays(request.path, [*parts.values, *parts.labels])
    values = _joined([arrays[key] for key in parts.values], str(request.path))
    asked = request.options.labels if request.wants_labels else None
    if asked is not None:
        raise DataError(
            f"{request.path} has rows in the parts {listed(parts.values)}, and '{asked}' cannot be "
            "the labels of all; name the array of one part with data.array"
        )
    found = [arrays[key].reshape(len(arrays[key]), -1) for key in parts.labels]
    labels, said = judge_labels(np.concatenate(found) if found else None, "', '".join(parts.labels))
    rows = f"the arrays {listed(parts.values)}, one below the other"
    others = tuple(key for key in keys if key not in (*parts.values, *parts.labels))
    left_out = [Guess("left out", f"the arrays {listed(others)}")] if others else []
    first = Guess("rows", rows, value_key("array", parts.values[0]))
    return Arrays(values, labels, guesses=(first, *said, *left_out))


def _joined(arrays: Sequence[np.ndarray], source: str) -> np.ndarray:
    """Return arrays one below the other, on disk where they are large."""
    n_rows, dtype = sum(map(len, arrays)), np.result_type(*arrays)
    values = room_for((n_rows, *arrays[0].shape[1:]), dtype, f"the rows in {source}")
    start = 0
    for array in arrays:
        for part in chunk_slices(len(array), array[:1].nbytes):
            values[start : start + part.stop - part.start] = read_part(array, part)
            start += part.stop - part.start
            release(values)
    return values


def _only_array(keys: Mapping[str, Header]) -> str | None:
    """Return the key of the only array that can be rows: of two axes or more."""
    found = [key for key, header in keys.items() if len(header.shape) > 1 and key not in LABEL_KEYS]
    return found[0] if len(found) == 1 else None


def _say_keys(
    keys: Mapping[str, Header], rows_key: str, label_key: str | None, asked: str | None
) -> list[Guess]:
    """Return lines about an array of an unusual name, and about arrays that are left out."""
    guesses = []
    if rows_key not in (*VALUE_KEYS, asked):
        guesses.append(Guess("rows", f"the array '{rows_key}', the only one of two axes or more"))
    others = tuple(key for key in keys if key not in (rows_key, label_key))
    if others:
        overrule = _key_of_another(keys, others, keys[rows_key].shape[:1])
        guesses.append(Guess("left out", f"the arrays {listed(others)}", overrule))
    return guesses


def _key_of_another(
    keys: Mapping[str, Header], others: Sequence[str], n_rows: tuple[int, ...]
) -> str:
    """Return the key that reads another array, as labels or as rows; empty if none can be."""
    labels = [
        key for key in others if keys[key].shape == n_rows and keys[key].dtype.kind in "biuUS"
    ]
    rows = [key for key in others if len(keys[key].shape) > 1 and keys[key].dtype.kind in "biuf"]
    if labels:
        return value_key("labels", labels[0])
    return value_key("array", rows[0]) if rows else ""


def _read_sparse(path: Path, keys: Mapping[str, Header]) -> Arrays:
    """Return a sparse matrix as a dense one."""
    from scipy import sparse

    for key, header in keys.items():
        _check(header, f"the array '{key}' in {path}")
    with _reading(path):
        matrix = sparse.load_npz(path)  # without pickle
    return Arrays(dense(matrix, str(path)), guesses=(Guess("rows", "a sparse matrix, made dense"),))


def pick_key(keys: Mapping[str, object], wanted: Sequence[str]) -> str | None:
    """Return the first of the wanted keys that is there."""
    return next((key for key in wanted if key in keys), None)


def npz_headers(path: Path) -> dict[str, Header]:
    """Return shape and dtype of every array in the archive; no array is read.

    Raises:
        DataError: the archive or a header is damaged.
    """
    with _reading(path), zipfile.ZipFile(path) as archive:
        check_members(archive, path)
        return dict(_headers(archive))


def read_arrays(path: Path, keys: Sequence[str]) -> dict[str, np.ndarray]:
    """Return the arrays under ``keys``, after checks of their headers.

    Raises:
        DataError: a key is not there, an array is cut short, holds objects or is too large.
    """
    headers = npz_headers(path)
    for key in keys:
        if key not in headers:
            raise DataError(f"{path} has no array '{key}'; it has {', '.join(headers)}")
        _check(headers[key], f"the array '{key}' in {path}")
    with _reading(path), zipfile.ZipFile(path) as archive:
        return {key: _read(archive, key, f"the array '{key}' in {path}") for key in keys}


def _read(archive: zipfile.ZipFile, key: str, what: str) -> np.ndarray:
    """Return the array, some of it at a time; a large one stays on disk, unpacked."""
    info = archive.getinfo(f"{key}.npy")
    with _opened(archive, info) as file:
        header = _header(file, info)
        shape = header.shape[::-1] if header.fortran_order else header.shape
        values = room_for(shape, header.dtype, what)
        _fill(values, file)
    return values.T if header.fortran_order else values


def _opened(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> zipfile.ZipExtFile:
    """Open an entry for reading; the standard library's types do not say of which class it is."""
    return cast("zipfile.ZipExtFile", archive.open(info))


def _fill(values: np.ndarray, file: zipfile.ZipExtFile) -> None:
    """Put the bytes of the file into the array, as they come."""
    if not values.nbytes:
        return
    content = values.reshape(-1).view(np.uint8)
    for part in chunk_slices(len(content), 1):
        if file.readinto(content[part].data) != part.stop - part.start:
            raise EOFError("it is cut short")
        release(values)


def _header(file: zipfile.ZipExtFile, info: zipfile.ZipInfo) -> Header:
    shape, fortran_order, dtype = read_header(file)
    return Header(shape, fortran_order, dtype, info.file_size - file.tell())


def _headers(archive: zipfile.ZipFile) -> Iterator[tuple[str, Header]]:
    for info in archive.infolist():
        if info.filename.endswith(".npy"):
            with _opened(archive, info) as file:
                yield info.filename.removesuffix(".npy"), _header(file, info)


def _check(header: Header, what: str) -> None:
    if header.dtype.hasobject:
        raise DataError(
            f"{what} holds Python objects, which are never loaded, because loading them can run "
            "code; convert it to numbers or texts and save it again"
        )
    declared = prod(header.shape) * header.dtype.itemsize
    if declared != header.n_bytes:
        raise DataError(
            f"{what} declares {declared} bytes, and {header.n_bytes} are there; the file is "
            "damaged, so copy or save it again"
        )


def _reading(path: Path) -> AbstractContextManager[None]:
    advice = "copy it again, or save it again with numpy.savez(path, x=..., y=...)"
    return reading(path, ".npz", advice)
