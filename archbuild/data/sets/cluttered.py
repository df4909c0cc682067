"""CLUTTERED: three digits on a slope in each image, with clutter; and the labels of all three.

The sequences of Sønderby et al., arXiv 1509.05329: on a canvas of 100 x 100, three digits stand
side by side, 28 pixels apart, from a random place near the left border and at a random height; each
stands higher or lower than the one before by the image's own slope, as far as the canvas allows.
Eight patches of 9 x 9, cut out of other digits, are added at random places. The digits are MNIST's,
or, where its files are not there, those of DIGITS enlarged.

CLUTTERED-SMALL has those of DIGITS as 12 x 12 on a canvas of 40 x 40, for quick trials.

Digits and patches of the images for training, for validation and for testing come from three
disjoint sets of digits. What is made is kept in the data folder.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from archbuild.data.dataset import Dataset, Shape
from archbuild.data.formats.arrays.npz import read_arrays
from archbuild.data.sets import digits, mnist
from archbuild.data.source import PartSelection, selection_sources
from archbuild.errors import DataError, RunError
from archbuild.io.atomic import write_npz

N_DIGITS: Final = 3
N_PATCHES: Final = 8
_SEED: Final = 1234
_ARCH_STEM: Final = "cluttered"
_PROGRESS: Final = 10_000
"""Images between two lines about the progress."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Recipe:
    """The sizes of the images of one dataset.

    Attributes:
        name: of the dataset and its folder.
        side: of the canvas, in pixels.
        digit: side of a digit, and the distance between two.
        patch: side of a patch.
        start: where the first digit begins, from the left: from the first to before the second.
        slope: pixels from one digit down to the next: from the first to before the second.
        counts: images of each part.
    """

    name: str
    side: int
    digit: int
    patch: int
    start: tuple[int, int]
    slope: tuple[int, int]
    counts: Mapping[str, int]


class Digits(NamedTuple):
    """Digits that images are made of: ``(n, side, side)`` uint8, and their labels ``(n,)``."""

    images: np.ndarray
    labels: np.ndarray


LARGE: Final = Recipe(
    name="CLUTTERED",
    side=100,
    digit=28,
    patch=9,
    start=(0, 16),
    slope=(-14, 14),
    counts={"train": 60_000, "valid": 10_000, "test": 10_000},
)
SMALL: Final = Recipe(
    name="CLUTTERED-SMALL",
    side=40,
    digit=12,
    patch=4,
    start=(0, 5),
    slope=(-6, 6),
    counts={"train": 6_000, "valid": 1_000, "test": 1_000},
)

_MNIST_PARTS: Final = {
    "train": ("MNIST-TRAIN", slice(50_000)),
    "valid": ("MNIST-TRAIN", slice(50_000, None)),
    "test": ("MNIST-TEST", slice(None)),
}
_DIGITS_PARTS: Final = {"train": (0, 1200), "valid": (1200, 1500), "test": (1500, 1797)}
"""Of the 1,797 digits."""


def made(recipe: Recipe, part: str, source: Digits) -> tuple[np.ndarray, np.ndarray]:
    """Make the images of a part, always the same from the same digits.

    Returns:
        ``(n, side, side, 1)`` uint8, and the labels of the digits from left to right, ``(n, 3)``.
    """
    # RandomState and not default_rng: NumPy promises that its numbers never change
    random = np.random.RandomState(_SEED + [*recipe.counts].index(part))
    count = recipe.counts[part]
    chosen = random.randint(len(source.images), size=(count, N_DIGITS))
    images = np.zeros((count, recipe.side, recipe.side), np.uint8)
    for number, (image, digits_of) in enumerate(zip(images, source.images[chosen], strict=True), 1):
        _place_digits(image, digits_of, recipe, random)
        _add_patches(image, source.images, recipe, random)
        if number % _PROGRESS == 0 and number < count:
            _log.warning("%s: %d of %d images are made", recipe.name, number, count)
    return images[..., np.newaxis], source.labels[chosen]


def _place_digits(
    image: np.ndarray, chosen: np.ndarray, recipe: Recipe, random: np.random.RandomState
) -> None:
    """Put digits ``(3, digit, digit)`` onto the canvas; a later one covers what is below it."""
    size = recipe.digit
    left, top, slope = (
        random.randint(low, high) for low, high in (recipe.start, (0, recipe.side), recipe.slope)
    )
    for place, digit in enumerate(chosen):
        x, y = left + place * size, int(np.clip(top + place * slope, 0, recipe.side - size))
        image[y : y + size, x : x + size] = digit


def _add_patches(
    image: np.ndarray, source: np.ndarray, recipe: Recipe, random: np.random.RandomState
) -> None:
    """Add patches of other digits, up to white."""
    size = recipe.patch
    for number in random.randint(len(source), size=N_PATCHES):
        down, right = random.randint(recipe.digit - size + 1, size=2)
        y, x = random.randint(recipe.side - size + 1, size=2)
        patch = source[number, down : down + size, right : right + size]
        below = image[y : y + size, x : x + size]
        below[:] = np.minimum(below.astype(np.uint16) + patch, 255)


# -- the digits that they are made of ------------------------------------------------------------


def _digits_of(recipe: Recipe, part: str, data: Path) -> Digits:
    if not _from_mnist(recipe, data):
        found = digits.load(data)
        rows = slice(*(len(found) * place // 1797 for place in _DIGITS_PARTS[part]))
        images = _enlarged(found.values[..., 0] * (255 / 16), recipe.digit)
    else:
        name, rows = _MNIST_PARTS[part]
        found = next(source for source in mnist.SOURCES if source.name == name).load(data, None)
        images = found.values[..., 0]
    if found.labels is None:
        raise DataError(f"{found.source} has no labels, and the digits of {recipe.name} need some")
    return Digits(images[rows], found.labels[rows])


def _from_mnist(recipe: Recipe, data: Path) -> bool:
    """Return whether the digits are MNIST's: they have its size, and its files are there."""
    sources = (source for source in mnist.SOURCES if source.name == "MNIST")
    return recipe.digit == LARGE.digit and all(source.find(data)[0] for source in sources)


def _enlarged(images: np.ndarray, side: int) -> np.ndarray:
    """Return ``(n, side, side)`` uint8, by bilinear interpolation."""
    from scipy.ndimage import zoom

    factor = side / images.shape[1]
    larger = zoom(images, (1, factor, factor), order=1, grid_mode=True, mode="nearest")
    enlarged: np.ndarray = np.rint(larger).astype(np.uint8)
    return enlarged


# -- the datasets --------------------------------------------------------------------------------


def _selections(recipe: Recipe, size: str) -> tuple[PartSelection, ...]:
    name, counts = recipe.name, recipe.counts
    return (
        PartSelection(
            name,
            f"{counts['train']:,} images of three digits with clutter, {size}, three labels each; "
            "made once",
            ["train"],
            held_out=f"{name}-TEST",
        ),
        PartSelection(f"{name}-VALID", f"{counts['valid']:,} more, of other digits", ["valid"]),
        PartSelection(f"{name}-TEST", f"{counts['test']:,} more, of other digits", ["test"]),
    )


def _recipe_of(selection: PartSelection) -> Recipe:
    return SMALL if selection.name.startswith(SMALL.name) else LARGE


def _path(selection: PartSelection, data: Path) -> Path:
    recipe = _recipe_of(selection)
    origin = "mnist" if _from_mnist(recipe, data) else "digits"
    return data / recipe.name / f"{selection.parts[0]}-{origin}.npz"


def load(selection: PartSelection, data: Path, input_shape: Shape | None = None) -> Dataset:
    """Return images ``(n, side, side, 1)`` uint8 with labels ``(n, 3)``, made where not found.

    Raises:
        DataError: MNIST's files are there and damaged, or the file that was made is.
    """
    recipe, path = _recipe_of(selection), _path(selection, data)
    if path.is_file():
        arrays = read_arrays(path, ["x", "y"])
        images, labels = arrays["x"], arrays["y"]
    else:
        images, labels = _made_and_kept(recipe, selection, path, data)
    return Dataset(
        name=selection.name,
        values=images,
        labels=labels,
        class_names=tuple("0123456789"),
        scale=1 / 255,
        arch_stem=_ARCH_STEM,
        source=str(path),
    )


def _made_and_kept(
    recipe: Recipe, selection: PartSelection, path: Path, data: Path
) -> tuple[np.ndarray, np.ndarray]:
    """Make a part and write it; where the folder cannot be written it is made again next time."""
    (part,) = selection.parts
    _log.warning("%s is not in %s yet; making its images", selection.name, path.parent)
    images, labels = made(recipe, part, _digits_of(recipe, part, data))
    with suppress(RunError):
        write_npz(path, {"x": images, "y": labels})
    return images, labels


def find(selection: PartSelection, data: Path) -> tuple[bool, str]:
    """Return that it is there: where it was made, or of which digits it will be."""
    path = _path(selection, data)
    if path.is_file():
        return True, str(path)
    of = "MNIST" if path.stem.endswith("mnist") else "DIGITS"
    return True, f"made of {of} when first read, into {path.parent}"


SOURCES = selection_sources(
    (*_selections(LARGE, "100 x 100"), *_selections(SMALL, "40 x 40")), _ARCH_STEM, load, find
)
