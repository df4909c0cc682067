"""Labels that come as an array: classes, marks of classes, or values of a quantity."""

from __future__ import annotations

from math import isnan
from typing import Any

import numpy as np

from archbuild.data.formats.tables.label_column import label_fault
from archbuild.data.guess import LABELS, Guess, value_key
from archbuild.data.labels import are_marks, unlabelled_in_words
from archbuild.errors import DataError


def judge_labels(labels: Any, key: str, asked: str | None = None) -> tuple[Any, list[Guess]]:
    """Return labels, or ``None`` and the reason where they name no classes.

    There is one for each row, or, of two axes, a sequence of them. Rows of 0 and a single 1 mark a
    class by its place, and become its number. Texts in a cell array of MATLAB become plain texts.
    NaN among whole numbers is no label.

    Args:
        labels: an array of any kind, or ``None``.
        key: its name.
        asked: the name by which the user asked for it, ``None`` if it was found.

    Raises:
        DataError: they name no classes, and the user asked for them.
    """
    if labels is None:
        return None, []
    found = _from_cells(np.asarray(labels))
    if _marks_classes(found):
        classes = np.where(np.isnan(found).all(axis=1), np.nan, found.argmax(axis=1))
        said = f"the array '{key}', in which a 1 marks one of {found.shape[1]} classes"
        said += unlabelled_in_words(_texts(classes))
        return classes, [Guess(LABELS, said, "labels=none")]
    fault = _fault(found, asked is not None)
    if fault is not None and asked is not None:
        raise DataError(
            f"the array '{key}' has {fault}, so it names no classes; name another with "
            "data.labels, or write data.labels: none"
        )
    if fault is not None:
        said = f"none; the array '{key}' has {fault}, so it names no classes, and is left out"
        can_be_told = _fault(found, asked=True) is None
        return None, [Guess(LABELS, said, value_key("labels", key) if can_be_told else "")]
    words = (
        _sequences_in_words(found) if _are_sequences(found) else unlabelled_in_words(_texts(found))
    )
    return found, [Guess(LABELS, f"the array '{key}'{words}", "labels=none")]


def _sequences_in_words(labels: np.ndarray) -> str:
    """Say how many labels a row has, and in how many rows some of them are missing."""
    cut = sum("" in _texts(row) for row in labels)
    missing = f"; {cut:,} of {len(labels):,} rows lack some of them" if cut else ""
    return f", {labels.shape[1]} labels of each row{missing}"


def _are_sequences(labels: np.ndarray) -> bool:
    return labels.ndim == 2 and min(labels.shape) > 1


def _texts(labels: np.ndarray) -> list[str]:
    """Return labels as texts, blank where there is none."""
    numbers = labels.dtype.kind == "f"
    labels = labels.reshape(-1)
    return ["" if numbers and isnan(label) else str(label).strip() for label in labels.tolist()]


def _from_cells(labels: np.ndarray) -> np.ndarray:
    """Return the texts in a cell array; other arrays as they are."""
    if labels.dtype.kind != "O":
        return labels
    cells = [np.asarray(cell) for cell in labels.reshape(-1)]
    if not all(cell.size == 1 and cell.dtype.kind in "US" for cell in cells):
        return labels
    return np.array([str(cell.reshape(-1)[0]) for cell in cells])


def _marks_classes(labels: np.ndarray) -> bool:
    """Return whether each row has a single 1 among zeros, or nothing but NaN."""
    if not _are_sequences(labels) or not are_marks(labels):
        return False
    rows = labels[~np.isnan(labels).all(axis=1)]
    return len(rows) > 0 and bool((rows.sum(axis=1) == 1).all())


def _fault(labels: np.ndarray, asked: bool) -> str | None:
    """Return what keeps labels from naming classes, in words behind 'has'."""
    if _are_sequences(labels) and are_marks(labels):
        return (
            "rows of 0 and 1 that mark none or several (two classes in a sequence are written as 1 "
            "and 2)"
        )
    labels = labels.reshape(-1)
    is_float = labels.dtype.kind == "f"
    if is_float and np.isnan(labels).all():
        return "NaN alone"
    if is_float and np.isinf(labels).any():
        return "infinity"
    if is_float and (labels[~np.isnan(labels)] % 1 != 0).any():
        return "fractions"
    if labels.dtype.kind not in "iuf" or asked:
        return None
    fault = label_fault(_texts(labels))
    return fault and fault.removeprefix("since it has ")
