"""OMNIGLOT: 1,623 characters of 50 alphabets, each drawn by 20 people (Lake et al., 2015).

Of the archives of images, 105 x 105 in black and white: OMNIGLOT-TRAIN is the background set, 964
characters of 30 alphabets, OMNIGLOT-TEST the evaluation set, 659 characters of 20 other alphabets,
and OMNIGLOT is both. The classes are the characters, so TRAIN and TEST have no class in common.

The archives have ink in black on white; here, as in the arrays that the field shares, ink is 1 and
paper 0. The spec's Input chooses the size: a pixel of a smaller image is the mean over the area
that it covers, so its values are grey. At 28 x 28 that is neither the split nor the images of the
file by which papers compare likelihoods; those are OMNIGLOT-IWAE.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO
from math import isqrt
from pathlib import Path
from typing import NamedTuple

import numpy as np

from archbuild.data.dataset import Dataset, Shape
from archbuild.data.formats.images.picture import decode
from archbuild.data.formats.zipped import check_members
from archbuild.data.guard import reading
from archbuild.data.labels import encode_labels
from archbuild.data.source import PartSelection, search_folders, selection_sources
from archbuild.data.spill import release, room_for
from archbuild.errors import DataError

N_IMAGES = {"background": 19_280, "evaluation": 13_180}
SIDE = 105
_FOLDER = "OMNIGLOT"


_SELECTIONS = (
    PartSelection(
        "OMNIGLOT",
        "32,460 drawings of 1,623 characters, black and white, 105 x 105 or as the Input says",
        ["background", "evaluation"],
    ),
    PartSelection(
        "OMNIGLOT-TRAIN",
        "the 19,280 drawings of OMNIGLOT's background set, 964 characters",
        ["background"],
        held_out="OMNIGLOT-TEST",
    ),
    PartSelection(
        "OMNIGLOT-TEST",
        "the 13,180 drawings of OMNIGLOT's evaluation set, 659 other characters",
        ["evaluation"],
    ),
)


class _Part(NamedTuple):
    """One set: its archive, or the folder that was in it, and the names of its images."""

    root: Path | zipfile.ZipFile
    place: Path
    names: Sequence[str]

    def read(self, name: str) -> bytes:
        """Return the content of one image file."""
        if isinstance(self.root, zipfile.ZipFile):
            return self.root.read(name)
        return (self.root / name).read_bytes()


def load(selection: PartSelection, data: Path, input_shape: Shape | None = None) -> Dataset:
    """Return drawings ``(n, s, s, 1)`` uint8, 0 to 255, with the side of the Input, else of 105.

    Raises:
        DataError: a set is missing or damaged, or the Input is no square of at most 105.
    """
    side = _side(selection, input_shape)
    found, where = find(selection, data)
    if not found:
        raise DataError(f"{selection.name} is {where}")
    n_images = sum(N_IMAGES[part] for part in selection.parts)
    values = room_for((n_images, side, side, 1), np.uint8, selection.name)
    characters: list[str] = []
    for part in selection.parts:
        with _opened(part, data) as images:
            _fill(values[len(characters) :], images, side)
            characters += [_character(name) for name in images.names]
        release(values)
    labels, names = encode_labels(characters, n_images, where)
    return Dataset(
        name=selection.name,
        values=values,
        labels=labels,
        class_names=names,
        scale=1 / 255,
        arch_stem="omniglot",
        source=where,
    )


def find(selection: PartSelection, data: Path) -> tuple[bool, str]:
    """Return whether the sets are in the data folder, and where, or what to do."""
    places = {part: _place(part, data) for part in selection.parts}
    missing = [part for part, place in places.items() if place is None]
    if not missing:
        return True, ", ".join(str(place) for place in places.values())
    names = " and ".join(f"images_{part}.zip" for part in missing)
    return False, f"not in {data / _FOLDER}; put {names} there, or the folders that are in them"


def _place(part: str, data: Path) -> Path | None:
    """Return the archive or the folder of a set."""
    stem = f"images_{part}"
    for folder in search_folders(data, _FOLDER):
        if (folder / f"{stem}.zip").is_file():
            return folder / f"{stem}.zip"
        if (folder / stem).is_dir():
            return folder / stem
    return None


def _side(selection: PartSelection, input_shape: Shape | None) -> int:
    """Return the height and width that the Input asks for."""
    if input_shape is None:
        return SIDE
    wanted = tuple(input_shape)
    side = isqrt(wanted[0]) if len(wanted) == 1 else wanted[-1]
    if wanted not in ((side * side,), (1, side, side)) or side > SIDE:
        raise DataError(
            f"the spec's Input takes {list(wanted)}, and {selection.name} has grey squares of at "
            f"most {SIDE} x {SIDE}; write output_shape: [1, {SIDE}, {SIDE}], or [1, 28, 28]"
        )
    return side


@contextmanager
def _opened(part: str, data: Path) -> Iterator[_Part]:
    """Open a set, and make sure that it has all its images."""
    place = _place(part, data)
    if place is None:  # removed since it was found
        raise DataError(f"images_{part} is not in {data} any more; put it back")
    with reading(place, "drawings of OMNIGLOT"):
        if place.is_dir():
            names = [path.relative_to(place).as_posix() for path in place.rglob("*.png")]
            yield _checked(part, _Part(place, place, names))
        else:
            with zipfile.ZipFile(place) as archive:
                check_members(archive, place)
                yield _checked(part, _Part(archive, place, archive.namelist()))


def _checked(part: str, found: _Part) -> _Part:
    """Return a set with the names of its drawings alone, sorted."""
    images = [name for name in found.names if name.endswith(".png")]
    names = sorted(name for name in images if not name.rpartition("/")[2].startswith("."))
    if len(names) != N_IMAGES[part]:
        raise DataError(
            f"{found.place} has {len(names)} drawings, and the {part} set of OMNIGLOT has "
            f"{N_IMAGES[part]}; copy it again"
        )
    return found._replace(names=names)


def _character(name: str) -> str:
    """Return the alphabet and the character of ``.../Greek/character01/0394_01.png``."""
    return "/".join(name.split("/")[-3:-1])


def _fill(values: np.ndarray, part: _Part, side: int) -> None:
    """Write the drawings of a set into ``(n, s, s, 1)`` uint8, ink 255 and paper 0."""
    for index, name in enumerate(part.names):
        values[index, ..., 0] = _resized(255 - _drawing(part, name), side)


def _drawing(part: _Part, name: str) -> np.ndarray:
    """Return a drawing as it is in its file, ``(105, 105)`` uint8."""
    with reading(f"{part.place}: {name}", "a drawing"):
        image = decode(BytesIO(part.read(name)))[..., 0]
    if image.shape != (SIDE, SIDE):
        raise DataError(
            f"{part.place}: {name} is an image of {image.shape[1]} x {image.shape[0]} pixels, and "
            f"OMNIGLOT's have {SIDE} x {SIDE}; copy it again"
        )
    return image


def _resized(image: np.ndarray, side: int) -> np.ndarray:
    """Return a square image with each pixel the mean over the area that it covers."""
    from PIL import Image

    if side == SIDE:
        return image
    return np.asarray(Image.fromarray(image).resize((side, side), Image.Resampling.BOX))


SOURCES = selection_sources(_SELECTIONS, "omniglot", load, find)
