"""One image file: its header, and its pixels in the file's own numbers."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from io import SEEK_END
from math import ceil
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NamedTuple

import numpy as np

from archbuild.data.dataset import Shape
from archbuild.data.limits import ENVIRONMENT_VARIABLE, allowed_bytes
from archbuild.data.request import BYTES, DEEP, FLOATS

if TYPE_CHECKING:
    from PIL.Image import Image

MODES = {1: "L", 3: "RGB", 4: "RGBA"}
"""Number of channels -> Pillow's mode."""

Source = Path | IO[bytes]

_PIXEL_BYTES = 4  # as Pillow keeps colours
_GREY_MODES = frozenset({"1", "L", "LA", "I", "F"})
_TURNED = frozenset({5, 6, 7, 8})  # EXIF orientations that swap width and height
_ORIENTATION = 0x0112
_SIXTEEN = (";16B", ";16L", ";16N")  # as Pillow's names of packed colours end


class UnfitPictureError(ValueError):
    """An image that can be decoded and yet cannot be used; its text says why."""


class Header(NamedTuple):
    """The header of an image.

    Attributes:
        height: of the upright image.
        width: likewise.
        grey: whether it has one channel.
        depth: ``BYTES``, ``DEEP`` or ``FLOATS``.
        is_cut: whether it has colours of 16 bits, of which Pillow gives the upper 8.
        is_several: whether further pictures follow the first.
        is_clear: whether places may be transparent.
    """

    height: int
    width: int
    grey: bool
    depth: str
    is_cut: bool
    is_several: bool
    is_clear: bool

    @property
    def n_bytes(self) -> int:
        """The bytes that the pixels take while the image is decoded."""
        return _PIXEL_BYTES * self.height * self.width


def header_of(source: Source) -> Header | None:
    """Return the header of an image; ``None`` where it has none that can be read.

    Raises:
        UnfitPictureError: more pixels than its file can honestly hold.
    """
    from PIL import Image

    try:
        with Image.open(source) as image:
            _refuse_too_large(source, image)
            height, width = image.height, image.width
            depth = depth_of(image)
            is_cut = _is_cut(image, depth)  # before the next line decodes a PNG
            if image.getexif().get(_ORIENTATION) in _TURNED:
                height, width = width, height
            grey = image.mode in _GREY_MODES or image.mode.startswith("I;")
            is_clear = image.has_transparency_data
            return Header(height, width, grey, depth, is_cut, _goes_on(image), is_clear)
    except UnfitPictureError:
        raise
    except Exception:  # Pillow's readers have no closed list
        return None


def is_picture(source: Source) -> bool:
    """Return whether a file is an image by its header, of whatever size."""
    try:
        with with_own_limits():
            return header_of(source) is not None
    except UnfitPictureError:
        return True


def depth_of(image: Image) -> str:
    """Return the depth of an opened image."""
    if image.mode == "F":
        return FLOATS
    return DEEP if image.mode == "I" or image.mode.startswith("I;") else BYTES


def range_of(source: Source) -> tuple[float, float]:
    """Return the least and the largest number in an image, all of which is decoded.

    Raises:
        Exception: as ``decode``.
    """
    from PIL import Image

    with Image.open(source) as image:
        _refuse_too_large(source, image)
        if depth_of(image) == BYTES:
            seen = np.asarray(_on_white(image).convert("RGB"))
        else:
            seen = _own_numbers(image)
        return float(seen.min()), float(seen.max())


def decode(source: Source, shape: Shape | None = None) -> np.ndarray:
    """Return one image, upright, as ``(height, width, channels)`` uint8.

    Args:
        source: a path or an open file.
        shape: ``(height, width, channels)`` to bring it to; ``None``: its own size, in grey.

    Raises:
        Exception: whatever Pillow raises for images that it cannot read; there is no closed list.
    """
    from PIL import Image

    with Image.open(source) as opened:
        _refuse_too_large(source, opened)
        return _eight_bit_pixels(opened, shape)


def _eight_bit_pixels(opened: Any, shape: Shape | None) -> np.ndarray:
    """Return the pixels of an opened image, as ``decode`` does."""
    from PIL import Image, ImageOps

    if shape:  # a JPEG is then decoded no larger than it has to be
        opened.draft(None, (max(shape[:2]), max(shape[:2])))
    image = ImageOps.exif_transpose(_eight_bit(opened))
    height, width, channels = shape or (image.height, image.width, 1)
    image = _on_white(image) if channels != 4 else image
    image = image.convert(MODES[channels])
    if image.size != (width, height):
        image = image.resize((width, height), Image.Resampling.BILINEAR)
    return np.asarray(image, np.uint8).reshape(height, width, channels)


def decode_own(source: Source, shape: Shape) -> tuple[np.ndarray, str]:
    """Return one image as ``decode``, but in its own numbers, and its depth.

    Returns:
        uint8 for ``BYTES``, else float32; whole numbers stay whole.

    Raises:
        UnfitPictureError: NaN or infinity is in it.
        Exception: as ``decode``.
    """
    from PIL import Image, ImageOps

    with Image.open(source) as opened:
        _refuse_too_large(source, opened)
        depth = depth_of(opened)
        if depth == BYTES:
            return _eight_bit_pixels(opened, shape), depth
        image = Image.fromarray(_own_numbers(ImageOps.exif_transpose(opened)).astype(np.float32))
    height, width, channels = shape
    if image.size != (width, height):
        image = image.resize((width, height), Image.Resampling.BILINEAR)
    grey = np.asarray(image)[..., np.newaxis]
    return np.repeat(np.rint(grey) if depth == DEEP else grey, channels, axis=-1), depth


def _refuse_too_large(source: Source, image: Image) -> None:
    if _PIXEL_BYTES * image.width * image.height > allowed_bytes(_stored_bytes(source)):
        raise UnfitPictureError(
            f"{image.width} x {image.height} pixels in {_stored_bytes(source):,} bytes; if you "
            "trust the file, allow it by the environment variable "
            f"{ENVIRONMENT_VARIABLE}={ceil(_PIXEL_BYTES * image.width * image.height / 2**30)}"
        )


def _stored_bytes(source: Source) -> int:
    if isinstance(source, Path):
        return source.stat().st_size
    place = source.tell()
    n_bytes = source.seek(0, SEEK_END)
    source.seek(place)
    return n_bytes


@contextmanager
def with_own_limits() -> Iterator[None]:
    """Have Pillow open images of any size, and warn of nothing.

    What cannot be read is listed by name, and the limit on pixels is archbuild's own, which users
    can lift; Pillow's would hide it.
    """
    from PIL import Image

    most = Image.MAX_IMAGE_PIXELS
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        Image.MAX_IMAGE_PIXELS = None
        try:
            yield
        finally:
            Image.MAX_IMAGE_PIXELS = most


def _is_cut(image: Any, depth: str) -> bool:
    """Return whether the file's own numbers have 16 bits, and Pillow's 8."""
    packings = (tile[-1] for tile in getattr(image, "tile", ()))
    names = (packing if isinstance(packing, str) else packing[0] for packing in packings if packing)
    return depth == BYTES and any(str(name)[-4:] in _SIXTEEN for name in names)


def _goes_on(image: Any) -> bool:
    """Return whether a file has a second picture."""
    try:
        image.seek(1)
    except (EOFError, AttributeError, ValueError):
        return False
    return True


def _own_numbers(image: Image) -> np.ndarray:
    numbers = np.asarray(image)
    if not np.isfinite(numbers).all():
        raise UnfitPictureError("NaN or infinity in it")
    return numbers


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
        raise UnfitPictureError("an image of floats has no defined values for black and white")
    if image.mode != "I" and not image.mode.startswith("I;"):
        return image
    deep = np.asarray(image).astype(np.int64)
    return Image.fromarray((np.clip(deep, 0, 0xFFFF) >> 8).astype(np.uint8))
