"""SVHN: digits cut out of photographs of house numbers (Netzer et al., 2011), 32 x 32, in colour.

SVHN is the training and the test images. SVHN-TRAIN is the training images and, where their file is
there, the 531,131 easier ones of ``extra_32x32.mat``, as GMVAE was trained on them; SVHN-TEST is
the test images, which it was scored on.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from archbuild.data.dataset import Dataset, Shape
from archbuild.data.formats.matlab.mat import read_mat
from archbuild.data.request import ReadRequest
from archbuild.data.source import first_file, search_folders, selection_sources
from archbuild.errors import DataError

N_IMAGES = {"train": 73_257, "extra": 531_131, "test": 26_032}
_ROW = (32, 32, 3)
_N_CLASSES = 10


class _Selection(NamedTuple):
    """A name, the files that it needs, and those that it takes as well where they are there."""

    name: str
    summary: str
    needed: Sequence[str]
    welcome: Sequence[str] = ()
    held_out: str | None = None


_SELECTIONS = (
    _Selection(
        "SVHN",
        "99,289 digits of house numbers, 32 x 32, colour, 10 classes",
        ["train", "test"],
    ),
    _Selection(
        "SVHN-TRAIN",
        "the 73,257 training images of SVHN, and the 531,131 extra ones if there",
        ["train"],
        ["extra"],
        held_out="SVHN-TEST",
    ),
    _Selection("SVHN-TEST", "the 26,032 test images of SVHN", ["test"]),
)


def load(selection: _Selection, data: Path, input_shape: Shape | None = None) -> Dataset:
    """Return the selection as ``(n, 32, 32, 3)`` uint8, file by file; ``source`` names them.

    Raises:
        DataError: a file is missing, damaged or not the one that its name says.
    """
    if _missing(selection.needed, data):
        raise DataError(f"{selection.name} is {find(selection, data)[1]}")
    halves = [_read(part, path) for part, path in _files(selection, data).items()]
    return Dataset(
        name=selection.name,
        values=np.concatenate([images for images, _ in halves]),
        labels=np.concatenate([labels for _, labels in halves]),
        class_names=tuple("0123456789"),
        scale=1 / 255,
        arch_stem="svhn",
        source=_described(selection, data),
    )


def find(selection: _Selection, data: Path) -> tuple[bool, str]:
    """Return whether the files are in the data folder, and which ones, or what to do."""
    missing = _missing(selection.needed, data)
    if not missing:
        return True, _described(selection, data)
    names = " and ".join(_name(part) for part in missing)
    return False, (
        f"not in {data / 'SVHN'}; put {names} there (format 2, cropped digits, of "
        "ufldl.stanford.edu/housenumbers)"
    )


def _name(part: str) -> str:
    return f"{part}_32x32.mat"


def _path(part: str, data: Path) -> Path | None:
    return first_file(search_folders(data, "SVHN"), [_name(part)])


def _files(selection: _Selection, data: Path) -> dict[str, Path]:
    paths = {part: _path(part, data) for part in (*selection.needed, *selection.welcome)}
    return {part: path for part, path in paths.items() if path is not None}


def _missing(parts: Sequence[str], data: Path) -> list[str]:
    return [part for part in parts if _path(part, data) is None]


def _described(selection: _Selection, data: Path) -> str:
    there = ", ".join(str(path) for path in _files(selection, data).values())
    absent = ", ".join(_name(part) for part in _missing(selection.welcome, data))
    return f"{there}, without {absent}" if absent else there


def _read(part: str, path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return the images ``(n, 32, 32, 3)`` uint8 and their digits ``(n,)`` int64."""
    images, labels, *_ = read_mat(ReadRequest(path))
    count = N_IMAGES[part]
    if np.size(labels) != count or images.shape != (count, *_ROW) or images.dtype != np.uint8:
        raise DataError(
            f"{path} has images X of shape {images.shape} and type {images.dtype}, and labels y of "
            f"shape {np.shape(labels)}; expected {(*_ROW, count)}, uint8, and {(count, 1)}, so "
            "download it again"
        )
    classes = np.asarray(labels).reshape(-1)
    if classes.min() < 1 or classes.max() > _N_CLASSES:
        raise DataError(
            f"{path} has labels from {classes.min()} to {classes.max()}, and SVHN's go from 1 to "
            f"{_N_CLASSES}, which stands for the digit 0; download it again"
        )
    return images, classes.astype(np.int64) % _N_CLASSES


SOURCES = selection_sources(_SELECTIONS, "svhn", load, find)
