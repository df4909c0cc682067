"""``.h5``, ``.hdf5``: arrays by name; single-cell files are known by what is in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from archbuild.data.apart import apart
from archbuild.data.formats.arrays.labels import judge_labels
from archbuild.data.formats.arrays.npz import LABEL_KEYS, VALUE_KEYS
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
    shape_of,
)
from archbuild.data.formats.hdf5.ten_x import read_ten_x, ten_x_group
from archbuild.data.guess import Guess, value_key
from archbuild.data.request import Arrays, ReadRequest
from archbuild.errors import DataError

if TYPE_CHECKING:
    from h5py import Dataset, File

_VALUES = (*VALUE_KEYS, "images", "features", "fea")
_LABELS = (*LABEL_KEYS, "label", "target", "targets", "classes", "gnd")
_SHOWN = 12


@apart("an HDF5 file")
def read_hdf5(request: ReadRequest) -> Arrays:
    """Return the rows and labels of an HDF5 file.

    An AnnData file and the matrix of Cell Ranger are read as such. Of other files the rows are the
    array that ``data.array`` names, else one called ``x``, ``X``, ``data``, ``images``,
    ``features`` or ``fea``, else the only array of numbers with two axes or more; labels are
    ``y``, ``Y``, ``labels``, ``label``, ``target``, ``targets``, ``classes`` or ``gnd``, or what
    ``data.labels`` names.

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
    key = _value_key(file, there, request)
    values = dataset_at(file, key)
    label_key = _label_key(file, there, (values.shape[0], values.shape[-1]), key, request)
    found = None if label_key is None else read(dataset_at(file, label_key))
    turned, said_of_rows = rows_first(read_rows(values), found, request)
    labels, said = judge_labels(found, label_key or "", request.options.labels)
    others = [name for name in there if name not in (key, label_key)]
    shapes = _some([shape_of(there[name]) for name in others])
    left = f"{len(others)} arrays: {shapes}"
    able = [name for name in others if _can_be_rows(there[name])]
    overrule = value_key("array", able[0]) if able else ""
    left_out = [Guess("left out", left, overrule)] if others else []
    several = "" if key in _VALUES else f"the array '{key}', {values.shape}"
    rows = [Guess("rows", several)] if several else []
    return Arrays(turned, labels, guesses=(*rows, *said_of_rows, *said, *left_out))


def _value_key(file: File, there: Mapping[str, Dataset], request: ReadRequest) -> str:
    """Return the path of the array that holds the rows."""
    asked = request.options.array
    if asked is not None:
        return _named(file, there, asked, request)
    able = [name for name, array in there.items() if _can_be_rows(array)]
    usual = [name for wanted in _VALUES for name in able if name == wanted]
    rows = usual[:1] or [name for name in able if name not in _LABELS]
    if len(rows) == 1:
        return rows[0]
    shown = _some([shape_of(there[name]) for name in rows or there])
    problem = "several arrays that may be rows" if rows else "no array of rows"
    advice = (
        "choose one with data.array in the spec (--set data.array=NAME)"
        if rows
        else f"expected numbers of two axes or more, as {', '.join(VALUE_KEYS)}"
    )
    raise DataError(f"{request.path} has {problem}: {shown or '(none)'}; {advice}")


def _can_be_rows(array: Dataset) -> bool:
    return array.ndim > 1 and is_numeric(array.dtype)


def _label_key(
    file: File,
    there: Mapping[str, Dataset],
    n_rows: Sequence[int],
    key: str,
    request: ReadRequest,
) -> str | None:
    """Return the path of the labels: beside the rows, else at the top, as many as one says."""
    if not request.wants_labels:
        return None
    if request.options.labels is not None:
        return _named(file, there, request.options.labels, request)
    beside = key.rpartition("/")[0]
    places = [f"{beside}/{name}".strip("/") for name in _LABELS] + list(_LABELS)
    return next((name for name in places if name in there and _fits(there[name], n_rows)), None)


def _fits(array: Dataset, n_rows: Sequence[int]) -> bool:
    is_label = is_numeric(array.dtype) or is_text(array.dtype)
    count = max(array.shape, default=0)
    is_one_each = count in n_rows and count == int(np.prod(array.shape))
    may_be_marks = array.ndim == 2 and len(array) in n_rows and is_numeric(array.dtype)
    return is_label and (is_one_each or may_be_marks)


def _named(file: File, there: Mapping[str, Dataset], name: str, request: ReadRequest) -> str:
    found = find(file, name)
    if not is_dataset(found):
        shown = _some([shape_of(array) for array in there.values()])
        raise DataError(f"{request.path} has no array '{name}'; it has {shown or 'none'}")
    path = found.name.strip("/")
    return path if path in there else name


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
