"""The labels that training may read: of the rows that a spec's ``supervision`` chooses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from archbuild.data.dataset import Dataset
from archbuild.errors import DataError, UsageError

UNKNOWN: Final = -1
"""In place of a label that training may not read."""


def chosen_labels(dataset: Dataset, supervision: Mapping[str, Any], seed: int) -> np.ndarray:
    """Return the labels that training may read.

    Args:
        dataset: with labels; negative ones count as unknown.
        supervision: ``labels``, a number of rows or ``all``, and ``per_class``.
        seed: chooses the rows.

    Returns:
        ``(n,)`` int32 classes, ``UNKNOWN`` for every other row.

    Raises:
        DataError: the dataset has no labels.
        UsageError: fewer rows have a label than are requested.
    """
    if dataset.labels is None:
        raise DataError(
            f"{dataset.name} has no labels, and the spec's supervision needs some; add labels, or "
            "leave supervision out"
        )
    labels, wanted = dataset.labels.astype(np.int32), supervision["labels"]
    known = np.flatnonzero(labels >= 0)
    if wanted == "all":
        return labels
    if wanted > len(known):
        raise UsageError(
            f"supervision.labels is {wanted}, and {dataset.name} has {len(known)} labelled rows; "
            "lower it, or write all"
        )
    rng = np.random.default_rng([seed, wanted])
    if supervision["per_class"]:
        rows = _per_class(labels, known, wanted, rng)
    else:
        rows = rng.choice(known, wanted, replace=False)
    found = np.full(len(labels), UNKNOWN, np.int32)
    found[rows] = labels[rows]
    return found


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
