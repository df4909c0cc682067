"""Columns and matrices added to an AnnData file, in the layout that the file has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from archbuild.data.formats.hdf5.file import as_texts, attribute, find, is_dataset, is_group, read
from archbuild.errors import DataError

if TYPE_CHECKING:
    from h5py import File, Group


class Categories(NamedTuple):
    """A column of few texts: ``(rows,)`` codes, and the texts that they stand for."""

    codes: np.ndarray
    names: Sequence[str]


def add_to_cells(
    path: Path, columns: Mapping[str, np.ndarray | Categories], matrices: Mapping[str, np.ndarray]
) -> None:
    """Add columns to ``obs`` and matrices to ``obsm``; those of the same names are replaced.

    Args:
        path: of an AnnData file.
        columns: ``(cells,)`` numbers, or categories.
        matrices: ``(cells, ...)`` numbers.

    Raises:
        DataError: the file is damaged, has no ``obs``, or another number of cells.
    """
    import h5py

    try:
        with h5py.File(path, "r+") as file:
            obs = find(file, "obs")
            if is_dataset(obs):
                _extend_records(file, "obs", _as_fields(file, columns))
            elif is_group(obs):
                _extend_frame(obs, columns)
            else:
                raise DataError(f"{path} has no 'obs'; expected the layout of AnnData")
            _extend_obsm(file, matrices)
    except (OSError, RuntimeError, LookupError, ValueError, TypeError) as error:
        raise DataError(f"{path} cannot be written to as an AnnData file ({error})") from error


def _extend_frame(obs: Group, columns: Mapping[str, np.ndarray | Categories]) -> None:
    import h5py

    for name, values in columns.items():
        _remove(obs, name)
        if isinstance(values, Categories):
            group = obs.create_group(name)
            _mark(group, "categorical").attrs["ordered"] = False
            _mark(group.create_dataset("codes", data=_small(values.codes)), "array")
            texts = group.create_dataset(
                "categories", data=list(values.names), dtype=h5py.string_dtype()
            )
            _mark(texts, "string-array")
        else:
            _mark(obs.create_dataset(name, data=values), "array")
    order = attribute(obs, "column-order")
    if order is not None:
        kept = [name for name in as_texts(order).tolist() if name not in columns]
        obs.attrs.create("column-order", [*kept, *columns], dtype=h5py.string_dtype())


def _as_fields(file: File, columns: Mapping[str, np.ndarray | Categories]) -> dict[str, np.ndarray]:
    """Return columns as fields of a compound table; categories go into ``uns``."""
    fields = {}
    for name, values in columns.items():
        if isinstance(values, Categories):
            uns = file.require_group("uns")
            _remove(uns, f"{name}_categories")
            uns[f"{name}_categories"] = np.array([text.encode() for text in values.names])
        fields[name] = _small(values.codes) if isinstance(values, Categories) else values
    return fields


def _extend_obsm(file: File, matrices: Mapping[str, np.ndarray]) -> None:
    obsm = find(file, "obsm")
    if is_dataset(obsm):
        _extend_records(file, "obsm", matrices)
        return
    if obsm is None:
        obsm = _mark(file.create_group("obsm"), "dict", "0.1.0")
    for name, values in matrices.items():
        _remove(obsm, name)
        _mark(obsm.create_dataset(name, data=values), "array")


def _extend_records(file: File, path: str, fields: Mapping[str, np.ndarray]) -> None:
    """Write a compound dataset anew with more fields."""
    old = read(find(file, path))
    kept = [name for name in old.dtype.names or () if name not in fields]
    kinds: list[tuple[Any, ...]] = [(name, old.dtype[name]) for name in kept]
    kinds += [(name, values.dtype, values.shape[1:]) for name, values in fields.items()]
    records = np.zeros(len(old), kinds)
    for name in kept:
        records[name] = old[name]
    for name, values in fields.items():
        records[name] = values
    attributes = dict(file[path].attrs)
    del file[path]
    file.create_dataset(path, data=records).attrs.update(attributes)


def _remove(group: Group, name: str) -> None:
    if group.get(name, getlink=True) is not None:
        del group[name]


def _mark(thing: Any, kind: str, version: str = "0.2.0") -> Any:
    """Return the thing with the encoding that AnnData finds it by."""
    thing.attrs["encoding-type"], thing.attrs["encoding-version"] = kind, version
    return thing


def _small(codes: np.ndarray) -> np.ndarray:
    return codes.astype(np.int8 if codes.max(initial=0) < 128 else np.int32)
