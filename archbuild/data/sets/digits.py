"""DIGITS: the 1,797 handwritten digits, 8 x 8, that come with scikit-learn."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from archbuild.data.dataset import Dataset, Shape
from archbuild.data.source import DatasetSource


def load(data: Path, input_shape: Shape | None = None) -> Dataset:
    """Return grey images ``(1797, 8, 8, 1)`` with values 0..16, scaled to 0..1; needs no files."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    return Dataset(
        name="DIGITS",
        values=digits.images.astype(np.uint8)[..., np.newaxis],
        labels=digits.target.astype(np.int64),
        class_names=tuple("0123456789"),
        scale=1 / 16,
        arch_stem="digits",
        source="scikit-learn, load_digits",
    )


SOURCE = DatasetSource(
    name="DIGITS",
    summary="1,797 handwritten digits, 8 x 8, 10 classes; comes with scikit-learn",
    arch_stem="digits",
    load=load,
    find=lambda data: (True, "inside scikit-learn"),
)
