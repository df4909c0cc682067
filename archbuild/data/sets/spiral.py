"""SPIRAL: 5,000 points on five twisted arms in the plane, made anew each time, always the same.

The pinwheel of Johnson et al. (2016), in the size of the points that GMVAE (Dilokthanakul et al.,
2016) clustered. A point of arm k, with n and m standard normal, is (r, 0.05 m) with r = 1 + 0.3 n,
turned clockwise, as in theirs, by the angle 2 pi k / 5 + 0.25 exp(r), and scaled.
"""

from __future__ import annotations

from math import pi, sqrt
from pathlib import Path

import numpy as np

from archbuild.data.dataset import Dataset, Shape
from archbuild.data.source import DatasetSource

_ARMS, _POINTS_PER_ARM = 5, 1000
_RADIAL_STD, _TANGENTIAL_STD, _TWIST = 0.3, 0.05, 0.25
# each axis has half of the expected squared radius; GMVAE's points have 0.51 on each
_SCALE = 0.51 / sqrt((1 + _RADIAL_STD**2 + _TANGENTIAL_STD**2) / 2)
_SEED = 5


def load(data: Path, input_shape: Shape | None = None) -> Dataset:
    """Return points ``(5000, 2)`` float32, nearly all in [-1, 1], shuffled; needs no files."""
    # RandomState and not default_rng: NumPy promises that its numbers never change
    random = np.random.RandomState(_SEED)
    arms = random.permutation(np.repeat(np.arange(_ARMS), _POINTS_PER_ARM))
    return Dataset(
        name="SPIRAL",
        values=_points(arms, random).astype(np.float32),
        labels=arms.astype(np.int64),
        class_names=tuple(f"arm {number}" for number in range(1, _ARMS + 1)),
        arch_stem="spiral",
        source="generated, always the same",
    )


def _points(arms: np.ndarray, random: np.random.RandomState) -> np.ndarray:
    """Draw a point of each of the ``arms (n,)``: ``(n, 2)`` float64."""
    radial = 1 + _RADIAL_STD * random.standard_normal(len(arms))
    tangential = _TANGENTIAL_STD * random.standard_normal(len(arms))
    angle = 2 * pi * arms / _ARMS + _TWIST * np.exp(radial)
    x = radial * np.cos(angle) + tangential * np.sin(angle)
    y = tangential * np.cos(angle) - radial * np.sin(angle)
    return _SCALE * np.stack([x, y], axis=1)


SOURCE = DatasetSource(
    name="SPIRAL",
    summary="5,000 points on five twisted arms in the plane, 5 classes; generated",
    arch_stem="spiral",
    load=load,
    find=lambda data: (True, "generated"),
)
