"""``.h5``, ``.hdf5``: arrays by name; single-cell files are known by what is in them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from archbuild.data.apart import apart
from archbuild.data.formats.arrays.choice import NUMBERS, OTHER, TEXTS, Choice, Held
from archbuild.data.formats.arrays.labels import judge_labels
from archbuild.data.formats.arrays.row_axis import rows_first
from archbuild.data.formats.hdf5.anndata import cells_of
from archbuild.data.formats.hdf5.file import (
    dataset_at,
    datasets,
    find,
    is_dataset,
    is_group,
    is_numeric,
    is_text,
    opened,
    read,
    read_rows,
)
from archbuild.data.formats.hdf5.ten_x import read_ten_x, ten_x_group
from archbuild.data.request import Arrays, ReadRequest

if TYPE_CHECKING:
    from h5py import Dataset, File


@apart("an HDF5 file")
def read_hdf5(request: ReadRequest) -> Arrays:
    """Return the rows and labels of an HDF5 file.

    An AnnData file and the matrix of Cell Ranger are read as such. Of other files rows and labels
    are chosen as ``Choice`` says.

    Raises:
        DataError: the file is damaged, or has no such array, or several.
    """
    with opened(request.path) as file:
        if is_group(find(file, "obs")) and is_group(find(file, "var")):
            return cells_of(file, request)
        group = ten_x_group(file)
        return read_ten_x(file, group, request) if group is not None else _arrays(file, request)


def _arrays(file: File, request: ReadRequest) -> Arrays:
    there = datasets(file)
    choice = Choice(request.path, _held(there), lambda name: _named(file, there, name))
    key = choice.rows(request)
    values = dataset_at(file, key)
    label_key = choice.labels(key, (values.shape[0], values.shape[-1]), request)
    found = None if label_key is None else read(dataset_at(file, label_key))
    turned, said_of_rows = rows_first(read_rows(values), found, request)
    labels, said = judge_labels(found, label_key or "", request.options.labels)
    guesses = (
        *choice.say_rows(key, values.shape),
        *said_of_rows,
        *said,
        *choice.say_left_out(key, label_key),
    )
    return Arrays(turned, labels, guesses=guesses)


def _held(there: Mapping[str, Dataset]) -> dict[str, Held]:
    return {
        name: Held(found.shape or (), _kind(found), str(found.dtype))  # of an empty one it is None
        for name, found in there.items()
    }


def _kind(array: Dataset) -> str:
    if is_numeric(array.dtype):
        return NUMBERS
    return TEXTS if is_text(array.dtype) else OTHER


def _named(file: File, there: Mapping[str, Dataset], name: str) -> str | None:
    """Return the path of what a name leads to; the name where links lead to it."""
    found = find(file, name)
    if not is_dataset(found):
        return None
    path = str(found.name).strip("/")
    return path if path in there else name
