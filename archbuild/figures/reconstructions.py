"""Inputs beside their reconstructions: images, series or tables."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from archbuild.figures.picture import StagePicture
from archbuild.figures.projection import sample_indices
from archbuild.figures.style import (
    GREY,
    colour,
    legend_outside,
    new_figure,
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
    from matplotlib.figure import Figure

    from archbuild.models.run import Run
    from archbuild.models.stage import Stage


_ABREAST = 12
_RECONSTRUCTED = 1000
"""Rows of a run that are reconstructed, a sample of which is shown."""
_FEWEST_ABREAST = 8
_STRIP = 1080
"""Pixels from side to side that the thumbnails share."""
_SERIES_ABREAST = 4
_TABLE_ROWS = 40


class ReconstructionsPicture(StagePicture):
    """Rows beside what comes out for them, of each finished stage."""

    name = "reconstructions"
    section = "Reconstructions"

    def stages(self, run: Run) -> Sequence[Stage]:
        """Return the finished stages; none where the network has no decoder."""
        return run.finished_stages if run.spec.decodes else ()

    def draw_stage(self, run: Run, stage: Stage, path: Path) -> Path:
        """Draw a sample of the rows."""
        rows = run.feed.clean(sample_indices(len(run.dataset), run.seed, _RECONSTRUCTED))
        outputs, names = stage.model.reconstruct(rows), run.dataset.columns or None
        title = run.title(f"reconstructions after {stage.name}")
        return draw_reconstructions(rows, outputs, title, path, feature_names=names, seed=run.seed)


def draw_reconstructions(
    originals: NDArray[Any],
    reconstructions: NDArray[Any],
    title: str,
    path: str | Path,
    caption: str = "",
    *,
    feature_names: Sequence[str] | None = None,
    seed: int = 0,
) -> Path:
    """Draw originals and their reconstructions to a PNG at ``path``, which is returned.

    Images stand above their reconstructions with the root mean square error below; series are drawn
    over each other; both show a seeded sample of the rows and then the worst of all. Tables become
    two heat strips above the share of each feature's variance that the reconstruction explains.

    Args:
        originals: (n, height, width, channels) in about [0, 1], (n, length, channels) or
            (n, features).
        reconstructions: of the same shape.
        feature_names: names of a table's columns; numbers stand in for missing names.
        seed: picks the rows to show.

    Raises:
        ValueError: when the shapes differ or there are no rows.
    """
    with styled():
        return save(
            reconstructions_figure(
                originals, reconstructions, title, caption, feature_names=feature_names, seed=seed
            ),
            path,
        )


def reconstructions_figure(
    originals: NDArray[Any],
    reconstructions: NDArray[Any],
    title: str,
    caption: str = "",
    *,
    feature_names: Sequence[str] | None = None,
    seed: int = 0,
) -> Figure:
    """Return the figure that ``draw_reconstructions`` writes."""
    if np.shape(originals) != np.shape(reconstructions) or len(originals) == 0:
        raise ValueError(
            f"expected originals and reconstructions of one shape with at least one row, got "
            f"{np.shape(originals)} and {np.shape(reconstructions)}"
        )
    originals, reconstructions = pictured(originals), pictured(reconstructions)
    kind = kind_of(originals)
    if kind == "images":
        return _images(originals, reconstructions, title, caption, seed)
    if kind == "series":
        return _series(originals, reconstructions, title, caption, seed)
    return _table(originals, reconstructions, title, caption, seed, feature_names)


def errors_of(originals: NDArray[Any], reconstructions: NDArray[Any]) -> NDArray[np.float64]:
    """Compute the root mean square error of each row (n,), in the data's own unit."""
    difference: NDArray[np.float64] = np.asarray(originals, np.float64) - reconstructions
    squares = np.square(difference.reshape(len(difference), -1))
    errors: NDArray[np.float64] = np.sqrt(squares.mean(axis=1))
    return errors


def choose_rows(errors: NDArray[Any], bands: int, width: int, seed: int) -> list[NDArray[np.intp]]:
    """Draw ``bands`` of ``width`` rows, ascending by error, and the ``width`` worst, worst first.

    The last band is missing where the others show every row already. Errors that are not numbers
    count as the worst.
    """
    count = len(errors)
    shown = np.arange(count)
    if count > bands * width:
        shown = np.sort(np.random.default_rng(seed).choice(count, bands * width, replace=False))
    chosen = [shown[start : start + width] for start in range(0, len(shown), width)]
    if count > len(shown):
        worth = np.where(np.isnan(errors), np.inf, errors)
        chosen.append(np.argsort(-worth, kind="stable")[:width])
    return chosen


def _headings(bands: list[NDArray[np.intp]], count: int) -> list[str]:
    """Return the captions of the bands of ``choose_rows`` (2 bands and the worst)."""
    if sum(map(len, bands)) == count and len(bands) <= 2:
        return ["all there are", ""][: len(bands)]
    return ["taken at random", "", "the worst of all"]


def _images(
    originals: NDArray[Any], outputs: NDArray[Any], title: str, caption: str, seed: int
) -> Figure:
    errors = errors_of(originals, outputs)
    bands = choose_rows(errors, 2, _ABREAST, seed)
    # Few images would fill the page one by one: let them stay thumbnails.
    columns = max(_FEWEST_ABREAST, *(len(rows) for rows in bands))
    height = round(2 * _STRIP / columns * cell_ratio(originals.shape)) + 65
    figure = new_figure(title, caption, height=80 + height * len(bands))
    low, high = display_range(originals[np.sort(np.concatenate(bands))])
    grid = figure.subplots(len(bands), 1, squeeze=False).ravel()
    for axes, rows, heading in zip(grid, bands, _headings(bands, len(errors)), strict=True):
        draw_montage(axes, [to_rgb(a[rows], low, high) for a in (originals, outputs)], columns)
        axes.set_title(heading, loc="left", fontsize=11)
        axes.set_yticks([0.5, 1.5], ["original", "reconstructed"])
        axes.set_xticks(np.arange(len(rows)) + 0.5, [f"{errors[row]:.3g}" for row in rows])
        axes.tick_params(length=0, pad=2, labelsize=10)
    grid[-1].set_xlabel("root mean square error of each image", loc="left")
    return figure


def _series(
    originals: NDArray[Any], outputs: NDArray[Any], title: str, caption: str, seed: int
) -> Figure:
    from matplotlib.lines import Line2D

    errors = errors_of(originals, outputs)
    bands = choose_rows(errors, 2, _SERIES_ABREAST, seed)
    figure = new_figure(title, caption, height=150 + 230 * len(bands))
    grid = figure.subplots(len(bands), _SERIES_ABREAST, squeeze=False, sharex=True, sharey=True)
    for line, rows, heading in zip(grid, bands, _headings(bands, len(errors)), strict=True):
        for axes in line[len(rows) :]:
            axes.set_axis_off()
        for axes, row in zip(line, rows, strict=False):
            _pair_of_lines(axes, originals[row], outputs[row])
            axes.set_title(f"row {row}, RMSE {errors[row]:.3g}", fontsize=10, fontweight="normal")
        line[0].set_ylabel(heading)
    shades = [colour(channel) for channel in range(originals.shape[2])]
    names = [""] if len(shades) == 1 else [f" channel {i}" for i in range(len(shades))]
    handles = [Line2D([], [], color=GREY, lw=3, label="original")]
    handles += [
        Line2D([], [], color=shade, lw=1.3, label=f"reconstructed{name}")
        for shade, name in zip(shades[:12], names, strict=False)
    ]
    legend_outside(figure, handles=handles)
    return figure


def _pair_of_lines(axes: Axes, original: NDArray[Any], output: NDArray[Any]) -> None:
    axes.plot(original, color=GREY, lw=3)
    for channel, values in enumerate(output.T):
        axes.plot(values, color=colour(channel), lw=1.3)
    axes.tick_params(labelsize=9)
    axes.margins(x=0)


def _table(
    originals: NDArray[Any],
    outputs: NDArray[Any],
    title: str,
    caption: str,
    seed: int,
    feature_names: Sequence[str] | None,
) -> Figure:
    originals, outputs = np.asarray(originals, np.float64), np.asarray(outputs, np.float64)
    rows = choose_rows(np.zeros(len(originals)), 1, _TABLE_ROWS, seed)[0]
    figure = new_figure(title, caption, height=900)
    grid = figure.subplots(3, 1, sharex=True, height_ratios=(3, 3, 2))
    for axes, array, name in zip(
        grid, (originals, outputs), ("original", "recon-\nstructed"), strict=False
    ):
        image = draw_strip(axes, standardised(array[rows], originals))
        axes.set_ylabel(f"{name}\n({len(rows)} rows)")
        axes.set_yticks([])
    figure.colorbar(image, ax=grid[:2], label="standard deviations from the mean", extend="both")
    _explained(grid[2], originals, outputs)
    name_features(grid[2], originals.shape[1], feature_names)
    return figure


def _explained(axes: Axes, originals: NDArray[Any], outputs: NDArray[Any]) -> None:
    """Draw each feature's share of variance explained, 1 - MSE / variance, at least -1, as bars."""
    variance = originals.var(axis=0)
    left = np.square(originals - outputs).mean(axis=0)
    share = 1 - np.divide(left, variance, out=np.full_like(left, np.nan), where=variance > 0)
    shades = [colour(0) if value >= 0 else colour(3) for value in share]
    axes.bar(np.arange(len(share)), np.clip(share, -1, 1), color=shades, width=0.8)
    axes.axhline(0, color="#666666", lw=0.8)
    lowest = np.nanmin(share) if np.isfinite(share).any() else 0.0
    axes.set_ylim(-1.05 if lowest < 0 else 0, 1.05)
    axes.set_ylabel("variance\nexplained")
    axes.set_xlim(-0.5, len(share) - 0.5)
