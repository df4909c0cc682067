"""Series of the UCR and UEA archives: ``.ts``, and tables ``NAME_TRAIN.tsv``, ``NAME_TEST.txt``.

Series of unequal length are brought to one: what is behind the end of a series is NaN in
``Dataset.values``, 0 to the network, and no part of the loss.
"""

from __future__ import annotations

import gc
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import chain, islice
from pathlib import Path

import numpy as np

from archbuild.data.columns import is_missing, number_in
from archbuild.data.dataset import chunk_slices
from archbuild.data.formats.series.gathered import Gathered
from archbuild.data.formats.series.numbers import Numbers, at_line
from archbuild.data.formats.series.times import on_steps, parts_of, stamped
from archbuild.data.formats.tables.narrow import as_narrow
from archbuild.data.guess import LABELS, Guess
from archbuild.data.request import Arrays, ReadRequest
from archbuild.data.spill import read_part
from archbuild.errors import DataError
from archbuild.spec.top import MASK

PARTS = ("TRAIN", "TEST")
AS_TABLE = "header=false"
"""The key by which a table of the archive is read as any other table."""
NO_LABEL_KEY = "labels=none"

_ARCHIVE_NAME = re.compile(r"(.+)_(TRAIN|TEST)\.(tsv|txt|csv)$", re.IGNORECASE)
_SEPARATOR = re.compile(r"[\s,]+")
_SAMPLE = 200
_SHOWN = 5


def read_ts(request: ReadRequest) -> Arrays:
    """Return ``(n, length, channels)``, and the class labels if the file has some.

    Raises:
        DataError: a line is broken, has another number of channels, or time stamps at unequal
            steps.
    """
    return read_series([request.path], request)


def read_series(paths: Sequence[Path], request: ReadRequest) -> Arrays:
    """Return the series of ``.ts`` files, or of tables of the archive, in one array.

    NaN stands behind their ends.

    Raises:
        DataError: as ``read_ts``, or a cell is no number.
    """
    series, said = Gathered(), []
    for path in paths:
        parse = _parse_ts if path.suffix.lower() == ".ts" else _parse_table
        with _without_collection():
            said += parse(path, series)
    return _joined(series, sum(path.stat().st_size for path in paths), said, request)


@contextmanager
def _without_collection() -> Iterator[None]:
    """Keep Python from looking for cycles, of which there are none, in the lists of many lines."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _parse_ts(path: Path, series: Gathered) -> list[Guess]:
    """Add the series of a file, and return the decisions that this took."""
    header = dict(_ts_header(path))
    is_quantity = header.get("targetlabel", "false").startswith("true")
    is_silent = not header.keys() & {"classlabel", "targetlabel"}
    is_found = is_silent and _ends_in_labels(path)
    labelled = is_quantity or is_found or header.get("classlabel", "false").startswith("true")
    read = _read_stamped if header.get("timestamps") == "true" else _read_lines
    said = read(path, labelled, is_quantity, series)
    if labelled and not is_quantity:
        why = "although the header has no" if is_found else "as the header says by"
        found = f"what stands alone behind the last ':', {why} @classLabel"
        said.append(Guess(LABELS, found, NO_LABEL_KEY))
    if is_quantity:
        found = "none; the last value of each line is a quantity (@targetLabel)"
        said.append(Guess(LABELS, found))
    return said


def _ends_in_labels(path: Path) -> bool:
    """Return whether every line ends in one cell behind channels of several."""
    lines = (parts_of(text) for _, text in _data_lines(path))
    sizes = ([part.count(",") + 1 for part in parts] for parts in lines)
    first = next(sizes, [])
    return all(len(each) > 1 and each[-1] == 1 < min(each[:-1]) for each in chain([first], sizes))


def _read_stamped(path: Path, labelled: bool, is_quantity: bool, series: Gathered) -> list[Guess]:
    lines, labels = [], []
    for number, text in _data_lines(path):
        try:
            parts, label = _split(text, labelled, parts_of)
            lines.append(stamped(parts, number, series.numbers))
        except DataError as error:
            raise at_line(path, number, error) from error
        labels.append(None if is_quantity else label)
    channels, step = on_steps(lines, path)
    for each, label in zip(channels, labels, strict=True):
        series.add(each, label)
    found = f"left out; they are multiples of one step, {step:g}"
    return [Guess("time stamps", f"{found}, and each series begins with its first")]


def _read_lines(path: Path, labelled: bool, is_quantity: bool, series: Gathered) -> list[Guess]:
    read = series.numbers.read
    for number, line in _data_lines(path):
        try:
            parts, label = _split(line, labelled, _by_colons)
            channels = [read(text, place) for place, text in enumerate(parts)]
        except DataError as error:
            raise at_line(path, number, error) from error
        series.add(channels, None if is_quantity else label)
    return []


def is_archive_table(path: Path) -> bool:
    """Return whether a table is one of the UCR archive: series without header, labels in front.

    Such files are called ``NAME_TRAIN`` or ``NAME_TEST``; their lines have whole numbers first, of
    which few differ, and fractions behind. Of a pair of ``.tsv`` the last two are not asked for.
    """
    if not _ARCHIVE_NAME.match(path.name):
        return False
    try:
        with path.open(encoding="utf-8-sig") as file:
            lines = [_SEPARATOR.split(line.strip()) for line in islice(file, _SAMPLE)]
    except (OSError, UnicodeDecodeError):
        return False
    rows = [[_value_in(cell) for cell in cells] for cells in lines if cells != [""]]
    if not rows or any(len(row) < 3 or row[0] is None or row[0] % 1 for row in rows):
        return False
    body = [number for row in rows for number in row[1:]]
    if None in body:
        return False
    is_pair = path.suffix.lower() == ".tsv" and len(archive_parts(path)) == len(PARTS)
    few = len({row[0] for row in rows}) <= max(2, len(rows) / 2)
    return is_pair or (few and any(number % 1 for number in body if number is not None))


def _value_in(cell: str) -> float | None:
    return np.nan if is_missing(cell) else number_in(cell)


def read_archive_table(request: ReadRequest) -> Arrays:
    """Return ``(n, length, 1)`` and the labels of a table of the UCR archive.

    Raises:
        DataError: a cell is no number.
    """
    return read_series([request.path], request)


def _parse_table(path: Path, series: Gathered) -> list[Guess]:
    with path.open(encoding="utf-8-sig") as file:
        for number, line in enumerate(file, 1):
            label, *cells = _SEPARATOR.split(line.strip(), maxsplit=1)
            if cells:
                try:
                    channel = series.numbers.read(_SEPARATOR.sub(",", cells[0]), 0)
                except DataError as error:
                    raise at_line(path, number, error) from error
                series.add([channel], _class_name(label))
    found = "the first of each line, as in the UCR archive; the others are a series"
    return [Guess(LABELS, found, AS_TABLE)]


def _ts_header(path: Path) -> Iterator[tuple[str, str]]:
    """Yield the keys of a ``.ts`` file in small letters, and their values."""
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        for line in file:
            key, _, value = line.strip().partition(" ")
            if key.lower() == "@data":
                return
            if key.startswith("@"):
                yield key[1:].lower(), value.strip().lower()
    raise DataError(f"{path} has no line @data; expected a .ts file of the UCR and UEA archive")


def _by_colons(text: str) -> list[str]:
    return text.split(":")


def _data_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the lines of series, each behind its number."""
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        lines = enumerate(file, 1)
        next(number for number, line in lines if line.strip().lower() == "@data")
        for number, line in lines:
            text = line.strip()
            if text and text[0] != "#":
                yield number, text


def _split(
    text: str, labelled: bool, cut: Callable[[str], list[str]]
) -> tuple[list[str], str | None]:
    """Return the channels of a line, and its label."""
    parts = cut(text)
    label = parts.pop().strip() if labelled else None
    if not parts or label == "":
        raise DataError("expected a series and, behind the last ':', its label")
    return parts, label


def _class_name(text: str) -> str:
    """Return ``1`` for ``1.0000000e+00``."""
    number = number_in(text)
    return text if number is None or number % 1 else str(int(number))


def _joined(series: Gathered, stored: int, said: Sequence[Guess], request: ReadRequest) -> Arrays:
    """Return the series of files of ``stored`` bytes in one array."""
    path = request.path
    if not len(series):
        raise DataError(f"{path} has no series behind its header; copy it again")
    if len(series.counts) != 1:
        several = " and ".join(map(str, sorted(series.counts)[:_SHOWN]))
        raise DataError(f"{path} has series of {several} channels; expected one number")
    lengths = series.lengths()
    if not lengths.all():
        empty = int(np.argmin(lengths))
        raise DataError(f"{path}: series {empty} (counted from 0) has no values")
    (n_channels,) = series.counts
    length = _wanted_length(lengths, n_channels, request)
    values = series.padded(length, stored, str(path))
    if request.known is None:  # new rows may be closer to each other than those of the training
        _refuse_blurred(values, series.numbers, path)
    parts = chunk_slices(len(values), values[:1].nbytes)
    missing = sum(int(np.isnan(read_part(values, part)).sum()) for part in parts)
    if missing and request.options.gaps not in (None, MASK):
        raise DataError(
            f"{path} has series of unequal length or with missing values, which the loss "
            "leaves out; data.gaps: impute is for tables, so leave it out"
        )
    ends = int((length - np.minimum(lengths, length)).sum()) * n_channels
    guesses = [
        *dict.fromkeys(said),
        *_say_lengths(lengths, length, request),
        *_say_missing(missing - ends),
    ]
    return Arrays(
        as_narrow(values, path),
        series.labels or None,
        guesses=tuple(guesses),
        channels="last",
        gaps=missing > 0,
    )


def _refuse_blurred(values: np.ndarray, numbers: Numbers, path: Path) -> None:
    """Refuse channels whose numbers float64 does not tell apart."""
    blur = numbers.blur(values)
    if blur is not None:
        raise DataError(f"{path}: channel {blur.column + 1} {blur.in_words}")


def _wanted_length(lengths: np.ndarray, channels: int, request: ReadRequest) -> int:
    """Return the length of the spec's Input, else that of the longest series."""
    shape = request.input_shape or ()
    if len(shape) == 2 and shape[0] == channels:
        return shape[1]
    if len(shape) == 1 and shape[0] % channels == 0:
        return shape[0] // channels
    return int(lengths.max())


def _say_lengths(lengths: np.ndarray, length: int, request: ReadRequest) -> list[Guess]:
    shorter = int((lengths < length).sum())
    longer = int((lengths > length).sum())
    found = []
    if shorter:
        found.append(
            f"from {lengths.min()} to {lengths.max()}; {shorter:,} of {len(lengths):,} series end "
            f"before {length}: they are 0 behind their end, after scaling, and the loss leaves "
            "that out"
        )
    if longer:
        found.append(f"{longer:,} series are cut to {length}, the length of Input")
    return [Guess("length", "; ".join(found))] if found else []


def _say_missing(count: int) -> list[Guess]:
    found = f"{count:,} values inside the series, 0 after scaling; the loss leaves them out"
    return [Guess("missing", found)] if count > 0 else []


def archive_parts(path: Path) -> Mapping[str, Path]:
    """Return the files of a dataset of the archive by part: ``TRAIN``, ``TEST``."""
    found = re.match(r"(.+)_(TRAIN|TEST)(\.\w+)$", path.name)
    if not found:
        return {}
    beside = {part: path.with_name(f"{found[1]}_{part}{found[3]}") for part in PARTS}
    return {part: place for part, place in beside.items() if place.is_file()}
