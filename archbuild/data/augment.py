"""Random rotations and shifts of a batch of images, in NumPy and without a loop over images."""

from __future__ import annotations

import numpy as np

# images worked on together: their coordinates and corners then stay in the processor's cache
_BLOCK_PIXELS = 100_000


def augment(
    images: np.ndarray, rotate: float, shift: float, rng: np.random.Generator
) -> np.ndarray:
    """Turn and move each image by its own random amounts; what comes in from outside is zero.

    Args:
        images: ``(batch, height, width, channels)`` float32.
        rotate: the largest angle in degrees; angles are uniform between its negative and it.
        shift: the largest move as a share of the height and of the width, uniform likewise.
        rng: where the amounts come from: ``batch`` angles first, then the moves.

    Returns:
        Images of the same shape, interpolated bilinearly.

    Raises:
        ValueError: there is something to do, and ``images`` has not four axes.
    """
    if rotate == 0 and shift == 0:
        return images
    if images.ndim != 4:
        raise ValueError(
            f"images of shape {images.shape} came; expected (batch, height, width, channels)"
        )
    batch, height, width, _ = images.shape
    degrees = rng.uniform(-rotate, rotate, (batch,))
    moves = rng.uniform(-shift, shift, (batch, 2)) * (height, width)
    return rotate_and_shift(images, degrees, moves)


def rotate_and_shift(images: np.ndarray, degrees: np.ndarray, moves: np.ndarray) -> np.ndarray:
    """Turn each image about its middle, then move it.

    Args:
        images: ``(batch, height, width, channels)``.
        degrees: ``(batch,)``, anticlockwise as one looks at the picture.
        moves: ``(batch, 2)`` pixels, down and to the right.

    Returns:
        ``(batch, height, width, channels)`` float32.
    """
    batch, height, width, _ = images.shape
    moved = np.empty(images.shape, np.float32)
    step = max(1, _BLOCK_PIXELS // (height * width))
    for start in range(0, batch, step):
        part = slice(start, start + step)
        rows, columns = _source_coordinates(height, width, degrees[part], moves[part])
        moved[part] = _interpolate(images[part], rows, columns)
    return moved


def _source_coordinates(
    height: int, width: int, degrees: np.ndarray, moves: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return each pixel's source: rows and columns, each ``(batch, height, width)`` float32."""
    angle = np.deg2rad(degrees)[:, np.newaxis]
    cosine, sine = np.cos(angle), np.sin(angle)
    middle_row, middle_column = (height - 1) / 2, (width - 1) / 2
    down = np.arange(height) - middle_row - moves[:, :1]
    right = np.arange(width) - middle_column - moves[:, 1:]

    def outer(along_rows: np.ndarray, along_columns: np.ndarray) -> np.ndarray:
        tall = along_rows.astype(np.float32)[:, :, np.newaxis]
        return tall + along_columns.astype(np.float32)[:, np.newaxis, :]

    rows = outer(cosine * down + middle_row, sine * right)
    columns = outer(-sine * down + middle_column, cosine * right)
    return rows, columns


def _interpolate(images: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Return bilinear values ``(batch, height, width, channels)`` at the coordinates; 0 outside."""
    batch, height, width, channels = images.shape
    # one zero line before and two behind, so that a clipped corner and its neighbour exist
    padded = np.zeros((batch, height + 3, width + 3, channels), np.float32)
    padded[:, 1:-2, 1:-2] = images
    top, row_share = _corner(rows, height)
    left, column_share = _corner(columns, width)
    stride = width + 3
    corner = top * np.int32(stride) + left
    corner += np.arange(batch, dtype=np.int32)[:, np.newaxis, np.newaxis] * (height + 3) * stride
    pixels: np.ndarray = padded.reshape(-1, channels)

    def line(offset: int) -> np.ndarray:
        start = pixels.take(corner + np.int32(offset), axis=0)
        end: np.ndarray = pixels.take(corner + np.int32(offset + 1), axis=0)
        end -= start
        end *= column_share
        end += start
        return end

    upper, lower = line(0), line(stride)
    lower -= upper
    lower *= row_share
    lower += upper
    return lower


def _corner(coordinates: np.ndarray, side: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the pixel before each coordinate, with the padding, and the share of the next."""
    inside = np.clip(coordinates, -1, side)
    inside += 1
    before = inside.astype(np.int32)
    inside -= before
    return before, inside[..., np.newaxis]
