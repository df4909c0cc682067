"""BINARIZED_MNIST: MNIST with each pixel drawn once, black or white, and kept (Larochelle, 2008).

The 28 x 28 images on which likelihoods in nats are compared, after Salakhutdinov and Murray (2008),
in three files of text without labels. BINARIZED_MNIST is all 70,000 images, and -TRAIN, -VALID and
-TEST are its files. -60K is what is not in -TEST, on which most published models were trained once
their settings were chosen on -VALID.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from archbuild.data.dataset import Dataset, Shape
from archbuild.data.formats.packed import unpacked
from archbuild.data.source import PartSelection, first_file, search_folders, selection_sources
from archbuild.errors import DataError

N_IMAGES = {"train": 50_000, "valid": 10_000, "test": 10_000}
_FOLDER = "BINARIZED_MNIST"
_SIDE = 28
_N_PIXELS = _SIDE**2
_BLANKS = b" \t\r\n"


_TEST = f"{_FOLDER}-TEST"
_SELECTIONS = (
    PartSelection(
        _FOLDER,
        "70,000 digits of MNIST in black and white, 28 x 28, without labels",
        ["train", "valid", "test"],
    ),
    PartSelection(
        f"{_FOLDER}-60K",
        f"the 60,000 images of {_FOLDER} that are not in its test part",
        ["train", "valid"],
        held_out=_TEST,
    ),
    PartSelection(
        f"{_FOLDER}-TRAIN",
        f"the 50,000 training images of {_FOLDER}",
        ["train"],
        held_out=_TEST,
    ),
    PartSelection(f"{_FOLDER}-VALID", f"the 10,000 validation images of {_FOLDER}", ["valid"]),
    PartSelection(_TEST, f"the 10,000 test images of {_FOLDER}", ["test"]),
)


def load(selection: PartSelection, data: Path, input_shape: Shape | None = None) -> Dataset:
    """Return the selection as ``(n, 28, 28, 1)`` uint8 of 0 and 1, file by file, without labels.

    Raises:
        DataError: a file is missing, damaged or not the one that its name says.
    """
    found, where = find(selection, data)
    if not found:
        raise DataError(f"{selection.name} is {where}")
    images = [_read(part, path) for part, path in _files(selection, data).items()]
    return Dataset(
        name=selection.name,
        values=np.concatenate(images),
        arch_stem="mnist",
        source=where,
    )


def find(selection: PartSelection, data: Path) -> tuple[bool, str]:
    """Return whether the files are in the data folder, and which ones, or what to do."""
    files = _files(selection, data)
    missing = [part for part in selection.parts if part not in files]
    if not missing:
        return True, ", ".join(str(path) for path in files.values())
    names = " and ".join(_names(part)[0] for part in missing)
    return False, f"not in {data / _FOLDER}; put {names} there, gzipped or not"


def _names(part: str) -> Sequence[str]:
    name = f"binarized_mnist_{part}.amat"
    return [name, f"{name}.gz"]


def _files(selection: PartSelection, data: Path) -> dict[str, Path]:
    folders = search_folders(data, _FOLDER)
    paths = {part: first_file(folders, _names(part)) for part in selection.parts}
    return {part: path for part, path in paths.items() if path is not None}


def _read(part: str, path: Path) -> np.ndarray:
    """Return the images of one file, ``(n, 28, 28, 1)`` uint8."""
    images = np.empty((N_IMAGES[part], _N_PIXELS), np.uint8)
    n_lines = 0
    with unpacked(path) as lines:
        for line in lines:
            if n_lines < len(images):
                images[n_lines] = _pixels(line, n_lines + 1, path)
            n_lines += 1
    if n_lines != len(images):
        raise DataError(
            f"{path} has {n_lines} lines, and the {part} part has {len(images)} images, one a line;"
            " download it again"
        )
    return images.reshape(-1, _SIDE, _SIDE, 1)


def _pixels(line: bytes, number: int, path: Path) -> np.ndarray:
    """Return the pixels of one line, ``(784,)`` uint8."""
    digits = line.translate(None, _BLANKS)
    apart = len(line.rstrip()) - len(digits) >= _N_PIXELS - 1
    if len(digits) != _N_PIXELS or digits.translate(None, b"01") or not apart:
        raise DataError(
            f"{path}, line {number}: expected {_N_PIXELS} values, each 0 or 1, with blanks between "
            f"them, and it begins with {line[:20]!r}; download it again"
        )
    return np.frombuffer(digits, np.uint8) - ord("0")


SOURCES = selection_sources(_SELECTIONS, "mnist", load, find)
