"""Each cluster's most typical and most doubtful members, or its profile."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from archbuild.data.spill import read_part
from archbuild.figures.picture import HeadPicture
from archbuild.figures.style import GREY, INK, new_figure, save, styled
from archbuild.figures.tables import name_features, standardised
from archbuild.figures.thumbnails import (
    cell_ratio,
    display_range,
    draw_montage,
    kind_of,
    pictured,
    to_rgb,
)
from archbuild.models.run import RAW

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from archbuild.models.run import Run
    from archbuild.models.stage import Stage
    from archbuild.training.feed import Feed


_SHOWN = 8
_TILE = 67
"""Pixels from one thumbnail to the next when sixteen and the labels fill the width."""
_TOP = 105
_HARD = "The assignments are hard: members stand in the order of the data."
_DOTS_AT_MOST = 32
_WORDS_AT_MOST = 20


@dataclass(frozen=True)
class Members:
    """One cluster's rows.

    Attributes:
        number: the cluster, from 0.
        rows: (size,) every row whose largest probability is this cluster's.
        share: size over the number of all rows.
        typical: rows of the highest probability, highest first.
        doubtful: rows of the smallest margin between first and second, smallest first; none of
            them is among the typical.
        rivals: the cluster that came second for each doubtful row.
    """

    number: int
    rows: NDArray[np.intp]
    share: float
    typical: NDArray[np.intp]
    doubtful: NDArray[np.intp]
    rivals: NDArray[np.intp]

    @property
    def label(self) -> str:
        """``cluster 3``, its size and its share on two lines; ``empty`` for one without members."""
        size = f"{len(self.rows):,} · {self.share:.1%}" if len(self.rows) else "empty"
        return f"cluster {self.number}\n{size}"


def choose_members(assignments: NDArray[Any], shown: int = _SHOWN) -> list[Members]:
    """Return the members of each cluster from ``assignments`` (n, k), one ``Members`` each.

    Ties, as in hard assignments, go by the order of rows. A cluster of fewer than ``2 * shown``
    members is split in halves, so none is shown twice.
    """
    count, clusters = np.shape(assignments)
    owner = np.argmax(assignments, axis=1)
    # The two largest of each row; with a single cluster there is no rival and the margin is p.
    ranked = np.argsort(-np.asarray(assignments), axis=1, kind="stable")[:, :2]
    first = np.take_along_axis(assignments, ranked[:, :1], axis=1)[:, 0]
    second = np.take_along_axis(assignments, ranked[:, -1:], axis=1)[:, 0] if clusters > 1 else 0.0
    margin, rival = first - second, ranked[:, -1]
    chosen = []
    for number in range(clusters):
        rows = np.flatnonzero(owner == number)
        typical = rows[np.argsort(-first[rows], kind="stable")][: min(shown, -(-len(rows) // 2))]
        rest = np.setdiff1d(rows, typical)
        doubtful = rest[np.argsort(margin[rest], kind="stable")][:shown]
        share = len(rows) / max(count, 1)
        chosen.append(Members(number, rows, share, typical, doubtful, rival[doubtful]))
    return chosen


class GalleryPicture(HeadPicture):
    """The most typical and the most doubtful members of each finished head's clusters."""

    name = "clusters"
    section = "Clusters"

    def stages(self, run: Run) -> Sequence[Stage]:
        """Return the finished stages with a head."""
        return run.finished_clusterings

    def draw_stage(self, run: Run, stage: Stage, path: Path) -> Path:
        """Draw the members."""
        title, names = run.title(f"clusters of {stage.space}"), run.dataset.columns or None
        chosen, caption = run.bounded_rows(RAW), ""
        rows, assignments = _FeedRows(run.feed, chosen), stage.assignments
        if chosen is not None:
            assignments = read_part(assignments, chosen)
            caption = f"Of {len(chosen):,} of the {len(run.dataset):,} rows, drawn by the seed."
        return draw_gallery(
            rows, assignments, title, path, caption, feature_names=names, in_words=_in_words(run)
        )


Words = Callable[[NDArray[np.float64]], Sequence[str]]
"""From the means of a table's features to their texts."""


def _in_words(run: Run) -> Words:
    """Return what writes means of the rows that the network takes in the table's own units."""
    scaler, encoding = run.feed.scaler, run.dataset.encoding

    def in_words(means: NDArray[np.float64]) -> Sequence[str]:
        own = scaler.undo(means)
        return encoding.in_words(own.tolist()) if encoding else [f"{mean:.4g}" for mean in own]

    return in_words


class Rows(Protocol):
    """The data of a gallery: an array, or rows that are read when they are indexed."""

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of all rows together."""

    def __len__(self) -> int: ...

    def __getitem__(self, indices: NDArray[np.intp], /) -> NDArray[Any]: ...

    def __array__(self) -> NDArray[Any]: ...


class _FeedRows:
    """The rows as the network takes them, or the chosen of them, scaled when they are indexed."""

    def __init__(self, feed: Feed, chosen: NDArray[np.intp] | None = None) -> None:
        self._feed = feed
        self._chosen = np.arange(len(feed)) if chosen is None else chosen
        shape = (len(self._chosen), *feed.dataset.values.shape[1:])
        self.shape = (*shape[:1], *shape[2:]) if len(shape) == 5 else shape  # pictured
        self.ndim = len(self.shape)

    def __len__(self) -> int:
        return len(self._chosen)

    def __getitem__(self, indices: NDArray[np.intp]) -> NDArray[Any]:
        return pictured(self._feed.clean(self._chosen[indices]))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return self[np.arange(len(self))].astype(dtype or np.float32, copy=False)


def draw_gallery(
    values: Rows,
    assignments: NDArray[Any],
    title: str,
    path: str | Path,
    caption: str = "",
    *,
    feature_names: Sequence[str] | None = None,
    in_words: Words | None = None,
) -> Path:
    """Draw one row for each cluster to a PNG at ``path``, which is returned.

    Images and series show the eight members of the highest probability, and the eight of the
    smallest margin between first and second. Tables show the cluster's profile: the mean and the
    standard deviation of each feature, in standard deviations of the whole data, and where there is
    room the mean in words. An empty cluster keeps its row and says so.

    Args:
        values: (n, height, width, channels) in about [0, 1], (n, length, channels) or
            (n, features); a memory map will do, as images and series are read for the rows shown.
        assignments: (n, k) probabilities.
        feature_names: names of a table's columns; numbers stand in for missing names.
        in_words: gives the means (features,) of a table's values as texts; ``None``: without.

    Raises:
        ValueError: when the numbers of rows differ.
    """
    with styled():
        figure = gallery_figure(
            values, assignments, title, caption, feature_names=feature_names, in_words=in_words
        )
        return save(figure, path)


def gallery_figure(
    values: Rows,
    assignments: NDArray[Any],
    title: str,
    caption: str = "",
    *,
    feature_names: Sequence[str] | None = None,
    in_words: Words | None = None,
) -> Figure:
    """Return the figure that ``draw_gallery`` writes."""
    if len(values) != len(assignments) or np.ndim(assignments) != 2:
        raise ValueError(
            f"expected one row of cluster probabilities for each of the {len(values)} rows of "
            f"values, got assignments of shape {np.shape(assignments)}"
        )
    kind = kind_of(values)
    members = choose_members(assignments)
    if kind != "table" and np.isin(assignments, (0, 1)).all():
        caption = f"{caption} {_HARD}".strip()
    if kind == "images":
        return _images(values, members, title, caption)
    if kind == "series":
        return _series(values, members, title, caption)
    table = np.asarray(values, np.float64)
    return _profiles(table, members, title, caption, feature_names, in_words)


def _images(values: Rows, members: list[Members], title: str, caption: str) -> Figure:
    height = round(_TILE * cell_ratio(values.shape) * len(members))
    figure = new_figure(title, caption, height=_TOP + (30 if caption else 0) + height)
    left, right = figure.subplots(1, 2, sharey=True)
    everyone = [rows for member in members for rows in (member.typical, member.doubtful)]
    low, high = display_range(values[np.sort(np.concatenate(everyone))])
    draw_montage(left, [to_rgb(values[m.typical], low, high) for m in members], _SHOWN)
    draw_montage(right, [to_rgb(values[m.doubtful], low, high) for m in members], _SHOWN)
    left.set_title("most typical", loc="left")
    right.set_title("most doubtful, and the cluster that came second", loc="left")
    _label_clusters(left, members)
    right.tick_params(length=0)
    for member in members:
        _badge_rivals(right, member)
    return figure


def _label_clusters(axes: Axes, members: list[Members]) -> None:
    axes.set_yticks([m.number + 0.5 for m in members], [m.label for m in members])
    axes.tick_params(length=0, pad=8)


def _badge_rivals(axes: Axes, member: Members) -> None:
    for column, rival in enumerate(member.rivals):
        if rival == member.number:
            continue
        axes.text(
            column + 0.94,
            member.number + 0.94,
            str(rival),
            ha="right",
            va="bottom",
            fontsize=8,
            color=INK,
            bbox={"boxstyle": "square,pad=0.15", "fc": "white", "ec": INK, "lw": 0.6},
        )


def _series(values: Rows, members: list[Members], title: str, caption: str) -> Figure:
    figure = new_figure(title, caption, height=160 + 90 * len(members))
    grid = figure.subplots(len(members), 2, squeeze=False, sharex=True, sharey=True)
    grid[0, 0].set_title("most typical, and their mean", loc="left")
    grid[0, 1].set_title("most doubtful, and the same mean", loc="left")
    for line, member in zip(grid, members, strict=True):
        for axes, rows in zip(line, (member.typical, member.doubtful), strict=True):
            _overlay(axes, values, rows, member)
        _label_row(line[0], member)
    return figure


def _overlay(axes: Axes, values: Rows, rows: NDArray[np.intp], member: Members) -> None:
    """Draw members as thin grey lines, the mean of the typical ones thick, dashed by channel."""
    for series in values[rows]:
        axes.plot(series, color=GREY, lw=0.9)
    if len(member.typical):
        mean = np.asarray(values[member.typical], np.float64).mean(axis=0)
        for channel, style in zip(mean.T, ["-", "--", ":", "-."] * len(mean.T), strict=False):
            axes.plot(channel, color=INK, lw=2, ls=style)
    axes.margins(x=0)
    axes.tick_params(labelsize=9)


def _label_row(axes: Axes, member: Members) -> None:
    axes.set_ylabel(member.label, rotation=0, ha="right", va="center", labelpad=10)


def _profiles(
    values: NDArray[Any],
    members: list[Members],
    title: str,
    caption: str,
    feature_names: Sequence[str] | None,
    in_words: Words | None,
) -> Figure:
    scores = standardised(values, values)
    if values.shape[1] > _WORDS_AT_MOST:
        in_words = None
    figure = new_figure(title, caption, height=200 + 100 * len(members))
    grid = figure.subplots(len(members), 1, squeeze=False, sharex=True, sharey=True).ravel()
    for axes, member in zip(grid, members, strict=True):
        axes.axhspan(-1, 1, color="#eeeeee", lw=0)
        axes.axhline(0, color="#999999", lw=0.8)
        if len(member.rows):
            _profile(axes, scores[member.rows])
            if in_words:
                _write_means(axes, in_words(values[member.rows].mean(axis=0)))
        _label_row(axes, member)
        axes.tick_params(labelsize=9)
    grid[0].set_xlim(-0.5, values.shape[1] - 0.5)
    heading = "mean ± standard deviation in the cluster, in z-scores; grey: the whole data"
    units = "\nnumbers: the mean in the column's own unit, or the share of rows" if in_words else ""
    grid[0].set_title(heading + units, loc="left", pad=16 if in_words else None)
    name_features(grid[-1], values.shape[1], feature_names)
    return figure


def _profile(axes: Axes, scores: NDArray[Any]) -> None:
    mean, spread = scores.mean(axis=0), scores.std(axis=0)
    places = np.arange(len(mean))
    if len(mean) <= _DOTS_AT_MOST:
        axes.errorbar(places, mean, spread, fmt="o", color=INK, ms=6, lw=2, capsize=3)
        return
    axes.fill_between(places, mean - spread, mean + spread, color=INK, alpha=0.25, lw=0)
    axes.plot(places, mean, color=INK, lw=1.5)


def _write_means(axes: Axes, words: Sequence[str]) -> None:
    """Write a text above each feature, at the upper edge."""
    for place, text in enumerate(words):
        axes.annotate(
            text,
            (place, 1.0),
            xycoords=("data", "axes fraction"),
            xytext=(0, 2),
            textcoords="offset points",
            ha="center",
            fontsize=8,
            color=INK,
        )
