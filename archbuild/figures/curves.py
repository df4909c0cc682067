"""How one stage of training went: every loss term by name, and what became of the clusters."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from archbuild.figures.style import GREY, colour, new_figure, plain, save, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Row = Mapping[str, Any]
Columns = Mapping[str, NDArray[np.float64]]

_BOOKKEEPING = frozenset({"epoch", "step", "steps", "seconds", "n_clusters"})
_LOG_FROM = 20.0
"""The ratio of largest to smallest from which a logarithmic axis shows more than a linear one."""
_DOTS_UP_TO = 30


def draw_curves(history: Sequence[Row], title: str, path: str | Path, caption: str = "") -> Path:
    """Draw the training curves of one stage to a PNG at ``path``, which is returned.

    The loss terms share one axis, logarithmic where their values span a wide range. Where the
    history holds ``occupied``, ``label_change``, ``smallest_share`` and ``largest_share``,
    ``entropy`` or ``learning_rate``, small panels beside it show them.

    Args:
        history: one mapping per epoch, with ``epoch``, ``loss`` and any other loss term by name.
            A row may lack any of them, or hold ``None``; what is not finite leaves a gap, and the
            first such epoch is named.
    """
    with styled():
        return save(curves_figure(history, title, caption), path)


def curves_figure(history: Sequence[Row], title: str, caption: str = "") -> Figure:
    """The figure that ``draw_curves`` writes."""
    columns = _columns(history)
    epochs = columns.pop("epoch", np.arange(1.0, len(history) + 1))
    panels = [panel for panel in _PANELS if panel.names & columns.keys()]
    figure = new_figure(title, caption, height=600 if len(panels) < 3 else 760)
    grid = figure.add_gridspec(
        max(len(panels), 1), 2 if panels else 1, width_ratios=(3, 2)[: 2 if panels else 1]
    )
    _draw_losses(figure.add_subplot(grid[:, 0]), epochs, columns)
    for place, panel in enumerate(panels):
        axes = figure.add_subplot(grid[place, 1])
        panel.draw(axes, epochs, columns)
        axes.set_title(panel.heading, loc="left", fontsize=11)
        _finish(axes, epochs, named=place == len(panels) - 1)
    return figure


def loss_terms(history: Sequence[Row]) -> list[str]:
    """The loss terms that occur in ``history``, ``loss`` first, then as they first occurred."""
    return _terms(_columns(history))


def _terms(columns: Columns) -> list[str]:
    known = _BOOKKEEPING.union(*(panel.names for panel in _PANELS))
    return sorted((name for name in columns if name not in known), key=lambda name: name != "loss")


def _columns(history: Sequence[Row]) -> dict[str, NDArray[np.float64]]:
    """Every name that holds a number somewhere, as (epochs,) with NaN where it holds none."""
    names = dict.fromkeys(name for row in history for name in row)
    rows = {name: [row.get(name) for row in history] for name in names}
    return {
        name: np.array([value if _is_number(value) else np.nan for value in values], dtype=float)
        for name, values in rows.items()
        if any(_is_number(value) for value in values)
    }


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | np.number) and not isinstance(value, bool)


def _draw_losses(axes: Axes, epochs: NDArray[np.float64], columns: Columns) -> None:
    terms = _terms(columns)
    for place, name in enumerate(terms):
        # The sum goes below the terms, broad and dark, for none of them to hide behind it.
        total = name == "loss"
        shade = "#333333" if total else colour(place - ("loss" in terms))
        _line(axes, epochs, columns[name], plain(name, 28), shade, width=4 if total else 1.8)
    values = np.concatenate([columns[name] for name in terms]) if terms else np.empty(0)
    _choose_scale(axes, values)
    _name_gap(axes, epochs, {name: columns[name] for name in terms})
    if terms:
        axes.legend(loc="lower left", bbox_to_anchor=(0, 1.01), ncols=3, borderaxespad=0)
    else:
        axes.text(0.5, 0.5, "no epochs yet", ha="center", transform=axes.transAxes)
    _finish(axes, epochs, named=True)


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


def _choose_scale(axes: Axes, values: NDArray[np.float64]) -> None:
    """Logarithmic for a wide range of positive numbers, symmetric where some are negative."""
    size = np.abs(values[np.isfinite(values) & (values != 0)])
    if size.size == 0 or size.max() < _LOG_FROM * size.min():
        return
    if (values[np.isfinite(values)] >= 0).all():
        axes.set_yscale("log", nonpositive="mask")
    elif size.max() > _LOG_FROM * np.median(size):
        axes.set_yscale("symlog", linthresh=float(np.median(size)))


def _name_gap(axes: Axes, epochs: NDArray[np.float64], terms: Columns) -> None:
    """Say which term first stopped being finite, and when."""
    broken = {name: np.flatnonzero(~np.isfinite(values)) for name, values in terms.items()}
    first = {name: rows[0] for name, rows in broken.items() if len(rows)}
    if first:
        name = min(first, key=lambda term: first[term])
        note = f"{plain(name, 28)}: not a finite number in epoch {epochs[first[name]]:g}"
        axes.text(0.99, 0.98, note, color=colour(3), ha="right", va="top", transform=axes.transAxes)


def _finish(axes: Axes, epochs: NDArray[np.float64], named: bool) -> None:
    axes.grid(axis="y", color="#e6e6e6", lw=0.8)
    axes.set_axisbelow(True)
    axes.xaxis.get_major_locator().set_params(integer=True)
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
    axes.yaxis.get_major_locator().set_params(integer=True)


def _draw_label_change(axes: Axes, epochs: NDArray[np.float64], columns: Columns) -> None:
    _line(axes, epochs, columns["label_change"] * 100, "", colour(3))
    axes.yaxis.set_major_formatter("{x:g} %")
    axes.set_ylim(bottom=0)


def _draw_shares(axes: Axes, epochs: NDArray[np.float64], columns: Columns) -> None:
    for name, shade in (("largest_share", colour(0)), ("smallest_share", colour(1))):
        if name in columns:
            _line(axes, epochs, columns[name] * 100, name.removesuffix("_share"), shade)
    axes.yaxis.set_major_formatter("{x:g} %")
    axes.set_ylim(bottom=0)
    axes.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=2, borderaxespad=0)


def _draw_entropy(axes: Axes, epochs: NDArray[np.float64], columns: Columns) -> None:
    _line(axes, epochs, columns["entropy"], "", colour(4))
    if "n_clusters" in columns:
        axes.axhline(np.log(np.nanmax(columns["n_clusters"])), color=GREY, ls="--", lw=1.2)


def _draw_rate(axes: Axes, epochs: NDArray[np.float64], columns: Columns) -> None:
    _line(axes, epochs, columns["learning_rate"], "", colour(6))
    axes.ticklabel_format(axis="y", style="sci", scilimits=(-2, 3), useMathText=True)


_PANELS = (
    _Panel("clusters occupied; dashed: all", frozenset({"occupied"}), _draw_occupied),
    _Panel("rows that changed cluster", frozenset({"label_change"}), _draw_label_change),
    _Panel("share of rows", frozenset({"smallest_share", "largest_share"}), _draw_shares),
    _Panel("entropy of the shares in nats; dashed: all equal", frozenset({"entropy"}), _draw_entropy),
    _Panel("learning rate", frozenset({"learning_rate"}), _draw_rate),
)
