"""Describe the features of all records by those of the first, which the others must be like."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from typing import Any, NamedTuple

import numpy as np

from archbuild.data.formats.arrays.choice import IMAGES, NUMBERS, OTHER, TEXTS, Held
from archbuild.data.formats.images.picture import is_picture
from archbuild.data.formats.tfrecord.example import BYTES_LIST, WORDS, Feature
from archbuild.data.formats.tfrecord.tensor import tensor_of


class Column(NamedTuple):
    """A feature of all records.

    Attributes:
        held: its shape, with the records as first axis, and its kind.
        decode: gives the value of one record: an array, a text, or the bytes of an image; a
            ``ValueError`` says how it is unlike the first.
        dtype: of numbers.
    """

    held: Held
    decode: Callable[[Feature], Any]
    dtype: np.dtype = np.dtype(object)


def column_of(feature: Feature, n_records: int) -> Column:
    """Return what a feature of the first record says about all.

    Raises:
        ValueError: the feature is damaged.
    """
    count = len(feature)
    if feature.kind != BYTES_LIST and count:
        return _numbers(feature.kind, count, n_records)
    if count == 1:
        return _of_bytes(feature.only_bytes(), n_records)
    words = f"several values of {WORDS[feature.kind]}" if count else "nothing"
    return Column(Held((n_records,), OTHER, words), Feature.only_bytes)


def _numbers(kind: int, count: int, n_records: int) -> Column:
    def decode(feature: Feature) -> np.ndarray:
        values = feature.numbers() if feature.kind == kind else None
        if values is None or len(values) != count:
            there = f"{len(feature)} {WORDS.get(feature.kind, 'values')}"
            raise ValueError(f"{there}, and the first record has {count} {WORDS[kind]}")
        return values.reshape(shape[1:])

    shape = (n_records, count) if count > 1 else (n_records,)
    return Column(Held(shape, NUMBERS, WORDS[kind]), decode, np.dtype(WORDS[kind]))


def _of_bytes(content: bytes, n_records: int) -> Column:
    if is_picture(BytesIO(content)):
        return Column(Held((n_records,), IMAGES, "images"), Feature.only_bytes)
    tensor = tensor_of(content)
    if tensor is not None:
        return _tensors(tensor, n_records)
    try:
        is_text = content.decode().isprintable()
    except UnicodeDecodeError:
        is_text = False
    if is_text:
        return Column(Held((n_records,), TEXTS, "texts"), lambda found: found.only_bytes().decode())
    return Column(Held((n_records,), OTHER, "bytes that do not say their type"), Feature.only_bytes)


def _tensors(first: np.ndarray, n_records: int) -> Column:
    shape, dtype = first.shape, first.dtype

    def decode(feature: Feature) -> np.ndarray:
        found = tensor_of(feature.only_bytes())
        if found is None:
            raise ValueError("bytes that are no tensor, as they are in the first record")
        if found.shape != shape or found.dtype != dtype:
            raise ValueError(
                f"a tensor of {found.shape} {found.dtype}, and the first record has {shape} {dtype}"
            )
        return found

    return Column(Held((n_records, *shape), NUMBERS, str(dtype)), decode, dtype)
