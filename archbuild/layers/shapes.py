"""The spec's shapes (channels first, no batch) and the way to the tensors' (channels last)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from archbuild.spec.plan import SHAPE_FORMS, PlannedLayer, Shape
from archbuild.spec.vocabulary import ShapeError


def channels_last(shape: Shape) -> Shape:
    """Move the channels of ``(channels, height, width)`` last; flat shapes stay."""
    return (*shape[1:], shape[0])


def flat_size(shape: Shape) -> int:
    """Return how many numbers one example of this shape takes."""
    return math.prod(shape)


def per_axis(value: int | Sequence[int], axes: int) -> tuple[int, ...]:
    """Repeat one number for every axis; numbers given one by one stay."""
    return (value,) * axes if isinstance(value, int) else tuple(value)


def by_axes(sizes: Sequence[int]) -> str:
    """Return sizes as people write them: ``5x5``."""
    return "x".join(map(str, sizes))


def with_step(word: str, stride: Sequence[int]) -> str:
    """Return a layer's notation with its stride, ``50[5x5]/2``, where that is not 1."""
    if set(stride) == {1}:
        return word
    return f"{word}/{by_axes(alike(stride))}"


def alike(sizes: Sequence[int]) -> Sequence[int]:
    """Return the first size where all are equal; otherwise all of them."""
    return sizes[:1] if len(set(sizes)) == 1 else sizes


def require_axes(name: str, shape: Shape, axes: int) -> Shape:
    """Return the spatial part of ``shape``; raise ``ShapeError`` unless it has ``axes`` axes."""
    if len(shape) == axes + 1:
        return shape[1:]
    if not shape:
        raise ShapeError(f"{name} has nothing below it", "begin the list with an Input layer")
    raise ShapeError(
        f"{name} works on {SHAPE_FORMS[axes + 1]}, but {list(shape)} comes in",
        f"put a Reshape to {SHAPE_FORMS[axes + 1]} before it, or another layer in its place",
    )


def require_input(name: str, shape: Shape) -> Shape:
    """Return ``shape``; raise ``ShapeError`` where no layer stands below."""
    if not shape:
        raise ShapeError(f"{name} has nothing below it", "begin the list with an Input layer")
    return shape


def require_earlier(indices: Sequence[int], layers: Mapping[int, PlannedLayer]) -> None:
    """Raise ``ShapeError`` where a layer that another one reads is not among the earlier ones."""
    missing = [index for index in indices if index not in layers]
    if missing:
        raise ShapeError(
            f"there is no usable earlier layer {', '.join(map(str, missing))}",
            "name layers that stand before this one, the first is 0",
        )
