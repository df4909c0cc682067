"""Records of ``tf.train.Example``, written byte by byte, and the way into a file of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from archbuild.data.formats.tfrecord.checksum import masked_crc


def varint(number: int) -> bytes:
    """Return a whole number in as many bytes as it takes."""
    found = bytearray()
    number %= 2**64
    while number >= 0x80:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*found, number])


def field(number: int, content: bytes) -> bytes:
    """Return a field of a message that holds bytes."""
    return varint(number << 3 | 2) + varint(len(content)) + content


def feature(value: Any) -> bytes:
    """A list of bytes, of floats, or of whole numbers, as TensorFlow packs it."""
    if isinstance(value, bytes | str):
        return field(1, field(1, value.encode() if isinstance(value, str) else value))
    numbers = np.atleast_1d(value)
    if numbers.dtype.kind == "f":
        return field(2, field(1, numbers.astype("<f4").tobytes()))
    return field(3, field(1, b"".join(map(varint, numbers.tolist()))))


def example(features: Mapping[str, Any]) -> bytes:
    entries = (field(1, name.encode()) + field(2, feature(of)) for name, of in features.items())
    return field(1, b"".join(field(1, entry) for entry in entries))


def framed(content: bytes) -> bytes:
    length = len(content).to_bytes(8, "little")
    crcs = [masked_crc(part).to_bytes(4, "little") for part in (length, content)]
    return length + crcs[0] + content + crcs[1]


def tensor(values: np.ndarray) -> bytes:
    """Return bytes or float64 as ``tf.io.serialize_tensor`` writes them."""
    kind = {"uint8": 4, "float64": 2}[str(values.dtype)]
    shape = b"".join(field(2, b"\x08" + varint(size)) for size in values.shape)
    return bytes([8, kind]) + field(2, shape) + field(4, values.tobytes())


def contents(file: bytes) -> list[bytes]:
    """Return the contents of the records of a sound file."""
    found, start = [], 0
    while start < len(file):
        end = start + 12 + int.from_bytes(file[start : start + 8], "little")
        found.append(file[start + 12 : end])
        start = end + 4
    return found
