"""Labels of any kind, as codes ``0..C-1`` and the names of the classes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from math import isnan
from typing import Any, Final

import numpy as np

from archbuild.errors import DataError

UNKNOWN: Final = -1
"""In place of the code of a row without a label."""

_END_OF_INT64: Final = 2.0**63

_PLAIN_NUMBER: Final = re.compile(r"[+-]?(?!0\d)\d+(\.\d*)?([eE][+-]?\d+)?")  # 3, 3.0, 3e0; not 03


def labelled_rows(labels: np.ndarray) -> np.ndarray:
    """Return the numbers of the rows that have a label, of a sequence all its labels.

    Args:
        labels: codes ``(n,)`` or, of sequences, ``(n, T)``; negative where unknown.
    """
    known = labels >= 0
    return np.flatnonzero(known if known.ndim == 1 else known.all(axis=1))


def encode_labels(labels: Any, n_rows: int, source: str) -> tuple[np.ndarray, tuple[str, ...]]:
    """Encode labels that are texts, whole numbers or truth values as contiguous codes.

    A blank text, NaN among numbers and ``None`` among objects are no label.

    Args:
        labels: ``(n,)``, ``(n, 1)`` or ``(1, n)``; of sequences, ``(n, T)``. Texts that are all
            whole numbers count as such, so that class 10 comes after class 2, and ``1.0`` is class
            1; with leading zeros they are names, compared as they are written: ``01`` is not ``1``.
        n_rows: how many there must be.
        source: where they came from, for messages.

    Returns:
        ``(n,)`` or ``(n, T)`` int64 codes in the order of the sorted classes, ``UNKNOWN`` where a
        row has no label, and the classes' names, the same for all places of a sequence.

    Raises:
        DataError: the wrong number, marks of classes by 0 and 1, fractions, infinity, another
            kind, or not one label.
    """
    found = np.asarray(labels)
    shape = _shape_of_codes(found, n_rows, source)
    flat = found.reshape(-1)
    known = np.flatnonzero(~_is_blank(flat))
    if not known.size:
        raise DataError(f"no row has a label in {source}; leave the labels out")
    classes, numbers = np.unique(_plain(flat, known, source), return_inverse=True)
    codes = np.full(flat.size, UNKNOWN, np.int64)
    codes[known] = numbers.reshape(-1)
    return codes.reshape(shape), tuple(str(name) for name in classes.tolist())


def plain_number(text: str, decimal: str = ".") -> float | None:
    """Return the number that a label or category is; ``None`` for a word, such as ``01``."""
    text = text.strip().replace(decimal, ".")
    return float(text) if _PLAIN_NUMBER.fullmatch(text) else None


def count_classes(texts: Sequence[str]) -> int:
    """Return how many classes labels that are texts name, as ``encode_labels`` tells them apart."""
    known = [text for text in texts if text.strip()]
    return len(np.unique(_numbers_where_all_are(np.asarray(known, str))))


def unlabelled_in_words(labels: Sequence[str]) -> str:
    """Return how many rows have no label, to stand behind the classes; ``""`` if all have one."""
    count = sum(not text for text in labels)
    return f"; {count:,} of {len(labels):,} rows have no label" if count else ""


def _is_blank(labels: np.ndarray) -> np.ndarray:
    """Return where there is no label, ``(n,)``."""
    kind = labels.dtype.kind
    if kind == "f":
        blank: np.ndarray = np.isnan(labels)
        return blank
    if kind not in "USO":
        return np.zeros(len(labels), bool)
    return np.array([_is_blank_object(label) for label in labels.tolist()], bool)


def _is_blank_object(label: Any) -> bool:
    if isinstance(label, str | bytes):
        return not label.strip()
    return label is None or (isinstance(label, float) and isnan(label))


def _shape_of_codes(labels: np.ndarray, n_rows: int, source: str) -> tuple[int, ...]:
    """Return ``(n,)``, or ``(n, T)`` where each row has a sequence of labels."""
    if labels.size == n_rows and max(labels.shape, default=0) == labels.size:
        return (n_rows,)
    if labels.ndim != 2 or len(labels) != n_rows or not labels.size:
        raise DataError(
            f"the labels in {source} have shape {labels.shape}, and the data have {n_rows} rows; "
            "give exactly one label for each row, or one sequence of labels, or leave the labels "
            "out"
        )
    if are_marks(labels):
        raise DataError(
            f"the labels in {source} have shape {labels.shape} and are 0 and 1 alone, which mark "
            "classes; give the number of the class of each row, numpy.argmax(labels, axis=1) where "
            "a single 1 marks it, or leave the labels out"
        )
    return labels.shape


def are_marks(labels: np.ndarray) -> bool:
    """Return whether labels ``(n, T)`` are 0 and 1 alone: marks of classes, and no sequences.

    NaN is neither: it stands where a row has no label.
    """
    if labels.dtype.kind not in "biuf":
        return False
    return bool(((labels == 0) | (labels == 1) | np.isnan(labels)).all())


def _plain(labels: np.ndarray, known: np.ndarray, source: str) -> np.ndarray:
    """Return the labels of the rows that have one as integers or as texts."""
    if labels.dtype.kind == "f":
        return _whole(labels, known, source)
    labels = labels[known]
    kind = labels.dtype.kind
    if kind in "iu":
        return labels
    if kind == "b":
        return labels.astype(np.int64)
    if kind == "S":
        return _numbers_where_all_are(np.char.decode(labels, "utf-8", "replace"))
    if kind == "U" or (kind == "O" and all(isinstance(label, str | int) for label in labels)):
        return _numbers_where_all_are(labels.astype(str))
    raise DataError(
        f"the labels in {source} are of type {labels.dtype}; give whole numbers or texts"
    )


def _whole(labels: np.ndarray, known: np.ndarray, source: str) -> np.ndarray:
    broken = np.isinf(labels[known]) | (labels[known] != np.rint(labels[known]))
    if broken.any():
        row = int(known[np.argmax(broken)])
        raise DataError(
            f"the label of row {row} in {source} is {labels[row]}, and {int(broken.sum())} labels "
            "in all are no whole numbers; labels name classes, so give whole numbers or texts"
        )
    numbers: np.ndarray = labels[known]
    if (np.abs(numbers) < _END_OF_INT64).all():
        whole: np.ndarray = numbers.astype(np.int64)
        return whole
    return np.array([int(number) for number in numbers], object)  # of Python, which has no end


def _numbers_where_all_are(labels: np.ndarray) -> np.ndarray:
    if any(plain_number(text) is None for text in set(labels.tolist())):
        return labels
    numbers = labels.astype(np.float64)
    whole = np.isfinite(numbers) & (numbers == np.rint(numbers)) & (np.abs(numbers) < 2**53)
    return numbers.astype(np.int64) if whole.all() else labels
