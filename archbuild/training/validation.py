"""Rows that training leaves out, and the weights of the epoch that errs least on them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from archbuild.data.labels import labelled_rows

ERROR = "validation_error"
"""The column of the history."""


class Validation:
    """Labelled rows that are not trained on.

    Args:
        labels: ``(n,)`` or, of sequences, ``(n, T)``: those that training may read.
        share: of the labelled rows, that are left out; at least one row is, and one is not.
        patience: epochs without a lower error after which training ends; 0: never.
        seed: chooses the rows.

    Attributes:
        rows: their numbers, ``(m,)``.
        weights: copies from the epoch that erred least, by name; empty before the first.
    """

    def __init__(self, labels: np.ndarray, share: float, patience: int, seed: int) -> None:
        known = labelled_rows(labels)
        count = min(max(1, round(share * len(known))), len(known) - 1)
        rng = np.random.default_rng([seed, len(known), count])
        self.rows = np.sort(rng.choice(known, count, replace=False))
        self.patience = patience
        self.weights: dict[str, np.ndarray] = {}
        self._labels = labels[self.rows]

    def trained(self, n_rows: int) -> np.ndarray:
        """Return the numbers of the other rows."""
        return np.setdiff1d(np.arange(n_rows), self.rows)

    def error(self, assignments: np.ndarray) -> float:
        """Return the share of labels that are not the likeliest of ``(m, ..., class)``."""
        return float(np.mean(assignments.argmax(axis=-1) != self._labels))

    def is_best(self, error: float, history: Sequence[Mapping[str, Any]]) -> bool:
        """Return whether no earlier epoch erred less, or as little."""
        return all(error < row[ERROR] for row in history)

    def is_over(self, history: Sequence[Mapping[str, Any]]) -> bool:
        """Return whether the last ``patience`` epochs brought no lower error."""
        if not self.patience or not history:
            return False
        errors = [row[ERROR] for row in history]
        return len(errors) - 1 - int(np.argmin(errors)) >= self.patience
