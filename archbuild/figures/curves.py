"""The course of a training stage: every loss term by name, and the clusters' occupancy."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from archbuild.figures.picture import StagePicture
from archbuild.figures.style import GREY, colour, new_figure, plain, save, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from archbuild.models.run import Run
    from archbuild.models.stage import Stage


Row = Mapping[str, Any]
Columns = Mapping[str, NDArray[np.float64]]

_BOOKKEEPING = frozenset({"epoch", "step", "steps", "seconds", "n_clusters"})
_LOG_FROM = 20.0
"""The ratio of largest to smallest from which a logarithmic axis shows more than a linear one."""
_DOTS_UP_TO = 30
_ROUNDS = "Dotted: a round ends, and the modules learn."


class CurvesPicture(StagePicture):
    """The training curves of each stage that has epochs."""

    name = "curves"
    section = "Training"

    def stages(self, run: Run) -> Sequence[Stage]:
        """Return the stages with a history."""
        return [stage for stage in run.stages if stage.history()]

    def draw_stage(self, run: Run, stage: Stage, path: Path) -> Path:
        """Draw the history of a stage."""
        title = run.title(f"training of {stage.name}{stage.progress}")
        return draw_curves(stage.history(), title, path, rounds=stage.round_ends)


def draw_curves(
    history: Sequence[Row],
    title: str,
    path: str | Path,
    caption: str = "",
    *,
    rounds: Sequence[int] = (),
) -> Path:
    """Draw the training curves of one stage to a PNG at ``path``, which is returned.

    The loss terms share one axis, logarithmic where their values span a wide range. Where the
    history holds ``occupied``, ``label_change``, ``smallest_share`` and ``largest_share``, the
    separations of these two clusters, ``confident``, ``entropy`` or ``learning_rate``, small
    panels beside it show them.

    Args:
        history: one mapping per epoch, with ``epoch``, ``loss`` and any other loss term by name.
            A row may lack any of them, or hold ``None``; what is not finite leaves a gap, and the
            first such epoch is named.
        rounds: epochs after which a round ended; a dotted line stands there.
    """
    with styled():
        return save(curves_figure(history, title, caption, rounds=rounds), path)


def curves_figure(
    history: Sequence[Row], title: str, caption: str = "", *, rounds: Sequence[int] = ()
) -> Figure:
    """Return the figure that ``draw_curves`` writes."""
    columns = _columns(history)
    epochs = columns.pop("epoch", np.arange(1.0, len(history) + 1))
    panels = [panel for panel in _PANELS if panel.names & columns.keys()]
    groups, shades = _by_size(columns), _shades(_terms(columns))
    note = f"{_ROUNDS if rounds else ''} {caption}".strip()
    figure = new_figure(title, note, height=600 if len(panels) < 3 else 280 + 120 * len(panels))
    widths = (3, 2) if panels else (1,)
    sides = figure.add_gridspec(1, len(widths), width_ratios=widths)
    left = sides[0].subgridspec(len(groups), 1)
    for place, terms in enumerate(groups):
        axes = figure.add_subplot(left[place])
        _draw_losses(axes, epochs, {name: columns[name] for name in terms}, shades)
        _finish(axes, epochs, named=place == len(groups) - 1)
    right = sides[-1].subgridspec(max(len(panels), 1), 1)
    for place, panel in enumerate(panels):
        axes = figure.add_subplot(right[place])
        panel.draw(axes, epochs, columns)
        axes.set_title(panel.heading, loc="left", fontsize=11)
        _finish(axes, epochs, named=place == len(panels) - 1)
    for axes in figure.axes:
        for epoch in rounds:
            axes.axvline(epoch + 0.5, color=GREY, ls=":", lw=1.2, zorder=0)
    return figure


def loss_terms(history: Sequence[Row]) -> list[str]:
    """Return the loss terms of ``history``: ``loss`` first, then as they first occurred."""
    return _terms(_columns(history))


def _terms(columns: Columns) -> list[str]:
    known = _BOOKKEEPING.union(*(panel.names for panel in _PANELS))
    return sorted((name for name in columns if name not in known), key=lambda name: name != "loss")


def _columns(history: Sequence[Row]) -> dict[str, NDArray[np.float64]]:
    """Return an array (epochs,) for each name that holds a number somewhere.

    NaN stands where a row says nothing, infinity where it holds a number that is not finite.
    """
    names = dict.fromkeys(name for row in history for name in row)
    rows = {name: [row.get(name) for row in history] for name in names}
    return {
        name: np.array([_value(value) for value in values])
        for name, values in rows.items()
        if any(_is_number(value) for value in values)
    }


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | np.number) and not isinstance(value, bool)


def _value(value: Any) -> float:
    if not _is_number(value):
        return np.nan
    return float(value) if np.isfinite(value) else np.inf


def _by_size(columns: Columns) -> list[list[str]]:
    """Return the loss terms that share an axis.

    All of them do, on a logarithmic one if need be, unless some are negative: then terms too small
    to be seen beside the largest move to an axis of their own.
    """
    terms = _terms(columns)
    size = {name: np.abs(_finite(columns[name])).max(initial=0.0) for name in terms}
    if all((_finite(columns[name]) >= 0).all() for name in terms):
        return [terms]
    largest = max(size.values())
    small = [name for name in terms if size[name] * _LOG_FROM < largest]
    large = [name for name in terms if name not in small]
    return [group for group in (large, small) if group]


def _finite(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return values[np.isfinite(values)]


def _shades(terms: Sequence[str]) -> dict[str, str]:
    parts = [name for name in terms if name != "loss"]
    return {"loss": "#333333", **{name: colour(place) for place, name in enumerate(parts)}}


def _draw_losses(
    axes: Axes, epochs: NDArray[np.float64], terms: Columns, shades: Mapping[str, str]
) -> None:
    if not terms:
        axes.text(0.5, 0.5, "no epochs yet", ha="center", transform=axes.transAxes)
        return
    for name, values in terms.items():
        label = plain(name, 28) + _warning(epochs, values)
        # The sum goes below the terms, broad and dark, for none of them to hide behind it.
        _line(axes, epochs, values, label, shades[name], width=4 if name == "loss" else 1.8)
    values = np.concatenate([_finite(values) for values in terms.values()])
    size = values[values > 0]
    if size.size and (values >= 0).all() and size.max() > _LOG_FROM * size.min():
        axes.set_yscale("log", nonpositive="mask")
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1.01), ncols=3, borderaxespad=0)


def _warning(epochs: NDArray[np.float64], values: NDArray[np.float64]) -> str:
    """Name the first epoch with a number that is not finite, if there is one."""
    broken = epochs[np.isinf(values)]
    return f" (not finite in epoch {broken[0]:g})" if len(broken) else ""


def _line(
    axes: Axes,
    epochs: NDArray[np.float64],
    values: NDArray[np.float64],
    name: str,
    shade: str,
    width: float = 1.8,
) -> None:
    finite = np.where(np.isfinite(values), values, np.nan)
    dots = "o" if len(epochs) <= _DOTS_UP_TO else ""
    faint = 0.45 if width > 2 else 1.0
    axes.plot(epochs, finite, color=shade, lw=width, marker=dots, ms=4, label=name, alpha=faint)


def _finish(axes: Axes, epochs: NDArray[np.float64], named: bool) -> None:
    axes.grid(axis="y", color="#e6e6e6", lw=0.8)
    axes.set_axisbelow(True)
    axes.locator_params(axis="x", integer=True, min_n_ticks=1)
    if len(epochs):
        room = 0.02 * (epochs[-1] - epochs[0]) or 0.5
        axes.set_xlim(epochs[0] - room, epochs[-1] + room)
    axes.tick_params(labelbottom=named)
    if named:
        axes.set_xlabel("epoch")


@dataclass(frozen=True)
class _Panel:
    """A small panel beside the loss terms: drawn when the history has any of ``names``."""

    heading: str
    names: frozenset[str]
    draw: Callable[[Axes, NDArray[np.float64], Columns], None]


def _draw_occupied(axes: Axes, epochs: NDArray[np.float64], columns: Columns) -> None:
    _line(axes, epochs, columns["occupied"], "", colour(2))
    clusters = columns.get("n_clusters", columns["occupied"])
    axes.axhline(np.nanmax(clusters), color=GREY, ls="--", lw=1.2)
    axes.set_ylim(0, np.nanmax(clusters) * 1.15 + 0.5)
    axes.locator_params(axis="y", integer=True, min_n_ticks=1)


def _draw_label_change(axes: Axes, epochs: NDArray[np.float64], columns: Columns) -> None:
    _line(axes, epochs, columns["label_change"] * 100, "", colour(3))
    axes.yaxis.set_major_formatter("{x:g} %")
    axes.set_ylim(bottom=0)


def _draw_shares(axes: Axes, epochs: NDArray[np.float64], columns: Columns) -> None:
    _draw_extremes(axes, epochs, columns, "share", percent=True)
    axes.yaxis.set_major_formatter("{x:g} %")
    axes.set_ylim(bottom=0)


def _draw_separations(axes: Axes, epochs: NDArray[np.float64], columns: Columns) -> None:
    _draw_extremes(axes, epochs, columns, "separation")


def _draw_confident(axes: Axes, epochs: NDArray[np.float64], columns: Columns) -> None:
    _line(axes, epochs, columns["confident"] * 100, "", colour(5))
    axes.yaxis.set_major_formatter("{x:g} %")
    axes.set_ylim(0, 105)


def _draw_extremes(
    axes: Axes, epochs: NDArray[np.float64], columns: Columns, what: str, percent: bool = False
) -> None:
    """Draw what is known of the largest and of the smallest cluster."""
    for which, shade in (("largest", colour(0)), ("smallest", colour(1))):
        if f"{which}_{what}" in columns:
            values = columns[f"{which}_{what}"]
            label = f"{which} cluster"
            _line(axes, epochs, values * 100 if percent else values, label, shade)
    axes.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=2, borderaxespad=0)


def _draw_entropy(axes: Axes, epochs: NDArray[np.float64], columns: Columns) -> None:
    _line(axes, epochs, columns["entropy"], "", colour(4))
    if "n_clusters" in columns:
        axes.axhline(np.log(np.nanmax(columns["n_clusters"])), color=GREY, ls="--", lw=1.2)


def _draw_rate(axes: Axes, epochs: NDArray[np.float64], columns: Columns) -> None:
    _line(axes, epochs, columns["learning_rate"], "", colour(6))
    axes.set_ylim(0, np.nanmax(columns["learning_rate"]) * 1.1 or 1.0)
    axes.ticklabel_format(axis="y", style="sci", scilimits=(-2, 3), useMathText=True)


_PANELS = (
    _Panel("clusters occupied; dashed: all", frozenset({"occupied"}), _draw_occupied),
    _Panel("rows that changed cluster", frozenset({"label_change"}), _draw_label_change),
    _Panel("share of rows", frozenset({"smallest_share", "largest_share"}), _draw_shares),
    _Panel(
        "separation",
        frozenset({"smallest_separation", "largest_separation"}),
        _draw_separations,
    ),
    _Panel("rows confident enough to learn from", frozenset({"confident"}), _draw_confident),
    _Panel("entropy of the shares; dashed: all even", frozenset({"entropy"}), _draw_entropy),
    _Panel("learning rate", frozenset({"learning_rate"}), _draw_rate),
)
