"""The layout of a folder of images: which files are images, which folders are parts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from archbuild.data.formats.below import below, folders_in

SUFFIXES = frozenset(
    {".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".bmp", ".dib", ".gif", ".tif", ".tiff", ".webp"}
    | {".pgm", ".ppm", ".pbm", ".pnm", ".tga", ".jp2", ".ico", ".pcx"}
    | {".avif", ".apng", ".j2k", ".qoi"}
)
SPLITS = {
    "train": "train",
    "training": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "dev": "val",
    "test": "test",
    "testing": "test",
}
"""Folder name, in small letters -> the part of the data that it holds."""


def split_names(folder: Path) -> tuple[str, ...]:
    """Return the parts that a folder holds: ``train``, ``val``, ``test``; ``()`` if none.

    Folders are parts where two at least are called so, and all with images in them, or one of them
    ``train``. Folders beside these are then left out.
    """
    if not folder.is_dir():
        return ()
    names = [path.name.lower() for path in image_folders(unwrapped(folder))]
    found = {SPLITS[name] for name in names if name in SPLITS}
    are_all = all(name in SPLITS for name in names)
    is_split = len(found) > 1 and (are_all or "train" in found)
    return tuple(part for part in dict.fromkeys(SPLITS.values()) if is_split and part in found)


def image_folders(folder: Path) -> list[Path]:
    """Return the folders inside that have images in them, at any depth."""
    return [path for path in folders_in(folder) if any(images_below(path))]


def images_below(folder: Path) -> Iterator[Path]:
    """Yield the images in a folder and in the folders inside, in the order of their paths."""
    return filter(is_image, below(folder))


def unwrapped(folder: Path) -> Path:
    """Return the innermost folder, where folders hold one of images each, and fewer images."""
    inside = image_folders(folder)
    if len(inside) != 1:
        return folder
    beside = sum(map(is_image, folder.iterdir()))
    return folder if beside >= sum(1 for _ in images_below(inside[0])) else unwrapped(inside[0])


def split_of(path: Path, top: Path) -> str | None:
    """Return the part that an image belongs to; ``None`` in a folder that is none."""
    return SPLITS.get(path.relative_to(top).parts[0].lower())


def is_image(path: Path) -> bool:
    """Return whether a file's name says that it is an image."""
    hidden = path.name.startswith(".")  # ._x.png: what macOS leaves in archives
    return path.suffix.lower() in SUFFIXES and not hidden and path.is_file()
