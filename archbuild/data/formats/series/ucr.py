"""Series of the UCR and UEA archives: ``.ts``, and tables ``NAME_TRAIN.tsv``, ``NAME_TEST.txt``.

Series of unequal length are brought to one: what is behind the end of a series is NaN in
``Dataset.values``, 0 to the network, and no part of the loss.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np

from archbuild.data.columns import is_missing, number_in
from archbuild.data.formats.series.times import on_steps, parts_of, stamped
from archbuild.data.formats.tables.faults import LARGEST
from archbuild.data.guess import LABELS, Guess
from archbuild.data.precision import needs_double
from archbuild.data.request import Arrays, ReadRequest
from archbuild.data.spill import room_for
from archbuild.errors import DataError
from archbuild.spec.top import MASK

PARTS = ("TRAIN", "TEST")
AS_TABLE = "header=false"
"""The key by which a table of the archive is read as any other table."""
NO_LABEL_KEY = "labels=none"

_ARCHIVE_NAME = re.compile(r"(.+)_(TRAIN|TEST)\.(tsv|txt|csv)$", re.IGNORECASE)
_SEPARATOR = re.compile(r"[\s,]+")
_SAMPLE = 200


class Series(NamedTuple):
    """One line: a list of numbers for each channel, NaN where one is missing, and the label."""

    channels: list[list[float]]
    label: str | None


class Parsed(NamedTuple):
    """The series of a file, and the decisions that reading them took."""

    series: list[Series]
    said: list[Guess]


def read_ts(request: ReadRequest) -> Arrays:
    """Return ``(n, length, channels)``, and the class labels if the file has some.

    Raises:
        DataError: a line is broken, has another number of channels, or time stamps at unequal
            steps.
    """
    return joined([parse_series(request.path)], request)


def parse_series(path: Path) -> Parsed:
    """Return the series of a ``.ts`` file or of a table of the archive.

    Raises:
        DataError: as ``read_ts``, or a cell is no number.
    """
    return _parse_ts(path) if path.suffix.lower() == ".ts" else _parse_table(path)


def _parse_ts(path: Path) -> Parsed:
    header = dict(_ts_header(path))
    is_quantity = header.get("targetlabel", "false").startswith("true")
    is_silent = not header.keys() & {"classlabel", "targetlabel"}
    is_found = is_silent and _ends_in_labels(path)
    labelled = is_quantity or is_found or header.get("classlabel", "false").startswith("true")
    if header.get("timestamps") == "true":
        series, said = _stamped_lines(path, labelled)
    else:
        series, said = list(_ts_lines(path, labelled)), []
    if labelled and not is_quantity:
        why = "although the header has no" if is_found else "as the header says by"
        found = f"what stands alone behind the last ':', {why} @classLabel"
        said.append(Guess(LABELS, found, NO_LABEL_KEY))
    if is_quantity:
        series = [line._replace(label=None) for line in series]
        found = "none; the last value of each line is a quantity (@targetLabel)"
        said.append(Guess(LABELS, found))
    return Parsed(series, said)


def _ends_in_labels(path: Path) -> bool:
    """Return whether every line ends in one cell behind channels of several."""
    lines = [parts_of(text) for _, text in _data_lines(path)]
    sizes = [[len(part.split(",")) for part in parts] for parts in lines]
    return bool(sizes) and all(len(each) > 1 and each[-1] == 1 < min(each[:-1]) for each in sizes)


def _stamped_lines(path: Path, labelled: bool) -> tuple[list[Series], list[Guess]]:
    split = [_split(line, where, labelled, parts_of) for where, line in _data_lines(path)]
    channels, step = on_steps([stamped(parts, where) for parts, _, where in split])
    series = [Series(each, label) for each, (_, label, _) in zip(channels, split, strict=True)]
    found = f"left out; they are multiples of one step, {step:g}"
    return series, [Guess("time stamps", f"{found}, and each series begins with its first")]


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
    return joined([_parse_table(request.path)], request)


def _parse_table(path: Path) -> Parsed:
    series = []
    with path.open(encoding="utf-8-sig") as file:
        for number, line in enumerate(file, 1):
            label, *cells = _SEPARATOR.split(line.strip())
            if cells:
                series.append(
                    Series([_numbers(cells, f"{path}, line {number}")], _class_name(label))
                )
    found = "the first of each line, as in the UCR archive; the others are a series"
    return Parsed(series, [Guess(LABELS, found, AS_TABLE)])


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


def _ts_lines(path: Path, labelled: bool) -> Iterator[Series]:
    for where, line in _data_lines(path):
        parts, label, _ = _split(line, where, labelled, lambda text: text.split(":"))
        cells = [part.split(",") if part.strip() else [] for part in parts]
        yield Series([_numbers(each, where) for each in cells], label)


def _data_lines(path: Path) -> Iterator[tuple[str, str]]:
    """Yield the lines of series, each behind its place."""
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        lines = enumerate(file, 1)
        next(number for number, line in lines if line.strip().lower() == "@data")
        for number, line in lines:
            text = line.strip()
            if text and not text.startswith("#"):
                yield f"{path}, line {number}", text


def _split(
    text: str, where: str, labelled: bool, cut: Callable[[str], list[str]]
) -> tuple[list[str], str | None, str]:
    """Return the channels of a line, its label and its place."""
    parts = cut(text)
    label = parts.pop().strip() if labelled else None
    if not parts or label == "":
        raise DataError(f"{where}: expected a series and, behind the last ':', its label")
    return parts, label, where


def _numbers(cells: Sequence[str], where: str) -> list[float]:
    """Return cells as numbers; ``?`` and NaN stand for a missing one."""
    numbers = []
    for place, cell in enumerate(cells, 1):
        number = np.nan if is_missing(cell) else number_in(cell)
        if number is None or abs(number) > LARGEST:
            raise DataError(f"{where}: value {place}, '{cell.strip()[:30]}', is no finite number")
        numbers.append(number)
    return numbers


def _class_name(text: str) -> str:
    """Return ``1`` for ``1.0000000e+00``."""
    number = number_in(text)
    return text if number is None or number % 1 else str(int(number))


def joined(parsed: Sequence[Parsed], request: ReadRequest) -> Arrays:
    """Return the series of one or more files in one array, NaN behind their ends.

    Raises:
        DataError: they have different numbers of channels, or one has no values.
    """
    series = [each for part in parsed for each in part.series]
    said = dict.fromkeys(guess for part in parsed for guess in part.said)
    if not series:
        raise DataError(f"{request.path} has no series behind its header; copy it again")
    counts = {len(each.channels) for each in series}
    if len(counts) != 1:
        numbers = " and ".join(map(str, sorted(counts)))
        raise DataError(f"{request.path} has series of {numbers} channels; expected one number")
    lengths = [_length(each) for each in series]
    if 0 in lengths:
        raise DataError(f"{request.path}: series {lengths.index(0)} (counted from 0) has no values")
    length = _wanted_length(lengths, counts.pop(), request)
    values = _filled(series, length, str(request.path))
    labels = [each.label for each in series if each.label is not None]
    missing = int(np.isnan(values).sum())
    if missing and request.options.gaps not in (None, MASK):
        raise DataError(
            f"{request.path} has series of unequal length or with missing values, which the loss "
            "leaves out; data.gaps: impute is for tables, so leave it out"
        )
    ends = sum((length - min(each, length)) * values.shape[2] for each in lengths)
    guesses = [*said, *_say_lengths(lengths, length, request), *_say_missing(missing - ends)]
    return Arrays(
        values,
        labels or None,
        guesses=tuple(guesses),
        channels="last",
        gaps=missing > 0,
    )


def _length(series: Series) -> int:
    """Return the length of a series without the missing values at its end."""
    kept = 0
    for numbers in series.channels:
        there = np.flatnonzero(~np.isnan(numbers))
        kept = max(kept, int(there[-1]) + 1 if there.size else 0)
    return kept


def _wanted_length(lengths: Sequence[int], channels: int, request: ReadRequest) -> int:
    """Return the length of the spec's Input, else that of the longest series."""
    shape = request.input_shape or ()
    if len(shape) == 2 and shape[0] == channels:
        return shape[1]
    if len(shape) == 1 and shape[0] % channels == 0:
        return shape[0] // channels
    return max(lengths)


def _filled(series: Sequence[Series], length: int, source: str) -> np.ndarray:
    values = room_for((len(series), length, len(series[0].channels)), np.float64, source)
    values[...] = np.nan
    for row, each in enumerate(series):
        for place, numbers in enumerate(each.channels):
            kept = numbers[:length]
            values[row, : len(kept), place] = kept
    return values if needs_double([values]) else values.astype(np.float32)


def _say_lengths(lengths: Sequence[int], length: int, request: ReadRequest) -> list[Guess]:
    shorter = sum(each < length for each in lengths)
    longer = sum(each > length for each in lengths)
    found = []
    if shorter:
        found.append(
            f"from {min(lengths)} to {max(lengths)}; {shorter:,} of {len(lengths):,} series end "
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
