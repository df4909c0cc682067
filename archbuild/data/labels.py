"""Labels of any kind, as codes ``0..C-1`` and the names of the classes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from archbuild.errors import DataError

_PLAIN_NUMBER: Final = re.compile(r"[+-]?(?!0\d)\d+(\.\d*)?([eE][+-]?\d+)?")  # 3, 3.0, 3e0; not 03


def encode_labels(labels: Any, n_rows: int, source: str) -> tuple[np.ndarray, tuple[str, ...]]:
    """Encode labels that are texts, whole numbers or truth values as contiguous codes.

    Args:
        labels: ``(n,)``, ``(n, 1)`` or ``(1, n)``. Texts that are all whole numbers count as such,
            so that class 10 comes after class 2, and ``1.0`` is class 1; with leading zeros they
            are names, compared as they are written: ``01`` is not ``1``.
        n_rows: how many there must be.
        source: where they came from, for messages.

    Returns:
        ``(n,)`` int64 codes in the order of the sorted classes, and the classes' names.

    Raises:
        DataError: the wrong number, more than one per row, fractions, NaN, or another kind.
    """
    flat = _one_per_row(np.asarray(labels), n_rows, source)
    classes, codes = np.unique(_plain(flat, source), return_inverse=True)
    names = tuple(str(name) for name in classes.tolist())
    return codes.reshape(-1).astype(np.int64), names


def count_classes(texts: Sequence[str]) -> int:
    """Return how many classes labels that are texts name, as ``encode_labels`` tells them apart."""
    return len(np.unique(_numbers_where_all_are(np.asarray(texts, str))))


def _one_per_row(labels: np.ndarray, n_rows: int, source: str) -> np.ndarray:
    if labels.size != n_rows or max(labels.shape, default=0) != labels.size:
        raise DataError(
            f"the labels in {source} have shape {labels.shape}, and the data have {n_rows} rows; "
            "give exactly one label for each row, or leave the labels out"
        )
    return labels.reshape(-1)


def _plain(labels: np.ndarray, source: str) -> np.ndarray:
    """Return the labels as integers or as texts."""
    kind = labels.dtype.kind
    if kind in "iu":
        return labels
    if kind == "b":
        return labels.astype(np.int64)
    if kind == "f":
        return _whole(labels, source)
    if kind == "S":
        return _numbers_where_all_are(np.char.decode(labels, "utf-8", "replace"))
    if kind == "U" or (kind == "O" and all(isinstance(label, str | int) for label in labels)):
        return _numbers_where_all_are(labels.astype(str))
    raise DataError(
        f"the labels in {source} are of type {labels.dtype}; give whole numbers or texts"
    )


def _whole(labels: np.ndarray, source: str) -> np.ndarray:
    # written so that NaN counts as broken
    broken = ~(np.isfinite(labels) & (labels == np.rint(labels)))
    if broken.any():
        row = int(np.argmax(broken))
        raise DataError(
            f"the label of row {row} in {source} is {labels[row]}, and {int(broken.sum())} labels "
            "in all are no whole numbers; labels name classes, so give whole numbers or texts"
        )
    return labels.astype(np.int64)


def _numbers_where_all_are(labels: np.ndarray) -> np.ndarray:
    if not all(_PLAIN_NUMBER.fullmatch(text.strip()) for text in set(labels.tolist())):
        return labels
    numbers = labels.astype(np.float64)
    whole = np.isfinite(numbers) & (numbers == np.rint(numbers)) & (np.abs(numbers) < 2**53)
    return numbers.astype(np.int64) if whole.all() else labels
