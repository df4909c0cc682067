"""The spec's ``scaling``: learnt once on the whole dataset, applied to every batch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from archbuild.data.dataset import Dataset
from archbuild.data.precision import extremes

KINDS = ("none", "minmax", "standardise")

# a spread below so many roundings of the values' size is rounding, not information
_ROUNDINGS = 10


@dataclass(frozen=True, eq=False)
class Scaler:
    """``(rows - offset) * factor``, for each feature of a table and each channel of the rest.

    Attributes:
        kind: ``none``, ``minmax`` (to 0..1) or ``standardise`` (to mean 0 and variance 1; features
            that mark a category, a truth or a gap keep their 0 and 1 apart by 1, so that a column
            of categories has a variance of at most 1 in all).
        offset: ``(features,)`` or ``(channels,)``; ``(1,)`` for ``none``. It is float64 where
            the dataset's values need it (``Dataset.is_double``), float32 otherwise.
        factor: the same shape. Where a feature never changes it is 1, so the feature becomes 0.
    """

    kind: str
    offset: np.ndarray
    factor: np.ndarray

    @classmethod
    def fit(cls, dataset: Dataset, kind: str) -> Scaler:
        """Learn from all rows, some at a time, with sums in float64.

        Raises:
            ValueError: ``kind`` is none of the three.
        """
        if kind not in KINDS:
            raise ValueError(f"scaling is '{kind}'; expected one of {', '.join(KINDS)}")
        if kind == "none":
            return cls(kind, np.zeros(1, np.float32), np.ones(1, np.float32))
        centre, spread, size = _range(dataset) if kind == "minmax" else _moments(dataset)
        precision = np.float64 if dataset.is_double or _is_tiny(spread) else np.float32
        kept = (spread <= _ROUNDINGS * np.finfo(precision).eps * size) | _marks(dataset)
        factor = np.where(kept, 1.0, 1.0 / np.where(kept, 1.0, spread))
        return cls(kind, centre.astype(precision), factor.astype(precision))

    def apply(self, rows: np.ndarray) -> np.ndarray:
        """Return scaled float32 rows, ``(batch, ..., features or channels)``.

        Rows and offset of float64 are subtracted as such, before anything is rounded.
        """
        scaled: np.ndarray = self.scaled(rows)
        return scaled.astype(np.float32, copy=False)

    def scaled(self, rows: Any) -> Any:
        """Return scaled rows, arrays or tensors of any library, in their own precision."""
        return rows if self.kind == "none" else (rows - self.offset) * self.factor

    @property
    def precision(self) -> str:
        """The type in which rows have to come, ``float32`` or ``float64``."""
        return str(self.offset.dtype)

    def undo(self, rows: np.ndarray) -> np.ndarray:
        """Return rows to the dataset's own units; the shape is kept."""
        if self.kind == "none":
            return rows
        restored: np.ndarray = rows / self.factor + self.offset
        return restored

    def to_arrays(self) -> dict[str, np.ndarray]:
        """Return arrays for an ``.npz`` file, without pickle."""
        return {"kind": np.array(self.kind), "offset": self.offset, "factor": self.factor}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> Scaler:
        """Return the scaler that ``to_arrays`` was called on."""
        return cls(str(arrays["kind"]), arrays["offset"], arrays["factor"])

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON, from which ``from_json`` gives back the same numbers."""
        return {
            "kind": self.kind,
            "offset": self.offset.tolist(),
            "factor": self.factor.tolist(),
            "precision": self.precision,
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Scaler:
        """Return the scaler that ``to_json`` was called on."""
        offset, factor = np.array(document["offset"], float), np.array(document["factor"], float)
        precision = document.get("precision") or _least_precision(offset, factor)
        if precision not in ("float32", "float64"):
            raise ValueError(f"precision is {precision!r}; expected float32 or float64")
        return cls(document["kind"], offset.astype(precision), factor.astype(precision))


def _is_tiny(spread: np.ndarray) -> bool:
    """Return whether a spread has no inverse in float32."""
    return bool(((spread > 0) & (spread < 1 / np.finfo(np.float32).max)).any())


def _least_precision(*numbers: np.ndarray) -> str:
    """Return the least type that holds the numbers, which earlier versions did not write down."""
    fits = all(np.array_equal(each.astype(np.float32), each) for each in numbers)
    return "float32" if fits else "float64"


def _marks(dataset: Dataset) -> np.ndarray:
    """Return which features of a table mark a category, a truth or a gap, ``(features,)``."""
    if dataset.encoding is None or dataset.values.ndim != 2:
        return np.zeros(1, bool)
    return np.array(dataset.encoding.marks)


def _range(dataset: Dataset) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the minimum, the distance to the maximum, and the largest absolute value."""
    low, high = extremes(_points(dataset))
    return low, high - low, np.maximum(np.abs(low), np.abs(high))


def _moments(dataset: Dataset) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return mean, standard deviation, and the mean's absolute value.

    Parts are joined as in Chan, Golub and LeVeque (1979), eq. 2.1: sums of squares about the parts'
    own means do not cancel as plain sums of squares do.
    """
    count, mean, squares = np.zeros(1), np.zeros(1), np.zeros(1)
    for points in _points(dataset):
        size, part_mean, part_squares = _part_moments(points, dataset.gaps)
        total = np.maximum(count + size, 1)
        gap = part_mean - mean
        squares = squares + part_squares
        squares = squares + gap**2 * (count * size / total)
        mean = mean + gap * (size / total)
        count = count + size
    return mean, np.sqrt(squares / np.maximum(count, 1)), np.abs(mean)


def _part_moments(points: np.ndarray, gaps: bool) -> tuple[Any, np.ndarray, np.ndarray]:
    """Return the number of values, their mean, and the sum of squares about it, without NaN."""
    if not gaps:
        mean = points.mean(axis=0)
        return len(points), mean, ((points - mean) ** 2).sum(axis=0)
    there = ~np.isnan(points)
    size = there.sum(axis=0)
    mean = points.sum(axis=0, where=there) / np.maximum(size, 1)
    return size, mean, ((points - mean) ** 2).sum(axis=0, where=there)


def _points(dataset: Dataset) -> Iterator[np.ndarray]:
    """Yield parts of the dataset as ``(points, features or channels)`` float64."""
    for rows in dataset.chunks(exact=True):
        yield rows.reshape(-1, rows.shape[-1]).astype(np.float64)
