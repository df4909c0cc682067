"""The rows of a dataset as the network's input: scaled and binarised.

Training augments them inside the graph of its step (``augmentation.py``).
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import prod
from typing import Any

import numpy as np

from archbuild.data.binarise import fixed, refuse_other_than_probabilities, sampled
from archbuild.data.dataset import Dataset
from archbuild.data.scaling import Scaler
from archbuild.spec import Spec
from archbuild.spec.top import SAMPLE


def generator(seed: int, purpose: str, epoch: int) -> np.random.Generator:
    """Return a generator that depends on these three alone: a resumed run draws the same."""
    return np.random.default_rng([seed, zlib.crc32(purpose.encode()), epoch])


def augmentation_seed(seed: int, purpose: str, epoch: int = 0) -> int:
    """Return the seed of an ``Augmentation``, which is none of those that a head draws by."""
    return int(generator(seed, f"augment {purpose}", epoch).integers(2**31))


@dataclass(frozen=True)
class Feed:
    """Rows as the network takes them: float32, channels last.

    Attributes:
        dataset: already in the shape of the spec's Input.
        scaler: fitted once on the dataset.
        augmentation: what the spec's ``augment`` changes in training; ``None`` or empty: nothing.
        binarises: whether the spec says ``binarise: sample``.
    """

    dataset: Dataset
    scaler: Scaler
    augmentation: Mapping[str, Any] | None = None
    binarises: bool = False

    @classmethod
    def of(cls, dataset: Dataset, spec: Spec, scaler: Scaler | None = None) -> Feed:
        """Return the rows as a spec says; without a scaler, one is fitted on them."""
        scaler = scaler or Scaler.fit(dataset, spec.scaling)
        return cls(dataset, scaler, spec.augmentation, spec.binarise == SAMPLE)

    @property
    def unchanged(self) -> Feed:
        """The same rows without augmentation."""
        return replace(self, augmentation=None)

    def __len__(self) -> int:
        return len(self.dataset)

    @property
    def row_bytes(self) -> int:
        """The size of one row as the network takes it."""
        return 4 * prod(self.dataset.values.shape[1:])

    def clean(self, indices: Any) -> np.ndarray:
        """Return ``(len(indices), ...)`` rows without augmentation, 0 in their gaps.

        Where the spec binarises, they are 0 and 1, for each row always the same.

        Raises:
            DataError: the spec binarises, and values lie outside 0 to 1.
        """
        rows = self.unbinarised(indices)
        return fixed(rows) if self.binarises else rows

    def unbinarised(self, indices: Any) -> np.ndarray:
        """Return ``(len(indices), ...)`` rows before they are binarised, 0 in their gaps.

        Raises:
            DataError: as ``clean``.
        """
        rows = self.scaler.apply(self.dataset.rows(indices, exact=True))
        rows = np.nan_to_num(rows, nan=0.0) if self.dataset.gaps else rows
        if self.binarises:
            refuse_other_than_probabilities(rows, self.dataset.source)
        return rows

    def present(self, indices: Any) -> np.ndarray | None:
        """Return 1 where the rows have a value and 0 in their gaps; ``None`` without gaps."""
        if not self.dataset.gaps:
            return None
        present: np.ndarray = np.isfinite(self.dataset.rows(indices)).astype(np.float32)
        return present

    def training(self, indices: Any, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Return the input of a training step and its target: ``(len(indices), ...)`` each.

        Both are the rows. Where the spec binarises, the target is drawn from ``rng``, and so is
        the input, unless rows are augmented: it is then drawn from what they are changed to.
        """
        rows = self.unbinarised(indices)
        if not self.binarises:
            return rows, rows
        target = sampled(rows, rng)
        return (rows if self.augmentation else target), target
