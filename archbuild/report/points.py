"""The map of the rows as data: where each point lies, what it can be coloured by, what it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archbuild.figures.projection import Projection
from archbuild.figures.style import GREY, PALETTE

LIMIT = 3000
"""Points that a browser moves without stutter, and whose thumbnails still fit into a page."""
EXTENT = 10_000
"""Coordinates go from 0 to this, in whole numbers: finer than any screen."""
_RAMP_STOPS = 16


@dataclass(frozen=True)
class Categories:
    """A colouring by class or cluster.

    Attributes:
        name: what is coloured by, such as ``class`` or ``cluster of kld``.
        codes: (m,) category of each point; negative where it is unknown.
        names: of category ``i`` at position ``i``.
        shades: number of category ``i``'s colour in the palette, at position ``i``.
    """

    name: str
    codes: NDArray[Any]
    names: Sequence[str]
    shades: Sequence[int]

    def document(self) -> dict[str, Any]:
        """Return plain data for the script."""
        return {
            "name": self.name,
            "codes": np.asarray(self.codes).tolist(),
            "names": list(self.names),
            "shades": list(self.shades),
        }


@dataclass(frozen=True)
class Measure:
    """A colouring by a number for each point.

    Attributes:
        name: what is coloured by, such as ``confidence of kld``.
        values: (m,) finite.
    """

    name: str
    values: NDArray[Any]

    def document(self) -> dict[str, Any]:
        """Return plain data for the script."""
        return {"name": self.name, "values": np.round(self.values.astype(float), 4).tolist()}


def map_document(
    rows: NDArray[np.intp],
    spaces: Mapping[str, Projection],
    colourings: Sequence[Categories | Measure],
    hover: Mapping[str, Any],
    *,
    total: int,
    ids: NDArray[Any] | None = None,
    colouring: int = 0,
) -> dict[str, Any]:
    """Return the data that the page's script draws; the last space is shown first.

    Args:
        rows: (m,) which rows of the dataset the points are.
        spaces: name -> projection of just these rows, in their order.
        colourings: what the points can be coloured by; without any they are grey.
        hover: from one of the ``hover_...`` functions, of the same rows.
        total: how many rows there are.
        ids: (m,) names of the rows; ``None``: by their number.
        colouring: which one is shown first.
    """
    names = [f"row {row:,}" for row in rows] if ids is None else [str(each) for each in ids]
    return {
        "extent": EXTENT,
        "note": _which(len(rows), total),
        "rows": names,
        "spaces": [_space(name, projection) for name, projection in spaces.items()],
        "colourings": [each.document() for each in colourings],
        "colouring": colouring,
        "hover": dict(hover),
        "palette": PALETTE,
        "unknown": GREY,
        "ramp": _ramp(),
    }


def _which(shown: int, total: int) -> str:
    if shown == total:
        return f"All {total:,} rows are shown."
    return f"{shown:,} of {total:,} rows are shown, drawn by chance."


def _space(name: str, projection: Projection) -> dict[str, Any]:
    points = np.asarray(projection.points, np.float64)
    low = points.min(axis=0)
    extent = points.max(axis=0) - low
    # an axis along which nothing varies goes through the middle
    share = np.where(extent > 0, (points - low) / np.where(extent > 0, extent, 1), 0.5)
    x, y = np.rint(EXTENT * share).astype(int).T
    return {"name": name, "method": projection.method, "x": x.tolist(), "y": y.tolist()}


def _ramp() -> list[str]:
    """Return colours from dark to light in even steps, which the colour-blind tell apart too."""
    from matplotlib import colormaps
    from matplotlib.colors import to_hex

    # the last tenth is too light for white paper
    return [to_hex(colormaps["viridis"](at)) for at in np.linspace(0, 0.9, _RAMP_STOPS)]
