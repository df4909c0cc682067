"""STRIPES: 300 grey images of stripes in three directions, made anew each time, always the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from archbuild.data import Dataset, DatasetSource
from archbuild.data.dataset import Shape

_DIRECTIONS = {"across": (0, 1), "down": (1, 0), "aslant": (1, 1)}
_IMAGES, _SIDE, _SEED = 300, 9, 7


def load(data: Path, input_shape: Shape | None = None) -> Dataset:
    """Return images ``(300, 9, 9, 1)`` of values from 0 to 1; no files are needed."""
    random = np.random.RandomState(_SEED)
    labels = random.permutation(np.arange(_IMAGES) % len(_DIRECTIONS))
    along = np.array(list(_DIRECTIONS.values()))[labels]
    place = np.tensordot(along, np.indices((_SIDE, _SIDE)), axes=1)  # (300, 9, 9)
    phase = random.uniform(0, 1.5, (_IMAGES, 1, 1))
    images = 0.5 + 0.4 * np.sin(2 * np.pi * place / 6 + phase)
    images += random.normal(0, 0.02, images.shape)
    return Dataset(
        name="STRIPES",
        values=images.clip(0, 1).astype(np.float32)[..., np.newaxis],
        labels=labels.astype(np.int64),
        class_names=tuple(_DIRECTIONS),
        arch_stem="stripes",
        source="generated, always the same",
    )


SOURCE = DatasetSource(
    name="STRIPES",
    summary="300 images of stripes, 9 x 9, 3 classes; generated",
    arch_stem="stripes",
    load=load,
    find=lambda data: (True, "generated"),
)
