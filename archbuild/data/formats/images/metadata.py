"""Labels of images in a file beside them: ``metadata.csv`` or ``metadata.jsonl``.

So Hugging Face keeps folders of images: each row has ``file_name``, the path from the file's own
folder to an image, and further columns. The file lies above all images or in each part's folder.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from archbuild.data.formats.below import below
from archbuild.data.formats.tables.label_column import label_fault
from archbuild.data.formats.tables.roles import LABEL_COLUMNS
from archbuild.data.guard import reading
from archbuild.data.guess import LABELS, Guess, listed
from archbuild.data.labels import count_classes, unlabelled_in_words
from archbuild.data.limits import check_size
from archbuild.data.request import ReadRequest
from archbuild.errors import DataError

METADATA_FILES = ("metadata.csv", "metadata.jsonl")
FILE_NAME = "file_name"

_Row = Mapping[str, str]


class Labelled(NamedTuple):
    """Images, their classes if a metadata file has some, and the decisions."""

    paths: list[Path]
    classes: list[str] | None
    guesses: tuple[Guess, ...]


def labelled_by_metadata(top: Path, paths: Sequence[Path], request: ReadRequest) -> Labelled:
    """Return the images that metadata files name, with their labels; all where none has labels.

    Args:
        top: the folder above all images.
        paths: of the images.
        request: ``data.labels`` names the column; else it is one called as labels of a table.

    Raises:
        DataError: a file is broken, or there is no column of the name that is wanted.
    """
    rows = dict(_rows(top)) if request.wants_labels else {}
    said = _say_missing(rows)
    kept = [path for path in paths if path in rows]
    if not kept:
        if request.wants_labels and request.options.labels is not None:
            raise DataError(
                f"{top} has no metadata.csv or metadata.jsonl that names its images, so it has no "
                f"column '{request.options.labels}' (data.labels); remove the key to have the "
                "folders as labels"
            )
        return Labelled(list(paths), None, said)
    columns = tuple(name for name in rows[kept[0]] if name != FILE_NAME)
    column = _label_column(top, columns, request)
    others = tuple(name for name in columns if name != column)
    if others:
        said += (Guess("metadata", f"left out: columns {listed(others)}", "labels=COLUMN"),)
    if column is None:
        return Labelled(list(paths), None, said)
    classes = _classes(top, column, [rows[path] for path in kept], request)
    words = unlabelled_in_words(classes)
    found = f"column '{column}' of the metadata, {count_classes(classes)} classes{words}"
    said += (Guess(LABELS, found, "labels=none"),)
    if len(kept) < len(paths):
        found = f"{len(paths) - len(kept)} images that the metadata do not name"
        said += (Guess("left out", found, "labels=none"),)
    return Labelled(kept, classes, said)


def _classes(top: Path, column: str, rows: Sequence[_Row], request: ReadRequest) -> list[str]:
    classes = [row.get(column, "") for row in rows]
    asked = request.options.labels is not None
    fault = label_fault(classes, asked=asked)
    if fault is not None:
        raise DataError(
            f"{top}: the column '{column}' of the metadata holds no classes, {fault}; choose "
            "another column, or data.labels: none"
        )
    return classes


def _say_missing(rows: Mapping[Path, _Row]) -> tuple[Guess, ...]:
    """Return a line about rows whose images are not there."""
    missing = [path.name for path in rows if not path.is_file()]
    if not missing:
        return ()
    found = f"{len(missing)} of {len(rows)} rows of the metadata, whose images are not there"
    return (Guess("left out", f"{found}: {listed(missing)}"),)


def _label_column(top: Path, columns: Sequence[str], request: ReadRequest) -> str | None:
    asked = request.options.labels
    if asked is not None and asked not in columns:
        raise DataError(
            f"{top}: the metadata have no column '{asked}'; they have {', '.join(columns)}"
        )
    folded = {name.casefold(): name for name in reversed(columns)}
    return asked or next((folded[name] for name in LABEL_COLUMNS if name in folded), None)


def _rows(top: Path) -> Iterator[tuple[Path, _Row]]:
    """Yield each image that a metadata file below a folder names, and its row."""
    for file in (path for path in below(top) if path.name in METADATA_FILES):
        if not file.is_file():
            raise DataError(
                f"{file} is no file that could be read; remove it, or leave it aside with "
                "data.labels: none"
            )
        check_size(file.stat().st_size, str(file))
        read = _csv_rows if file.suffix == ".csv" else _json_rows
        for row in read(file):
            if FILE_NAME not in row:
                raise DataError(
                    f"{file} has no column '{FILE_NAME}', which names a row's image; give that "
                    "column this name, or leave the file aside with data.labels: none"
                )
            yield file.parent / row[FILE_NAME].replace("\\", "/"), row


def _csv_rows(path: Path) -> Iterator[_Row]:
    form = "a table in UTF-8 text"
    with reading(path, form), path.open(newline="", encoding="utf-8-sig") as file:
        for row in csv.DictReader(file):
            # cells behind the last column have no name
            yield {name: (cell or "").strip() for name, cell in row.items() if name}


def _json_rows(path: Path) -> Iterator[_Row]:
    form = "lines of JSON objects"
    with reading(path, form), path.open(encoding="utf-8-sig") as file:
        for line in file:
            if line.strip():
                row = json.loads(line)
                yield {name: "" if cell is None else str(cell) for name, cell in row.items()}
