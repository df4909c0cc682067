"""The decision surface of points in the plane: a head's answer everywhere, and the rows over it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from archbuild.data.arrays import dataset_from_arrays
from archbuild.evaluation.accuracy import match_clusters
from archbuild.figures.marks import place_marks
from archbuild.figures.picture import HeadPicture
from archbuild.figures.projection import sample_indices
from archbuild.figures.scatter import add_legend, colouring, name_axes, plot_points, point_size
from archbuild.figures.style import (
    GREY,
    INK,
    class_name,
    colour,
    lettering_on,
    matched_colours,
    new_figure,
    save,
    styled,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from archbuild.models.model import Model
    from archbuild.models.run import Run
    from archbuild.models.stage import Stage


_SIDE = 240
"""Answers from side to side of the plane."""
_ROOM = (1000, 740)
"""Pixels of the map, or a little less."""
_MARGIN = 0.08
_MANY = 24
"""Answers from which their names in the plane are short and small."""
_STRENGTH = (0.06, 0.55)
"""Opacity of an answer without any confidence, and with all of it."""


class SurfacePicture(HeadPicture):
    """The answer of each head in the plane of the data, where these have two features."""

    name = "surface"
    section = "Clusters"

    def stages(self, run: Run) -> Sequence[Stage]:
        """Return the stages whose heads answer, of rows with two features."""
        if run.spec.input_shape != (2,) or _has_marks(run):
            return ()
        return [stage for stage in run.stages if stage.finds_clusters and _answers(stage)]

    def draw_stage(self, run: Run, stage: Stage, path: Path) -> Path:
        """Ask the head all over the plane, and draw a sample of the rows over its answers."""
        labelled = np.array(stage.origin.labelled if stage.origin else (), np.intp)
        chosen = np.union1d(sample_indices(len(run.dataset), run.seed), labelled)
        model, points = stage.model, run.dataset.rows(chosen, exact=True)
        labels = None if run.dataset.row_labels is None else run.dataset.row_labels[chosen]
        clusters = model.assigning_head.assignments(model.codes(run.feed, chosen)).argmax(axis=1)
        bounds = plane_around(points)
        return draw_surface(
            answers_in_plane(model, bounds),
            bounds,
            points,
            labels,
            run.dataset.class_names,
            run.title(f"answers of {stage.space} in the plane{stage.progress}"),
            path,
            clusters=clusters,
            shades=_shades(run, stage, labels, clusters),
            classes=stage.finds_classes,
            marked=np.isin(chosen, labelled),
            feature_names=run.dataset.columns or None,
        )


def _has_marks(run: Run) -> bool:
    """Return whether a feature marks a category, a truth or a gap, and measures nothing."""
    encoding = run.dataset.encoding
    return encoding is not None and any(encoding.marks)


def _answers(stage: Stage) -> bool:
    head = stage.model.head
    return head is not None and head.is_initialised


def _shades(
    run: Run, stage: Stage, labels: NDArray[Any] | None, clusters: NDArray[Any]
) -> list[int]:
    """Return the colour's number for each answer: of a cluster, that of its class if it has one."""
    count = stage.model.n_clusters
    if stage.finds_classes or labels is None:
        return list(range(count))
    return matched_colours(match_clusters(labels, clusters), count, run.dataset.n_classes or 0)


def plane_around(points: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the lowest and the highest corner of the plane around points (m, 2), gaps left out."""
    low, high = np.nanmin(points, axis=0), np.nanmax(points, axis=0)
    margin = _MARGIN * np.where(high > low, high - low, 1)
    return low - margin, high + margin


def answers_in_plane(
    model: Model, bounds: tuple[NDArray[Any], NDArray[Any]], side: int = _SIDE
) -> NDArray[np.float32]:
    """Return a model's probabilities (side, side, K) on a grid of the plane, lowest row first.

    Args:
        model: of rows with two features.
        bounds: lowest and highest corner of the plane, (2,) each, in the units of the data.
        side: number of points in both directions.
    """
    across, up = (np.linspace(*ends, side) for ends in zip(*bounds, strict=True))
    grid = np.stack(np.meshgrid(across, up), axis=-1).reshape(-1, 2)
    found = model.predict(dataset_from_arrays("plane", grid))
    return np.concatenate([part.probabilities for part in found]).reshape(side, side, -1)


def draw_surface(
    probabilities: NDArray[Any],
    bounds: tuple[NDArray[Any], NDArray[Any]],
    points: NDArray[Any],
    labels: NDArray[Any] | None,
    class_names: Sequence[str] | None,
    title: str,
    path: str | Path,
    caption: str = "",
    *,
    clusters: NDArray[Any] | None = None,
    shades: Sequence[int],
    classes: bool = False,
    marked: NDArray[np.bool_] | None = None,
    feature_names: Sequence[str] | None = None,
) -> Path:
    """Draw a head's answers in the plane, and rows over them, to a PNG at ``path``, returned.

    The plane has the colour of the most probable answer, the stronger the surer, and lines where
    the answer changes. Each answer is named at a point well inside the part of the plane that is
    its own.

    Args:
        probabilities: (height, width, K) on a grid of the plane, lowest row first.
        bounds: lowest and highest corner of the plane, (2,) each.
        points: (m, 2) rows, in the units of the bounds; one with a gap is not drawn.
        labels: (m,) class of each row, -1 where unknown; ``None`` where there are none.
        class_names: name of class ``i`` at position ``i``; numbers stand in for missing names.
        clusters: (m,) colours the rows where there are no labels; without it they are grey.
        shades: the number of each answer's colour, K of them.
        classes: the answers are classes, not clusters.
        marked: (m,) rows whose labels were read in training; they stand out.
        feature_names: of the two axes; numbers stand in for missing names.

    Raises:
        ValueError: there are not as many colours as answers.
    """
    with styled():
        figure = surface_figure(
            probabilities,
            bounds,
            points,
            labels,
            class_names,
            title,
            caption,
            clusters=clusters,
            shades=shades,
            classes=classes,
            marked=marked,
            feature_names=feature_names,
        )
        return save(figure, path)


def surface_figure(
    probabilities: NDArray[Any],
    bounds: tuple[NDArray[Any], NDArray[Any]],
    points: NDArray[Any],
    labels: NDArray[Any] | None,
    class_names: Sequence[str] | None,
    title: str,
    caption: str = "",
    *,
    clusters: NDArray[Any] | None = None,
    shades: Sequence[int],
    classes: bool = False,
    marked: NDArray[np.bool_] | None = None,
    feature_names: Sequence[str] | None = None,
) -> Figure:
    """Return the figure that ``draw_surface`` writes."""
    probabilities = np.asarray(probabilities, np.float64)
    if probabilities.ndim != 3 or probabilities.shape[2] != len(shades):
        raise ValueError(
            f"expected probabilities (height, width, K) for K = {len(shades)} colours, got "
            f"{probabilities.shape}"
        )
    numbers, names, heading = colouring(len(points), labels, class_names, clusters)
    figure = new_figure(title, f"{_note(classes, labels)} {caption}".strip(), height=900)
    axes = figure.subplots()
    _colour_plane(axes, probabilities, bounds, shades)
    _draw_borders(axes, probabilities, bounds)
    _draw_rows(axes, points, numbers)
    if marked is not None and marked.any():
        _ring(axes, points[marked], numbers[marked])
    texts = _texts(len(shades), class_names, classes, labels is not None)
    _name_answers(axes, probabilities, bounds, shades, texts)
    axes.set(xlim=(bounds[0][0], bounds[1][0]), ylim=(bounds[0][1], bounds[1][1]))
    name_axes(axes, feature_names or ("feature 0", "feature 1"))
    add_legend(figure, numbers, names, heading)
    return figure


def _note(classes: bool, labels: NDArray[Any] | None) -> str:
    """Say what the colours of the plane mean."""
    what = "class" if classes else "cluster"
    shown = f"The plane has the colour of the {what} of each place, the stronger the more probable"
    if classes or labels is None:
        return f"{shown}."
    return f"{shown}; it is that of the class that the cluster is matched to, if any."


def _colour_plane(
    axes: Axes,
    probabilities: NDArray[np.float64],
    bounds: tuple[NDArray[Any], NDArray[Any]],
    shades: Sequence[int],
) -> None:
    from matplotlib.colors import to_rgb

    count, (faint, strong) = len(shades), _STRENGTH
    winner, highest = probabilities.argmax(axis=2), probabilities.max(axis=2)
    confidence = np.clip((highest * count - 1) / max(count - 1, 1), 0, 1)
    inks = np.array([to_rgb(colour(shade)) for shade in shades])
    opacity = (faint + (strong - faint) * confidence)[..., None]
    # every pixel is centred on its point of the grid
    reach = (bounds[1] - bounds[0]) / (np.array(winner.shape[::-1]) - 1) / 2
    (left, low), (right, high) = bounds[0] - reach, bounds[1] + reach
    axes.imshow(
        1 - opacity * (1 - inks[winner]),
        extent=(left, right, low, high),
        origin="lower",
        aspect="auto",
        interpolation="nearest",
        zorder=0,
    )


def _draw_borders(
    axes: Axes, probabilities: NDArray[np.float64], bounds: tuple[NDArray[Any], NDArray[Any]]
) -> None:
    """Draw where an answer is as probable as the best of the others."""
    height, width, count = probabilities.shape
    across, up = (
        np.linspace(*ends, size)
        for ends, size in zip(zip(*bounds, strict=True), (width, height), strict=True)
    )
    for answer in np.unique(probabilities.argmax(axis=2)):
        others = np.delete(probabilities, answer, axis=2).max(axis=2, initial=0.0)
        lead = probabilities[..., answer] - others
        if count > 1 and lead.min() < 0 < lead.max():
            axes.contour(across, up, lead, levels=[0.0], colors=INK, linewidths=1.4, zorder=1)


def _draw_rows(axes: Axes, points: NDArray[Any], numbers: NDArray[np.int64]) -> None:
    """Draw rows in their colours; grey ones have an edge, to be seen on a coloured plane."""
    known = numbers >= 0
    plot_points(axes, points[known], numbers[known], _ROOM)
    x, y = points[~known].T
    size = point_size(len(points), _ROOM)
    axes.scatter(x, y, s=size, c=GREY, edgecolors="#666666", linewidths=0.5, zorder=1)


def _ring(axes: Axes, points: NDArray[Any], numbers: NDArray[np.int64]) -> None:
    """Draw the rows whose labels training read, large and ringed, with a legend above the map."""
    from matplotlib.lines import Line2D

    shades = [colour(number) for number in numbers]
    (x, y), size = points.T, 150
    axes.scatter(x, y, s=size, c=shades, edgecolors="white", linewidths=4, zorder=4)
    axes.scatter(x, y, s=size, c=shades, edgecolors="black", linewidths=2, zorder=5)
    entry = Line2D([], [], ls="", marker="o", ms=10, mfc="white", mec="black", mew=2)
    label = f"the {len(points):,} rows whose labels training read"
    axes.legend([entry], [label], loc="lower left", bbox_to_anchor=(0, 1.0), borderaxespad=0.2)


def _name_answers(
    axes: Axes,
    probabilities: NDArray[np.float64],
    bounds: tuple[NDArray[Any], NDArray[Any]],
    shades: Sequence[int],
    names: Sequence[str],
) -> None:
    """Write the name of each answer well inside the part of the plane that is its own."""
    winner = probabilities.argmax(axis=2)
    found = np.unique(winner)
    step = (bounds[1] - bounds[0]) / (np.array(winner.shape[::-1]) - 1)
    anchors = np.array([bounds[0] + step * _inmost(winner == answer) for answer in found])
    texts = [names[answer] for answer in found]
    letters = 11 if len(found) <= _MANY else 8
    places = place_marks(anchors, texts, bounds, _ROOM, letters)
    for answer, text, place in zip(found, texts, places, strict=True):
        shade = colour(shades[answer])
        axes.text(
            place[0],
            place[1],
            text,
            ha="center",
            va="center",
            fontsize=letters,
            fontweight="bold",
            color=lettering_on(shade),
            bbox={"boxstyle": "round,pad=0.25", "fc": shade, "ec": "white", "lw": 1.5},
            zorder=6,
        )


def _texts(
    count: int, class_names: Sequence[str] | None, classes: bool, beside_classes: bool
) -> list[str]:
    """Return what is written in the plane: a number alone could be that of a class."""
    if classes:
        return [class_name(class_names, number, 12) for number in range(count)]
    word = "cluster " if beside_classes and count <= _MANY else ""
    return [f"{word}{number}" for number in range(count)]


def _inmost(region: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return column and row of the place in a region (height, width) farthest from its border.

    Where the region reaches the edge of the plane, the edge counts as border.
    """
    from scipy.ndimage import distance_transform_edt

    depth = distance_transform_edt(np.pad(region, 1))[1:-1, 1:-1]
    row, column = np.unravel_index(depth.argmax(), depth.shape)
    return np.array([column, row], np.float64)
