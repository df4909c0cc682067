"""NORB: the small NORB dataset, toys before a plain background seen by two cameras (LeCun, 2004).

50 toys of 5 categories, at 9 elevations and 18 azimuths under 6 lights. A row is the pair of views,
two channels of 96 x 96 in grey; it is named by its category, toy, elevation, azimuth and light
where the file that has them is there. NORB-TRAIN has 5 toys of each category, NORB-TEST the other
5, and NORB is both. For an Input of 48 or 32 pixels a side, of every 2 or 3 pixels along each axis
the one in the middle is taken (nearest neighbour), as SDGM's authors do (Maaløe et al., 2016).
"""

from __future__ import annotations

from math import isqrt
from pathlib import Path

import numpy as np

from archbuild.data.dataset import Dataset, Shape
from archbuild.data.formats.arrays.binary_matrix import BYTES, INTEGERS, read_matrix, read_rows
from archbuild.data.source import PartSelection, first_file, search_folders, selection_sources
from archbuild.data.spill import release, room_for
from archbuild.errors import DataError

N_PAIRS = 24_300
SIDE = 96
_FACTORS = (1, 2, 3)
_VIEWS = 2
_CATEGORIES = ("animal", "human", "airplane", "truck", "car")
_FACTS = 4  # toy, elevation, azimuth, light
_FOLDER = "NORB"
_STEMS = {
    "train": "smallnorb-5x46789x9x18x6x2x96x96-training",
    "test": "smallnorb-5x01235x9x18x6x2x96x96-testing",
}


_SELECTIONS = (
    PartSelection(
        "NORB",
        "48,600 pairs of views of 50 toys, 96 x 96 or as the Input says, 5 classes",
        ["train", "test"],
    ),
    PartSelection(
        "NORB-TRAIN", "the 24,300 training pairs of NORB", ["train"], held_out="NORB-TEST"
    ),
    PartSelection("NORB-TEST", "the 24,300 test pairs of NORB, of other toys", ["test"]),
)


def load(selection: PartSelection, data: Path, input_shape: Shape | None = None) -> Dataset:
    """Return pairs ``(n, s, s, 2)`` uint8, with the side of the Input, else of 96.

    Raises:
        DataError: a file is missing, damaged or not the one that its name says, or the Input is
            none of the three sizes.
    """
    side = _side(selection, input_shape)
    found, where = find(selection, data)
    if not found:
        raise DataError(f"{selection.name} is {where}")
    n_rows = N_PAIRS * len(selection.parts)
    values = room_for((n_rows, side, side, _VIEWS), np.uint8, selection.name)
    for number, part in enumerate(selection.parts):
        _fill(values[N_PAIRS * number :], _file(part, "dat", data))
    labels = np.concatenate([_labels(_file(part, "cat", data)) for part in selection.parts])
    return Dataset(
        name=selection.name,
        values=values,
        labels=labels,
        class_names=_CATEGORIES,
        scale=1 / 255,
        arch_stem="norb",
        source=where,
        ids=_ids(selection, data, labels),
    )


def find(selection: PartSelection, data: Path) -> tuple[bool, str]:
    """Return whether the files are in the data folder, and which ones, or what to do."""
    wanted = [(part, kind) for part in selection.parts for kind in ("dat", "cat")]
    missing = [of for of in wanted if _path(*of, data) is None]
    if missing:
        names = " and ".join(f"{_STEMS[part]}-{kind}.mat" for part, kind in missing)
        return False, f"not in {data / _FOLDER}; put {names} there, gzipped or not"
    there = ", ".join(str(_path(part, "dat", data)) for part in selection.parts)
    absent = [part for part in selection.parts if _path(part, "info", data) is None]
    names = ", ".join(f"{_STEMS[part]}-info.mat" for part in absent)
    return True, f"{there}, without {names}" if absent else there


def _path(part: str, kind: str, data: Path) -> Path | None:
    name = f"{_STEMS[part]}-{kind}.mat"
    return first_file(search_folders(data, _FOLDER), [name, f"{name}.gz"])


def _file(part: str, kind: str, data: Path) -> Path:
    path = _path(part, kind, data)
    if path is None:  # removed since it was found
        raise DataError(f"{_STEMS[part]}-{kind}.mat is not in {data} any more; put it back")
    return path


def _side(selection: PartSelection, input_shape: Shape | None) -> int:
    """Return the height and width that the Input asks for."""
    sides = [SIDE // factor for factor in _FACTORS]
    if input_shape is None:
        return SIDE
    wanted = tuple(input_shape)
    side = isqrt(wanted[0] // _VIEWS) if len(wanted) == 1 else wanted[-1]
    if side not in sides or wanted not in ((_VIEWS * side**2,), (_VIEWS, side, side)):
        shapes = ", ".join(str([_VIEWS, side, side]) for side in sides)
        raise DataError(
            f"the spec's Input takes {list(wanted)}, and {selection.name} has pairs of views as "
            f"{shapes}; write one of these as its output_shape"
        )
    return side


def _fill(values: np.ndarray, path: Path) -> None:
    """Write the pairs of a file into ``(n, s, s, 2)``."""
    factor = SIDE // values.shape[1]
    taken, start = slice(factor // 2, None, factor), 0
    for pairs in read_rows(path, BYTES, (N_PAIRS, _VIEWS, SIDE, SIDE)):
        small = pairs[:, :, taken, taken]
        values[start : start + len(pairs)] = np.moveaxis(small, 1, -1)
        start += len(pairs)
        release(values)


def _labels(path: Path) -> np.ndarray:
    labels = read_matrix(path, INTEGERS, (N_PAIRS,)).astype(np.int64)
    if labels.min() < 0 or labels.max() >= len(_CATEGORIES):
        raise DataError(
            f"{path} has labels from {labels.min()} to {labels.max()}, and NORB's go from 0 to "
            f"{len(_CATEGORIES) - 1}; download it again"
        )
    return labels


def _ids(selection: PartSelection, data: Path, labels: np.ndarray) -> np.ndarray | None:
    """Return a name of each row such as ``car 3, elevation 45, azimuth 340, light 0``."""
    paths = [_path(part, "info", data) for part in selection.parts]
    facts = [read_matrix(path, INTEGERS, (N_PAIRS, _FACTS)) for path in paths if path is not None]
    if len(facts) < len(paths):
        return None
    rows = zip(labels.tolist(), np.concatenate(facts).tolist(), strict=True)
    return np.array(
        [
            f"{_CATEGORIES[label]} {toy}, elevation {30 + 5 * elevation}, "
            f"azimuth {10 * azimuth}, light {light}"
            for label, (toy, elevation, azimuth, light) in rows
        ]
    )


SOURCES = selection_sources(_SELECTIONS, "norb", load, find)
