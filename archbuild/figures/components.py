"""A mixture's components over the points that it explains: numbered ellipses on a scatter."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from archbuild.evaluation.collapse import SMALLEST_HEALTHY_PART
from archbuild.figures.marks import place_marks
from archbuild.figures.picture import HeadPicture
from archbuild.figures.projection import (
    LIMIT,
    Projection,
    project,
    sample_indices,
    sample_rows,
)
from archbuild.figures.scatter import add_legend, colouring, plot_points
from archbuild.figures.style import INK, new_figure, save, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from archbuild.models.run import Run
    from archbuild.models.stage import Stage


_ROOM = (1000, 740)
"""Pixels of the map, or a little less."""
_DEVIATIONS = 2
_CORNERS = 120
_FAINT = "#888888"
_WIDTH_OF_EVEN_SHARE = 2.0
_NAMED_AT_MOST = 8
_JITTER_VARIANCE = 1 / 3  # of what ``project`` spreads one dimension by, even from -1 to 1


def project_components(
    latents: NDArray[Any],
    means: NDArray[Any],
    variances: NDArray[Any],
    seed: int,
    limit: int = LIMIT,
) -> tuple[Projection, NDArray[np.float64], NDArray[np.float64]]:
    """Project a seeded sample of the latents, and a mixture over them, to the plane.

    Only a linear map leaves a Gaussian a Gaussian, so more than two dimensions become the two
    principal components of the sample, not t-SNE: a mean m becomes P(m - c), a covariance S
    becomes P S P'. One dimension is spread vertically by chance, and the components with it.

    Args:
        latents: (n, d), or (n, ...) which is flattened.
        means: (K, d).
        variances: (K, d), of components without covariances between dimensions.
        seed: draws the sample.
        limit: how many rows at most.

    Returns:
        The sampled points, which go by ``PCA`` or ``as is``; means (K, 2); covariances (K, 2, 2).

    Raises:
        DataError: as ``project``.
    """
    means, variances = np.asarray(means, np.float64), np.asarray(variances, np.float64)
    if means.shape[1] > 2:
        return _principal_plane(latents, means, variances, seed, limit)
    if means.shape[1] == 1:
        count = len(means)
        means = np.column_stack([means, np.zeros(count)])
        variances = np.column_stack([variances, np.full(count, _JITTER_VARIANCE)])
    return project(latents, seed, limit), means, variances[:, :, None] * np.eye(2)


def _principal_plane(
    latents: NDArray[Any],
    means: NDArray[np.float64],
    variances: NDArray[np.float64],
    seed: int,
    limit: int,
) -> tuple[Projection, NDArray[np.float64], NDArray[np.float64]]:
    indices, rows = sample_rows(latents, seed, limit)
    rows = rows.astype(np.float64)
    centre = rows.mean(axis=0)
    # Not scikit-learn's PCA, which has no two components for a single row, nor for equal ones.
    _, plane = np.linalg.eigh((rows - centre).T @ (rows - centre))
    plane = plane[:, :-3:-1]
    covariances = np.einsum("di,kd,dj->kij", plane, variances, plane)
    return (
        Projection(indices, (rows - centre) @ plane, "PCA"),
        (means - centre) @ plane,
        covariances,
    )


class ComponentsPicture(HeadPicture):
    """The latents of each head with a prior, and the prior's components over them."""

    name = "components"
    section = "Clusters"

    def draw_stage(self, run: Run, stage: Stage, path: Path) -> Path:
        """Draw a sample of the latents and the components."""
        model, space = stage.model, stage.space
        indices = sample_indices(len(run.dataset), run.seed)
        codes = model.codes(run.feed, indices)
        clusters = model.assigning_head.assignments(codes).argmax(axis=1)
        shares = np.bincount(clusters, minlength=model.n_clusters) / len(clusters)
        latents, prior = codes[:, : model.plan.latent_size], model.assigning_head.components()
        projection, means, covariances = project_components(latents, *prior, run.seed)
        chosen, labels = indices[projection.indices], run.dataset.row_labels
        what = f"latents and prior of {space} ({projection.method}){stage.progress}"
        return draw_components(
            projection.points,
            None if labels is None else labels[chosen],
            run.dataset.class_names,
            clusters[projection.indices],
            means,
            covariances,
            shares,
            run.title(what),
            path,
        )


def draw_components(
    points: NDArray[Any],
    labels: NDArray[Any] | None,
    class_names: Sequence[str] | None,
    clusters: NDArray[Any] | None,
    means: NDArray[Any],
    covariances: NDArray[Any],
    weights: NDArray[Any],
    title: str,
    path: str | Path,
    caption: str = "",
) -> Path:
    """Draw points and a mixture's components to a PNG at ``path``, which is returned.

    Each component is the ellipse at two standard deviations, numbered at its mean and the wider
    drawn the more it weighs; dashed, where it weighs less than a tenth of an even share. The map
    goes no further than half the points' extent beyond them and names what lies outside.

    Args:
        points: (m, 2), from ``project_components``, as are means and covariances.
        labels: (m,) class of each point, -1 where unknown; ``None`` where there are none.
        class_names: name of class ``i`` at position ``i``; numbers stand in for missing names.
        clusters: (m,) colours the points where there are no labels; without it they are grey.
        means: (K, 2).
        covariances: (K, 2, 2); may be singular, the ellipse is a line or a point then.
        weights: (K,), in sum 1: the mixture's, or where those are fixed the share of the points.

    Raises:
        ValueError: the shapes do not fit together.
    """
    with styled():
        figure = components_figure(
            points, labels, class_names, clusters, means, covariances, weights, title, caption
        )
        return save(figure, path)


def components_figure(
    points: NDArray[Any],
    labels: NDArray[Any] | None,
    class_names: Sequence[str] | None,
    clusters: NDArray[Any] | None,
    means: NDArray[Any],
    covariances: NDArray[Any],
    weights: NDArray[Any],
    title: str,
    caption: str = "",
) -> Figure:
    """Return the figure that ``draw_components`` writes."""
    points, means = np.asarray(points, np.float64), np.asarray(means, np.float64)
    weights = np.asarray(weights, np.float64)
    _check(means, covariances, weights)
    numbers, names, heading = colouring(len(points), labels, class_names, clusters)
    outlines = [outline(*one) for one in zip(means, np.asarray(covariances), strict=True)]
    faint = weights < SMALLEST_HEALTHY_PART / len(weights)
    low, high = _view(points, means, outlines, faint)
    inside = _within(means, low, high)
    wider = inside & [not _within(line, low, high).any() for line in outlines]
    note = _listed("Outside the map", ~inside) + _listed("Wider than the map", wider)
    figure = new_figure(title, f"{note}{caption}".strip(), height=900)
    axes = figure.subplots()
    plot_points(axes, points, numbers, _ROOM)
    for line, weight, is_faint in zip(outlines, weights, faint, strict=True):
        _draw_outline(axes, line, weight * len(weights), is_faint)
    _number(axes, means, faint, np.flatnonzero(inside), (low, high))
    axes.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]))
    _explain_lines(axes, faint)
    add_legend(figure, numbers, names, heading)
    return figure


def outline(mean: NDArray[Any], covariance: NDArray[Any]) -> NDArray[np.float64]:
    """Return (120, 2) points two standard deviations from the mean of a Gaussian in the plane."""
    variances, directions = np.linalg.eigh(covariance)
    angles = np.linspace(0, 2 * np.pi, _CORNERS, endpoint=False)
    circle = np.column_stack([np.cos(angles), np.sin(angles)])
    # Rounding can leave a singular matrix with a variance below zero.
    scaled: NDArray[np.float64] = circle * np.sqrt(np.clip(variances, 0, None))
    line: NDArray[np.float64] = mean + _DEVIATIONS * scaled @ directions.T
    return line


def _check(means: NDArray[Any], covariances: NDArray[Any], weights: NDArray[Any]) -> None:
    count = len(weights)
    if means.shape != (count, 2) or np.shape(covariances) != (count, 2, 2):
        raise ValueError(
            f"expected means (K, 2) and covariances (K, 2, 2) for the K = {count} weights, got "
            f"{means.shape} and {np.shape(covariances)}; project_components makes them"
        )


def _view(
    points: NDArray[Any],
    means: NDArray[Any],
    outlines: Sequence[NDArray[Any]],
    faint: NDArray[np.bool_],
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the lowest and the highest corner of the map.

    It holds all points and, within half their extent around them, means and outlines: the widest
    of an empty component, which nothing holds back, would leave the points a dot.
    """
    low, high = points.min(axis=0), points.max(axis=0)
    reach = np.where(high > low, high - low, 1) / 2
    full = [line for line, is_faint in zip(outlines, faint, strict=True) if not is_faint]
    others = np.concatenate([means, *full])
    shown = np.concatenate([points, others[_within(others, low - reach, high + reach)]])
    low, high = shown.min(axis=0), shown.max(axis=0)
    margin = 0.04 * np.where(high > low, high - low, 1)
    return low - margin, high + margin


def _within(points: NDArray[Any], low: NDArray[Any], high: NDArray[Any]) -> NDArray[np.bool_]:
    inside: NDArray[np.bool_] = np.all((points >= low) & (points <= high), axis=1)
    return inside


def _listed(what: str, chosen: NDArray[np.bool_]) -> str:
    """Return ``what: 2 of 8 components (3, 6). ``, with the numbers while they are few."""
    numbers = np.flatnonzero(chosen)
    if not len(numbers):
        return ""
    which = f" ({', '.join(map(str, numbers))})" if len(numbers) <= _NAMED_AT_MOST else ""
    return f"{what}: {len(numbers)} of {len(chosen)} components{which}. "


def _draw_outline(axes: Axes, line: NDArray[Any], share: float, is_faint: bool) -> None:
    """Draw one ellipse; ``share`` is its weight over the even one."""
    from matplotlib.patheffects import withStroke

    width = 1.2 if is_faint else float(np.clip(_WIDTH_OF_EVEN_SHARE * np.sqrt(share), 1, 4))
    axes.fill(
        *line.T,
        fill=False,
        edgecolor=_FAINT if is_faint else INK,
        ls="--" if is_faint else "-",
        lw=width,
        path_effects=[withStroke(linewidth=width + 2, foreground="white")],
        zorder=3,
    )


def _number(
    axes: Axes,
    means: NDArray[Any],
    faint: NDArray[np.bool_],
    shown: NDArray[np.intp],
    bounds: tuple[NDArray[Any], NDArray[Any]],
) -> None:
    """Write the numbers of ``shown`` components at their means, or beside them with a line."""
    if not len(shown):
        return
    texts = [str(number) for number in shown]
    letters = 10 if len(shown) <= 24 else 8
    places = place_marks(means[shown], texts, bounds, _ROOM, letters)
    for number, text, place in zip(shown, texts, places, strict=True):
        shade = _FAINT if faint[number] else INK
        axes.plot(*means[number], marker="+", ms=8, mew=1.5, color=shade, zorder=4)
        axes.plot(*np.transpose([means[number], place]), color=shade, lw=0.8, zorder=4)
        axes.text(
            place[0],
            place[1],
            text,
            ha="center",
            va="center",
            fontsize=letters,
            fontweight="bold",
            color=shade,
            bbox={"boxstyle": "round,pad=0.2", "fc": "white", "ec": shade, "lw": 1.0},
            zorder=5,
        )


def _explain_lines(axes: Axes, faint: NDArray[np.bool_]) -> None:
    """Draw a legend of the ellipses above the map."""
    from matplotlib.lines import Line2D

    label = "a numbered cluster's prior at 2 standard deviations; the wider, the more it weighs"
    entries = [Line2D([], [], color=INK, lw=2, label=label)]
    if faint.any():
        label = _listed("weighs less than a tenth of an even share", faint).rstrip(". ")
        entries.append(Line2D([], [], color=_FAINT, lw=1.2, ls="--", label=label))
    axes.legend(handles=entries, loc="lower left", bbox_to_anchor=(0, 1.0), borderaxespad=0.2)
