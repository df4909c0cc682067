"""The rows of a dataset as the network's input: scaled and binarised, and augmented in training."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from archbuild.data.augment import augment
from archbuild.data.binarise import fixed, refuse_other_than_probabilities, sampled
from archbuild.data.dataset import Dataset
from archbuild.data.scaling import Scaler
from archbuild.spec import Spec
from archbuild.spec.top import SAMPLE


def generator(seed: int, purpose: str, epoch: int) -> np.random.Generator:
    """Return a generator that depends on these three alone: a resumed run draws the same."""
    return np.random.default_rng([seed, zlib.crc32(purpose.encode()), epoch])


@dataclass(frozen=True)
class Feed:
    """Rows as the network takes them: float32, channels last.

    Attributes:
        dataset: already in the shape of the spec's Input.
        scaler: fitted once on the dataset.
        augmentation: the spec's ``augment``, ``None`` for none.
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
        return cls(dataset, scaler, spec.augment, spec.binarise == SAMPLE)

    def __len__(self) -> int:
        return len(self.dataset)

    def clean(self, indices: Any) -> np.ndarray:
        """Return ``(len(indices), ...)`` rows without augmentation, 0 in their gaps.

        Where the spec binarises, they are 0 and 1, for each row always the same.

        Raises:
            DataError: the spec binarises, and values lie outside 0 to 1.
        """
        rows = self._scaled(indices)
        return fixed(rows) if self.binarises else rows

    def _scaled(self, indices: Any) -> np.ndarray:
        """Return ``(len(indices), ...)`` rows before they are binarised, 0 in their gaps."""
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
        """Return the network's input and its target: ``(len(indices), ...)`` each.

        Where the spec augments, the input is each row rotated and shifted at random, and the target
        the row as it was, so that the latents do not depend on angle and place. Where it
        binarises, both are drawn from ``rng``.
        """
        rows = self._scaled(indices)
        moved = self._augmented(rows, rng)
        if not self.binarises:
            return moved, rows
        target = sampled(rows, rng)
        return target if moved is rows else sampled(moved, rng), target

    def _augmented(self, rows: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        if not self.augmentation:
            return rows
        return augment(rows, self.augmentation["rotate"], self.augmentation["shift"], rng)
