"""Linear sampling of images under affine maps and of series at places, differentiable in both.

Source: Jaderberg et al., arXiv 1506.02025, equations 1 and 5. A map takes the place (x, y) of a
glimpse to the place (a x + b y + c, d x + e y + f) of the image; on both axes -1 is the centre of
the first pixel and 1 that of the last.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from keras import ops

SMALLEST_DETERMINANT: Final = 1e-3
"""A map that shrinks areas further than this is inverted as if it were this."""


def sample(images: Any, theta: Any, size: Sequence[int], outside: str = "zeros") -> Any:
    """Return the glimpses that maps take from images.

    Args:
        images: ``(batch, height, width, channels)``, of known height and width.
        theta: ``(batch, ..., 6)``, the numbers a to f of each map (``affine.py``).
        size: height and width of a glimpse; an axis of one pixel has it at 0.
        outside: the values beyond the border of an image: ``zeros``, or ``border``, those of the
            nearest pixel.

    Returns:
        ``(batch, ..., *size, channels)``.
    """
    height, width, channels = images.shape[1:]
    column, right = _pixels(theta[..., :3], size, width, outside)
    row, down = _pixels(theta[..., 3:], size, height, outside)
    # a frame of zeros, so that every place has four pixels around it and none needs a mask
    framed = ops.pad(images, [(0, 0), (1, 2), (1, 2), (0, 0)])
    pixels = ops.reshape(framed, (-1, channels))
    stride = width + 3
    at = ops.cast(row, "int32") * stride + ops.cast(column, "int32")
    at = at + _first_pixels(theta, (height + 3) * stride, len(column.shape))
    above, below = (
        _between(ops.take(pixels, at + k, axis=0), ops.take(pixels, at + k + 1, axis=0), right)
        for k in (0, stride)
    )
    return _between(above, below, down)


def sample_series(series: Any, places: Any) -> Any:
    """Return the values of series at places between their steps, interpolated linearly.

    Args:
        series: ``(batch, length, channels)``, of known length.
        places: ``(batch, places)``, in steps; 0 is the first one, and a place before it or behind
            the last one has the value of that.

    Returns:
        ``(batch, places, channels)``.
    """
    length, channels = series.shape[1:]
    places = ops.where(places > 0, places, 0.0)
    places = ops.where(places < length - 1, places, float(length - 1))
    before = ops.floor(places)
    # a further step, so that the last one has a next one
    steps = ops.reshape(ops.pad(series, [(0, 0), (0, 1), (0, 0)]), (-1, channels))
    at = ops.cast(before, "int32") + _first_pixels(places, length + 1, 2)
    first, second = ops.take(steps, at, axis=0), ops.take(steps, at + 1, axis=0)
    return _between(first, second, (places - before)[..., None])


def inverse(theta: Any) -> Any:
    """Return the inverse maps, ``(..., 6)``, of maps ``(..., 6)``."""
    a, b, c, d, e, f = (theta[..., k] for k in range(6))
    determinant = a * e - b * d
    least = ops.where(determinant < 0, -SMALLEST_DETERMINANT, SMALLEST_DETERMINANT)
    scale = 1.0 / ops.where(ops.abs(determinant) < SMALLEST_DETERMINANT, least, determinant)
    numbers = [e, -b, b * f - c * e, -d, a, c * d - a * f]
    return ops.stack([number * scale for number in numbers], axis=-1)


def _first_pixels(rows: Any, stride: int, axes: int) -> Any:
    """Return ``stride`` times the number of each row, ``(batch, 1, ...)`` with so many ``axes``.

    It is counted, as the number of rows may not be known while a model is exported.
    """
    ones = ops.ones_like(rows[(slice(None), *[0] * (len(rows.shape) - 1))], dtype="int32")
    return ops.reshape((ops.cumsum(ones) - 1) * stride, (-1, *[1] * (axes - 1)))


def _pixels(theta: Any, size: Sequence[int], extent: int, outside: str) -> tuple[Any, Any]:
    """Return one coordinate of every place of a glimpse, in pixels of the framed image.

    Args:
        theta: ``(batch, ..., 3)``: the factors of x and y, and the shift.
        size: of the glimpse.
        extent: of the image along this coordinate.
        outside: as of ``sample``.

    Returns:
        ``(batch, ..., *size)``, the pixel at or before each place, as a float; and
        ``(batch, ..., *size, 1)``, the fraction of the way to the next one.
    """
    half = 0.5 * (extent - 1)
    y, x = (ops.convert_to_tensor(_axis(length) * half, theta.dtype) for length in size)
    of_x, of_y, shift = (theta[..., k, None, None] for k in range(3))
    place = of_x * x + (shift * half + (half + 1)) + of_y * ops.reshape(y, (-1, 1))
    least, most = (1, extent) if outside == "border" else (0, extent + 1)
    # no ops.clip: a place that is not a number would stay one, and index outside the frame
    place = ops.where(place > least, place, float(least))
    place = ops.where(place < most, place, float(most))
    before = ops.floor(place)
    return before, (place - before)[..., None]


def _axis(length: int) -> Any:
    """Return ``length`` places from -1 to 1, in NumPy."""
    return np.linspace(-1.0, 1.0, length) if length > 1 else np.zeros(1)


def _between(first: Any, second: Any, fraction: Any) -> Any:
    return first + (second - first) * fraction
