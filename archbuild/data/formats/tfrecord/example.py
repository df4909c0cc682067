"""``tf.train.Example``: features by name, each a list of floats, of whole numbers or of bytes.

::

    Example  { Features features = 1; }
    Features { map<string, Feature> feature = 1; }
    Feature  { oneof { BytesList 1; FloatList 2; Int64List 3 } }
    lists    { repeated value = 1; }, numbers packed or not

Source: TensorFlow, ``tensorflow/core/example/example.proto`` and ``feature.proto``. What is wrong
is a ``ValueError``, since no place is known here.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from itertools import islice
from typing import Final

import numpy as np

from archbuild.data.formats.tfrecord.wire import BYTES, Field, count_varints, fields, varints

BYTES_LIST: Final = 1
FLOAT_LIST: Final = 2
INT64_LIST: Final = 3

WORDS: Final = {BYTES_LIST: "bytes", FLOAT_LIST: "float32", INT64_LIST: "int64"}
"""The kind of a list in words."""

_MOST_FEATURES: Final = 10_000
_PACKED = 1 << 3 | BYTES
_UNPACKED_FLOAT = 1 << 3 | 5
_UNPACKED_INT = 1 << 3
_FLOAT = np.dtype("<f4")


@dataclass(frozen=True)
class Feature:
    """A list of values, which are decoded when they are asked for.

    Attributes:
        kind: ``BYTES_LIST``, ``FLOAT_LIST`` or ``INT64_LIST``; 0 where nothing is in it.
        content: the bytes of the list.
    """

    kind: int
    content: bytes

    def __len__(self) -> int:
        """Return how many values there are; of bytes 2 stands for more than one.

        Raises:
            ValueError: the list is damaged.
        """
        if self.kind == FLOAT_LIST:
            return len(self._floats())
        if self.kind == INT64_LIST:
            bytes_of_all, is_packed = self._varints()
            return count_varints(bytes_of_all) // (1 if is_packed else 2)
        return len(self._values())

    def numbers(self) -> np.ndarray:
        """Return the values, float32 or int64.

        Raises:
            ValueError: the list is damaged, or holds bytes.
        """
        if self.kind == FLOAT_LIST:
            return self._floats()
        if self.kind != INT64_LIST:
            raise ValueError("it holds bytes where others hold numbers")
        bytes_of_all, is_packed = self._varints()
        values = varints(bytes_of_all)
        if is_packed:
            return values
        if len(values) % 2 or (values[::2] != _UNPACKED_INT).any():
            raise ValueError("a list of whole numbers with something else in it")
        return values[1::2]

    def only_bytes(self) -> bytes:
        """Return the one value of a list of bytes.

        Raises:
            ValueError: there is none, or another number, or the list is damaged.
        """
        found = self._values() if self.kind == BYTES_LIST else []
        if len(found) != 1:
            raise ValueError("it does not hold one value of bytes")
        return self.content[found[0].start : found[0].end]

    def _values(self) -> list[Field]:
        """Return the first two values of bytes: enough to know whether there is one."""
        found = list(islice(fields(self.content), 2))
        if any(field.number != 1 or field.kind != BYTES for field in found):
            raise ValueError("a list of bytes with something else in it")
        return found

    def _floats(self) -> np.ndarray:
        content = np.frombuffer(self.content, np.uint8)
        body = self._packed()
        if body is None:
            rows = content.reshape(-1, 1 + _FLOAT.itemsize)  # or a ValueError
            if (rows[:, 0] != _UNPACKED_FLOAT).any():
                raise ValueError("a list of floats with something else in it")
            body = rows[:, 1:].tobytes()
        return np.frombuffer(body, _FLOAT)  # or a ValueError

    def _varints(self) -> tuple[np.ndarray, bool]:
        """Return the bytes of whole numbers, and whether no tags stand between them."""
        body = self._packed()
        content = self.content if body is None else body
        return np.frombuffer(content, np.uint8), body is not None

    def _packed(self) -> bytes | None:
        """Return the bytes of numbers that stand in one field; ``None``: each has its own."""
        if not self.content:
            return b""
        if self.content[0] != _PACKED:
            return None
        field = next(fields(self.content))
        if field.end != len(self.content):
            raise ValueError("a list of numbers in several pieces")
        return self.content[field.start :]


def features_of(content: bytes, wanted: Collection[str] | None = None) -> dict[str, Feature]:
    """Return the features of an Example.

    Args:
        content: of a record.
        wanted: names of those that are looked at; ``None``: all.

    Raises:
        ValueError: it is no Example, or damaged.
    """
    found: dict[str, Feature] = {}
    count = 0
    for outer in fields(content):
        if outer.number != 1 or outer.kind != BYTES:
            raise ValueError(
                "something beside the features, as a tf.train.SequenceExample has; write "
                "tf.train.Example records, in which a feature has the same length everywhere"
            )
        for entry in fields(content, outer.start, outer.end):
            count += 1
            if count > _MOST_FEATURES:
                raise ValueError(f"more than {_MOST_FEATURES:,} features")
            name, feature = _entry(content, entry)
            if name in found:
                raise ValueError(f"the feature '{name}' twice")
            if wanted is None or name in wanted:
                found[name] = _feature(content, feature)
    return found


def _entry(content: bytes, entry: Field) -> tuple[str, Field | None]:
    """Return the name of a feature and where it is."""
    if entry.number != 1 or entry.kind != BYTES:
        raise ValueError("something that is no feature")
    parts: dict[int, Field] = {}
    for part in fields(content, entry.start, entry.end):
        if part.number not in (1, 2) or part.kind != BYTES or part.number in parts:
            raise ValueError("something that is no feature")
        parts[part.number] = part
    name = parts.get(1)
    return ("" if name is None else content[name.start : name.end].decode()), parts.get(2)


def _feature(content: bytes, place: Field | None) -> Feature:
    lists = [] if place is None else list(islice(fields(content, place.start, place.end), 2))
    if not lists:
        return Feature(0, b"")
    (only, *more) = lists
    if more or only.kind != BYTES or only.number not in WORDS:
        raise ValueError("a feature that is no single list of bytes, floats or whole numbers")
    return Feature(only.number, content[only.start : only.end])
