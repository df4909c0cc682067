"""The kind of data in an array, and thumbnails side by side in one image."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Kind = Literal["images", "series", "table"]

_SMALLEST = 56
"""Pixels that a thumbnail is enlarged to at least, for the gaps between them to stay narrow."""
_GAP = 0.06


def kind_of(values: ArrayLike) -> Kind:
    """Return ``images`` (n, height, width, channels), ``series`` (n, length, channels), ``table``.

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


def pictured(values: NDArray[Any], axes: int = 1) -> NDArray[Any]:
    """Return volumes (..., depth, height, width, channels) as the images in their middle.

    Args:
        values: any array; without a depth it is returned as it is.
        axes: how many stand before those of a row.
    """
    return values[..., values.shape[-4] // 2, :, :, :] if values.ndim == axes + 4 else values


def to_rgb(images: NDArray[Any], low: float = 0.0, high: float = 1.0) -> NDArray[np.float64]:
    """Return colours (n, height, width, 3) in [0, 1]: ``low`` is black and ``high`` is white.

    One channel becomes grey, three stay, of four the last (opacity) is dropped, other numbers of
    channels are averaged. Pixels that are not finite are drawn red.
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
    """Return the values for black and white: 0 and 1 for data of that range, else its extremes."""
    finite = np.asarray(images)[np.isfinite(images)]
    if finite.size == 0:
        return 0.0, 1.0
    low, high = float(finite.min()), float(finite.max())
    return (0.0, 1.0) if low >= -0.25 and 0.25 <= high <= 1.5 else (low, high)


def cell_ratio(shape: Sequence[int]) -> float:
    """Return height over width of a thumbnail's place, for images of ``shape`` (n, h, w, ...)."""
    height, width = _cell(*shape[1:3])[:2]
    return height / width


def draw_montage(axes: Axes, rows: Sequence[NDArray[Any]], columns: int) -> None:
    """Fill ``axes`` with thumbnails: row ``r`` shows ``rows[r]`` (at most columns, h, w, 3).

    The thumbnail in row ``r`` and column ``c`` lies between (c, r) and (c + 1, r + 1).
    """
    canvas = montage(rows, columns)
    ratio = (canvas.shape[0] * columns) / (canvas.shape[1] * len(rows))
    extent = (0, columns, len(rows), 0)
    axes.imshow(canvas, extent=extent, aspect=ratio, interpolation="antialiased")
    axes.set_anchor("NW")
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set_visible(False)


def montage(rows: Sequence[NDArray[Any]], columns: int) -> NDArray[np.float64]:
    """Join images in equal cells on white, with ``rows[r]`` (at most columns, h, w, 3) in row r."""
    height, width = rows[0].shape[1:3]
    cell_height, cell_width, factor = _cell(height, width)
    canvas = np.ones((len(rows) * cell_height, columns * cell_width, 3))
    top, left = (cell_height - height * factor) // 2, (cell_width - width * factor) // 2
    for r, row in enumerate(rows):
        for c, image in enumerate(row[:columns]):
            large = image.repeat(factor, axis=0).repeat(factor, axis=1)
            y, x = r * cell_height + top, c * cell_width + left
            canvas[y : y + large.shape[0], x : x + large.shape[1]] = large
    return canvas


def _cell(height: int, width: int) -> tuple[int, int, int]:
    """Return a cell's (height, width) in pixels, and how many times an image is enlarged in it.

    A cell is at least two thirds as high as wide, for labels beside it to have two lines, and at
    most twice as high.
    """
    factor = -(-_SMALLEST // max(height, width))
    gap = max(1, round(_GAP * factor * max(height, width)))
    high, wide = height * factor + 2 * gap, width * factor + 2 * gap
    return max(high, -(-2 * wide // 3)), max(wide, -(-high // 2)), factor
