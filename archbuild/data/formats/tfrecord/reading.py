"""``.tfrecord``: rows and labels from the features of records."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from itertools import islice
from math import prod
from pathlib import Path
from typing import Any, Final

import numpy as np

from archbuild.data.dataset import rows_at_a_time
from archbuild.data.formats.arrays.choice import IMAGES, NUMBERS, Choice
from archbuild.data.formats.arrays.labels import judge_labels
from archbuild.data.formats.images.folder import Survey
from archbuild.data.formats.images.stack import Files, probe, read_stack
from archbuild.data.formats.parts import parts_below, wanted_files
from archbuild.data.formats.tfrecord.columns import Column, column_of
from archbuild.data.formats.tfrecord.example import features_of
from archbuild.data.formats.tfrecord.records import Record, Records
from archbuild.data.formats.unused import refuse_unused
from archbuild.data.guess import Guess
from archbuild.data.limits import check_declared
from archbuild.data.request import Arrays, ReadRequest
from archbuild.data.spill import release, room_for
from archbuild.errors import DataError

TFRECORD: Final = (".tfrecord", ".tfrecords", ".tfrecord.gz", ".tfrecords.gz")
"""The ends of names; ``-00000-of-00010`` may stand behind."""

SHARD: Final = re.compile(r"-\d+-of-\d+$")

_LOOKED_AT: Final = 100  # records, for features that the first one lacks
_WORKING_BYTES: Final = 32  # for each number, while a list is decoded


def tfrecord_parts(folder: Path) -> Mapping[str, list[Path]]:
    """Return the TFRecord files below a folder, as ``parts_below``."""
    return parts_below(folder, is_tfrecord)


def is_tfrecord(path: Path) -> bool:
    """Return whether a name says that a file is one, or a part of one."""
    return SHARD.sub("", path.name).lower().endswith(TFRECORD)


def read_tfrecord(request: ReadRequest) -> Arrays:
    """Return the rows and labels of a TFRecord file, or of a folder of such files.

    Each record is a ``tf.train.Example``. The features of the first record say which there are;
    rows and labels are chosen among them as ``Choice`` says. Rows are lists of floats or whole
    numbers, tensors that ``tf.io.serialize_tensor`` wrote, or files of images.

    Raises:
        DataError: a file is damaged, the features are not those of the first record, or rows or
            labels cannot be told.
    """
    source = _opened(request)
    rows = source.columns[source.key]
    if rows.held.kind == IMAGES:
        return _read_images(source, request)
    n_bytes = prod(rows.held.shape) * rows.dtype.itemsize
    what = f"the feature '{source.key}' of {source.records.count:,} records in {request.path}"
    check_declared(n_bytes, source.records.stored, what)
    values, labels = _filled(source, what)
    judged, said = judge_labels(labels, source.label_key or "", request.options.labels)
    return Arrays(values, judged, guesses=(*source.guesses, *said, *source.left_out))


def survey_tfrecord(request: ReadRequest) -> Survey | None:
    """Return what the images in the records are; ``None`` where the rows are no images.

    Raises:
        DataError: as ``read_tfrecord``.
    """
    source = _opened(request)
    if source.columns[source.key].held.kind != IMAGES:
        return None
    seen = probe(_files(source), request)
    labels, said = _labels_of_images(source, request)
    texts = None if labels is None else _texts(np.asarray(labels).reshape(-1))
    return Survey.of(seen, texts, (*source.guesses, *said, *source.left_out, *seen.guesses))


@dataclass(frozen=True)
class _Source:
    """Records, what their features are, and which are used."""

    records: Records
    columns: Mapping[str, Column]
    key: str
    label_key: str | None
    guesses: tuple[Guess, ...]
    left_out: tuple[Guess, ...]

    def values(self, *keys: str) -> Iterator[tuple[Any, ...]]:
        """Yield some features of each record.

        Raises:
            DataError: a record lacks one, or has another than the first record.
        """
        for record in self.records:
            found = _features(record, keys)
            try:
                yield tuple(self.columns[key].decode(found[key]) for key in keys)
            except KeyError as error:
                raise _unlike(record, keys, f"no feature {error}") from error
            except ValueError as error:
                raise _unlike(record, keys, str(error)) from error


def _opened(request: ReadRequest) -> _Source:
    """Return the records of a request, and the features that it is about.

    Raises:
        DataError: as ``read_tfrecord``.
    """
    path = request.path
    said: tuple[Guess, ...] = ()
    paths: Sequence[Path] = [path]
    if path.is_dir():
        paths, guess = wanted_files(path, tfrecord_parts(path), request.split)
        said = (guess,)
    records = Records(paths)
    first = next(iter(records), None)
    if first is None:
        raise DataError(f"{path} has no records; check how it was written")
    columns = _columns(first, records)
    held = {name: column.held for name, column in columns.items()}
    choice = Choice(path, held, lambda name: name if name in held else None, "feature")
    key = choice.rows(request)
    rows = held[key]
    if rows.kind not in (NUMBERS, IMAGES):
        raise _no_rows(path, key, rows.words)
    if rows.kind == IMAGES:
        refuse_unused(request, {"array", "labels"}, "images")
    label_key = choice.labels(key, (records.count,), request)
    guesses = (*said, *choice.say_rows(key, rows.shape), *_say_later(records, columns))
    return _Source(
        records, columns, key, label_key, guesses, tuple(choice.say_left_out(key, label_key))
    )


def _say_later(records: Records, columns: Mapping[str, Column]) -> list[Guess]:
    """Say which features the first record lacks, and one of the next ones has."""
    for record in islice(records, 1, _LOOKED_AT):
        if later := sorted(_features(record).keys() - columns.keys()):
            text = (
                f"left out: '{later[0]}', which record {record.number} has and the first has not; "
                "labels that are not known are written as an empty text"
            )
            return [Guess("features", text)]
    return []


def _columns(first: Record, records: Records) -> dict[str, Column]:
    features = _features(first)
    try:
        n_bytes = _WORKING_BYTES * sum(len(feature) for feature in features.values())
        check_declared(n_bytes, records.stored, f"{first.place}, whose lists are long,")
        return {name: column_of(found, records.count) for name, found in features.items()}
    except ValueError as error:
        raise _damaged(first, error) from error


def _features(record: Record, wanted: Sequence[str] | None = None) -> dict[str, Any]:
    try:
        return dict(features_of(record.content, wanted))
    except ValueError as error:
        raise _damaged(record, error) from error


def _filled(source: _Source, what: str) -> tuple[np.ndarray, Any]:
    """Return the rows, on disk where they are many, and the labels."""
    rows = source.columns[source.key]
    values = room_for(rows.held.shape, rows.dtype, what)
    keys = [source.key] if source.label_key is None else [source.key, source.label_key]
    labels: list[Any] = []
    often = rows_at_a_time(values[:1].nbytes)
    for place, (row, *label) in enumerate(source.values(*keys)):
        values[place] = row
        labels += label
        if place % often == 0:
            release(values)
    release(values)
    return values, np.array(labels) if source.label_key else None


def _read_images(source: _Source, request: ReadRequest) -> Arrays:
    stack = read_stack(_files(source), request)
    labels, said = _labels_of_images(source, request)
    return Arrays(
        stack.values,
        None if labels is None else labels[stack.read],
        [str(index) for index in stack.read],
        guesses=(*source.guesses, *said, *source.left_out, *stack.guesses),
        channels="last",
        scale=stack.scale,
        divisors=stack.divisors,
    )


def _files(source: _Source) -> Files:
    names = [f"record {number}" for number in range(source.records.count)]

    def contents() -> Iterator[BytesIO]:
        return (BytesIO(content) for (content,) in source.values(source.key))

    return Files(names, contents, source.records.stored)


def _labels_of_images(
    source: _Source, request: ReadRequest
) -> tuple[np.ndarray | None, list[Guess]]:
    if source.label_key is None:
        return None, []
    labels = np.array([label for (label,) in source.values(source.label_key)])
    return judge_labels(labels, source.label_key, request.options.labels)


def _texts(labels: np.ndarray) -> list[str]:
    return ["" if label != label else str(label) for label in labels.tolist()]  # blank for NaN


def _no_rows(path: Path, key: str, words: str) -> DataError:
    advice = (
        "write numbers as float_list or int64_list or by tf.io.serialize_tensor, which keep their "
        "type, and images as PNG or JPEG"
    )
    return DataError(f"{path}: the feature '{key}' holds {words}, so it cannot be rows; {advice}")


def _damaged(record: Record, error: ValueError) -> DataError:
    return DataError(
        f"{record.place} is no tf.train.Example: it holds {error}; copy or write the file again"
    )


def _unlike(record: Record, keys: Sequence[str], reason: str) -> DataError:
    named = " and ".join(f"'{key}'" for key in keys)
    return DataError(
        f"{record.place} is unlike the first one in {named}: {reason}; all records must have the "
        "same features, each of one kind and length: pad or cut them, or leave the record out"
    )
