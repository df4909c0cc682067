"""The axis of an array that counts its rows: the first, or, as MATLAB's users like it, the last."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from archbuild.data.guess import Guess
from archbuild.data.request import ReadRequest

_CHANNELS = (1, 3, 4)  # of images
_BY_LABELS = (
    "which the labels count and not the first; without them (data.labels: none) data.rows: first "
    "reads it otherwise"
)


def rows_first(
    values: np.ndarray, labels: Any, request: ReadRequest, *, is_matlab: bool = False
) -> tuple[np.ndarray, list[Guess]]:
    """Return an array with its rows first, a view, and the decision if it is one.

    ``data.rows`` settles it. Else the last axis counts the rows where the labels count it and not
    the first, where it is the only one whose rows fit the spec's Input, and, of MATLAB's arrays
    without labels, where it lies behind two equal axes, as in ``(height, width, channels, n)``.

    Args:
        values: any array.
        labels: one for each row, or a line of marks for each; ``None`` if there are none.
        request: for the options and the spec's Input.
        is_matlab: whether MATLAB wrote the array.
    """
    if request.options.rows is not None or values.ndim < 2:
        is_last = request.options.rows == "last" and values.ndim > 1
        return (np.moveaxis(values, -1, 0) if is_last else values), []
    reason = _reason_for_last(values.shape, _count(labels), request, is_matlab)
    if reason is None:
        return values, []
    found = f"the last of the axes {values.shape}, {reason}"
    key = "" if labels is not None else "rows=first"  # the labels fit no other axis
    return np.moveaxis(values, -1, 0), [Guess("rows", found, key)]


def _reason_for_last(
    shape: tuple[int, ...], count: int | None, request: ReadRequest, is_matlab: bool
) -> str | None:
    if count is not None:
        return _BY_LABELS if shape[0] != count == shape[-1] else None
    wanted = prod(request.input_shape or ())
    if request.input_shape and prod(shape[1:]) != wanted == prod(shape[:-1]):
        return "by the size of the spec's Input"
    if is_matlab and not request.input_shape and _are_images_behind(shape):
        return "as MATLAB has images, height and width first"
    return None


def _are_images_behind(shape: tuple[int, ...]) -> bool:
    """Return whether images lie behind one another: ``(h, h, n)`` or ``(h, h, 1, 3 or 4, n)``."""
    is_square = len(shape) > 2 and shape[0] == shape[1] != shape[-1]
    return is_square and (len(shape) == 3 or (len(shape) == 4 and shape[2] in _CHANNELS))


def _count(labels: Any) -> int | None:
    """Return how many rows labels are for."""
    if labels is None:
        return None
    shape: tuple[int, ...] = np.shape(labels)
    is_one_each = max(shape, default=1) == prod(shape)
    return prod(shape) if is_one_each else shape[0]
