"""MNIST and two selections of it.

MNIST is all 70,000 images, the training files first. MNIST-60K is what the TUM project clustered:
the first 50,000 training images and the 10,000 test images, without the 10,000 that the pickled
version of its time set aside for validation. MNIST-TEST is the 10,000 test images.
"""

from __future__ import annotations

import contextlib
import logging
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np

from archbuild.data.dataset import Dataset, Shape
from archbuild.data.idx import read_idx
from archbuild.data.npz import read_arrays
from archbuild.data.source import DatasetSource, first_file, search_folders
from archbuild.errors import DataError

SIZES = {"train": 60_000, "test": 10_000}
_PREFIXES = {"train": "train", "test": "t10k"}
_VALIDATION_STARTS = 50_000

_log = logging.getLogger(__name__)


class _Selection(NamedTuple):
    """A name and the rows of each half that belong to it."""

    name: str
    summary: str
    rows: dict[str, slice]


class _Half(NamedTuple):
    images: np.ndarray
    labels: np.ndarray


_SELECTIONS = (
    _Selection(
        "MNIST",
        "70,000 handwritten digits, 28 x 28, 10 classes; downloaded where not found",
        {"train": slice(None), "test": slice(None)},
    ),
    _Selection(
        "MNIST-60K",
        "the 60,000 images of MNIST that the TUM project clustered",
        {"train": slice(_VALIDATION_STARTS), "test": slice(None)},
    ),
    _Selection("MNIST-TEST", "the 10,000 test images of MNIST", {"test": slice(None)}),
)


def load(selection: _Selection, data: Path, input_shape: Shape | None = None) -> Dataset:
    """The selection as ``(n, 28, 28, 1)`` uint8, from IDX files, ``mnist.npz`` or a download.

    Raises:
        DataError: files are missing or damaged, or the download failed.
    """
    halves, source = _read(data, list(selection.rows))
    rows = selection.rows
    images = np.concatenate([halves[half].images[rows[half]] for half in rows])
    labels = np.concatenate([halves[half].labels[rows[half]] for half in rows])
    return Dataset(
        name=selection.name,
        values=images[..., np.newaxis],
        labels=labels.astype(np.int64),
        class_names=tuple("0123456789"),
        scale=1 / 255,
        arch_stem="mnist",
        source=source,
    )


def find(selection: _Selection, data: Path) -> tuple[bool, str]:
    """Whether the files are in the data folder, and where, or what to do."""
    for folder in _folders(data):
        if any(_idx_files(folder, half) for half in selection.rows):
            missing = _missing(folder, list(selection.rows))
            return not missing, f"{folder}, without {', '.join(missing)}" if missing else str(
                folder
            )
    archive = first_file(_folders(data), ["mnist.npz"])
    if archive:
        return True, str(archive)
    return False, (
        f"not in {data / 'MNIST'}; put the IDX files or mnist.npz there, or let the first run "
        "download it (11 MB)"
    )


def _folders(data: Path) -> list[Path]:
    return search_folders(data, "MNIST", inside=["raw"])


def _read(data: Path, names: list[str]) -> tuple[dict[str, _Half], str]:
    """The halves by name, and where they came from."""
    for folder in _folders(data):
        if any(_idx_files(folder, half) for half in names):
            return {half: _read_idx_half(folder, half, names) for half in names}, str(folder)
    archive = first_file(_folders(data), ["mnist.npz"])
    if archive:
        return _read_archive(archive, names), str(archive)
    return _download(data), "the download of keras.datasets.mnist"


def _read_archive(archive: Path, names: list[str]) -> dict[str, _Half]:
    keys = [f"{axis}_{half}" for half in names for axis in "xy"]
    arrays = read_arrays(archive, keys)
    return {
        half: _checked(arrays[f"x_{half}"], arrays[f"y_{half}"], half, str(archive))
        for half in names
    }


def _read_idx_half(folder: Path, half: str, names: list[str]) -> _Half:
    missing = _missing(folder, names)
    if missing:
        raise DataError(
            f"{folder} has some of MNIST's files but not {', '.join(missing)}; put them beside the "
            "others, gzipped or not"
        )
    files = _idx_files(folder, half)
    return _checked(
        read_idx(files["images"], 3), read_idx(files["labels"], 1), half, str(files["images"])
    )


def _checked(images: np.ndarray, labels: np.ndarray, half: str, source: str) -> _Half:
    if len(images) != len(labels):
        raise DataError(
            f"{source} has {len(images)} images, and {len(labels)} labels come with it; the files "
            "do not belong together, so download both again"
        )
    if len(images) != SIZES[half] or images.ndim != 3:
        raise DataError(
            f"{source} has an array of shape {images.shape}, and MNIST's {half} half has "
            f"{SIZES[half]} images; download it again, or give your own data by their path"
        )
    if labels.max() > 9:
        raise DataError(f"{source}: a label is {labels.max()}, and MNIST's go from 0 to 9")
    return _Half(images, labels)


def _idx_names(half: str, kind: str) -> Sequence[str]:
    """The names under which the file goes round."""
    axes = {"images": 3, "labels": 1}[kind]
    stem = f"{_PREFIXES[half]}-{kind}"
    return [f"{stem}{joint}idx{axes}-ubyte{end}" for joint in "-." for end in ("", ".gz")]


def _idx_files(folder: Path, half: str) -> dict[str, Path]:
    found = {kind: first_file([folder], _idx_names(half, kind)) for kind in ("images", "labels")}
    return {kind: path for kind, path in found.items() if path is not None}


def _missing(folder: Path, names: Sequence[str]) -> list[str]:
    return [
        _idx_names(half, kind)[0]
        for half in names
        for kind in ("images", "labels")
        if kind not in _idx_files(folder, half)
    ]


def _download(data: Path) -> dict[str, _Half]:
    import keras

    places = " and ".join(str(folder) for folder in (data / "MNIST", data))
    _log.warning("MNIST is not in %s; taking Keras's copy, a download of 11 MB", places)
    try:
        # Keras draws its progress bar on stdout, which belongs to results
        with contextlib.redirect_stdout(sys.stderr):
            halves = dict(zip(SIZES, keras.datasets.mnist.load_data(), strict=True))
    except Exception as error:  # Keras raises bare Exception for a failed or altered download
        raise DataError(
            f"MNIST is not in {places}, and its download failed ({error}); put the four IDX files "
            f"or mnist.npz into {data / 'MNIST'}, or name the folder that has them with --data-dir"
        ) from error
    return {
        half: _checked(images, labels, half, "Keras's copy of MNIST")
        for half, (images, labels) in halves.items()
    }


SOURCES = tuple(
    DatasetSource(
        name=selection.name,
        summary=selection.summary,
        arch_stem="mnist",
        load=partial(load, selection),
        find=partial(find, selection),
    )
    for selection in _SELECTIONS
)
