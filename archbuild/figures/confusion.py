"""Classes against clusters, with each cluster under the class that it was matched to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from archbuild.evaluation.accuracy import match_clusters
from archbuild.figures.picture import HeadPicture
from archbuild.figures.style import (
    WIDTH,
    class_name,
    colour,
    lettering_on,
    new_figure,
    percent,
    save,
    styled,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from archbuild.models.run import Run
    from archbuild.models.stage import Stage


_PERCENT_UP_TO = 24
"""Columns up to which a cell has room for its percentage."""
_WIDE = 1600
CLUSTER, CLASS = "cluster", "class"
"""What a column stands for."""


class ConfusionPicture(HeadPicture):
    """Each finished head's clusters against the classes, where there are labels.

    Of sequences of labels, each label counts for itself.
    """

    name = "confusion"
    section = "Clusters"

    def stages(self, run: Run) -> Sequence[Stage]:
        """Return the finished stages whose answers can be compared with labels."""
        heads = [stage for stage in run.finished_heads if stage.assigns]
        return [each for each in heads if each.labels_per_row == run.dataset.labels_per_row]

    def draw_stage(self, run: Run, stage: Stage, path: Path) -> Path:
        """Draw the counts."""
        labels: Any = run.dataset.labels
        labels, clusters = labels.ravel(), stage.clusters.ravel()
        count, names = stage.assignments.shape[-1], run.dataset.class_names
        given = {number: number for number in range(count)}  # classes need no matching
        matching = given if stage.finds_classes else match_clusters(labels, clusters)
        title = run.title(f"{stage.space} against the classes")
        return draw_confusion(
            labels,
            clusters,
            matching,
            names,
            title,
            path,
            n_clusters=count,
            answer=CLASS if stage.finds_classes else CLUSTER,
        )


def draw_confusion(
    labels: NDArray[Any],
    clusters: NDArray[Any],
    matching: Mapping[int, int],
    class_names: Sequence[str] | None,
    title: str,
    path: str | Path,
    caption: str = "",
    *,
    n_clusters: int | None = None,
    answer: str = CLUSTER,
) -> Path:
    """Draw the confusion matrix to a PNG at ``path``, which is returned.

    Rows are classes, columns are clusters, put in the order of the class that they are matched to;
    unmatched clusters come last. A cell holds the count and, up to 24 columns, the share of
    its class in percent, which is also its shade. Matched cells are framed.

    Args:
        labels: (n,) class of each row; rows with a negative label are left out.
        clusters: (n,) cluster of each row.
        matching: cluster -> class, one-to-one or many-to-one; clusters may be missing.
        class_names: name of class ``i`` at position ``i``; numbers stand in for missing names.
        n_clusters: how many clusters there are; by default up to the largest number seen.
        answer: what a column is called: ``cluster``, or ``class``, where it is a predicted one.

    Raises:
        ValueError: when the lengths differ or no row has a label.
    """
    with styled():
        figure = confusion_figure(
            labels,
            clusters,
            matching,
            class_names,
            title,
            caption,
            n_clusters=n_clusters,
            answer=answer,
        )
        return save(figure, path)


def confusion_figure(
    labels: NDArray[Any],
    clusters: NDArray[Any],
    matching: Mapping[int, int],
    class_names: Sequence[str] | None,
    title: str,
    caption: str = "",
    *,
    n_clusters: int | None = None,
    answer: str = CLUSTER,
) -> Figure:
    """Return the figure that ``draw_confusion`` writes."""
    labels, clusters = _labelled(labels, clusters)
    k = max([int(clusters.max()) + 1, n_clusters or 0, *(cluster + 1 for cluster in matching)])
    # Classes that do not occur get no row, however many names there are.
    classes = sorted({*labels.tolist(), *matching.values()})
    rows = {number: row for row, number in enumerate(classes)}
    matched = {cluster: rows[number] for cluster, number in matching.items()}
    counts = np.zeros((len(classes), k), dtype=np.int64)
    np.add.at(counts, (np.searchsorted(classes, labels), clusters), 1)
    order = column_order(counts, matched)
    width = WIDTH if k <= _PERCENT_UP_TO else _WIDE
    height = _height(len(classes), k)
    predicted = answer != CLUSTER
    note = _note(counts, matched, caption, predicted)
    figure = new_figure(title, note, width=width, height=height)
    axes = figure.subplots()
    _cells(axes, counts[:, order], k)
    _name_rows(axes, counts, [class_name(class_names, number) for number in classes])
    _name_columns(axes, counts, order, matched)
    if predicted:
        _name_predicted(axes, [class_name(class_names, number) for number in order])
    _frame_matches(axes, order, matched)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    return figure


def _labelled(
    labels: NDArray[Any], clusters: NDArray[Any]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    labels, clusters = np.asarray(labels, np.int64), np.asarray(clusters, np.int64)
    if labels.shape != clusters.shape or not (labels >= 0).any():
        raise ValueError(
            f"expected one label and one cluster for each row and at least one label that is not "
            f"negative, got shapes {labels.shape} and {clusters.shape}"
        )
    return labels[labels >= 0], clusters[labels >= 0]


def column_order(counts: NDArray[np.int64], matched: Mapping[int, int]) -> list[int]:
    """Sort clusters by the row that they are matched to, then by size; unmatched ones last."""
    sizes = counts.sum(axis=0)
    last = counts.shape[0]
    return sorted(range(len(sizes)), key=lambda c: (matched.get(c, last), -sizes[c], c))


def _height(classes: int, k: int) -> int:
    """Return a height for cells about as high as wide while few, never below two lines of text."""
    return 260 + classes * int(np.clip(900 / k, 30 if k > _PERCENT_UP_TO else 40, 62))


def _note(
    counts: NDArray[np.int64], matched: Mapping[int, int], caption: str, predicted: bool
) -> str:
    agreed = sum(int(counts[row, cluster]) for cluster, row in matched.items())
    total = int(counts.sum())
    share = f"({agreed / total:.1%})"
    note = f"{agreed:,} of {total:,} rows {share} lie in a cluster of their class."
    if predicted:
        note = f"{agreed:,} of {total:,} labels {share} are predicted right."
    return f"{note} {caption}".strip()


def _cells(axes: Axes, counts: NDArray[np.int64], k: int) -> None:
    totals = counts.sum(axis=1, keepdims=True)
    share = counts / np.maximum(totals, 1)
    image = axes.imshow(share, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    size = 11 if k <= 12 else 9 if k <= 20 else 8
    for (row, column), count in np.ndenumerate(counts):
        if count == 0:
            continue
        red, green, blue, _ = image.to_rgba(share[row, column])
        axes.text(
            column,
            row,
            _cell_text(int(count), float(share[row, column]), k),
            ha="center",
            va="center",
            fontsize=size,
            linespacing=1.05,
            color=lettering_on((red, green, blue)),
        )
    axes.figure.colorbar(
        image, ax=axes, label="share of the class", shrink=0.6, pad=0.02, format="{x:.0%}"
    )


def _cell_text(count: int, share: float, k: int) -> str:
    if k > _PERCENT_UP_TO:
        return str(count)
    return f"{count}\n{percent(share)}"


def _name_rows(axes: Axes, counts: NDArray[np.int64], names: Sequence[str]) -> None:
    totals = counts.sum(axis=1)
    rows = [f"{name}  ({total:,})" for name, total in zip(names, totals, strict=True)]
    axes.set_yticks(range(len(rows)), rows)
    axes.set_ylabel("class (rows in it)")


def _name_columns(
    axes: Axes, counts: NDArray[np.int64], order: Sequence[int], matched: Mapping[int, int]
) -> None:
    sizes = counts.sum(axis=0)
    few = len(order) <= _PERCENT_UP_TO
    columns = [
        f"{cluster}\nempty" if few and not sizes[cluster] else str(cluster) for cluster in order
    ]
    axes.set_xticks(range(len(order)), columns, fontsize=(11 if len(order) <= 16 else 9))
    for tick, cluster in zip(axes.get_xticklabels(), order, strict=True):
        tick.set_color("#333333" if cluster in matched else "#999999")
    axes.set_xlabel("cluster" if len(matched) == len(order) else "cluster (grey: matched to none)")


def _name_predicted(axes: Axes, names: Sequence[str]) -> None:
    axes.set_xticks(range(len(names)), names)
    axes.set_xlabel("predicted class")
    axes.set_ylabel("class (labels of it)")


def _frame_matches(axes: Axes, order: Sequence[int], matched: Mapping[int, int]) -> None:
    from matplotlib.patches import Rectangle

    for column, cluster in enumerate(order):
        if cluster in matched:
            corner = (column - 0.5, matched[cluster] - 0.5)
            axes.add_patch(Rectangle(corner, 1, 1, fill=False, ec=colour(3), lw=1.6, clip_on=False))
