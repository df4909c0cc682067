"""Protocol buffers as bytes: fields, and numbers of varying length.

Source: https://protobuf.dev/programming-guides/encoding. What is wrong is a ``ValueError``, since
no place is known here.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np

VARINT: Final = 0
FIXED64: Final = 1
BYTES: Final = 2
FIXED32: Final = 5

_LONGEST: Final = 10  # bytes of a varint
_ALL_BITS: Final = 2**64 - 1
_SIZES: Final = {FIXED64: 8, FIXED32: 4}


class Field(NamedTuple):
    """A field of a message.

    Attributes:
        number: that the message's definition gives it.
        kind: ``VARINT``, ``FIXED64``, ``BYTES`` or ``FIXED32``.
        value: the number of a varint, else 0.
        start: where its bytes begin.
        end: where they end.
    """

    number: int
    kind: int
    value: int
    start: int
    end: int


def fields(content: bytes, start: int = 0, end: int | None = None) -> Iterator[Field]:
    """Yield the fields of a message that lies between two places.

    Raises:
        ValueError: one does not fit in.
    """
    end = len(content) if end is None else end
    while start < end:
        tag, start = _varint(content, start, end)
        kind, value = tag & 7, 0
        if kind == BYTES:
            length, start = _varint(content, start, end)
            stop = start + length
        elif kind == VARINT:
            value, stop = _varint(content, start, end)
        elif kind in _SIZES:
            stop = start + _SIZES[kind]
        else:
            raise ValueError(f"a field of the kind {kind}, which records do not have")
        if stop > end:
            raise ValueError("a field goes beyond the end of what it is in")
        yield Field(tag >> 3, kind, value, start, stop)
        start = stop


def _varint(content: bytes, start: int, end: int) -> tuple[int, int]:
    """Return a number and the place behind it."""
    if start < end and content[start] < 0x80:  # as most are
        return content[start], start + 1
    value = shift = 0
    for place in range(start, min(end, start + _LONGEST)):
        byte = content[place]
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & _ALL_BITS, place + 1
        shift += 7
    raise ValueError("a number goes beyond the end of what it is in")


def count_varints(content: np.ndarray) -> int:
    """Return how many numbers end in some bytes."""
    return int(np.count_nonzero(content < 0x80))


def varints(content: np.ndarray) -> np.ndarray:
    """Return numbers that stand one behind the other.

    Args:
        content: uint8.

    Returns:
        int64, by two's complement.

    Raises:
        ValueError: the last one does not end, or one is longer than a number of 64 bits is.
    """
    is_end = content < 0x80
    if is_end.all():
        return content.astype(np.int64)
    ends = np.flatnonzero(is_end)
    starts = np.concatenate(([0], ends[:-1] + 1))
    lengths = ends - starts + 1
    if not len(ends) or ends[-1] != len(content) - 1 or lengths.max() > _LONGEST:
        raise ValueError("a list of whole numbers does not end where it should")
    places = np.arange(len(content)) - np.repeat(starts, lengths)
    parts = (content & 0x7F).astype(np.uint64) << (7 * places).astype(np.uint64)
    return np.bitwise_or.reduceat(parts, starts).view(np.int64)
