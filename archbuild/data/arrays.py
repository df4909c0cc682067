"""From arrays as users store them to a ``Dataset``: which axis is what, and what is refused.

The rule for arrays that do not say what they are:

==============================  ==================================================================
``(n, features)``               a table
``(n, a, b)`` of uint8 or bool  images of height ``a`` and width ``b`` with one channel
``(n, a, b)`` of another type   series of length ``a`` with ``b`` channels, unless the spec's Input
                                is the image ``[1, a, b]``
``(n, a, b, c)``                images of height ``a``, width ``b`` and ``c`` channels, unless the
                                spec's Input is ``[a, b, c]``: then the channels come first
==============================  ==================================================================

Series whose channels come first are turned round in the same way. Values of type uint8 are
multiplied by 1/255, whatever their shape.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np

from archbuild.data.dataset import Dataset, Shape, chunk_slices
from archbuild.data.labels import encode_labels
from archbuild.data.spill import read_part
from archbuild.errors import DataError


def dataset_from_arrays(
    name: str,
    values: Any,
    labels: Any = None,
    *,
    input_shape: Shape | None = None,
    arch_stem: str | None = None,
    source: str = "memory",
    ids: Sequence[str] | np.ndarray | None = None,
    columns: Sequence[str] = (),
    least_rows: int = 2,
) -> Dataset:
    """Return a checked dataset from a user's arrays.

    Args:
        name: any text; what cannot stand in a folder's name is replaced.
        values: ``(n, ...)``, two to four axes, by the rule at the head of this module.
        labels: one for each row, of any kind that ``encode_labels`` takes, or ``None``.
        input_shape: the spec's Input, which settles what the rule leaves open.
        arch_stem: the stem of the spec files made for these data; by default the name.
        source: where they came from, for messages.
        ids: one text for each row, as ``Dataset.ids``.
        columns: the names of the features, as ``Dataset.columns``.
        least_rows: fewer are refused.

    Raises:
        DataError: the values are no numbers, too few, not finite, of one axis or of more than
            four, or the labels do not fit.
    """
    array = _checked(values, input_shape, least_rows, source)
    codes, classes = (None, ()) if labels is None else encode_labels(labels, len(array), source)
    safe = folder_safe(name)
    scale = 1 / 255 if array.dtype == np.uint8 else 1.0
    named = None if ids is None else np.asarray(ids, str)
    return Dataset(
        safe, array, codes, classes, scale, arch_stem or safe, source, named, tuple(columns)
    )


def _checked(values: Any, input_shape: Shape | None, least_rows: int, source: str) -> np.ndarray:
    """Return the values as an array of finite numbers with the channels last."""
    array = values if isinstance(values, np.ndarray) else np.asarray(values)
    check_kind(array, source)
    array = arrange_axes(array, input_shape, source)
    _check_rows(array, least_rows, source)
    check_finite(array, source)
    return array


def folder_safe(name: str) -> str:
    """Return the name with all but letters, digits, ``.``, ``_`` and ``-`` replaced by ``-``."""
    return re.sub(r"[^\w.-]+", "-", name).strip(".-") or "data"


def arrange_axes(values: np.ndarray, input_shape: Shape | None, source: str) -> np.ndarray:
    """Return a view of ``values``, channels last, by the rule at the head of this module."""
    _check_shape(values, source)
    wanted = tuple(input_shape or ())
    row = values.shape[1:]
    if len(row) == 3:
        as_it_stands = (row[2], *row[:2]) == wanted
        return np.moveaxis(values, 1, -1) if row == wanted and not as_it_stands else values
    if len(row) == 2:
        return _arrange_two_axes(values, wanted)
    return values


def _arrange_two_axes(values: np.ndarray, wanted: Shape) -> np.ndarray:
    height, width = values.shape[1:]
    if wanted == (1, height, width):
        return values[..., np.newaxis]
    if wanted == (width, height):
        return values
    if wanted == (height, width):
        return values.swapaxes(1, 2)
    return values[..., np.newaxis] if values.dtype in (np.uint8, np.bool_) else values


def check_finite(values: np.ndarray, source: str) -> None:
    """Refuse NaN, infinity, and numbers too large for float32, looking at a part at a time."""
    if values.dtype.kind != "f":
        return
    first, count = -1, 0
    for part in chunk_slices(len(values), prod(values.shape[1:]) * values.itemsize):
        with np.errstate(over="ignore"):
            finite = np.isfinite(read_part(values, part).astype(np.float32, copy=False))
        broken = ~finite.reshape(len(finite), -1).all(axis=1)
        if broken.any() and first < 0:
            first = part.start + int(np.argmax(broken))
        count += int(broken.sum())
    if count:
        raise DataError(
            f"{source} holds NaN, infinity or numbers beyond float32 in {count} of {len(values)} "
            f"rows, the first of them row {first} (counted from 0); drop those rows or fill them in"
        )


def check_kind(values: np.ndarray, source: str) -> None:
    """Refuse what is no plain number: texts, objects, complex numbers, dates."""
    if values.dtype.kind not in "biuf":
        raise DataError(
            f"{source} holds values of type {values.dtype}; clustering needs plain numbers "
            "(integers, floats or booleans), so convert or drop what is something else"
        )


def _check_shape(values: np.ndarray, source: str) -> None:
    if values.ndim not in (2, 3, 4):
        raise DataError(
            f"{source} holds an array of shape {values.shape}; expected (n, features), "
            "(n, length, channels), (n, height, width) or (n, height, width, channels)"
            + ("; for one number per row, reshape it to (n, 1)" if values.ndim == 1 else "")
        )
    if 0 in values.shape[1:]:
        raise DataError(
            f"{source} holds an array of shape {values.shape}, with nothing in its rows; check how "
            "the file was written"
        )


def _check_rows(values: np.ndarray, least: int, source: str) -> None:
    if len(values) < least:
        raise DataError(
            f"{source} holds an array of shape {values.shape}; at least {least} rows are needed, "
            "so check how the file was written"
        )
