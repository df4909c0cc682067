"""Tensors as ``tf.io.serialize_tensor`` writes them, which say their type and their shape.

Source: TensorFlow, ``tensorflow/core/framework/tensor.proto``, ``tensor_shape.proto`` and
``types.proto``.
"""

from __future__ import annotations

from math import prod
from typing import Final

import numpy as np

from archbuild.data.formats.tfrecord.wire import BYTES, VARINT, fields

_TYPE, _SHAPE, _VERSION, _CONTENT = 1, 2, 3, 4
_DIMENSION, _SIZE = 2, 1
_TYPES: Final = {
    **{1: "<f4", 2: "<f8", 3: "<i4", 4: "|u1", 5: "<i2", 6: "|i1", 9: "<i8", 10: "|b1"},
    **{17: "<u2", 19: "<f2", 22: "<u4", 23: "<u8"},
}
_MOST_AXES: Final = 8


def tensor_of(content: bytes) -> np.ndarray | None:
    """Return a tensor of numbers; ``None`` for bytes that are none, to the last of them."""
    try:
        return _tensor(content)
    except ValueError:
        return None


def _tensor(content: bytes) -> np.ndarray:
    found = {}
    for field in fields(content):
        if field.number not in (_TYPE, _SHAPE, _VERSION, _CONTENT) or field.number in found:
            raise ValueError("something else")
        found[field.number] = field
    if {_TYPE, _SHAPE, _CONTENT} - found.keys() or found[_TYPE].kind != VARINT:
        raise ValueError("no type, no shape or no numbers")
    dtype = np.dtype(_TYPES.get(found[_TYPE].value, "O"))
    shape = _shape(content, found[_SHAPE].start, found[_SHAPE].end)
    numbers = content[found[_CONTENT].start : found[_CONTENT].end]
    if dtype.hasobject or prod(shape) * dtype.itemsize != len(numbers):
        raise ValueError("numbers of another type, or not as many as the shape says")
    return np.frombuffer(numbers, dtype).reshape(shape)


def _shape(content: bytes, start: int, end: int) -> tuple[int, ...]:
    sizes: list[int] = []
    for dimension in fields(content, start, end):
        if dimension.number != _DIMENSION or dimension.kind != BYTES or len(sizes) == _MOST_AXES:
            raise ValueError("a shape that is not known")
        parts = list(fields(content, dimension.start, dimension.end))
        if len(parts) != 1 or parts[0].number != _SIZE or parts[0].kind != VARINT:
            raise ValueError("an axis without a size")
        sizes.append(parts[0].value)
    return tuple(sizes)
