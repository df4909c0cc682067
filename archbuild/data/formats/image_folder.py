"""A folder of images, with a folder for each class inside it or without; or a single image.

==========================================  ======================================================
in the folder                               read as
==========================================  ======================================================
images                                      rows without labels
folders with images in them                 a class each
one folder and nothing else                 that folder
``train``, ``val``, ``test`` and no others  parts; the classes are the folders below them
==========================================  ======================================================
"""

from __future__ import annotations

import logging
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, NamedTuple

import numpy as np

from archbuild.data.dataset import Shape
from archbuild.data.formats.image_layout import (
    SUFFIXES,
    folders_in,
    is_image,
    split_names,
    split_of,
    unwrapped,
)
from archbuild.data.formats.image_metadata import METADATA_FILES, labelled_by_metadata
from archbuild.data.guess import Guess
from archbuild.data.request import Arrays, ReadRequest
from archbuild.data.spill import release, room_for
from archbuild.errors import DataError

if TYPE_CHECKING:
    from PIL.Image import Image

_MODES = {1: "L", 3: "RGB", 4: "RGBA"}
_GREY_MODES = frozenset({"1", "L", "LA", "I", "F"})
_TURNED = frozenset({5, 6, 7, 8})  # EXIF orientations that swap width and height
_ORIENTATION = 0x0112
_PROBED = 200  # images that a survey decodes

_log = logging.getLogger(__name__)


class _Header(NamedTuple):
    """The header of an image: height, width, whether it is grey, whether it has over 8 bits."""

    height: int
    width: int
    grey: bool
    deep: bool


class Survey(NamedTuple):
    """The number of images, their most common ``(channels, height, width)``, classes, guesses."""

    n_images: int
    shape: Shape
    n_classes: int | None
    guesses: tuple[Guess, ...]


class _Images(NamedTuple):
    """The image files in order, each one's class if folders name classes, and the decisions."""

    paths: list[Path]
    classes: list[str] | None
    guesses: tuple[Guess, ...]


def read_image_folder(request: ReadRequest) -> Arrays:
    """Return all images as ``(n, height, width, channels)``, in the order of their paths.

    They are uint8, or uint16 in the files' own numbers where any has more than 8 bits. The size is
    that of the spec's Input, else the most common one; the number of channels is the Input's, else
    3 where any image is coloured and 1 otherwise. What cannot be read is left out, with a warning
    that lists it. Each image is known by its path in the folder.

    Raises:
        DataError: fewer images than are needed that can be read, a number of channels that images
            do not have, or more than the disk holds.
    """
    folder = request.path
    paths, classes, guesses = _find(request)
    with _without_warnings():
        headers = [_header(path) for path in paths]
        shape = _common_shape([header for header in headers if header], request)
        bits = _depth(paths, headers, request)
        kind = np.uint8 if bits <= 8 and not _is_deep(headers, request) else np.uint16
        values = room_for((len(paths), *shape), kind, f"the {len(paths)} images in {folder}")
        read = _read_all(paths, values, bits)
    top = folder if folder.is_dir() else folder.parent
    _warn(top, paths, read, headers, shape)
    if len(read) < request.least_rows:
        raise _too_few(folder, len(read), request.least_rows)
    return Arrays(
        values[: len(read)],
        None if classes is None else [classes[index] for index in read],
        [paths[index].relative_to(top).as_posix() for index in read],
        guesses=guesses,
        channels="last",
    )


def survey(request: ReadRequest) -> Survey:
    """Read the headers of a folder's images, and the pixels of up to 200 of them.

    Raises:
        DataError: there are fewer than two images that can be read.
    """
    folder = request.path
    paths, classes, guesses = _find(request)
    with _without_warnings():
        headers = [_header(path) for path in paths]
        for index in range(0, len(paths), max(1, len(paths) // _PROBED)):
            headers[index] = headers[index] if _can_be_decoded(paths[index]) else None
    there = [header for header in headers if header]
    if len(there) < 2:
        raise _too_few(folder, len(there))
    height, width, channels = shape = _common_shape(there, request)
    _warn(folder, paths, [index for index, header in enumerate(headers) if header], headers, shape)
    n_classes = None if classes is None else len(set(classes))
    return Survey(len(there), (channels, height, width), n_classes, guesses)


def decode(source: Path | IO[bytes], shape: Shape | None = None) -> np.ndarray:
    """Return one image, upright, as ``(height, width, channels)`` uint8.

    Args:
        source: a path or an open file.
        shape: ``(height, width, channels)`` to bring it to; ``None``: its own size, in grey.

    Raises:
        Exception: whatever Pillow raises for images that it cannot read; there is no closed list.
    """
    from PIL import Image, ImageOps

    with Image.open(source) as opened:
        if shape:  # a JPEG is then decoded no larger than it has to be
            opened.draft(None, (max(shape[:2]), max(shape[:2])))
        image = ImageOps.exif_transpose(_eight_bit(opened))
        height, width, channels = shape or (image.height, image.width, 1)
        image = _on_white(image) if channels != 4 else image
        image = image.convert(_MODES[channels])
        if image.size != (width, height):
            image = image.resize((width, height), Image.Resampling.BILINEAR)
        return np.asarray(image, np.uint8).reshape(height, width, channels)


def _find(request: ReadRequest) -> _Images:
    """Return the image files of a folder, and the decisions that this took."""
    if request.path.is_file():
        return _Images([request.path], None, ())
    top = unwrapped(request.path)
    found = _byfolders_in(request.path, top, request.split)
    labelled = labelled_by_metadata(top, found.paths, request)
    if labelled is None:
        return found
    others = (guess for guess in found.guesses if guess.subject != "labels")
    return _Images(labelled.paths, labelled.classes, (*others, *labelled.guesses))


def _byfolders_in(folder: Path, top: Path, split: str | None) -> _Images:
    guesses = [*_say_wrapped(folder, top), *_say_left_out(top)]
    here = [path for path in sorted(top.iterdir()) if is_image(path)]
    if here:
        if folders_in(top):
            _log.warning("%s: images lie beside folders; the folders are left out", folder)
        return _Images(here, None, tuple(guesses))
    inside = [path for path in sorted(top.rglob("*")) if is_image(path)]
    parts = split_names(folder)
    depth = 1 if parts else 0
    if parts:
        inside = [path for path in inside if split in (None, split_of(path, top))]
        guesses.append(_say_split(folder, parts, split))
    names = [path.relative_to(top).parts for path in inside]
    if all(len(name) > depth + 1 for name in names):
        classes = [name[depth] for name in names]
        if len(set(classes)) > 1:
            guesses.append(
                Guess("labels", f"{len(set(classes))} classes, a folder each", "labels=none")
            )
            return _Images(inside, classes, tuple(guesses))
    return _Images(inside, None, tuple(guesses))


def _say_split(folder: Path, parts: Sequence[str], split: str | None) -> Guess:
    if split is not None:
        return Guess("parts", f"the {split} rows of {', '.join(parts)}")
    names = " and ".join(f"{folder.name}-{part.upper()}" for part in parts)
    return Guess("parts", f"{', '.join(parts)}, all of which are used; {names} name one each")


def _say_wrapped(folder: Path, top: Path) -> list[Guess]:
    if top == folder or not folders_in(top):
        return []
    return [Guess("folder", f"the one inside, {top.relative_to(folder).as_posix()}")]


def _say_left_out(top: Path) -> list[Guess]:
    """Return a line about the files that are not taken for images."""
    files = (path for path in top.rglob("*") if path.is_file() and not path.name.startswith("."))
    files = (path for path in files if path.name not in METADATA_FILES and not is_image(path))
    others = Counter(path.suffix.lower() or path.name for path in files)
    if not others:
        return []
    shown = ", ".join(f"{suffix} ({count})" for suffix, count in others.most_common(5))
    return [Guess("left out", f"{others.total()} files whose suffix is no image's: {shown}")]


def _can_be_decoded(path: Path) -> bool:
    """Return whether the pixels of an image can be read: a sound header does not promise it."""
    from PIL import Image

    try:
        with Image.open(path) as image:
            image.load()
    except Exception:  # Pillow's readers have no closed list
        return False
    return True


def _is_deep(headers: Sequence[_Header | None], request: ReadRequest) -> bool:
    """Return whether any image has over 8 bits; models of earlier versions took the upper 8."""
    new = request.known is None or request.known.scale is not None
    return new and any(header is not None and header.deep for header in headers)


def _depth(paths: Sequence[Path], headers: Sequence[_Header | None], request: ReadRequest) -> int:
    """Return how many bits the numbers of the folder's images have, at least 8."""
    if not _is_deep(headers, request):
        return 8
    deep = [path for path, header in zip(paths, headers, strict=True) if header and header.deep]
    return 16 if max(map(_largest, deep)) > 255 else 8


def _largest(path: Path) -> int:
    """Return the largest number in an image; 0 if it cannot be read."""
    from PIL import Image

    try:
        with Image.open(path) as image:
            return int(np.asarray(image).max())
    except Exception:  # Pillow's readers have no closed list
        return 0


def _header(path: Path) -> _Header | None:
    """Return the header of an image; ``None`` where it has none that can be read."""
    from PIL import Image

    try:
        with Image.open(path) as image:
            height, width = image.height, image.width
            if image.getexif().get(_ORIENTATION) in _TURNED:
                height, width = width, height
            grey = image.mode in _GREY_MODES or image.mode.startswith("I;")
            deep = image.mode == "I" or image.mode.startswith("I;")
            return _Header(height, width, grey, deep)
    except Exception:  # Pillow's readers have no closed list
        return None


def _common_shape(headers: Sequence[_Header], request: ReadRequest) -> Shape:
    """Return the ``(height, width, channels)`` of all images."""
    if not headers:
        raise _too_few(request.path, 0)
    wanted = request.input_shape or ()
    if len(wanted) == 3:
        if wanted[0] not in _MODES:
            raise DataError(
                f"the spec's Input takes {list(wanted)}, and images have 1, 3 or 4 channels "
                f"(grey, RGB, RGBA), not {wanted[0]}; change Input's output_shape"
            )
        return (*wanted[1:], wanted[0])
    (height, width), _ = Counter((header.height, header.width) for header in headers).most_common(
        1
    )[0]
    own = 1 if all(header.grey for header in headers) else 3
    fitting = [count for count in _MODES if wanted == (height * width * count,)]
    return (height, width, fitting[0] if fitting else own)


def _read_all(paths: Sequence[Path], values: np.ndarray, bits: int) -> list[int]:
    """Fill the first rows with the images that can be read, and return which ones these are."""
    read: list[int] = []
    for index, path in enumerate(paths):
        if _read_into(values[len(read)], path, bits):
            read.append(index)
        release(values)
    return read


def _read_into(place: np.ndarray, path: Path, bits: int) -> bool:
    """Return whether the image could be read; if so it is in ``place``."""
    try:
        is_byte = place.dtype == np.uint8
        place[...] = decode(path, place.shape) if is_byte else _decode_deep(path, place.shape, bits)
    except Exception:  # Pillow's readers have no closed list
        return False
    return True


def _decode_deep(path: Path, shape: Shape, bits: int) -> np.ndarray:
    """Return an image in its own numbers; one of 8 bits is brought to 16 where others have them."""
    from PIL import Image, ImageOps

    with Image.open(path) as opened:
        if opened.mode != "I" and not opened.mode.startswith("I;"):
            return decode(path, shape).astype(np.uint16) * (257 if bits > 8 else 1)
        numbers = np.clip(np.asarray(ImageOps.exif_transpose(opened)), 0, 0xFFFF)
    height, width, channels = shape
    image = Image.fromarray(numbers.astype(np.float32))
    if image.size != (width, height):
        image = image.resize((width, height), Image.Resampling.BILINEAR)
    grey = np.rint(np.asarray(image)).astype(np.uint16)[..., np.newaxis]
    return np.repeat(grey, channels, axis=-1)


def _on_white(image: Image) -> Image:
    """Return an image with its transparent places made white."""
    from PIL import Image

    if not image.has_transparency_data:
        return image
    seen = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", seen.size, "white"), seen).convert("RGB")


def _eight_bit(image: Image) -> Image:
    """Take the upper byte of 16-bit images; Pillow's own conversion would clip some of them."""
    from PIL import Image

    if image.mode == "F":
        raise ValueError("an image of floats has no defined values for black and white")
    if image.mode != "I" and not image.mode.startswith("I;"):
        return image
    deep = np.asarray(image).astype(np.int64)
    return Image.fromarray((np.clip(deep, 0, 0xFFFF) >> 8).astype(np.uint8))


@contextmanager
def _without_warnings() -> Iterator[None]:
    """Suppress Pillow's warnings: what it cannot read is listed by name."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _warn(
    folder: Path, paths: list[Path], read: list[int], headers: list[_Header | None], shape: Shape
) -> None:
    left_out = sorted({*range(len(paths))} - {*read})
    broken = [paths[index].relative_to(folder).as_posix() for index in left_out]
    if broken:
        shown = ", ".join(broken[:10]) + (f" and {len(broken) - 10} more" if broken[10:] else "")
        _log.warning("%s: %d images cannot be read, left out: %s", folder, len(broken), shown)
    others = sum(header is not None and header[:2] != shape[:2] for header in headers)
    if others:
        _log.warning(
            "%s: %d images of another size are resized to %d x %d", folder, others, *shape[:2]
        )


def _too_few(folder: Path, count: int, least: int = 2) -> DataError:
    return DataError(
        f"{folder} holds {count} images that can be read, and at least {least} are needed; put "
        f"images ({', '.join(sorted(SUFFIXES))}) there, in one folder for each class if the "
        "classes are known"
    )
