"""Turn draws into changes of rows: affine maps of images, warped time of series.

Pure functions of draws, so that each can be compared with its equation; ``augmentation.py`` draws.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from keras import ops

AFFINE_DRAWS: Final = (
    "rotate",
    "down",
    "right",
    "scale",
    "shear",
    "flip",
    "crop",
    "window_down",
    "window_right",
)
"""The numbers that an image's map is made of, each uniform from -1 to 1."""

_MOVES: Final = ("down", "right")
_SPEEDS: Final = 6
"""Places along a series at which the logarithm of the speed of its time is drawn."""


def affine_maps(draws: Any, amounts: Mapping[str, Any], sides: Sequence[int]) -> Any:
    """Return the maps by which images are changed, as ``layers.sampling.sample`` reads them.

    The image is cropped to a window that is enlarged to its size, mirrored, scaled, sheared and
    rotated about its middle, and shifted, in this order. A map takes each pixel of the changed
    image to its source, so it is the inverse of all this.

    Args:
        draws: ``(batch, len(AFFINE_DRAWS))``, from -1 to 1.
        amounts: the fields of ``augment`` that change something (``spec/augment.py``).
        sides: height and width of the images.

    Returns:
        ``(batch, 6)``.
    """
    one = ops.ones_like(draws[:, 0])
    of = dict(zip(AFFINE_DRAWS, (draws[:, k] for k in range(len(AFFINE_DRAWS))), strict=True))
    linear = _linear_part(of, amounts)
    # in halves of the sides, the units of the sampler; a side of one pixel has no places to go to
    tall, wide = (max(0.5 * (side - 1), 0.5) for side in sides)
    (a, b), (d, e) = linear
    maps = [a, b * (tall / wide), 0.0, d * (wide / tall), e, 0.0]
    if shift := amounts.get("shift"):
        down, right = (shift * side * of[name] for side, name in zip(sides, _MOVES, strict=True))
        maps[2] = (a * right + b * down) * (-1.0 / wide)
        maps[5] = (d * right + e * down) * (-1.0 / tall)
    if "crop" in amounts:
        cut = _cut(of, amounts)
        maps[2] = maps[2] + cut * of["window_right"]
        maps[5] = maps[5] + cut * of["window_down"]
    return ops.stack([one * number for number in maps], axis=-1)


def _linear_part(
    of: Mapping[str, Any], amounts: Mapping[str, Any]
) -> tuple[tuple[Any, Any], tuple[Any, Any]]:
    """Return the matrix from a pixel's place about the middle, (right, down), to its source's."""
    a, b, d, e = 1.0, 0.0, 0.0, 1.0
    if rotate := amounts.get("rotate"):
        angle = math.radians(rotate) * of["rotate"]
        cosine, sine = ops.cos(angle), ops.sin(angle)
        a, b, d, e = cosine, -sine, sine, cosine
    if shear := amounts.get("shear"):
        tilt = shear * of["shear"]
        a, b = a - tilt * d, b - tilt * e
    if scale := amounts.get("scale"):
        size = 1.0 + scale * of["scale"]
        a, b, d, e = a / size, b / size, d / size, e / size
    if "crop" in amounts:
        window = 1.0 - _cut(of, amounts)
        a, b, d, e = a * window, b * window, d * window, e * window
    if "flip" in amounts:
        side = ops.where(of["flip"] < 0, -1.0, 1.0)
        a, b = a * side, b * side
    return (a, b), (d, e)


def _cut(of: Mapping[str, Any], amounts: Mapping[str, Any]) -> Any:
    """Return the share of the side that is cut away, ``(batch,)``, from 0 to the field's."""
    return 0.5 * amounts["crop"] * (1.0 + of["crop"])


def speed_curves(length: int) -> np.ndarray:
    """Return what each drawn number adds to the logarithm of the speed between two steps.

    Natural cubic splines through places that are spread evenly from the first to the last step, as
    the random curves of Um et al. (arXiv 1706.00527), whose speeds may be negative; the exponential
    of these may not.

    Args:
        length: of the series, 2 or more.

    Returns:
        ``(numbers, length - 1)`` float32.
    """
    from scipy.interpolate import CubicSpline

    between = (np.arange(length - 1) + 0.5) / (length - 1)
    curves = CubicSpline(np.linspace(0, 1, _SPEEDS), np.eye(_SPEEDS), bc_type="natural")(between)
    return np.ascontiguousarray(curves.T, "float32")


def warped_places(log_speeds: Any) -> Any:
    """Return the places in time that a series of warped time goes through.

    Args:
        log_speeds: ``(batch, length - 1)``, of the way from each step to the next.

    Returns:
        ``(batch, length)``, in steps, rising from 0 to ``length - 1``.
    """
    way = ops.cumsum(ops.exp(log_speeds), axis=1)
    places = way * (way.shape[1] / way[:, -1:])
    return ops.pad(places, [(0, 0), (1, 0)])


def outside_span(starts: Any, length: int, share: float) -> Any:
    """Return 0 where a span hides the steps of a series, and 1 elsewhere.

    Args:
        starts: ``(batch, 1)``, from 0 at the first place of a span to 1 at its last.
        length: of the series.
        share: of it, that the span takes.

    Returns:
        ``(batch, length)`` float32.
    """
    begins = starts * (length * (1 - share))
    middles = ops.arange(length, dtype="float32") + 0.5
    hidden = ops.logical_and(middles >= begins, middles < begins + length * share)
    return 1.0 - ops.cast(hidden, "float32")
