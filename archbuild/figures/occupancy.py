"""The distribution of the points over the clusters, epoch by epoch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from archbuild.figures.picture import HeadPicture
from archbuild.figures.style import INK, new_figure, save, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.text import Text

    from archbuild.models.run import Run
    from archbuild.models.stage import Stage


_HEIGHT = 620
_STACKED_UP_TO = 20
"""Clusters up to which bands upon each other can be followed by eye."""
_BANDS = ("#a9bccd", "#cfdae4")
_LOWEST_BAND = 0.027
"""Share from which a band has room for its number."""
_SHADES = ("#dbe6f0", "#08306b")
_EMPTY = "#f4b183"
_LEAST = 5e-7  # below the six digits that shares are kept to
_NAMED_AT_MOST = 20


class OccupancyPicture(HeadPicture):
    """The shares of each head's clusters over the epochs."""

    name = "occupancy"
    section = "Training"

    def stages(self, run: Run) -> Sequence[Stage]:
        """Return every stage whose head assigns rows to clusters."""
        return [stage for stage in run.stages if stage.follows_clusters]

    def draw_stage(self, run: Run, stage: Stage, path: Path) -> Path:
        """Draw the shares in a stage's history."""
        title = run.title(f"clusters of {stage.space} over time{stage.progress}")
        return draw_occupancy(stage.history(), title, path)


def draw_occupancy(
    history: Sequence[Mapping[str, Any]], title: str, path: str | Path, caption: str = ""
) -> Path:
    """Draw each cluster's share of the points over the epochs to a PNG at ``path``, returned.

    Up to 20 clusters are stacked, cluster 0 at the top, each with its number at the right end, or
    where it was widest if it has shrunk since. More become a heat map with a row for each, in which
    empty ones stand out. Epochs without shares stay blank.

    Args:
        history: one mapping for each epoch, with ``epoch`` and ``shares`` (K numbers, in sum 1);
            ``shares`` may be missing or ``None``.
    """
    with styled():
        return save(occupancy_figure(history, title, caption), path)


def occupancy_figure(history: Sequence[Mapping[str, Any]], title: str, caption: str = "") -> Figure:
    """Return the figure that ``draw_occupancy`` writes."""
    epochs = np.array([row.get("epoch", place) for place, row in enumerate(history, 1)], float)
    shares = shares_of(history)
    figure = new_figure(title, f"{_end_in_words(shares)} {caption}".strip(), height=_HEIGHT)
    axes = figure.subplots()
    if not shares.size:
        axes.text(0.5, 0.5, "no clusters yet", ha="center", transform=axes.transAxes)
        axes.set_axis_off()
        return figure
    edges = np.append(epochs - 0.5, epochs[-1] + 0.5)
    if shares.shape[1] <= _STACKED_UP_TO:
        _stack(axes, edges, shares)
        _number_bands(axes, epochs, shares)
    else:
        _map(axes, edges, shares)
    axes.set(xlabel="epoch", xlim=(edges[0], edges[-1]))
    axes.locator_params(axis="x", integer=True, min_n_ticks=1)
    return figure


def shares_of(history: Sequence[Mapping[str, Any]]) -> NDArray[np.float64]:
    """Return each cluster's share of the points, (epochs, K); NaN in epochs without shares."""
    rows = [row.get("shares") for row in history]
    count = max((len(shares) for shares in rows if shares is not None), default=0)
    return np.array([[np.nan] * count if shares is None else shares for shares in rows], float)


def _end_in_words(shares: NDArray[np.float64]) -> str:
    if not shares.size:
        return ""
    if np.isnan(shares[-1]).any():
        return "The last epoch has no shares."
    count, empty = shares.shape[1], np.flatnonzero(shares[-1] == 0)
    if not len(empty):
        return f"All {count} clusters hold points in the last epoch."
    which = f": {', '.join(map(str, empty))}" if len(empty) <= _NAMED_AT_MOST else ""
    verb = "is" if len(empty) == 1 else "are"
    return f"{len(empty)} of {count} clusters {verb} empty in the last epoch{which}."


def _percent(share: float, _: float) -> str:
    return f"{100 * share:.3g}%"


def _stack(axes: Axes, edges: NDArray[np.float64], shares: NDArray[np.float64]) -> None:
    lower = 1 - np.cumsum(shares, axis=1)
    for cluster, band in enumerate(shares.T):
        axes.stairs(
            lower[:, cluster] + band,
            edges,
            baseline=lower[:, cluster],
            fill=True,
            facecolor=_BANDS[cluster % 2],
            edgecolor="white",
            lw=0.8,
        )
    axes.set(ylabel="share of the points", ylim=(0, 1))
    axes.yaxis.set_major_formatter(_percent)


def _number_bands(axes: Axes, epochs: NDArray[np.float64], shares: NDArray[np.float64]) -> None:
    """Write the number of every band that has room: beside its end, or where it was widest."""
    middles = 1 - np.cumsum(shares, axis=1) + shares / 2
    for cluster, band in enumerate(shares.T):
        text, widest = str(cluster), int(np.nanargmax(band))
        label: Text
        if band[-1] >= _LOWEST_BAND:
            label = axes.annotate(
                text,
                (1, middles[-1, cluster]),
                (6, 0),
                xycoords=("axes fraction", "data"),
                textcoords="offset points",
            )
        elif band[widest] >= _LOWEST_BAND:
            label = axes.text(epochs[widest], middles[widest, cluster], text, ha="center")
        else:
            continue
        label.set(va="center", fontsize=9, color=INK)


def _map(axes: Axes, edges: NDArray[np.float64], shares: NDArray[np.float64]) -> None:
    from matplotlib.colors import LinearSegmentedColormap

    shades = LinearSegmentedColormap.from_list("share", _SHADES)
    image = axes.imshow(
        shares.T,
        cmap=shades.with_extremes(under=_EMPTY, bad="white"),
        vmin=_LEAST,
        aspect="auto",
        interpolation="nearest",
        extent=(edges[0], edges[-1], shares.shape[1] - 0.5, -0.5),
    )
    axes.set_ylabel("cluster")
    axes.locator_params(axis="y", integer=True)
    label = "share of the points; orange: empty"
    axes.figure.colorbar(image, ax=axes, label=label, extend="min", format=_percent, pad=0.02)
