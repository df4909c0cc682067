"""The description of a point under the pointer: an image, a series, or a row of a table."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from archbuild.figures.tables import standardised
from archbuild.figures.thumbnails import display_range, to_rgb
from archbuild.report.pictures import data_uri

if TYPE_CHECKING:
    from PIL import Image

_SHEET_BYTES = 3 * 2**20
_SHEETS = (("png", 64), ("jpeg", 64), ("jpeg", 48), ("jpeg", 32))
"""Formats and longest sides, the best first; JPEG needs multiples of its blocks of 16."""
_AT_ONCE = 256
"""Images by which black and white are chosen."""
_ALL_FEATURES = 24
_UNUSUAL_FEATURES = 12
_STEPS = 64
_CHANNELS = 12


def hover_images(rows: NDArray[Any], limit: int = _SHEET_BYTES) -> dict[str, Any]:
    """Return thumbnails of images (m, height, width, channels), in one sheet of equal cells.

    Small images stay as they are, as PNG; a sheet of more than ``limit`` bytes becomes JPEG, and
    its thumbnails smaller as far as they may.
    """
    columns = int(np.ceil(np.sqrt(len(rows))))
    for kind, side in _SHEETS:
        sheet, width, height = _sheet(rows, columns, side)
        content = _encoded(sheet, kind)
        if len(content) <= limit:
            break
    return {
        "kind": "images",
        "sheet": data_uri(content, kind),
        "columns": columns,
        "width": width,
        "height": height,
    }


def _sheet(rows: NDArray[Any], columns: int, side: int) -> tuple[Image.Image, int, int]:
    """Return the sheet, and width and height of a cell."""
    from PIL import Image

    height, width = rows.shape[1:3]
    factor = min(1.0, side / max(height, width))
    width, height = max(1, round(factor * width)), max(1, round(factor * height))
    sheet = Image.new("RGB", (columns * width, -(-len(rows) // columns) * height), "white")
    low, high = display_range(rows[:: -(-len(rows) // _AT_ONCE)])
    for place, row in enumerate(rows):
        levels = np.rint(255 * to_rgb(row[np.newaxis], low, high)[0]).astype(np.uint8)
        small = Image.fromarray(levels).resize((width, height), Image.Resampling.BOX)
        sheet.paste(small, (place % columns * width, place // columns * height))
    return sheet, width, height


def _encoded(sheet: Image.Image, kind: str) -> bytes:
    stream = BytesIO()
    if kind == "png" and _is_grey(sheet):
        sheet = sheet.convert("L")
    sheet.save(stream, kind, quality=80)
    return stream.getvalue()


def _is_grey(sheet: Image.Image) -> bool:
    red, green, blue = (np.asarray(band) for band in sheet.split())
    return np.array_equal(red, green) and np.array_equal(red, blue)


def hover_table(rows: NDArray[Any], names: Sequence[str] = ()) -> dict[str, Any]:
    """Return rows of a table (m, features), in the units of the data.

    Up to 24 features are all shown; of more, the 12 in which the row is furthest from the mean.

    Args:
        rows: the values.
        names: of the features; numbers from 0 stand in where there are none.
    """
    count = rows.shape[1]
    document = {"kind": "table", "names": [str(name) for name in names or range(count)]}
    if count <= _ALL_FEATURES:
        return {**document, "values": _rounded(rows)}
    distances = np.abs(standardised(rows, rows))
    shown = np.argsort(-distances, axis=1, kind="stable")[:, :_UNUSUAL_FEATURES]
    values = np.take_along_axis(rows, shown, axis=1)
    return {**document, "values": _rounded(values), "shown": shown.tolist()}


def _rounded(values: NDArray[Any]) -> list[list[float]]:
    return [[float(f"{value:.4g}") for value in row] for row in values]


def hover_series(rows: NDArray[Any]) -> dict[str, Any]:
    """Return series (m, length, channels) as curves of at most 64 steps and 12 channels.

    Values become bytes between the lowest and the highest of all rows shown.
    """
    length, channels = rows.shape[1:]
    steps = np.linspace(0, length - 1, min(length, _STEPS)).round().astype(int)
    values = np.asarray(rows[:, steps, :_CHANNELS], np.float64)
    low, high = float(values.min()), float(values.max())
    levels = np.rint(255 * (values - low) / ((high - low) or 1)).astype(np.uint8)
    return {
        "kind": "series",
        "length": length,
        "steps": len(steps),
        "channels": levels.shape[2],
        "of": channels,
        "low": low,
        "high": high,
        "levels": b64encode(levels.tobytes()).decode("ascii"),
    }
