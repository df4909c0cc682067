"""HAR: six human activities in windows of a smartphone's signals (Anguita et al., 2013; UCI).

Of UCI's archive these are the nine raw signals, at 50 Hz for 2.56 s, and not the 561 features made
from them: acceleration without and with gravity in g, and angular velocity in rad/s. The spec's
Input chooses between the series and S3VDC's view of them as square images.

Files of the same layout with fewer windows are read too, as the part that they are, which the
dataset says in ``guesses``.
"""

from __future__ import annotations

import warnings
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

import numpy as np

from archbuild.data.arrays import check_finite
from archbuild.data.dataset import Dataset, Shape
from archbuild.data.formats.zipped import check_members
from archbuild.data.guard import reading
from archbuild.data.guess import PART, Guess
from archbuild.data.limits import check_size
from archbuild.data.source import PartSelection, first_file, search_folders, selection_sources
from archbuild.errors import DataError

N_WINDOWS = {"train": 7352, "test": 2947}
_HALVES = {"train": "training", "test": "test"}
_STEPS = 128
_SIGNALS = tuple(
    f"{kind}_{axis}" for kind in ("body_acc", "body_gyro", "total_acc") for axis in "xyz"
)
_ACTIVITIES = (
    "WALKING",
    "WALKING_UPSTAIRS",
    "WALKING_DOWNSTAIRS",
    "SITTING",
    "STANDING",
    "LAYING",
)
_FOLDER = "UCI HAR Dataset"
_INNER_ARCHIVE = f"{_FOLDER}.zip"
_ARCHIVES = (_INNER_ARCHIVE, "human+activity+recognition+using+smartphones.zip")
_PART_FOLDER, _PART_ARCHIVE = "HAR_SUBSET", "UCI-HAR-subset-*.zip"
# zeros before and after the 128 steps make them 144, an image of 12 x 12
_PADDING, _SIDE = 8, 12


class _Files(NamedTuple):
    """UCI's folder, on the disk or in an archive, and its name for the user."""

    root: Path | zipfile.Path
    place: Path


_SELECTIONS = (
    PartSelection(
        "HAR",
        "10,299 windows of 9 smartphone signals, 128 steps, 6 activities",
        ["train", "test"],
    ),
    PartSelection("HAR-TRAIN", "the 7,352 training windows of HAR", ["train"], held_out="HAR-TEST"),
    PartSelection("HAR-TEST", "the 2,947 test windows of HAR, of other people", ["test"]),
)


def load(selection: PartSelection, data: Path, input_shape: Shape | None = None) -> Dataset:
    """Load series ``(n, 128, 9)`` float32, or images ``(n, s, s, 9)`` for an Input ``[9, s, s]``.

    Raises:
        DataError: files are missing, damaged or at odds with each other, or no image of the
            Input's size can be made.
    """
    side = _image_side(input_shape)
    place = _place(data, selection.parts)
    if place is None:
        raise DataError(f"{selection.name} is {find(selection, data)[1]}")
    with _opened(place) as files:
        _check_complete(files, selection.parts)
        labels = {half: _labels(files, half) for half in selection.parts}
        windows = np.concatenate([_windows(files, half, len(labels[half])) for half in labels])
    check_finite(windows, str(place))
    part = _part_in_words(labels)
    return Dataset(
        name=selection.name,
        values=windows if side is None else as_images(windows, side),
        labels=np.concatenate(list(labels.values())),
        class_names=_ACTIVITIES,
        arch_stem="har",
        source=str(place),
        guesses=(Guess(PART, f"{part} of HAR are here"),) if part else (),
    )


def find(selection: PartSelection, data: Path) -> tuple[bool, str]:
    """Return whether the files are in the data folder, and where, or what to do.

    Of a part it is also said how many windows it has.
    """
    try:
        place = _place(data, selection.parts)
        if place is None:
            return False, (
                f"not in {data / 'HAR'}; put there UCI's {_ARCHIVES[1]}, or the folder '{_FOLDER}' "
                "that is in it"
            )
        with _opened(place) as files:
            _check_complete(files, selection.parts)
            part = _part_in_words({half: _labels(files, half) for half in selection.parts})
    except DataError as error:
        return False, str(error)
    return True, f"{place}, with {part}" if part else str(place)


def as_images(windows: np.ndarray, side: int) -> np.ndarray:
    """Lay each signal, with 8 zeros before and after it, out as the 12 rows of an image (S3VDC).

    Args:
        windows: ``(n, 128, 9)`` float32.
        side: the wanted height and width, at least 12; beyond 12 the images are resized bilinearly.

    Returns:
        ``(n, side, side, 9)`` float32.
    """
    n_channels = windows.shape[-1]
    padded = np.pad(windows, ((0, 0), (_PADDING, _PADDING), (0, 0)))
    images = padded.reshape(-1, _SIDE, _SIDE, n_channels)
    if side == _SIDE:
        return images
    check_size(4 * len(images) * side * side * n_channels, f"HAR as images of {side} x {side}")
    weights = _interpolation(_SIDE, side)
    taller = weights @ images.reshape(-1, _SIDE, _SIDE * n_channels)
    wider: np.ndarray = weights @ taller.reshape(-1, side, _SIDE, n_channels)
    return wider


def _interpolation(old: int, new: int) -> np.ndarray:
    """Return ``(new, old)`` float32: the shares of ``old`` pixels in each of ``new`` on a line.

    Pixels are squares with their value in the middle; beyond the outer middles nothing changes.
    """
    middles = (np.arange(new) + 0.5) * (old / new) - 0.5
    shares = [np.interp(middles, np.arange(old), pixel) for pixel in np.eye(old)]
    return np.stack(shares, axis=1).astype(np.float32)


def _image_side(input_shape: Shape | None) -> int | None:
    """Return the side of the images that the Input takes; ``None`` where it takes series."""
    if input_shape is None or len(input_shape) != 3 or input_shape[0] != len(_SIGNALS):
        return None
    _, height, width = input_shape
    if height != width or height < _SIDE:
        raise DataError(
            f"the spec's Input takes {list(input_shape)}, and HAR's images are square with sides "
            f"of {_SIDE} or more; write output_shape: [9, 12, 12] or [9, 28, 28], or [9, 128] for "
            "the series"
        )
    return height


def _place(data: Path, halves: Sequence[str]) -> Path | None:
    """Return the folder with any of the halves' files, else the archive, else that of a part.

    Raises:
        DataError: there are archives of several parts.
    """
    inside = [_FOLDER, _PART_FOLDER, f"{_PART_FOLDER}/{_FOLDER}"]
    folders = search_folders(data, "HAR", inside=inside)
    for folder in folders:
        if len(_missing(folder, halves)) < len(_names(halves)):
            return folder
    return first_file(folders, _ARCHIVES) or _part_archive(folders)


def _part_archive(folders: Sequence[Path]) -> Path | None:
    found = [path for folder in folders for path in sorted(folder.glob(_PART_ARCHIVE))]
    # a folder may be found twice where the system does not tell capitals from small letters
    different = {path.resolve(): path for path in reversed(found)}
    if len(different) > 1:
        names = ", ".join(map(str, found))
        raise DataError(f"there are {len(different)} parts of HAR, {names}; leave one of them")
    return next(iter(different.values()), None)


def _part_in_words(labels: Mapping[str, np.ndarray]) -> str:
    """Return how many windows of each half are here; nothing where all are."""
    if all(len(found) == N_WINDOWS[half] for half, found in labels.items()):
        return ""
    return " and ".join(
        f"{len(found):,} of {N_WINDOWS[half]:,} {_HALVES[half]} windows"
        for half, found in labels.items()
    )


def _names(halves: Sequence[str]) -> list[str]:
    """Return the files of the halves, by their path in UCI's folder."""
    return [
        name
        for half in halves
        for name in (_label_name(half), *(_signal_name(half, signal) for signal in _SIGNALS))
    ]


def _label_name(half: str) -> str:
    return f"{half}/y_{half}.txt"


def _signal_name(half: str, signal: str) -> str:
    return f"{half}/Inertial Signals/{signal}_{half}.txt"


def _missing(root: Path | zipfile.Path, halves: Sequence[str]) -> list[str]:
    return [name for name in _names(halves) if not (root / name).is_file()]


def _check_complete(files: _Files, halves: Sequence[str]) -> None:
    missing = _missing(files.root, halves)
    if missing:
        raise DataError(
            f"{files.place} is without {len(missing)} of the {len(_names(halves))} files of HAR's "
            f"{' and '.join(halves)} windows, '{missing[0]}' for one; unpack or download it again"
        )


@contextmanager
def _opened(place: Path) -> Iterator[_Files]:
    """Yield the files in a folder or archive; report damage to the archive in one sentence."""
    if place.is_dir():
        yield _Files(place, place)
        return
    with (
        reading(place, "a zip archive", "download it again"),
        zipfile.ZipFile(place) as outer,
        _unwrapped(outer, place) as archive,
    ):
        check_members(archive, place)
        yield _Files(zipfile.Path(archive, f"{_FOLDER}/"), place)


def _unwrapped(archive: zipfile.ZipFile, place: Path) -> zipfile.ZipFile:
    """Return the archive inside the archive, as UCI packs it, or the archive itself."""
    if _INNER_ARCHIVE not in archive.namelist():
        return archive
    check_members(archive, place)
    return zipfile.ZipFile(BytesIO(archive.read(_INNER_ARCHIVE)))


def _windows(files: _Files, half: str, n_labels: int) -> np.ndarray:
    """Read the windows of one half, ``(n, 128, 9)`` float32."""
    names = [_signal_name(half, signal) for signal in _SIGNALS]
    tables = {name: _table(files, name, _STEPS, np.float32) for name in names}
    for name, table in tables.items():
        if len(table) != n_labels:
            raise DataError(
                f"'{name}' in {files.place} has {len(table):,} windows, and '{_label_name(half)}' "
                f"has {n_labels:,} labels; unpack or download it again"
            )
    return np.stack(list(tables.values()), axis=-1)


def _labels(files: _Files, half: str) -> np.ndarray:
    """Read the labels of one half, ``(n,)`` int64 from 0; there may be fewer than HAR has."""
    name, most = _label_name(half), N_WINDOWS[half]
    labels = _table(files, name, 1, np.int64)[:, 0]
    if not 1 <= len(labels) <= most:
        raise DataError(
            f"'{name}' in {files.place} has {len(labels):,} labels, and HAR has {most:,} there, "
            "a part of it fewer and at least one; unpack or download it again"
        )
    if labels.min() < 1 or labels.max() > len(_ACTIVITIES):
        raise DataError(
            f"'{name}' in {files.place} has labels from {labels.min()} to {labels.max()}, and "
            f"HAR's go from 1 to {len(_ACTIVITIES)}; unpack or download it again"
        )
    return labels - 1


def _table(files: _Files, name: str, width: int, dtype: type) -> np.ndarray:
    """Return the numbers in a text file, one row to a line."""
    what = f"'{name}' in {files.place}"
    with (
        reading(what, "a table of numbers", "unpack or download it again"),
        (files.root / name).open(encoding="ascii") as file,
        warnings.catch_warnings(),
    ):
        warnings.filterwarnings("ignore", "loadtxt: input contained no data")
        table: np.ndarray = np.loadtxt(file, dtype=dtype, comments=None, ndmin=2)
    if len(table) and table.shape[1] != width:
        raise DataError(
            f"{what} has rows of {table.shape[1]} numbers, and HAR has rows of {width} there; "
            "unpack or download it again"
        )
    return table


SOURCES = selection_sources(_SELECTIONS, "har", load, find)
