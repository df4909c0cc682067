"""Which kind of data an array holds, and images set side by side in one large image."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Kind = Literal["images", "series", "table"]

_SMALLEST = 56
"""Pixels that a thumbnail is enlarged to at least, for the gaps between them to stay narrow."""
_GAP = 0.06


def kind_of(values: NDArray[Any]) -> Kind:
    """``images`` (n, height, width, channels), ``series`` (n, length, channels), or ``table``.

    Raises:
        ValueError: for arrays of other than two, three or four axes.
    """
    kinds: dict[int, Kind] = {2: "table", 3: "series", 4: "images"}
    if np.ndim(values) not in kinds:
        raise ValueError(
            f"expected values of shape (n, features), (n, length, channels) or "
            f"(n, height, width, channels), got {np.shape(values)}; reshape them first"
        )
    return kinds[np.ndim(values)]


def to_rgb(images: NDArray[Any], low: float = 0.0, high: float = 1.0) -> NDArray[np.float64]:
    """(n, height, width, 3) in [0, 1]: ``low`` is black and ``high`` is white.

    One channel becomes grey, three stay, of four the last (opacity) is dropped, other numbers of
    channels are averaged. What is not finite turns red, for it to be seen.
    """
    images = np.asarray(images, dtype=np.float64)
    broken = ~np.isfinite(images).all(axis=-1)
    channels = images.shape[-1]
    if channels not in (3, 4):
        images = images.mean(axis=-1, keepdims=True).repeat(3, axis=-1)
    levels = np.clip((images[..., :3] - low) / ((high - low) or 1.0), 0, 1)
    levels[broken] = (1.0, 0.0, 0.0)
    return levels


def display_range(images: NDArray[Any]) -> tuple[float, float]:
    """What to show as black and white: 0 and 1 for data of about that range, else its extremes."""
    finite = np.asarray(images)[np.isfinite(images)]
    if finite.size == 0:
        return 0.0, 1.0
    low, high = float(finite.min()), float(finite.max())
    return (0.0, 1.0) if low >= -0.25 and 0.25 <= high <= 1.5 else (low, high)


def montage(rows: Sequence[NDArray[Any]], columns: int) -> NDArray[np.float64]:
    """One white-ground image of thumbnails; row ``r`` shows ``rows[r]`` (at most columns, h, w, 3).

    Row ``r``, column ``c`` fills the square from (c, r) to (c + 1, r + 1) when the result is drawn
    with ``extent=(0, columns, len(rows), 0)``.
    """
    height, width = next(row.shape[1:3] for row in rows)
    factor = -(-_SMALLEST // max(height, width))
    side = max(height, width) * factor
    gap = max(1, round(_GAP * side))
    cell = side + 2 * gap
    canvas = np.ones((len(rows) * cell, columns * cell, 3))
    top = gap + (side - height * factor) // 2
    left = gap + (side - width * factor) // 2
    for r, row in enumerate(rows):
        for c, image in enumerate(row[:columns]):
            large = image.repeat(factor, axis=0).repeat(factor, axis=1)
            y, x = r * cell + top, c * cell + left
            canvas[y : y + large.shape[0], x : x + large.shape[1]] = large
    return canvas
