"""The images of a folder in order, and each one's class where folders or metadata name classes.

==========================================  ======================================================
in the folder                               read as
==========================================  ======================================================
images                                      rows without labels
folders with images in them                 a class each
both                                        the one of the two that has more images
one folder, and no images or fewer beside   that folder
``train`` and ``test``, or ``val``          parts; the classes are the folders below them
==========================================  ======================================================

Folders without images count for nothing here. What is left out is counted by suffix.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from archbuild.data.formats.below import below, is_hidden
from archbuild.data.formats.images.layout import (
    SUFFIXES,
    image_folders,
    images_below,
    is_image,
    split_names,
    split_of,
    unwrapped,
)
from archbuild.data.formats.images.metadata import METADATA_FILES, labelled_by_metadata
from archbuild.data.guess import LABELS, Guess, listed
from archbuild.data.labels import unlabelled_in_words
from archbuild.data.request import ReadRequest

_SHOWN = 8  # suffixes of files that are left out


class Images(NamedTuple):
    """The image files in order, each one's class if folders name classes, and the decisions."""

    paths: list[Path]
    classes: list[str] | None
    guesses: tuple[Guess, ...]


def find_images(request: ReadRequest) -> Images:
    """Return the image files of a folder, or the one that the request names.

    Raises:
        DataError: its metadata are broken.
    """
    if request.path.is_file():
        return Images([request.path], None, ())
    top = unwrapped(request.path)
    found = _by_folders(request.path, top, request.split)
    labelled = labelled_by_metadata(request.path, found.paths, request)
    if labelled.classes is None:
        return found._replace(guesses=(*found.guesses, *labelled.guesses))
    others = (guess for guess in found.guesses if guess.subject != LABELS)
    return Images(labelled.paths, labelled.classes, (*others, *labelled.guesses))


def _by_folders(folder: Path, top: Path, split: str | None) -> Images:
    guesses = [*_say_wrapped(folder, top), *_say_left_out(folder)]
    outside = [path for path in images_below(folder) if not path.is_relative_to(top)]
    guesses += _say_strays(outside, [top])
    here = [path for path in sorted(top.iterdir()) if is_image(path)]
    inside = [path for path in images_below(top) if path.parent != top]
    if len(here) >= len(inside):
        return Images(here, None, (*guesses, *_say_beside(top)))
    guesses += _say_strays(here, image_folders(top))
    parts = split_names(folder)
    if parts:
        by_split = [(split_of(path, top), path) for path in inside]
        inside = [path for part, path in by_split if part and split in (None, part)]
        guesses.append(_say_split(folder, parts, split))
        guesses += _say_no_part([path.relative_to(top) for part, path in by_split if not part])
    classes, said = _classes([path.relative_to(top).parts for path in inside], 1 if parts else 0)
    return Images(inside, classes, (*guesses, *said))


def _classes(names: Sequence[Sequence[str]], depth: int) -> tuple[list[str] | None, list[Guess]]:
    """Return the folder at a depth of each path as its class, blank in none, if there are several.

    Where most images lie in none, there are no classes.
    """
    classes = [name[depth] if len(name) > depth + 1 else "" for name in names]
    found, stray = sorted({*classes} - {""}), classes.count("")
    if len(found) < 2:
        return None, []
    if 2 * stray > len(classes):
        lost = f"none; {stray} images lie in no folder of a class, beside {listed(found)}"
        return None, [Guess(LABELS, lost)]
    said = f"{len(found)} classes, a folder each: {listed(found)}{unlabelled_in_words(classes)}"
    if any(len(name) > depth + 2 for name in names):
        said += "; images of the folders inside them count for them"
    return classes, [Guess(LABELS, said, "labels=none")]


def _say_split(folder: Path, parts: Sequence[str], split: str | None) -> Guess:
    if split is not None:
        return Guess("parts", f"the {split} rows of {', '.join(parts)}")
    names = " and ".join(f"{folder.name}-{part.upper()}" for part in parts)
    return Guess("parts", f"{', '.join(parts)}, all of which are used; {names} name one each")


def _say_no_part(paths: Sequence[Path]) -> list[Guess]:
    """Return a line about images in folders beside the parts."""
    names = listed(sorted({path.parts[0] for path in paths}))
    found = f"{len(paths)} images in the folders {names}, which are no parts"
    return [Guess("left out", f"{found}; name a folder to read it")] if paths else []


def _say_wrapped(folder: Path, top: Path) -> list[Guess]:
    if top == folder or not image_folders(top):
        return []
    return [Guess("folder", f"the one inside, {top.relative_to(folder).as_posix()}")]


def _say_beside(top: Path) -> list[Guess]:
    """Return a line about folders with images that lie beside as many images, or more."""
    folders = image_folders(top)
    if not folders:
        return []
    count = sum(1 for folder in folders for _ in images_below(folder))
    names = listed(_names(folders))
    found = f"{count} images in the folders {names}, since as many or more lie beside them"
    return [Guess("left out", f"{found}; move these away, or name a folder, to read them")]


def _say_strays(strays: Sequence[Path], folders: Sequence[Path]) -> list[Guess]:
    """Return a line about images beside folders that have more."""
    if not strays:
        return []
    found = f"{len(strays)} images beside the folders {listed(_names(folders))}, which have more"
    named = listed(_names(strays))
    return [Guess("left out", f"{found}: {named}; move them into a folder to read them")]


def _names(paths: Sequence[Path]) -> list[str]:
    return [path.name for path in paths]


def _say_left_out(folder: Path) -> list[Guess]:
    """Return a line about the files that are not taken for images."""
    taken = {*images_below(folder)}
    others = Counter(
        _kind(path, folder)
        for path in below(folder, hidden=True)
        if path not in taken and path.name not in METADATA_FILES
    )
    if not others:
        return []
    shown = ", ".join(f"{kind} ({count})" for kind, count in others.most_common(_SHOWN))
    more = f" and {len(others) - _SHOWN} more kinds" if len(others) > _SHOWN else ""
    return [Guess("left out", f"{others.total()} files that are no images: {shown}{more}")]


def _kind(path: Path, top: Path) -> str:
    """Return the suffix of a file, or the words for those that systems hide, and for no files."""
    if path.is_dir():
        return "links to folders that count already"
    if not path.is_file():
        return "pipes, devices and broken links"
    names = path.relative_to(top).parts
    if any(map(is_hidden, names)) or path.suffix.lower() in SUFFIXES:
        return "hidden"
    return path.suffix.lower() or path.name
