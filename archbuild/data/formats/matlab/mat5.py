"""MATLAB's files of versions 5 to 7: elements one behind the other, some packed by zlib.

After "MAT-File Format", MathWorks, chapter 1. An element is a tag, which says what follows and how
many bytes it has, and these bytes; a variable is an element that consists of others.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from functools import partial
from math import prod
from typing import Final, NamedTuple

import numpy as np

from archbuild.data.formats.matlab.sparse import dense_columns
from archbuild.data.formats.matlab.variable import (
    MOST_AXES,
    Buffer,
    Variable,
    by_columns,
    checked_shape,
    joined_letters,
)
from archbuild.data.limits import check_declared
from archbuild.data.spill import release, room_for

HEADER_BYTES: Final = 128
_ORDERS: Final = {b"IM": "<", b"MI": ">"}  # the last two bytes of the header

_NUMBERS: Final = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4"} | {
    7: "f4",
    9: "f8",
    12: "i8",
    13: "u8",
}
"""Type of an element -> its numbers as a type of NumPy."""

_MATRIX, _PACKED = 14, 15
_ENCODINGS: Final = {16: "utf-8", 17: "utf-16", 18: "utf-32"}
_INT8, _UINT8, _UINT16 = 1, 2, 4
_LETTERS: Final = {_INT8: "latin-1", _UINT8: "latin-1", _UINT16: "utf-16", **_ENCODINGS}

_CELL, _CHAR, _SPARSE = 1, 4, 5
_CLASSES: Final = {
    _CELL: "cell",
    2: "struct",
    3: "object",
    _CHAR: "char",
    _SPARSE: "sparse",
    6: "double",
    7: "single",
    8: "int8",
    9: "uint8",
    10: "int16",
    11: "uint16",
    12: "int32",
    13: "uint32",
    14: "int64",
    15: "uint64",
    16: "function",
    17: "opaque",
}
_ITEM_BYTES: Final = {7: 4, 8: 1, 9: 1, 10: 2, 11: 2, 12: 4, 13: 4}  # 8 of the other classes
_OPAQUE: Final = 17  # without axes
_FIRST_NUMBERS: Final = 6  # this class and those behind are numbers
_COMPLEX, _LOGICAL = 0x0800, 0x0200
_TAG_BYTES: Final = 8
_STEP: Final = 2**20  # bytes that are unpacked at a time
_HEAD_BYTES: Final = 4096  # of a packed variable, in which its header lies


class _Head(NamedTuple):
    """The header of a variable."""

    name: str
    shape: tuple[int, ...]
    number: int  # of its class
    flags: int


def variables_5(content: np.ndarray, path: object) -> dict[str, Variable]:
    """Return the variables of a file.

    Args:
        content: ``(n,)`` uint8.
        path: of the file, for messages.

    Raises:
        ValueError: it is damaged.
        DataError: a variable is packed so tightly that it cannot be honest.
    """
    order = _ORDERS.get(bytes(content[HEADER_BYTES - 2 : HEADER_BYTES]))
    if order is None:
        raise ValueError("it does not begin as one")
    buffer = Buffer(content, order)
    buffer.take(HEADER_BYTES)
    found: dict[str, Variable] = {}
    while len(buffer) >= 8:  # some programs write a few bytes behind the last variable
        kind, element = _element(buffer)
        if kind not in (_MATRIX, _PACKED):
            continue
        whole = partial(_unpacked, element, path) if kind == _PACKED else partial(_again, element)
        head = _head(_beginning(element) if kind == _PACKED else _again(element))
        if head is not None:
            found[head.name] = _variable(head, whole)
    return found


def _variable(head: _Head, whole: partial[Buffer]) -> Variable:
    is_logical = head.number >= _FIRST_NUMBERS and head.flags & _LOGICAL
    kind = "logical" if is_logical else _CLASSES[head.number]
    n_bytes = prod(head.shape) * (1 if is_logical else _ITEM_BYTES.get(head.number, 8))
    return Variable(head.shape, kind, n_bytes, lambda: _values(whole()))


def _element(buffer: Buffer) -> tuple[int, Buffer]:
    """Return the type of the next element, and its bytes; those that fill it up are passed over."""
    start = buffer.place
    tag = buffer.numbers(2, "u4")
    kind, n_bytes = int(tag[0]), int(tag[1])
    if kind >> 16:  # up to four bytes lie in the tag itself
        kind, n_bytes = kind & 0xFFFF, kind >> 16
        if n_bytes > 4:
            raise ValueError(f"a short element of {n_bytes} bytes")
        buffer.place = start + 4
        content = buffer.take(4)[:n_bytes]
    else:
        content = buffer.take(n_bytes)
        if kind != _PACKED:
            buffer.take(min(-n_bytes % 8, len(buffer)))
    return kind, Buffer(content, buffer.order)


def _again(element: Buffer) -> Buffer:
    return Buffer(element.content, element.order)


def _beginning(packed: Buffer, *, with_tag: bool = False) -> Buffer:
    """Return the beginning of a packed variable; its header lies in it."""
    start = zlib.decompressobj().decompress(packed.content.tobytes(), _HEAD_BYTES)
    buffer = Buffer(np.frombuffer(start, np.uint8), packed.order)
    if not with_tag:
        _check_matrix(buffer)
    return buffer


def _unpacked(packed: Buffer, path: object) -> Buffer:
    """Return a packed variable, without its tag, once it is known how large it is.

    Raises:
        ValueError: it is damaged.
        DataError: it is out of all proportion.
    """
    n_bytes = _check_matrix(_beginning(packed, with_tag=True))
    check_declared(n_bytes, len(packed.content), f"a variable in {path}")
    values = room_for((_TAG_BYTES + n_bytes,), np.uint8, f"a variable in {path}")
    place = 0
    for content in _pieces(packed.content):
        if place + len(content) > len(values):
            raise ValueError("a packed variable goes on behind its end")
        values[place : place + len(content)] = np.frombuffer(content, np.uint8)
        place += len(content)
        release(values)
    if place != len(values):
        raise ValueError(f"a packed variable ends {len(values) - place} bytes too early")
    return Buffer(values[_TAG_BYTES:], packed.order)


def _pieces(packed: np.ndarray) -> Iterator[bytes]:
    """Yield unpacked bytes, some at a time, to the end of the stream and its checksum."""
    unpacker = zlib.decompressobj()
    for start in range(0, len(packed), _STEP):
        content = packed[start : start + _STEP].tobytes()
        while content:
            yield unpacker.decompress(content, _STEP)
            content = unpacker.unconsumed_tail
    while rest := unpacker.decompress(b"", _STEP):
        yield rest


def _check_matrix(buffer: Buffer) -> int:
    """Take the tag of a variable, and return how many bytes it has."""
    kind, n_bytes = map(int, buffer.numbers(2, "u4"))
    if kind != _MATRIX:
        raise ValueError(f"a packed element of type {kind}, where a variable was expected")
    return n_bytes


def _head(buffer: Buffer) -> _Head | None:
    """Return the header of a variable; ``None`` for what MATLAB keeps for itself, without a name.

    Raises:
        ValueError: it is damaged.
    """
    if not len(buffer):
        return None
    kind, flags = _numbers(buffer)
    if kind != 6 or len(flags) != 2:
        raise ValueError("a variable without a class")
    number = int(flags[0]) & 0xFF
    if number not in _CLASSES:
        raise ValueError(f"a variable of the unknown class {number}")
    shape: tuple[int, ...] = ()
    if number != _OPAQUE:
        kind, lengths = _numbers(buffer)
        if len(lengths) > MOST_AXES:
            raise ValueError(f"a variable of {len(lengths)} axes")
        shape = checked_shape(lengths)
    _, name = _element(buffer)
    text = bytes(name.content).partition(b"\0")[0].decode("latin-1")
    return _Head(text, shape, number, int(flags[0]))


def _numbers(buffer: Buffer) -> tuple[int, np.ndarray]:
    """Return the type of the next element and its numbers, in the type that they are kept in."""
    kind, element = _element(buffer)
    if kind not in _NUMBERS:
        raise ValueError(f"an element of type {kind}, where numbers were expected")
    size = np.dtype(_NUMBERS[kind]).itemsize
    if len(element) % size:
        raise ValueError(f"{len(element)} bytes of numbers of {size} bytes each")
    return kind, element.numbers(len(element) // size, _NUMBERS[kind])


def _values(buffer: Buffer) -> np.ndarray:
    """Return the values of a variable.

    Raises:
        ValueError: it is damaged, or holds neither numbers nor texts.
    """
    head = _head(buffer)
    if head is None:  # an empty cell
        return np.empty((0, 0))
    if head.number == _CHAR:
        return joined_letters(_letters(buffer), head.shape)
    if head.number == _CELL:
        return _cells(buffer, head.shape)
    if head.number == _SPARSE:
        return _sparse(buffer, head)
    if head.number < _FIRST_NUMBERS or head.number >= 16:
        what = f"'{head.name}'" if head.name else "a cell of it"  # which has no name
        raise ValueError(f"{what} is a {_CLASSES[head.number]}; expected numbers or texts")
    return by_columns(_real_or_complex(buffer, head), head.shape)


def _real_or_complex(buffer: Buffer, head: _Head) -> np.ndarray:
    _, numbers = _numbers(buffer)
    if not head.flags & _COMPLEX:
        return numbers
    _, imaginary = _numbers(buffer)
    return numbers + 1j * imaginary


def _truths(buffer: Buffer) -> np.ndarray:
    """Return the values of a sparse logical matrix: bytes, whatever MATLAB says that they are."""
    _, element = _element(buffer)
    return element.content.astype(bool)


def _letters(buffer: Buffer) -> str:
    kind, element = _element(buffer)
    encoding = _LETTERS.get(kind)
    if encoding is None:
        raise ValueError(f"letters in an element of type {kind}")
    if encoding in ("utf-16", "utf-32"):  # without the mark that Python expects
        encoding += "-le" if buffer.order == "<" else "-be"
    return bytes(element.content).decode(encoding)


def _cells(buffer: Buffer, shape: tuple[int, ...]) -> np.ndarray:
    """Return what is in the cells, an array of arrays."""
    if 8 * prod(shape) > len(buffer):
        raise ValueError(f"{len(buffer)} bytes for cells of the shape {shape}")
    made = np.empty(prod(shape), object)
    for place, cell in enumerate(_matrices(buffer, prod(shape))):
        made[place] = _values(cell)
    return made.reshape(shape, order="F")


def _matrices(buffer: Buffer, count: int) -> Iterator[Buffer]:
    for _ in range(count):
        kind, element = _element(buffer)
        if kind != _MATRIX:
            raise ValueError(f"an element of type {kind} in a cell")
        yield element


def _sparse(buffer: Buffer, head: _Head) -> np.ndarray:
    """Return a sparse matrix, dense: its rows' places, where each column begins, its numbers."""
    (_, rows), (_, starts) = _numbers(buffer), _numbers(buffer)
    is_logical = bool(head.flags & _LOGICAL)
    values = _truths(buffer) if is_logical else _real_or_complex(buffer, head)
    rows, starts = rows.astype(np.int64), starts.astype(np.int64)
    n_rows, n_columns = head.shape[0], prod(head.shape[1:])
    lengths = np.diff(starts)
    if len(starts) != n_columns + 1 or starts[0] != 0 or (lengths < 0).any():
        raise ValueError("the columns of a sparse variable do not fit its shape")
    count = int(starts[-1])
    if count > min(len(rows), len(values)):
        raise ValueError(f"a sparse variable of {count} numbers has {len(values)}")
    columns = np.repeat(np.arange(n_columns), lengths)
    return dense_columns(values[:count], rows[:count], columns, (n_rows, n_columns))
