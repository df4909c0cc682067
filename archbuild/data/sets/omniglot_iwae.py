"""OMNIGLOT-IWAE: OMNIGLOT as the file ``chardata.mat`` of Burda et al. (2016) has it, 28 x 28.

The images by which papers compare likelihoods: grey from 0 to 1, ink 1, meant to be binarised
(``binarise: sample``). OMNIGLOT-IWAE-TRAIN and -TEST are the split of that file, 24,345 and 8,070
drawings of the same 1,623 characters, which are the classes; OMNIGLOT-IWAE is both.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from archbuild.data.dataset import Dataset, Shape
from archbuild.data.formats.matlab.mat import read_variables
from archbuild.data.labels import encode_labels
from archbuild.data.source import PartSelection, first_file, search_folders, selection_sources
from archbuild.errors import DataError

N_IMAGES = {"train": 24_345, "test": 8_070}
_FILE = "chardata.mat"
_FOLDER = "OMNIGLOT"
_SIDE = 28
_N_ALPHABETS = 50
_PREFIX = {"train": "", "test": "test"}
_KEYS = ("data", "target", "targetchar")


_SELECTIONS = (
    PartSelection(
        "OMNIGLOT-IWAE",
        "32,415 drawings of OMNIGLOT in the file that papers share, grey, 28 x 28",
        ["train", "test"],
    ),
    PartSelection(
        "OMNIGLOT-IWAE-TRAIN",
        "the 24,345 training drawings of OMNIGLOT-IWAE",
        ["train"],
        held_out="OMNIGLOT-IWAE-TEST",
    ),
    PartSelection("OMNIGLOT-IWAE-TEST", "the 8,070 test drawings of OMNIGLOT-IWAE", ["test"]),
)


def load(selection: PartSelection, data: Path, input_shape: Shape | None = None) -> Dataset:
    """Return drawings ``(n, 28, 28, 1)`` float32, from 0 to 1.

    Every selection has the classes of the whole file.

    Raises:
        DataError: the file is missing, damaged or another one.
    """
    path = _path(data)
    if path is None:
        raise DataError(f"{selection.name} is {find(selection, data)[1]}")
    arrays = read_variables(path, [f"{_PREFIX[part]}{key}" for part in N_IMAGES for key in _KEYS])
    characters = {part: _characters(part, arrays, path) for part in N_IMAGES}
    everyone = [name for part in N_IMAGES for name in characters[part]]
    labels, names = encode_labels(everyone, len(everyone), str(path))
    rows = dict(zip(N_IMAGES, np.split(labels, [N_IMAGES["train"]]), strict=True))
    return Dataset(
        name=selection.name,
        values=np.concatenate([_images(part, arrays, path) for part in selection.parts]),
        labels=np.concatenate([rows[part] for part in selection.parts]),
        class_names=names,
        arch_stem="omniglot",
        source=str(path),
    )


def find(selection: PartSelection, data: Path) -> tuple[bool, str]:
    """Return whether the file is in the data folder, and where, or what to do."""
    path = _path(data)
    if path is not None:
        return True, str(path)
    return False, f"not in {data / _FOLDER}; put the {_FILE} of github.com/yburda/iwae there"


def _path(data: Path) -> Path | None:
    return first_file(search_folders(data, _FOLDER), [_FILE])


def _images(part: str, arrays: Mapping[str, Any], path: Path) -> np.ndarray:
    """Return the drawings of a part, upright: each column of the array has one, as MATLAB does."""
    name, n_images = f"{_PREFIX[part]}data", N_IMAGES[part]
    columns = _array(name, (_SIDE**2, n_images), arrays, path).astype(np.float32)
    if columns.min() < 0 or columns.max() > 1:
        raise _other(path, f"'{name}' has values from {columns.min():g} to {columns.max():g}")
    upright = columns.T.reshape(n_images, _SIDE, _SIDE).swapaxes(1, 2)
    return np.ascontiguousarray(upright)[..., np.newaxis]


def _characters(part: str, arrays: Mapping[str, Any], path: Path) -> list[str]:
    """Return the character of each drawing: its alphabet's number, and its own there."""
    prefix, n_images = _PREFIX[part], N_IMAGES[part]
    alphabets = _array(f"{prefix}target", (_N_ALPHABETS, n_images), arrays, path).argmax(axis=0)
    numbers = _array(f"{prefix}targetchar", (1, n_images), arrays, path)[0].astype(int)
    pairs = zip(alphabets.tolist(), numbers.tolist(), strict=True)
    return [f"alphabet {1 + alphabet:02}, character {number:02}" for alphabet, number in pairs]


def _array(name: str, shape: tuple[int, ...], arrays: Mapping[str, Any], path: Path) -> np.ndarray:
    found = np.asarray(arrays[name])
    if found.shape != shape or found.dtype.kind not in "biuf":
        raise _other(path, f"'{name}' has shape {found.shape}, and {shape} was expected")
    return found


def _other(path: Path, what: str) -> DataError:
    return DataError(f"{path}: {what}; this is another file, or damaged: download it again")


SOURCES = selection_sources(_SELECTIONS, "omniglot", load, find)
