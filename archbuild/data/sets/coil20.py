"""COIL20: 20 objects on a turntable, 72 views of each, in grey.

Two versions go round: the processed images of Columbia University, 128 x 128, as a PNG archive or
as arrays made from it, and a MATLAB file of 32 x 32. Which one is read depends on the spec's Input.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from math import isqrt, prod
from pathlib import Path

import numpy as np

from archbuild.data.arrays import dataset_from_arrays
from archbuild.data.dataset import Dataset, Shape
from archbuild.data.formats.arrays.npy import read_npy
from archbuild.data.formats.images.picture import decode
from archbuild.data.formats.matlab.mat import mat_shapes, read_mat
from archbuild.data.formats.zipped import check_members
from archbuild.data.guard import reading
from archbuild.data.request import Arrays, ReadRequest
from archbuild.data.source import DatasetSource, first_file, search_folders
from archbuild.errors import DataError

N_IMAGES = 1440
_IMAGE_NAME = re.compile(r"obj(\d{1,3})__(\d{1,3})\.png$", re.ASCII)
_MAT_NAMES = ("COIL20.mat", "coil20.mat")
_ARCHIVE_NAMES = ("coil-20-proc.zip",)
_IMAGE_FOLDERS = ("coil-20-proc",)
_NPY_NAMES = ("COIL20.npy", "coil20.npy", "coil_X.npy")
_LABEL_NAMES = ("COIL20_labels.npy", "coil20_labels.npy", "coil_y.npy")
_HOW = (
    "COIL20.mat (32 x 32), coil-20-proc.zip or its folder of PNG images (128 x 128), or COIL20.npy "
    "with COIL20_labels.npy"
)


@dataclass(frozen=True)
class _Version:
    """One form of the dataset that is there: its path, its shape as in specs, and its reader."""

    path: Path
    shape: Shape
    read: Callable[[], Arrays]


def load(data: Path, input_shape: Shape | None = None) -> Dataset:
    """Load grey images ``(1440, 32, 32, 1)`` or ``(1440, 128, 128, 1)``, as the Input takes.

    Raises:
        DataError: nothing is there, the version that the Input takes is not, or files are damaged.
    """
    version = _choose(list(_versions(data)), data, input_shape)
    values, labels, *_ = version.read()
    if len(values) != N_IMAGES:
        raise DataError(
            f"{version.path} has {len(values)} images, and COIL20 has {N_IMAGES}; copy it again"
        )
    return dataset_from_arrays(
        "COIL20",
        values,
        labels,
        input_shape=version.shape,
        arch_stem="coil20",
        source=str(version.path),
    )


def find(data: Path) -> tuple[bool, str]:
    """Return whether a version is in the data folder, and which ones, or what to do."""
    try:
        versions = list(_versions(data))
    except DataError as error:
        return False, str(error)
    if not versions:
        return False, f"not in {data / 'COIL20'}; put there {_HOW}"
    return True, ", ".join(f"{each.path} ({_size(each.shape)})" for each in versions)


def _choose(versions: list[_Version], data: Path, input_shape: Shape | None) -> _Version:
    if not versions:
        raise DataError(f"COIL20 is {find(data)[1]}")
    wanted = input_shape or versions[0].shape
    flat = len(wanted) == 1
    for version in versions:
        if version.shape == wanted or (flat and prod(version.shape) == wanted[0]):
            return version
    there = ", ".join(f"{_size(each.shape)} ({each.path})" for each in versions)
    raise DataError(
        f"the spec's Input takes {list(wanted)}, and COIL20 is there in {there} only; put the "
        f"other version into {data / 'COIL20'} ({_HOW}), or choose an arch made for the size that "
        f"is there, with output_shape: {list(versions[0].shape)} (archbuild list archs)"
    )


def _size(shape: Shape) -> str:
    return f"{shape[1]} x {shape[2]}"


def _versions(data: Path) -> Iterator[_Version]:
    """Return every version in the data folder; only headers are read."""
    folders = search_folders(data, "COIL20")
    for names, describe in (
        (_MAT_NAMES, _mat_version),
        (_ARCHIVE_NAMES, _archive_version),
        (_NPY_NAMES, _npy_version),
    ):
        path = first_file(folders, names)
        if path:
            yield describe(path)
    for folder in (*folders, *(each / name for each in folders for name in _IMAGE_FOLDERS)):
        if (folder / "obj1__0.png").is_file():
            yield _folder_version(folder)
            return


def _mat_version(path: Path) -> _Version:
    _, n_pixels = mat_shapes(path).get("X", (0, 0))[:2]
    side = isqrt(n_pixels)
    if side * side != n_pixels or side == 0:
        raise DataError(
            f"{path} has no variable X of {N_IMAGES} square images in rows; copy the file again"
        )
    return _Version(path, (1, side, side), partial(_read_mat, path, side))


def _read_mat(path: Path, side: int) -> Arrays:
    values, labels, *_ = read_mat(ReadRequest(path))
    # MATLAB stores columns one after the other: read as rows, the objects would lie on their side
    upright = values.reshape(-1, side, side).swapaxes(1, 2)
    return Arrays(np.ascontiguousarray(upright), labels)


def _npy_version(path: Path) -> _Version:
    values = read_npy(ReadRequest(path)).values
    if values.ndim == 4 and values.shape[1] == 1:
        values = values[:, 0]
    values = values[..., 0] if values.ndim == 4 else values
    if values.ndim != 3:
        raise DataError(
            f"{path} holds an array of shape {values.shape}; expected ({N_IMAGES}, height, width)"
        )
    labels = first_file([path.parent], _LABEL_NAMES)
    return _Version(path, (1, *values.shape[1:]), partial(_read_npy, values, labels))


def _read_npy(values: np.ndarray, labels: Path | None) -> Arrays:
    return Arrays(values, None if labels is None else read_npy(ReadRequest(labels)).values)


def _archive_version(path: Path) -> _Version:
    with reading(path, "a zip archive"), zipfile.ZipFile(path) as archive:
        check_members(archive, path)
        objects = _in_order(archive.namelist())
        if not objects:
            raise DataError(f"{path} has no images named as obj1__0.png; copy it again")
        first = _decode(BytesIO(archive.read(next(iter(objects)))), path)
    return _Version(path, (1, *first.shape[:2]), partial(_read_archive, path, objects))


def _read_archive(path: Path, objects: dict[str, int]) -> Arrays:
    with reading(path, "a zip archive"), zipfile.ZipFile(path) as archive:
        images = [_decode(BytesIO(archive.read(name)), path) for name in objects]
    return _stack(images, objects, path)


def _folder_version(folder: Path) -> _Version:
    objects = _in_order(path.name for path in folder.iterdir())
    first = _decode(folder / "obj1__0.png", folder)
    return _Version(folder, (1, *first.shape[:2]), partial(_read_folder, folder, objects))


def _read_folder(folder: Path, objects: dict[str, int]) -> Arrays:
    images = [_decode(folder / name, folder / name) for name in objects]
    return _stack(images, objects, folder)


def _in_order(names: Iterable[str]) -> dict[str, int]:
    """Return the names of views, by object and by angle, each with its object's number."""
    matches = {name: _IMAGE_NAME.search(name) for name in names}
    keys = {name: (int(match[1]), int(match[2])) for name, match in matches.items() if match}
    return {name: keys[name][0] for name in sorted(keys, key=keys.__getitem__)}


def _decode(source: Path | BytesIO, path: Path) -> np.ndarray:
    with reading(f"an image in {path}", "an image of COIL20"):
        return decode(source)


def _stack(images: list[np.ndarray], objects: dict[str, int], path: Path) -> Arrays:
    if len({image.shape for image in images}) > 1:
        raise DataError(
            f"the images in {path} differ in size; COIL20's processed images (coil-20-proc) do not"
        )
    return Arrays(np.stack(images), list(objects.values()))


SOURCE = DatasetSource(
    name="COIL20",
    summary="1,440 views of 20 objects, 32 x 32 or 128 x 128, grey",
    arch_stem="coil20",
    load=load,
    find=find,
)
