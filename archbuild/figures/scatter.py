"""Scatter plots of projected spaces: alone, or side by side with one legend."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from archbuild.figures.projection import Projection
from archbuild.figures.style import (
    GREY,
    class_name,
    colour,
    lettering_on,
    marker,
    new_figure,
    plain,
    save,
    styled,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_LEGEND_ROWS = 22
_PANELS_ABREAST = 3


def draw_scatter(
    points: NDArray[Any],
    labels: NDArray[Any] | None,
    class_names: Sequence[str] | None,
    title: str,
    path: str | Path,
    caption: str = "",
    *,
    clusters: NDArray[Any] | None = None,
) -> Path:
    """Draw one space to a PNG at ``path``, which is returned.

    Args:
        points: (m, 2), from ``project``.
        labels: (m,) class of each point, -1 where unknown; ``None`` where there are none.
        class_names: name of class ``i`` at position ``i``; numbers stand in for missing names.
        clusters: (m,) colours the points where there are no labels; without it they are grey.
    """
    with styled():
        figure = scatter_figure(points, labels, class_names, title, caption, clusters=clusters)
        return save(figure, path)


def scatter_figure(
    points: NDArray[Any],
    labels: NDArray[Any] | None,
    class_names: Sequence[str] | None,
    title: str,
    caption: str = "",
    *,
    clusters: NDArray[Any] | None = None,
) -> Figure:
    """The figure that ``draw_scatter`` writes."""
    numbers, names, heading = _colouring(len(points), labels, class_names, clusters)
    figure = new_figure(title, caption, height=850)
    axes = figure.subplots()
    _scatter(axes, np.asarray(points), numbers, names)
    _add_legend(figure, numbers, names, heading)
    return figure


def draw_scatter_panels(
    spaces: Mapping[str, Projection],
    labels: NDArray[Any] | None,
    class_names: Sequence[str] | None,
    title: str,
    path: str | Path,
    caption: str = "",
    *,
    clusters: NDArray[Any] | None = None,
) -> Path:
    """Draw all ``spaces`` (panel name -> projection) with one colour map and one legend.

    ``labels`` and ``clusters`` are (n,) over the whole dataset; each projection's ``indices`` pick
    the points' own. The rest is as for ``draw_scatter``.
    """
    with styled():
        figure = panels_figure(spaces, labels, class_names, title, caption, clusters=clusters)
        return save(figure, path)


def panels_figure(
    spaces: Mapping[str, Projection],
    labels: NDArray[Any] | None,
    class_names: Sequence[str] | None,
    title: str,
    caption: str = "",
    *,
    clusters: NDArray[Any] | None = None,
) -> Figure:
    """The figure that ``draw_scatter_panels`` writes."""
    count = max(1 + int(space.indices.max()) for space in spaces.values())
    numbers, names, heading = _colouring(count, labels, class_names, clusters)
    # Four panels look better as a square than as three and a leftover.
    abreast = 2 if len(spaces) == 4 else min(len(spaces), _PANELS_ABREAST)
    down = -(-len(spaces) // abreast)
    figure = new_figure(title, caption, height=150 + down * (1000 // abreast))
    grid = figure.subplots(down, abreast, squeeze=False).ravel()
    for axes in grid[len(spaces) :]:
        axes.set_axis_off()
    for axes, (name, space) in zip(grid, spaces.items(), strict=False):
        _scatter(axes, space.points, numbers[space.indices], names)
        note = "" if space.method == "t-SNE" else f" ({space.method})"
        axes.set_title(plain(name, 30) + note, loc="left")
    shown = np.concatenate([numbers[space.indices] for space in spaces.values()])
    _add_legend(figure, shown, names, heading)
    return figure


def _colouring(
    count: int,
    labels: NDArray[Any] | None,
    class_names: Sequence[str] | None,
    clusters: NDArray[Any] | None,
) -> tuple[NDArray[np.int64], Sequence[str] | None, str]:
    """What colours the points: (numbers, names, heading of the legend)."""
    if labels is not None:
        return np.asarray(labels, dtype=np.int64), class_names, "class"
    if clusters is not None:
        return np.asarray(clusters, dtype=np.int64), None, "cluster"
    return np.full(count, -1), None, ""


def _scatter(
    axes: Axes, points: NDArray[Any], numbers: NDArray[np.int64], names: Sequence[str] | None
) -> None:
    size = float(np.clip(40_000 / max(len(points), 1), 7, 60))
    # In random order of depth no class lies on top of another; marker shapes still group them.
    depth = np.random.default_rng(0).permutation(len(points))
    for group in np.unique(numbers // 10):
        rows = depth[numbers[depth] // 10 == group]
        shades = [colour(number) for number in numbers[rows]]
        axes.scatter(
            *points[rows].T,
            s=size,
            c=shades,
            marker=marker(10 * int(group)),
            alpha=0.75,
            linewidths=0,
            zorder=1 if group < 0 else 2,
        )
    axes.set(xticks=[], yticks=[])
    axes.margins(0.04)
    axes.spines[["top", "right"]].set_visible(True)
    axes.spines[:].set_color("#dddddd")
    _mark_classes(axes, points, numbers, names)


def _mark_classes(
    axes: Axes, points: NDArray[Any], numbers: NDArray[np.int64], names: Sequence[str] | None
) -> None:
    """Write each class on the map, so that reading it does not hang on telling colours apart."""
    found = [int(number) for number in np.unique(numbers[numbers >= 0])]
    if not found or len(points) < 3 * len(found):
        return
    middles = np.array([_middle(points[numbers == number]) for number in found])
    low, extent = points.min(axis=0), np.ptp(points, axis=0)
    extent[extent == 0] = 1
    spread = _apart((middles - low) / extent, 0.05) * extent + low
    for number, place in zip(found, spread, strict=True):
        axes.annotate(
            _short_name(names, number),
            place,
            ha="center",
            va="center",
            fontsize=10,
            fontweight="bold",
            color=lettering_on(colour(number)),
            bbox={"boxstyle": "round,pad=0.2", "fc": colour(number), "ec": "white", "lw": 1.2},
            zorder=3,
        )


def _short_name(names: Sequence[str] | None, number: int) -> str:
    name = class_name(names, number)
    return name if len(name) <= 3 else str(number)


def _middle(points: NDArray[Any]) -> NDArray[Any]:
    """The point nearest to the median, for the mark to sit on the class and not beside it."""
    return points[np.square(points - np.median(points, axis=0)).sum(axis=1).argmin()]


def _apart(places: NDArray[Any], gap: float, rounds: int = 100) -> NDArray[Any]:
    """Push ``places`` (k, 2) in the unit square from each other until ``gap`` lies between."""
    places = places + 1e-6 * np.random.default_rng(0).standard_normal(places.shape)
    for _ in range(rounds):
        away = places[:, None] - places[None]
        distance = np.linalg.norm(away, axis=-1) + np.eye(len(places))
        push = np.clip(gap - distance, 0, None) / distance
        if not push.any():
            break
        places = np.clip(places + 0.5 * (away * push[..., None]).sum(axis=1), 0, 1)
    return places


def _add_legend(
    figure: Figure, numbers: NDArray[np.int64], names: Sequence[str] | None, heading: str
) -> None:
    """One entry for each number that occurs, outside the axes at the right."""
    from matplotlib.lines import Line2D

    found = [int(number) for number in np.unique(numbers)]
    if not heading or not found:
        return
    entries = [
        Line2D(
            [],
            [],
            linestyle="",
            marker=marker(number),
            markersize=8,
            color=colour(number) if number >= 0 else GREY,
            label=_entry(names, number),
        )
        for number in found
    ]
    columns = -(-len(found) // _LEGEND_ROWS)
    figure.legend(
        handles=entries,
        loc="outside right upper",
        title=heading,
        ncols=columns,
        alignment="left",
        handletextpad=0.2,
        columnspacing=1.0,
    )


def _entry(names: Sequence[str] | None, number: int) -> str:
    """The name, with the number that stands on the map before it where the name is too long."""
    if number < 0:
        return "unlabelled"
    name = class_name(names, number)
    return name if name in (str(number), _short_name(names, number)) else f"{number}  {name}"
