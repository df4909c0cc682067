"""Scatter plots of projected spaces: alone, or side by side with one legend."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from archbuild.figures.marks import place_marks
from archbuild.figures.picture import Picture
from archbuild.figures.projection import Projection, project, sample_indices
from archbuild.figures.style import (
    DPI,
    class_name,
    colour,
    legend_outside,
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
    from matplotlib.lines import Line2D

    from archbuild.models.run import Run


_LEGEND_LINE = 24
"""Pixels from one entry of the legend to the next."""
_LEGEND_COLUMNS = 4
"""Columns of a legend beyond which it is cut to one: a map is not read by so many colours."""
_PANELS_ABREAST = 3
_MARKED_FROM = 15
"""Points per class from which a mark on the map is worth the points that it hides."""


class ScatterPicture(Picture):
    """Every space in two dimensions: one picture each, and all of them side by side."""

    name = "scatter"

    def draw(self, run: Run, folder: Path) -> list[Path]:
        """Draw the spaces of the finished stages, in the same colours."""
        if not run.finished_stages:
            return []
        spaces = {space: _projected(run, space) for space in run.spaces}
        labels, names = run.dataset.row_labels, run.dataset.class_names
        own = {stage.space: stage.clusters for stage in run.finished_clusterings}
        last = list(own.values())[-1] if own else None
        title, path = run.title("every space"), folder / "scatter.png"
        together = draw_scatter_panels(spaces, labels, names, title, path, clusters=last)
        return [
            together,
            *(
                self._draw_space(run, space, projection, own.get(space, last), folder)
                for space, projection in spaces.items()
            ),
        ]

    def _draw_space(
        self,
        run: Run,
        space: str,
        projection: Projection,
        clusters: NDArray[Any] | None,
        folder: Path,
    ) -> Path:
        chosen, labels = projection.indices, run.dataset.row_labels
        return draw_scatter(
            projection.points,
            None if labels is None else labels[chosen],
            run.dataset.class_names,
            run.title(f"{space} ({projection.method})"),
            folder / f"{self.name}-{space}.png",
            clusters=None if clusters is None else clusters[chosen],
        )


def _projected(run: Run, space: str) -> Projection:
    """Project a sample of a space, of which no other row is read."""
    chosen = sample_indices(len(run.dataset), run.seed)
    return replace(project(run.values(space, chosen), run.seed), indices=chosen)


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
    """Return the figure that ``draw_scatter`` writes."""
    numbers, names, heading = colouring(len(points), labels, class_names, clusters)
    figure = new_figure(title, caption, height=850)
    axes = figure.subplots()
    plot_classes(axes, np.asarray(points), numbers, names, room=(1000, 780))
    add_legend(figure, numbers, names, heading)
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
    """Return the figure that ``draw_scatter_panels`` writes."""
    count = max(1 + int(space.indices.max()) for space in spaces.values())
    numbers, names, heading = colouring(count, labels, class_names, clusters)
    # Four panels look better as a square than as three and a leftover.
    abreast = 2 if len(spaces) == 4 else min(len(spaces), _PANELS_ABREAST)
    down = -(-len(spaces) // abreast)
    side = 1000 // abreast
    shown = np.concatenate([numbers[space.indices] for space in spaces.values()])
    legend = 110 + _LEGEND_LINE * min(len(np.unique(shown)), 22)
    figure = new_figure(title, caption, height=max(150 + down * side, legend))
    grid = figure.subplots(down, abreast, squeeze=False).ravel()
    for axes in grid[len(spaces) :]:
        axes.set_axis_off()
    for axes, (name, space) in zip(grid, spaces.items(), strict=False):
        plot_classes(
            axes, space.points, numbers[space.indices], names, room=(0.85 * side, 0.95 * side)
        )
        note = "" if space.method == "t-SNE" else f" ({space.method})"
        axes.set_title(plain(name, 30) + note, loc="left")
    add_legend(figure, shown, names, heading)
    return figure


def colouring(
    count: int,
    labels: NDArray[Any] | None,
    class_names: Sequence[str] | None,
    clusters: NDArray[Any] | None,
) -> tuple[NDArray[np.int64], Sequence[str] | None, str]:
    """Return what the points are coloured by: (numbers, names, heading of the legend)."""
    if labels is not None:
        return np.asarray(labels, dtype=np.int64), class_names, "class"
    if clusters is not None:
        return np.asarray(clusters, dtype=np.int64), None, "cluster"
    return np.full(count, -1), None, ""


def plot_classes(
    axes: Axes,
    points: NDArray[Any],
    numbers: NDArray[np.int64],
    names: Sequence[str] | None,
    room: tuple[float, float],
) -> None:
    """Draw ``points`` and the marks of their classes; the rest is as for ``plot_points``."""
    plot_points(axes, points, numbers, room)
    _mark_classes(axes, points, numbers, names, room)


def plot_points(
    axes: Axes, points: NDArray[Any], numbers: NDArray[np.int64], room: tuple[float, float]
) -> None:
    """Draw ``points`` (m, 2) in the colours and shapes of ``numbers`` (m,), as a map without ticks.

    ``room`` says how many pixels wide and high the axes are, or a little less.
    """
    size = point_size(len(points), room)
    # In random order of depth no class lies on top of another; marker shapes still group them.
    depth = np.random.default_rng(0).permutation(len(points))
    for group in np.unique(numbers // 10):
        rows = depth[numbers[depth] // 10 == group]
        shades = [colour(number) for number in numbers[rows]]
        axes.scatter(
            points[rows, 0],
            points[rows, 1],
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


def point_size(count: int, room: tuple[float, float]) -> float:
    """Return the area of each of ``count`` points on a map, in square points, as matplotlib's s."""
    return float(np.clip(0.08 * room[0] * room[1] / max(count, 1), 7, 60))


def name_axes(axes: Axes, names: Sequence[str]) -> None:
    """Give a map ticks in the units of its points, and the names of at most two axes."""
    from matplotlib.ticker import AutoLocator

    for axis, name in zip((axes.xaxis, axes.yaxis), names, strict=False):
        axis.set_major_locator(AutoLocator())
        axis.set_label_text(plain(name, 40))


def _mark_classes(
    axes: Axes,
    points: NDArray[Any],
    numbers: NDArray[np.int64],
    names: Sequence[str] | None,
    room: tuple[float, float],
) -> None:
    """Write each class on the map, so that reading it does not hang on telling colours apart."""
    found = [int(number) for number in np.unique(numbers[numbers >= 0])]
    if not found or len(points) < _MARKED_FROM * len(found):
        return
    marks = [_short_name(names, number) for number in found]
    letters = 10 if room[0] > 450 and len(found) <= 24 else 8
    middles = np.array([_middle(points[numbers == number]) for number in found])
    bounds = points.min(axis=0), points.max(axis=0)
    places = place_marks(middles, marks, bounds, room, letters)
    for number, text, place in zip(found, marks, places, strict=True):
        _mark(axes, number, text, place, letters)


def _mark(axes: Axes, number: int, text: str, place: NDArray[Any], letters: int) -> None:
    shade = colour(number)
    axes.annotate(
        text,
        (place[0], place[1]),
        ha="center",
        va="center",
        fontsize=letters,
        fontweight="bold",
        color=lettering_on(shade),
        bbox={"boxstyle": "round,pad=0.2", "fc": shade, "ec": "white", "lw": 1.2},
        zorder=3,
    )


def _short_name(names: Sequence[str] | None, number: int) -> str:
    name = class_name(names, number)
    return name if len(name) <= 3 else str(number)


def _middle(points: NDArray[Any]) -> NDArray[Any]:
    """Return the point nearest to the median, so that a mark sits on the class."""
    distances = np.square(points - np.median(points, axis=0)).sum(axis=1)
    nearest: NDArray[Any] = points[distances.argmin()]
    return nearest


def add_legend(
    figure: Figure, numbers: NDArray[np.int64], names: Sequence[str] | None, heading: str
) -> None:
    """Add a legend with an entry for each number that occurs, right of the axes.

    Of more numbers than fit, the first ones and how many more there are.
    """
    found = [int(number) for number in np.unique(numbers)]
    if not heading or not found:
        return
    rows = _legend_rows(figure)
    columns = -(-len(found) // rows)
    columns = columns if columns <= _LEGEND_COLUMNS else 1
    width = 24 if columns == 1 else 14
    shown = found if len(found) <= rows * columns else found[: rows * columns - 1]
    handles = [_handle(number, _entry(names, number, width)) for number in shown]
    if len(shown) < len(found):
        handles.append(_blank(f"and {len(found) - len(shown):,} more"))
    legend_outside(
        figure,
        handles=handles,
        title=heading,
        ncols=columns,
        alignment="left",
        handletextpad=0.2,
        columnspacing=1.0,
    )


def _handle(number: int, label: str) -> Line2D:
    """Return a point of class ``number`` with its label."""
    from matplotlib.lines import Line2D

    return Line2D(
        [], [], linestyle="", marker=marker(number), markersize=8, color=colour(number), label=label
    )


def _blank(label: str) -> Line2D:
    """Return nothing, with a label."""
    from matplotlib.lines import Line2D

    return Line2D([], [], linestyle="", label=label)


def _legend_rows(figure: Figure) -> int:
    return int((figure.get_figheight() * DPI - 100) // _LEGEND_LINE)


def _entry(names: Sequence[str] | None, number: int, width: int) -> str:
    """Return the name, after its number on the map where the name is too long."""
    if number < 0:
        return "unlabelled"
    name = class_name(names, number, width)
    return name if name in (str(number), _short_name(names, number)) else f"{number}  {name}"
