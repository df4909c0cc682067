"""A folder of images as rows of one size; or a single image."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from archbuild.data.dataset import Shape
from archbuild.data.formats.images.classes import Images, find_images
from archbuild.data.formats.images.size import too_few
from archbuild.data.formats.images.stack import Files, Probe, probe, read_stack
from archbuild.data.guess import Guess
from archbuild.data.labels import count_classes
from archbuild.data.request import Arrays, ReadRequest


class Survey(NamedTuple):
    """Size, classes and range of a folder's images, found without reading all of them.

    Attributes:
        n_images: that can be read.
        shape: the most common ``(channels, height, width)``, or the median one.
        n_classes: how many classes there are; ``None`` without.
        guesses: the decisions.
        is_scaled: whether the rows go from 0 to 1.
        is_common: whether half of the images at least have that size.
        n_unlabelled: how many have no class, where there are some.
    """

    n_images: int
    shape: Shape
    n_classes: int | None
    guesses: tuple[Guess, ...]
    is_scaled: bool
    is_common: bool
    n_unlabelled: int = 0

    @classmethod
    def of(cls, seen: Probe, labels: Sequence[str] | None, guesses: tuple[Guess, ...]) -> Survey:
        """Return a probe's answers in the order of a spec."""
        height, width, channels = seen.shape
        shape = (channels, height, width)
        n_classes = None if labels is None else count_classes(labels)
        unlabelled = sum(not text for text in labels or ())
        found = (seen.n_images, shape, n_classes, guesses, seen.is_scaled, seen.is_common)
        return cls(*found, unlabelled)


def read_image_folder(request: ReadRequest) -> Arrays:
    """Return all images as ``(n, height, width, channels)``, in the order of their paths.

    They are in the files' own numbers, or divided where depths are mixed. The size is that of the
    spec's Input, else the most common one; the number of channels is the Input's, else 3 where any
    image is coloured and 1 otherwise. What cannot be read is left out, with a warning that lists
    it. Each image is known by its path in the folder.

    Raises:
        DataError: as ``read_stack``, or metadata beside the images are broken.
    """
    found = _found(request)
    files = _files(request.path, found.paths)
    stack = read_stack(files, request)
    return Arrays(
        stack.values,
        None if found.classes is None else [found.classes[index] for index in stack.read],
        [files.names[index] for index in stack.read],
        guesses=(*found.guesses, *stack.guesses),
        channels="last",
        scale=stack.scale,
        divisors=stack.divisors,
    )


def survey(request: ReadRequest) -> Survey:
    """Read the headers of a folder's images, and the pixels of up to 200 8-bit ones.

    Raises:
        DataError: there are fewer than two images that can be read, or as ``read_image_folder``.
    """
    found = _found(request)
    seen = probe(_files(request.path, found.paths), request)
    return Survey.of(seen, found.classes, (*found.guesses, *seen.guesses))


def _found(request: ReadRequest) -> Images:
    found = find_images(request)
    if not found.paths:
        raise too_few(request.path, 0, request.least_rows, found.guesses)
    return found


def _files(path: Path, images: list[Path]) -> Files:
    top = path if path.is_dir() else path.parent
    names = [image.relative_to(top).as_posix() for image in images]
    return Files(names, lambda: images, sum(image.stat().st_size for image in images))
