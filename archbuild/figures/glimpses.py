"""The glimpses that a network takes of its images, and where in them it looks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from archbuild.figures.picture import StagePicture
from archbuild.figures.projection import sample_indices
from archbuild.figures.style import colour, new_figure, plain, save, styled
from archbuild.figures.thumbnails import display_range, to_rgb

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from archbuild.models.run import Run
    from archbuild.models.stage import Stage


_ABREAST = 8
_CELL = 140
"""Pixels of an image or a glimpse from side to side."""
_CORNERS = np.array([(-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0)])


class GlimpsesPicture(StagePicture):
    """Some images with the quadrilaterals of their glimpses, and the glimpses, a step in a row.

    Of each finished stage whose encoder begins with a spatial transformer.
    """

    name = "glimpses"
    section = "Glimpses"

    def stages(self, run: Run) -> Sequence[Stage]:
        """Return the finished stages whose networks take glimpses."""
        takes = any(layer.takes_glimpses for layer in run.plan.encoder)
        return run.finished_stages if takes else ()

    def draw_stage(self, run: Run, stage: Stage, path: Path) -> Path:
        """Draw a sample of the rows, with the labels that the head reads, if it reads some."""
        chosen = sample_indices(len(run.dataset), run.seed, _ABREAST)
        images = run.feed.clean(chosen)
        taken = stage.model.glimpses(images)
        title = run.title(f"glimpses of {stage.name}")
        return draw_glimpses(
            images, taken.maps, taken.glimpses, title, path, _texts(run, stage, chosen)
        )


def _texts(run: Run, stage: Stage, chosen: NDArray[np.intp]) -> list[str]:
    """Return what a classifier reads in each row, and where that is wrong what is there."""
    if not stage.finds_classes or not stage.assigns or run.dataset.labels is None:
        return [""] * len(chosen)
    names = run.dataset.class_names
    found, labels = stage.clusters[chosen], run.dataset.labels[chosen]

    def named(codes: NDArray[Any]) -> str:
        return " ".join(
            names[code] if 0 <= code < len(names) else "?" for code in np.atleast_1d(codes)
        )

    pairs = [(named(one), named(other)) for one, other in zip(found, labels, strict=True)]
    return [one if one == other else f"{one}, is {other}" for one, other in pairs]


def draw_glimpses(
    images: NDArray[Any],
    maps: NDArray[Any],
    glimpses: NDArray[Any],
    title: str,
    path: str | Path,
    texts: Sequence[str] = (),
) -> Path:
    """Draw images and their glimpses to a PNG at ``path``, which is returned.

    Args:
        images: (n, height, width, channels).
        maps: (n, steps, 6), the affine maps of the glimpses (``layers/affine.py``).
        glimpses: (n, steps, height, width, channels).
        title: of the picture.
        path: of the file.
        texts: (n,) a line below each image.

    Raises:
        ValueError: the lengths differ, or there is no image.
    """
    with styled():
        return save(glimpses_figure(images, maps, glimpses, title, texts), path)


def glimpses_figure(
    images: NDArray[Any],
    maps: NDArray[Any],
    glimpses: NDArray[Any],
    title: str,
    texts: Sequence[str] = (),
) -> Figure:
    """Return the figure that ``draw_glimpses`` writes."""
    count, steps = np.shape(maps)[:2]
    if not len(images) == len(glimpses) == count or not count:
        raise ValueError(
            f"expected maps and glimpses of each image and at least one, got {len(images)} images, "
            f"{count} maps and {len(glimpses)} glimpses"
        )
    note = "Where each glimpse lies in its image; the dot is its upper left corner."
    figure = new_figure(title, note, height=90 + _CELL * (steps + 1) + 30)
    grid = figure.subplots(steps + 1, count, squeeze=False)
    low, high = display_range(images)
    for place in range(count):
        _draw_image(grid[0, place], to_rgb(images[place], low, high), maps[place])
        if texts:
            grid[0, place].set_xlabel(plain(texts[place], 24), fontsize=10)
        for step in range(steps):
            _draw_glimpse(grid[step + 1, place], to_rgb(glimpses[place, step], low, high), step)
    return figure


def corners(maps: NDArray[Any], size: Sequence[int]) -> NDArray[np.float64]:
    """Return where the corners of glimpses lie in the image, in pixels (..., 4, 2): x and y.

    Args:
        maps: (..., 6).
        size: height and width of the image.
    """
    square = np.reshape(maps, (*np.shape(maps)[:-1], 2, 3))
    places = np.einsum("...ij,kj->...ki", square[..., :2], _CORNERS) + square[..., None, :, 2]
    found: NDArray[np.float64] = (places + 1) / 2 * (np.array(size[::-1]) - 1)
    return found


def _draw_image(axes: Axes, image: NDArray[np.float64], maps: NDArray[Any]) -> None:
    axes.imshow(image)
    size = image.shape[:2]
    for step, places in enumerate(corners(maps, size)):
        closed = np.concatenate([places, places[:1]])
        axes.plot(*closed.T, color=colour(step), lw=1.6, clip_on=True)
        axes.plot(*places[0], "o", color=colour(step), ms=4)
    axes.set(xlim=(-0.5, size[1] - 0.5), ylim=(size[0] - 0.5, -0.5), xticks=[], yticks=[])


def _draw_glimpse(axes: Axes, glimpse: NDArray[np.float64], step: int) -> None:
    axes.imshow(glimpse)
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set(visible=True, color=colour(step), linewidth=2.5)
