"""The labels that training may read: of the rows that a spec's ``supervision`` chooses."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import numpy as np

from archbuild.data.dataset import Dataset
from archbuild.data.labels import UNKNOWN, labelled_rows
from archbuild.errors import DataError, UsageError
from archbuild.spec.top import ALL_LABELS

_log = logging.getLogger(__name__)


def chosen_labels(dataset: Dataset, supervision: Mapping[str, Any], seed: int) -> np.ndarray:
    """Return the labels that training may read.

    Args:
        dataset: with labels; negative ones count as unknown.
        supervision: ``labels``, a number of rows or ``all``, ``per_class`` and ``batch_size``.
        seed: chooses the rows.

    Returns:
        ``(n,)`` int32 classes, or ``(n, T)`` where rows have sequences of them; ``UNKNOWN`` for
        every other row.

    Raises:
        DataError: the dataset has no labels.
        UsageError: fewer rows have a label than are requested, or than ``batch_size``.
    """
    labels, wanted = needed_labels(dataset).astype(np.int32), supervision["labels"]
    known = labelled_rows(labels)
    if wanted == ALL_LABELS:
        _refuse_fewer(len(known), "batch_size", supervision.get("batch_size") or 0, dataset)
        return labels
    _refuse_fewer(len(known), "labels", wanted, dataset)
    rng = np.random.default_rng([seed, wanted])
    if supervision["per_class"] and labels.ndim == 1:
        rows = _per_class(labels, known, wanted, rng)
    else:
        rows = rng.choice(known, wanted, replace=False)
    found = np.full(labels.shape, UNKNOWN, np.int32)
    found[rows] = labels[rows]
    _warn_of_unnamed(found, dataset)
    return found


def needed_labels(dataset: Dataset) -> np.ndarray:
    """Return the labels, which the spec's supervision needs.

    Raises:
        DataError: the dataset has none.
    """
    if dataset.labels is None:
        raise DataError(
            f"{dataset.name} has no labels, and the spec's supervision needs some; add labels, or "
            "leave supervision out"
        )
    return dataset.labels


def _warn_of_unnamed(chosen: np.ndarray, dataset: Dataset) -> None:
    """Name the classes of the dataset that no chosen row is of: they cannot be learned."""
    missing = np.setdiff1d(dataset.labels[dataset.labels >= 0], chosen)  # type: ignore[index,operator]
    if len(missing):
        names = dataset.class_names or [str(number) for number in range(missing.max() + 1)]
        listed = ", ".join(f"'{names[number]}'" for number in missing[:10])
        _log.warning(
            "no labelled row that was chosen is of the class %s%s, which cannot be learned so; "
            "raise supervision.labels, or choose another --seed",
            listed,
            f" or {len(missing) - 10} more" if len(missing) > 10 else "",
        )


def _refuse_fewer(n_known: int, key: str, wanted: int, dataset: Dataset) -> None:
    if wanted > n_known:
        raise UsageError(
            f"supervision.{key} is {wanted}, and {dataset.name} has {n_known} labelled rows; "
            "lower it" + (", or write all" if key == "labels" else "")
        )


def _per_class(
    labels: np.ndarray, known: np.ndarray, wanted: int, rng: np.random.Generator
) -> np.ndarray:
    """Draw rows class by class in turn, so that no class has more than one above another.

    A class without rows left is passed over.
    """
    shuffled = rng.permutation(known)
    turns = np.zeros(len(shuffled), np.intp)
    for cls in np.unique(labels[known]):
        own = labels[shuffled] == cls
        turns[own] = np.arange(own.sum())
    return shuffled[np.argsort(turns, kind="stable")][:wanted]
