"""HALFMOON: two interleaved half moons in the plane, with noise; made anew each time.

The points of the SDGM experiments (Maaløe et al., 2016): 10,000 of them, half on each moon, evenly
spaced along it before noise of standard deviation 0.2 is added to both coordinates. The upper moon
is the half circle (cos t, sin t), the lower one (1 - cos t, 1/2 - sin t), t from 0 to pi. With so
much noise the moons overlap: the Bayes classifier, which knows both densities, errs on 3.0 % of
new points, and no other one errs less; HALFMOON-CLEAR has noise of 0.1, and it errs on 0.1 %.

HALFMOON-TEST and HALFMOON-CLEAR-TEST have as many points with noise of their own, on which the
others are scored.
"""

from __future__ import annotations

from math import pi
from pathlib import Path
from typing import NamedTuple

import numpy as np

from archbuild.data.dataset import Dataset, Shape
from archbuild.data.source import selection_sources

_POINTS_PER_MOON = 5000


class _Selection(NamedTuple):
    """A name, the seed of its points, and the standard deviation of their noise."""

    name: str
    summary: str
    seed: int
    noise: float
    held_out: str | None = None


_SELECTIONS = (
    _Selection(
        "HALFMOON",
        "10,000 points on two half moons in the plane, 2 classes; generated",
        seed=2,
        noise=0.2,
        held_out="HALFMOON-TEST",
    ),
    _Selection(
        "HALFMOON-TEST",
        "10,000 other points on the moons of HALFMOON; generated",
        seed=3,
        noise=0.2,
    ),
    _Selection(
        "HALFMOON-CLEAR",
        "the moons of HALFMOON with half the noise; generated",
        seed=2,
        noise=0.1,
        held_out="HALFMOON-CLEAR-TEST",
    ),
    _Selection(
        "HALFMOON-CLEAR-TEST",
        "10,000 other points on the moons of HALFMOON-CLEAR; generated",
        seed=3,
        noise=0.1,
    ),
)


def load(selection: _Selection, data: Path, input_shape: Shape | None = None) -> Dataset:
    """Return points ``(10000, 2)`` float32, shuffled; needs no files."""
    # RandomState and not default_rng: NumPy promises that its numbers never change
    random = np.random.RandomState(selection.seed)
    points = _moons() + selection.noise * random.standard_normal((2 * _POINTS_PER_MOON, 2))
    order = random.permutation(len(points))
    return Dataset(
        name=selection.name,
        values=points[order].astype(np.float32),
        labels=np.repeat(np.arange(2), _POINTS_PER_MOON)[order],
        class_names=("upper moon", "lower moon"),
        arch_stem="halfmoon",
        source="generated, always the same",
    )


def _moons() -> np.ndarray:
    """Return the points before the noise, the upper moon's first: ``(10000, 2)`` float64."""
    angle = np.linspace(0, pi, _POINTS_PER_MOON)
    upper = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return np.concatenate([upper, [1, 0.5] - upper])


def find(selection: _Selection, data: Path) -> tuple[bool, str]:
    """Return that it is there: it is generated."""
    return True, "generated"


SOURCES = selection_sources(_SELECTIONS, "halfmoon", load, find)
