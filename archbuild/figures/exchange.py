"""Latents before and after modules exchanged messages: principal components, side by side."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from archbuild.evaluation.accuracy import clustering_accuracy
from archbuild.figures.picture import HeadPicture
from archbuild.figures.projection import sample_rows
from archbuild.figures.scatter import add_legend, colouring, plot_classes
from archbuild.figures.style import new_figure, plain, save, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from archbuild.models.run import Run
    from archbuild.models.stage import Stage


_TAKEN = {
    True: "The latents are those that the modules took: a draw of q(z | row) for each row.",
    False: "The latents are those that the modules took: the mean of q(z | row) for each row.",
}
"""By whether the latents of an update are drawn."""
_LARGEST_SIDE = 640
_SIDES = 1040
"""Pixels of all panels together, from left to right."""


@dataclass(frozen=True)
class Round:
    """The state of learning at one time.

    Attributes:
        name: says when that was.
        latents: (n, d) of the rows.
        clusters: (n,) that the rows were put into.
    """

    name: str
    latents: NDArray[Any]
    clusters: NDArray[Any]


class ExchangePicture(HeadPicture):
    """The latents that a head's modules took first, and those that they took last."""

    name = "exchange"
    section = "Clusters"

    def draw_stage(self, run: Run, stage: Stage, path: Path) -> Path:
        """Draw the latents of both times."""
        updates = stage.model.assigning_head.updates()
        rounds = [
            Round(_when(update.number, stage.from_scratch), update.latents, update.clusters)
            for update in updates
        ]
        when = "before and after" if len(rounds) > 1 else "before"
        return draw_exchange(
            rounds,
            run.dataset.row_labels,
            run.dataset.class_names,
            run.title(f"latents of {stage.space} {when} the exchange{stage.progress}"),
            path,
            _TAKEN[updates[0].drawn],
            seed=run.seed,
        )


def _when(update: int, from_scratch: bool) -> str:
    """Return when the modules were updated for the ``update``-th time, from 1."""
    # In training from scratch the first round takes the place of pretraining.
    if update == 1:
        return "after round 1, the network alone" if from_scratch else "after pretraining"
    return f"after round {update if from_scratch else update - 1}"


def draw_exchange(
    rounds: Sequence[Round],
    labels: NDArray[Any] | None,
    class_names: Sequence[str] | None,
    title: str,
    path: str | Path,
    caption: str = "",
    *,
    seed: int = 0,
) -> Path:
    """Draw the latents of each round to a PNG at ``path``, which is returned.

    A panel shows the first two principal components of its own latents, of at most 5,000 rows that
    are the same in every panel, mirrored where rows keep their side that way. Without labels the
    clusters of the last round colour the points of all.

    Args:
        rounds: before the exchange and after it; the former alone while there was none.
        labels: (n,) class of each row; ``None`` where there are none.
        class_names: name of class ``i`` at position ``i``; numbers stand in for missing names.
        seed: draws the sample.

    Raises:
        DataError: there are no rows, or latents are not finite.
    """
    with styled():
        figure = exchange_figure(rounds, labels, class_names, title, caption, seed=seed)
        return save(figure, path)


def exchange_figure(
    rounds: Sequence[Round],
    labels: NDArray[Any] | None,
    class_names: Sequence[str] | None,
    title: str,
    caption: str = "",
    *,
    seed: int = 0,
) -> Figure:
    """Return the figure that ``draw_exchange`` writes."""
    clusters = rounds[-1].clusters
    numbers, names, heading = colouring(len(clusters), labels, class_names, clusters)
    side = min(_LARGEST_SIDE, _SIDES // len(rounds))
    note = " ".join([*_notes(len(rounds), labels is not None), caption])
    figure = new_figure(title, note.strip(), height=side + 220)
    grid = figure.subplots(1, len(rounds), squeeze=False).ravel()
    sampled = [sample_rows(one.latents, seed) for one in rounds]
    planes = [principal_plane(rows) for _, rows in sampled]
    shown, first = numbers[sampled[0][0]], planes[0][0]
    for axes, one, (points, shares) in zip(grid, rounds, planes, strict=True):
        plot_classes(axes, _mirrored(points, first), shown, names, room=(side, side))
        _letter(axes, one, shares, labels)
    add_legend(figure, shown, names, heading)
    return figure


def principal_plane(rows: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the first two principal components (m, 2), and their shares of the variance (2,).

    Zeros stand in for what latents of one dimension, or without any variance, do not have.
    """
    from sklearn.decomposition import PCA

    points, shares = np.zeros((len(rows), 2)), np.zeros(2)
    if np.ptp(rows, axis=0).any():  # else scikit-learn divides by a variance of zero
        count = min(2, rows.shape[1])
        pca = PCA(count, svd_solver="full")
        points[:, :count] = pca.fit_transform(rows)
        shares[:count] = pca.explained_variance_ratio_
    return points, shares


def _mirrored(points: NDArray[Any], first: NDArray[Any]) -> NDArray[Any]:
    """Mirror ``points`` so that most rows stay on their side of each axis in ``first``."""
    return points * np.where((points * first).sum(axis=0) < 0, -1, 1)


def _letter(
    axes: Axes, one: Round, shares: NDArray[np.float64], labels: NDArray[Any] | None
) -> None:
    """Say when it was, how good the clusters were, and how much of the latents the axes show."""
    axes.set_title(plain(one.name, 50) + ("" if labels is None else "\n"), loc="left")
    if labels is not None:
        accuracy = clustering_accuracy(labels, one.clusters)
        axes.text(0, 1.012, f"accuracy {accuracy:.1%}", transform=axes.transAxes)
    horizontal, vertical = (
        f"component {number} ({share:.1%} of the variance)"
        for number, share in enumerate(shares, 1)
    )
    axes.set(xlabel=horizontal, ylabel=vertical)


def _notes(n_rounds: int, labelled: bool) -> Iterator[str]:
    if n_rounds > 1:
        yield "Each panel has the principal components of its own latents."
    else:
        yield "Nothing has been learned under a message yet: there is no exchange to compare."
    if labelled:
        yield "Accuracy: rows in the cluster matched to their class, one to one (Hungarian)."
