"""Samples of each cluster from the decoder: images, series or tables, a row per cluster."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from archbuild.figures.picture import HeadPicture
from archbuild.figures.scatter import add_legend, name_axes, plot_classes
from archbuild.figures.style import (
    INK,
    colour,
    legend_outside,
    new_figure,
    percent,
    plain,
    save,
    styled,
)
from archbuild.figures.tables import draw_strip, name_features, standardised
from archbuild.figures.thumbnails import (
    cell_ratio,
    display_range,
    draw_montage,
    kind_of,
    pictured,
    to_rgb,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.collections import LineCollection
    from matplotlib.figure import Figure

    from archbuild.models.run import Run
    from archbuild.models.stage import Stage


_GENERATED = 10
_GENERATED_POINTS = 200
_FEWEST_ABREAST = 8
_STRIP = 1080
"""Pixels from side to side that the samples of a cluster share."""
_SERIES_HEIGHT = 70
_TABLE_HEIGHT = 46
_MARGIN = 0.06
_CHANNELS_NAMED = 12


class GeneratedPicture(HeadPicture):
    """Rows that each generative head draws from its clusters or classes."""

    name = "generated"
    section = "Clusters"

    def draw_stage(self, run: Run, stage: Stage, path: Path) -> Path:
        """Draw some rows of each cluster; rows of at most two features become points."""
        rows = stage.model.generate(number_drawn(run), run.seed)
        names = run.dataset.columns or None
        title = run.title(drawn_from(stage))
        return draw_generated(
            rows,
            title,
            path,
            feature_names=names,
            shares=stage.shares,
            row_names=answered_classes(stage),
        )


def number_drawn(run: Run) -> int:
    """Return how many rows of each cluster are drawn of a run: many, if they are points."""
    return _GENERATED_POINTS if prod(run.spec.input_shape) <= 2 else _GENERATED


def answered_classes(stage: Stage) -> Sequence[str] | None:
    """Return the names of the classes that a stage's head draws from; ``None`` of clusters."""
    return stage.model.class_names if stage.finds_classes else None


def drawn_from(stage: Stage, level: int | None = None) -> str:
    """Return what a picture of rows that a stage's head generates shows.

    Args:
        stage: with a head.
        level: the only level that is drawn, as of ``Model.generate``.
    """
    word = "class" if stage.finds_classes else "cluster"
    of = f"each {word} of " if stage.finds_clusters else ""
    name = "" if level is None else stage.model.begun_head.latent_names[level - 1]
    return f"drawn from {of}{stage.space}{name and f', {name} alone'}{stage.progress}"


def draw_generated(
    samples: NDArray[Any],
    title: str,
    path: str | Path,
    caption: str = "",
    *,
    feature_names: Sequence[str] | None = None,
    shares: Sequence[float] | None = None,
    row_names: Sequence[str] | None = None,
) -> Path:
    """Draw what each cluster generates to a PNG at ``path``, which is returned.

    Images and series stand in one row for each cluster. Points in two dimensions become a scatter
    in which each cluster has a colour and its number, values of one feature a scatter with a row
    for each cluster; other tables a heat map, in standard deviations from the mean of all samples.

    Args:
        samples: (K, n, height, width, channels) in about [0, 1], (K, n, length, channels) or
            (K, n, features): n samples of each of K clusters.
        feature_names: names of a table's columns; numbers stand in for missing names.
        shares: (K,) of the training rows in each cluster, 0 to 1, to stand by its name; not in a
            scatter.
        row_names: (K,) of what is drawn in place of clusters.

    Raises:
        ValueError: for arrays of other than three, four or five axes, and for empty ones.
    """
    with styled():
        figure = generated_figure(
            samples,
            title,
            caption,
            feature_names=feature_names,
            shares=shares,
            row_names=row_names,
        )
        return save(figure, path)


def generated_figure(
    samples: NDArray[Any],
    title: str,
    caption: str = "",
    *,
    feature_names: Sequence[str] | None = None,
    shares: Sequence[float] | None = None,
    row_names: Sequence[str] | None = None,
) -> Figure:
    """Return the figure that ``draw_generated`` writes."""
    samples = pictured(np.asarray(samples), axes=2)
    if samples.ndim < 3 or samples.size == 0:
        raise ValueError(
            f"expected samples of shape (clusters, samples, ...), at least one of each cluster, "
            f"got {samples.shape}"
        )
    kind = kind_of(samples[0])
    if kind == "table" and samples.shape[2] <= 2:
        return _points(samples, title, caption, feature_names, row_names)
    if kind == "table":
        figure = _strip(samples, title, caption, feature_names)
    else:
        figure = (_images if kind == "images" else _series)(samples, title, caption)
    if len(samples) > 1 or shares is not None or row_names is not None:
        names = row_names or [f"cluster {number}" for number in range(len(samples))]
        _name_rows(figure.axes[0], names, shares)
    else:  # of no cluster
        figure.axes[0].set_yticks([])
    return figure


def _images(samples: NDArray[Any], title: str, caption: str) -> Figure:
    # Few images would fill the page one by one: let them stay thumbnails.
    columns = max(_FEWEST_ABREAST, samples.shape[1])
    height = round(_STRIP / columns * cell_ratio(samples[0].shape) * len(samples))
    figure = new_figure(title, caption, height=_around(caption) + height)
    axes = figure.subplots()
    low, high = display_range(samples)
    draw_montage(axes, [to_rgb(row, low, high) for row in samples], columns)
    return figure


def _around(caption: str) -> int:
    """Return the pixels that title and caption take."""
    return 75 + (30 if caption else 0)


def _name_rows(axes: Axes, names: Sequence[str], shares: Sequence[float] | None) -> None:
    if shares is not None:
        words = ["empty" if share == 0 else percent(share) for share in shares]
        names = [f"{name} · {share}" for name, share in zip(names, words, strict=True)]
    axes.set_yticks(np.arange(len(names)) + 0.5, [plain(name, 30) for name in names])
    axes.tick_params(axis="y", length=0)


def _series(samples: NDArray[Any], title: str, caption: str) -> Figure:
    """Draw all series in cells of one pair of axes: hundreds of them take little time."""
    clusters, columns, length, channels = samples.shape
    low, high = float(np.nanmin(samples)), float(np.nanmax(samples))
    scale = f"In each cell: {length} steps from left to right, {low:.3g} to {high:.3g} upwards."
    caption = f"{scale} {caption}".strip()
    height = _around(caption) + _SERIES_HEIGHT * clusters
    figure = new_figure(title, caption, height=height)
    axes = figure.subplots()
    shades = [INK] if channels == 1 else [colour(channel) for channel in range(channels)]
    for channel, shade in enumerate(shades):
        axes.add_collection(_lines_in_cells(samples[..., channel], low, high, shade))
    axes.hlines(np.arange(clusters + 1), 0, columns, color="#dddddd", lw=0.8)
    axes.vlines(np.arange(columns + 1), 0, clusters, color="#dddddd", lw=0.8)
    axes.set(xlim=(0, columns), ylim=(clusters, 0), xticks=[])
    axes.spines[:].set_visible(False)
    if channels > 1:
        _name_channels(figure, shades)
    return figure


def _lines_in_cells(series: NDArray[Any], low: float, high: float, shade: str) -> LineCollection:
    """Return a line for each series (K, n, length), in row k and column n of cells of side one."""
    from matplotlib.collections import LineCollection

    clusters, columns, length = series.shape
    heights = (series - low) / ((high - low) or 1.0)
    rows, places = np.arange(clusters)[:, None, None], np.arange(columns)[:, None]
    room = 1 - 2 * _MARGIN
    lines = np.empty((clusters, columns, length, 2))
    lines[..., 0] = places + _MARGIN + room * np.linspace(0, 1, length)
    lines[..., 1] = rows + 1 - _MARGIN - room * heights
    return LineCollection(list(lines.reshape(-1, length, 2)), colors=shade, linewidths=1.2)


def _name_channels(figure: Figure, shades: Sequence[str]) -> None:
    from matplotlib.lines import Line2D

    named = enumerate(shades[:_CHANNELS_NAMED])
    legend_outside(
        figure, handles=[Line2D([], [], color=shade, label=f"channel {i}") for i, shade in named]
    )


def _points(
    samples: NDArray[Any],
    title: str,
    caption: str,
    feature_names: Sequence[str] | None,
    row_names: Sequence[str] | None,
) -> Figure:
    count, each, features = samples.shape
    numbers = np.repeat(np.arange(count), each)
    points = samples.reshape(-1, features)
    if features == 1:
        rows = numbers + np.random.default_rng(0).uniform(-0.3, 0.3, len(numbers))
        points = np.column_stack([points, -rows])
    figure = new_figure(title, caption, height=850)
    axes = figure.subplots()
    plot_classes(axes, points, numbers, row_names, room=(1000, 780))
    add_legend(figure, numbers, row_names, "cluster" if row_names is None else "drawn")
    name_axes(axes, feature_names or [f"feature {i}" for i in range(features)])
    return figure


def _strip(
    samples: NDArray[Any], title: str, caption: str, feature_names: Sequence[str] | None
) -> Figure:
    count, _, features = samples.shape
    rows = samples.reshape(-1, features)
    height = _around(caption) + 90 + max(160, _TABLE_HEIGHT * count)
    figure = new_figure(title, caption, height=height)
    axes = figure.subplots()
    extent = (-0.5, features - 0.5, count, 0)
    image = draw_strip(axes, standardised(rows, rows), extent=extent)
    axes.hlines(np.arange(1, count), -0.5, features - 0.5, color="white", lw=3)
    axes.spines[:].set_visible(False)
    name_features(axes, features, feature_names)
    label = "standard deviations\nfrom the mean of all"
    figure.colorbar(image, ax=axes, label=label, extend="both", shrink=min(1, 300 / height))
    return figure
