"""Classes against clusters, with each cluster under the class that it was matched to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from archbuild.figures.style import class_name, colour, lettering_on, new_figure, save, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


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
) -> Path:
    """Draw the confusion matrix to a PNG at ``path``, which is returned.

    Rows are classes, columns are clusters, put in the order of the class that they are matched to;
    unmatched clusters come last. A cell holds the count and, below twenty-odd columns, the share of
    its class in percent, which is also its shade. Matched cells are framed.

    Args:
        labels: (n,) class of each row; rows with a negative label are left out.
        clusters: (n,) cluster of each row.
        matching: cluster -> class, one-to-one or many-to-one; clusters may be missing.
        class_names: name of class ``i`` at position ``i``; numbers stand in for missing names.
        n_clusters: how many clusters there are; by default up to the largest number seen.

    Raises:
        ValueError: when the lengths differ or no row has a label.
    """
    with styled():
        figure = confusion_figure(
            labels, clusters, matching, class_names, title, caption, n_clusters=n_clusters
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
) -> Figure:
    """The figure that ``draw_confusion`` writes."""
    labels, clusters = _labelled(labels, clusters)
    k = max([int(clusters.max()) + 1, n_clusters or 0, *(c + 1 for c in matching)])
    classes = max(
        [int(labels.max()) + 1, len(class_names or ()), *(c + 1 for c in matching.values())]
    )
    counts = np.zeros((classes, k), dtype=np.int64)
    np.add.at(counts, (labels, clusters), 1)
    order = column_order(counts, matching)
    figure = new_figure(title, _note(counts, matching, caption), height=_height(classes, k))
    axes = figure.subplots()
    _cells(axes, counts[:, order], k)
    _name_sides(axes, counts, order, matching, class_names)
    _frame_matches(axes, order, matching)
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


def column_order(counts: NDArray[np.int64], matching: Mapping[int, int]) -> list[int]:
    """Clusters by matched class and then by size; unmatched ones last."""
    sizes = counts.sum(axis=0)
    last = counts.shape[0]
    return sorted(range(len(sizes)), key=lambda c: (matching.get(c, last), -sizes[c], c))


def _height(classes: int, k: int) -> int:
    """Cells about as high as wide while they are few, never lower than two lines of text."""
    return 260 + classes * int(np.clip(900 / k, 30 if k > 24 else 40, 62))


def _note(counts: NDArray[np.int64], matching: Mapping[int, int], caption: str) -> str:
    matched = sum(int(counts[label, cluster]) for cluster, label in matching.items())
    total = int(counts.sum())
    note = f"{matched:,} of {total:,} rows ({matched / total:.1%}) lie in a cluster of their class."
    return f"{note} {caption}".strip()


def _cells(axes: Axes, counts: NDArray[np.int64], k: int) -> None:
    totals = counts.sum(axis=1, keepdims=True)
    share = counts / np.maximum(totals, 1)
    image = axes.imshow(share, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    size = 11 if k <= 12 else 9 if k <= 24 else 7
    for (row, column), count in np.ndenumerate(counts):
        if count == 0:
            continue
        percent = "" if k > 24 else f"\n{share[row, column]:.0%}" if count else ""
        shade = image.cmap(image.norm(share[row, column]))[:3]
        axes.text(
            column,
            row,
            f"{count}{percent}",
            ha="center",
            va="center",
            fontsize=size,
            linespacing=1.05,
            color=lettering_on(shade),
        )
    axes.figure.colorbar(image, ax=axes, label="share of the class", shrink=0.6, pad=0.02)


def _name_sides(
    axes: Axes,
    counts: NDArray[np.int64],
    order: Sequence[int],
    matching: Mapping[int, int],
    class_names: Sequence[str] | None,
) -> None:
    totals, sizes = counts.sum(axis=1), counts.sum(axis=0)
    rows = [f"{class_name(class_names, i)}  ({totals[i]:,})" for i in range(len(totals))]
    axes.set_yticks(range(len(rows)), rows)
    columns = [f"{c}\nempty" if sizes[c] == 0 and len(order) <= 16 else str(c) for c in order]
    axes.set_xticks(range(len(order)), columns, fontsize=11 if len(order) <= 24 else 9)
    for tick, cluster in zip(axes.get_xticklabels(), order, strict=True):
        tick.set_color("#333333" if cluster in matching else "#999999")
    axes.tick_params(length=0)
    axes.set_ylabel("class (rows in it)")
    axes.set_xlabel("cluster" if len(matching) == len(order) else "cluster (grey: matched to none)")
    axes.spines[:].set_visible(False)


def _frame_matches(axes: Axes, order: Sequence[int], matching: Mapping[int, int]) -> None:
    from matplotlib.patches import Rectangle

    for column, cluster in enumerate(order):
        if cluster in matching:
            corner = (column - 0.5, matching[cluster] - 0.5)
            axes.add_patch(Rectangle(corner, 1, 1, fill=False, ec=colour(3), lw=1.6))
