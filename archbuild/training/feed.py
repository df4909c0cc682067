"""The rows of a dataset as the network's input: scaled, and augmented while training."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from archbuild.data.augment import augment
from archbuild.data.dataset import Dataset
from archbuild.data.scaling import Scaler


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
    """

    dataset: Dataset
    scaler: Scaler
    augmentation: Mapping[str, Any] | None = None

    def __len__(self) -> int:
        return len(self.dataset)

    def clean(self, indices: Any) -> np.ndarray:
        """Return ``(len(indices), ...)`` rows without augmentation, 0 in their gaps."""
        rows = self.scaler.apply(self.dataset.rows(indices, exact=True))
        return np.nan_to_num(rows, nan=0.0) if self.dataset.gaps else rows

    def present(self, indices: Any) -> np.ndarray | None:
        """Return 1 where the rows have a value and 0 in their gaps; ``None`` without gaps."""
        if not self.dataset.gaps:
            return None
        present: np.ndarray = np.isfinite(self.dataset.rows(indices)).astype(np.float32)
        return present

    def training(self, indices: Any, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Return the network's input and its target: ``(len(indices), ...)`` each.

        Where the spec augments, the input is each row rotated and shifted at random, and the target
        the row as it was, so that the latents do not depend on angle and place.
        """
        rows = self.clean(indices)
        if not self.augmentation:
            return rows, rows
        rotate, shift = self.augmentation["rotate"], self.augmentation["shift"]
        return augment(rows, rotate, shift, rng), rows
