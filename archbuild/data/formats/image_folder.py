"""A folder of images, with a folder for each class inside it or without."""

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
from archbuild.data.request import Arrays, ReadRequest
from archbuild.data.spill import release, room_for
from archbuild.errors import DataError

if TYPE_CHECKING:
    from PIL.Image import Image

SUFFIXES = frozenset(
    {".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".pgm", ".ppm", ".pbm"}
)
_MODES = {1: "L", 3: "RGB", 4: "RGBA"}
_GREY_MODES = frozenset({"1", "L", "LA", "I", "F"})
_TURNED = frozenset({5, 6, 7, 8})  # EXIF orientations that swap width and height
_ORIENTATION = 0x0112

_log = logging.getLogger(__name__)


class _Header(NamedTuple):
    """The header of an image: height, width, and whether it is grey."""

    height: int
    width: int
    grey: bool


class Survey(NamedTuple):
    """Number of images, their most common ``(channels, height, width)``, and classes."""

    n_images: int
    shape: Shape
    n_classes: int | None


def read_image_folder(request: ReadRequest) -> Arrays:
    """Read all images as ``(n, height, width, channels)`` uint8, in the order of their paths.

    Images that lie in the folder itself have no labels; where none does, each folder inside it
    is a class. The size is that of the spec's Input, else the most common one; the number of
    channels is the Input's, else 3 where any image is coloured and 1 otherwise. What cannot be
    read is left out, with a warning that lists it. Each image is known by its path in the folder.

    Raises:
        DataError: fewer than two images that can be read, a number of channels that images do
            not have, or more than the disk holds.
    """
    folder = request.path
    paths, labels = _find(folder)
    with _without_warnings():
        headers = [_header(path) for path in paths]
        shape = _common_shape([header for header in headers if header], request)
        values = room_for((len(paths), *shape), np.uint8, f"the {len(paths)} images in {folder}")
        read = _read_all(paths, values)
    _warn(folder, paths, read, headers, shape)
    if len(read) < request.least_rows:
        raise _too_few(folder, len(read), request.least_rows)
    return Arrays(
        values[: len(read)],
        None if labels is None else [labels[index] for index in read],
        [paths[index].relative_to(folder).as_posix() for index in read],
    )


def survey(folder: Path) -> Survey:
    """Read the headers of a folder's images, and no pixel.

    Raises:
        DataError: there are fewer than two images with a header.
    """
    paths, labels = _find(folder)
    with _without_warnings():
        headers = [_header(path) for path in paths]
    there = [header for header in headers if header]
    if len(there) < 2:
        raise _too_few(folder, len(there))
    height, width, channels = shape = _common_shape(there, ReadRequest(folder))
    _warn(folder, paths, [index for index, header in enumerate(headers) if header], headers, shape)
    classes = None if labels is None else len(set(labels))
    return Survey(len(there), (channels, height, width), classes)


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


def _find(folder: Path) -> tuple[list[Path], list[str] | None]:
    """Return the image files in order, and each one's class where folders name classes."""
    here = [path for path in sorted(folder.iterdir()) if _is_image(path)]
    if here:
        if any(path.is_dir() for path in folder.iterdir()):
            _log.warning("%s: images lie beside folders; the folders are left out", folder)
        return here, None
    inside = [path for path in sorted(folder.rglob("*")) if _is_image(path)]
    classes = [path.relative_to(folder).parts[0] for path in inside]
    return inside, classes if len(set(classes)) > 1 else None


def _is_image(path: Path) -> bool:
    hidden = path.name.startswith(".")  # ._x.png: what macOS leaves in archives
    return path.suffix.lower() in SUFFIXES and not hidden and path.is_file()


def _header(path: Path) -> _Header | None:
    """Return the header of an image; ``None`` where it has none that can be read."""
    from PIL import Image

    try:
        with Image.open(path) as image:
            height, width = image.height, image.width
            if image.getexif().get(_ORIENTATION) in _TURNED:
                height, width = width, height
            grey = image.mode in _GREY_MODES or image.mode.startswith("I;")
            return _Header(height, width, grey)
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


def _read_all(paths: Sequence[Path], values: np.ndarray) -> list[int]:
    """Fill the first rows with the images that can be read; which ones these are."""
    read: list[int] = []
    for index, path in enumerate(paths):
        if _read_into(values[len(read)], path):
            read.append(index)
        release(values)
    return read


def _read_into(place: np.ndarray, path: Path) -> bool:
    """Return whether the image could be read; if so it is in ``place``."""
    try:
        place[...] = decode(path, place.shape)
    except Exception:  # Pillow's readers have no closed list
        return False
    return True


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
