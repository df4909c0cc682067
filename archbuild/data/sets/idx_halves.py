"""Datasets in the files of MNIST: two halves, each of images and labels, in IDX or as arrays.

Fashion-MNIST was made to take MNIST's place, so its files have the same names. They differ by the
folder and, should they lie in the wrong one, by the number of images of each class.
"""

from __future__ import annotations

import contextlib
import logging
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from archbuild.data.dataset import Dataset, Shape
from archbuild.data.formats.arrays.idx import read_idx
from archbuild.data.formats.arrays.npz import read_arrays
from archbuild.data.source import DatasetSource, first_file, selection_sources
from archbuild.errors import DataError

TRAIN: Final[Mapping[str, slice]] = {"train": slice(None)}
TEST: Final[Mapping[str, slice]] = {"test": slice(None)}
"""All rows of one half, for a ``Selection``."""

_PREFIXES = {"train": "train", "test": "t10k"}

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Family:
    """The names and shapes that distinguish one dataset in these files from another.

    Attributes:
        title: its name in messages.
        arch_stem: the stem of the spec files made for it.
        class_names: what the labels ``0..C-1`` stand for.
        class_sizes: images of each class, for the half ``train`` and the half ``test``.
        folders: where its IDX files may lie in the data folder; the first is where users are told
            to put them. A subfolder ``raw`` is looked into as well.
        archives: names of the ``.npz`` with ``x_train``, ``y_train``, ``x_test`` and ``y_test``,
            looked for in the same folders and in the data folder.
        keras_name: the module of ``keras.datasets`` that downloads it.
        megabytes: the size of that download.
    """

    title: str
    arch_stem: str
    class_names: tuple[str, ...]
    class_sizes: Mapping[str, tuple[int, ...]]
    folders: tuple[str, ...]
    archives: tuple[str, ...]
    keras_name: str
    megabytes: int


class Selection(NamedTuple):
    """A name, its rows of each half, and the name of the dataset with the rows left out."""

    name: str
    summary: str
    rows: Mapping[str, slice]
    held_out: str | None = None


class _Half(NamedTuple):
    images: np.ndarray
    labels: np.ndarray


def sources(family: Family, selections: Iterable[Selection]) -> tuple[DatasetSource, ...]:
    """Return the entries of the registry for a family's selections."""
    return selection_sources(
        selections, family.arch_stem, partial(load, family), partial(find, family)
    )


def load(
    family: Family, selection: Selection, data: Path, input_shape: Shape | None = None
) -> Dataset:
    """Return the selection as ``(n, 28, 28, 1)`` uint8, from IDX files, archive or download.

    Raises:
        DataError: files are missing, damaged or another dataset's, or the download failed.
    """
    rows = selection.rows
    halves, source = _read(family, data, list(rows))
    images = np.concatenate([halves[half].images[rows[half]] for half in rows])
    labels = np.concatenate([halves[half].labels[rows[half]] for half in rows])
    return Dataset(
        name=selection.name,
        values=images[..., np.newaxis],
        labels=labels.astype(np.int64),
        class_names=family.class_names,
        scale=1 / 255,
        arch_stem=family.arch_stem,
        source=source,
    )


def find(family: Family, selection: Selection, data: Path) -> tuple[bool, str]:
    """Return whether the files are in the data folder, and where, or what to do."""
    halves = list(selection.rows)
    folder = _idx_folder(family, data, halves)
    if folder:
        missing = _missing(folder, halves)
        return not missing, f"{folder}, without {', '.join(missing)}" if missing else str(folder)
    archive = _archive(family, data)
    if archive:
        return True, str(archive)
    return False, (
        f"not in {_home(family, data)}; put the IDX files or {family.archives[0]} there, or let "
        f"the first run download it ({family.megabytes} MB)"
    )


def _home(family: Family, data: Path) -> Path:
    return data / family.folders[0]


def _folders(family: Family, data: Path) -> list[Path]:
    return [folder for name in family.folders for folder in (data / name, data / name / "raw")]


def _idx_folder(family: Family, data: Path, halves: Sequence[str]) -> Path | None:
    """Return the first folder with any of the halves' files."""
    folders = _folders(family, data)
    return next((each for each in folders if any(_idx_files(each, half) for half in halves)), None)


def _archive(family: Family, data: Path) -> Path | None:
    return first_file([*_folders(family, data), data], family.archives)


def _read(family: Family, data: Path, names: list[str]) -> tuple[dict[str, _Half], str]:
    """Return the halves by name, checked, and where they came from."""
    halves, source = _read_unchecked(family, data, names)
    for name in names:
        _check(family, name, halves[name], source)
    return halves, source


def _read_unchecked(family: Family, data: Path, names: list[str]) -> tuple[dict[str, _Half], str]:
    folder = _idx_folder(family, data, names)
    if folder:
        _check_complete(family, folder, names)
        return {half: _read_idx_half(folder, half) for half in names}, str(folder)
    archive = _archive(family, data)
    if archive:
        return _read_archive(archive, names), str(archive)
    return _download(family, data), f"the download of keras.datasets.{family.keras_name}"


def _read_archive(archive: Path, names: list[str]) -> dict[str, _Half]:
    arrays = read_arrays(archive, [f"{axis}_{half}" for half in names for axis in "xy"])
    return {half: _Half(arrays[f"x_{half}"], arrays[f"y_{half}"]) for half in names}


def _read_idx_half(folder: Path, half: str) -> _Half:
    files = _idx_files(folder, half)
    return _Half(read_idx(files["images"], 3), read_idx(files["labels"], 1))


def _check_complete(family: Family, folder: Path, names: list[str]) -> None:
    missing = _missing(folder, names)
    if missing:
        raise DataError(
            f"{folder} has some of {family.title}'s files but not {', '.join(missing)}; put them "
            "beside the others, gzipped or not"
        )


def _check(family: Family, name: str, half: _Half, source: str) -> None:
    images, labels = half
    sizes = family.class_sizes[name]
    if len(images) != len(labels):
        raise DataError(
            f"{source} has {len(images)} images in its {name} half, and {len(labels)} labels come "
            "with them; the files do not belong together, so download both again"
        )
    if len(images) != sum(sizes) or images.ndim != 3:
        raise DataError(
            f"{source} has a {name} half of shape {images.shape}, and {family.title}'s {name} half "
            f"has {sum(sizes)} images; download it again, or give your own data by their path"
        )
    if labels.max() >= len(sizes):
        raise DataError(
            f"{source}: a label is {labels.max()}, and {family.title}'s go from 0 to "
            f"{len(sizes) - 1}; download the labels again"
        )
    _check_class_sizes(family, name, labels, source)


def _check_class_sizes(family: Family, name: str, labels: np.ndarray, source: str) -> None:
    expected = family.class_sizes[name]
    came = tuple(np.bincount(labels, minlength=len(expected)).tolist())
    if came != expected:
        raise DataError(
            f"{source} has {list(came)} images of the classes in its {name} half, and "
            f"{family.title} has {list(expected)}: these are the files of another dataset, since "
            "those of MNIST and of Fashion-MNIST go by the same names; put each into its own folder"
        )


def _idx_names(half: str, kind: str) -> Sequence[str]:
    """Return the names under which the file goes round."""
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


def _download(family: Family, data: Path) -> dict[str, _Half]:
    import keras

    places = f"{_home(family, data)} and {data}"
    _log.warning(
        "%s is not in %s; taking Keras's copy, a download of %d MB",
        family.title,
        places,
        family.megabytes,
    )
    try:
        # Keras draws its progress bar on stdout, which belongs to results
        with contextlib.redirect_stdout(sys.stderr):
            halves = getattr(keras.datasets, family.keras_name).load_data()
    except Exception as error:  # Keras raises bare Exception for a failed or altered download
        raise DataError(
            f"{family.title} is not in {places}, and its download failed ({error}); put the four "
            f"IDX files or {family.archives[0]} into {_home(family, data)}, or name the folder "
            "that has them with --data-dir"
        ) from error
    return {half: _Half(*arrays) for half, arrays in zip(_PREFIXES, halves, strict=True)}
