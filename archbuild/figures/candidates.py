"""The scores of every candidate for the number of clusters, and the suggested one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from archbuild.evaluation.n_clusters import CLEAR, Suggestion
from archbuild.figures.style import GREY, INK, PALETTE, new_figure, save, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from archbuild.models.run import Run

FILE_NAME = "candidates.png"
_HEIGHT = 620
_SEPARATION, _STABILITY, _BIC = PALETTE[0], PALETTE[1], PALETTE[2]
_NEARLY = "#e9ecff"


def draw_suggestion(run: Run, suggestion: Suggestion) -> Path:
    """Draw a suggestion for a run to ``candidates.png`` among its pictures; return the path."""
    return draw_candidates(suggestion, run.title("how many clusters?"), run.plots / FILE_NAME)


def draw_candidates(suggestion: Suggestion, title: str, path: str | Path) -> Path:
    """Draw the candidates' measures to a PNG at ``path``, returned.

    On the left separation and stability, on the right the Bayesian information criterion, a single
    Gaussian's among them. The suggestion is a line through both, what is nearly as good a band.
    """
    with styled():
        return save(candidates_figure(suggestion, title), path)


def candidates_figure(suggestion: Suggestion, title: str) -> Figure:
    """Return the figure that ``draw_candidates`` writes."""
    figure = new_figure(title, suggestion.in_words(), height=_HEIGHT)
    left, right = figure.subplots(1, 2)
    _shares(left, suggestion)
    _criterion(right, suggestion)
    for axes in (left, right):
        _mark(axes, suggestion)
        axes.set_xlabel("clusters")
        axes.xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1)
    left.legend(loc="best")
    return figure


def _shares(axes: Axes, suggestion: Suggestion) -> None:
    numbers = [candidate.n_clusters for candidate in suggestion.candidates]
    separation = [candidate.separation for candidate in suggestion.candidates]
    stability = [candidate.stability for candidate in suggestion.candidates]
    axes.plot(numbers, separation, "o-", color=_SEPARATION, label="separation in the map")
    axes.plot(numbers, stability, "^-", color=_STABILITY, label="stability over resamples")
    axes.axhline(CLEAR, color=GREY, linestyle=":", label=f"clear clusters: from {CLEAR}")
    axes.set(title="separation and stability", ylim=(min(0.0, *separation, *stability), 1.02))


def _criterion(axes: Axes, suggestion: Suggestion) -> None:
    numbers = [1, *(candidate.n_clusters for candidate in suggestion.candidates)]
    values = [suggestion.one_gaussian, *(candidate.bic for candidate in suggestion.candidates)]
    axes.plot(numbers, values, "s-", color=_BIC)
    axes.set_title("Bayesian information criterion (lower is better)")
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")


def _mark(axes: Axes, suggestion: Suggestion) -> None:
    """Draw a band for each number that is nearly as good, and a line for a clear suggestion."""
    if not suggestion.clear:
        return
    for number in (suggestion.n_clusters, *suggestion.nearly):
        axes.axvspan(number - 0.5, number + 0.5, color=_NEARLY, lw=0, zorder=0)
    axes.axvline(suggestion.n_clusters, color=INK, lw=1.2, zorder=1)
    axes.annotate(
        str(suggestion.n_clusters),
        (suggestion.n_clusters, 1),
        (4, -12),
        xycoords=("data", "axes fraction"),
        textcoords="offset points",
        color=INK,
    )
