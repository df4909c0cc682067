"""Images in the column of an Arrow table, as Hugging Face keeps datasets of images.

The column is a structure of ``bytes``, the file's content, and ``path``, its name; or bytes alone.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

from archbuild.data.formats.arrow.folder import arrow_parts
from archbuild.data.formats.arrow.source import ArrowSource
from archbuild.data.formats.images.folder import Survey
from archbuild.data.formats.images.picture import is_picture
from archbuild.data.formats.images.stack import Files, probe, read_stack
from archbuild.data.formats.tables.label_column import label_fault
from archbuild.data.formats.tables.roles import LABEL_COLUMNS
from archbuild.data.formats.unused import refuse_unused
from archbuild.data.guess import LABELS, Guess, listed, value_key
from archbuild.data.labels import count_classes, unlabelled_in_words
from archbuild.data.request import Arrays, ReadRequest
from archbuild.errors import DataError

_CONTENT, _NAME = "bytes", "path"
_AT_A_TIME = 64  # rows


class ImageTable(NamedTuple):
    """A table, its column of images, and the other such columns."""

    source: ArrowSource
    column: str
    others: tuple[str, ...]


def image_table(source: ArrowSource, request: ReadRequest) -> ImageTable | None:
    """Return the column of images that ``data.array`` names, else the first; ``None`` if none is.

    Raises:
        DataError: it names another column, or ``data.columns`` is given for images.
    """
    there = [name for name in source.columns if _holds_images(source, name)]
    asked = request.options.array
    if not there:
        refuse_unused(request, request.options.told - {"array"}, "a table without images")
        return None
    if asked is not None and asked not in there:
        raise DataError(
            f"{source.path} has no images in a column '{asked}'; it has some in {listed(there)}"
        )
    if request.options.columns:
        raise DataError(
            f"{source.path} holds images, and data.columns names the kinds of a table's columns; "
            "leave it out"
        )
    column = asked or there[0]
    return ImageTable(source, column, tuple(name for name in there if name != column))


def read_images(table: ImageTable, request: ReadRequest) -> Arrays:
    """Return the images as ``read_image_folder`` does, known by the paths beside them.

    Raises:
        DataError: as ``read_stack``, or the labels hold no classes.
    """
    files = _files(table)
    stack = read_stack(files, request)
    labels, said = _labels(table, request)
    return Arrays(
        stack.values,
        None if labels is None else [labels[index] for index in stack.read],
        [files.names[index] for index in stack.read],
        guesses=(*_say_rows(table), *said, *stack.guesses),
        channels="last",
        scale=stack.scale,
        divisors=stack.divisors,
    )


def survey_images(table: ImageTable, request: ReadRequest) -> Survey:
    """Return what the images are, as ``survey``.

    Raises:
        DataError: as ``read_images``.
    """
    seen = probe(_files(table), request)
    labels, said = _labels(table, request)
    guesses = (*_say_rows(table), *said, *seen.guesses)
    return Survey.of(seen, labels, guesses)


def _holds_images(source: ArrowSource, name: str) -> bool:
    """Return whether a column holds files of images: by its type, else by its first cell."""
    from pyarrow import types

    kind = source.schema.field(name).type
    if types.is_struct(kind):
        parts = {part.name: part.type for part in kind}
        return _CONTENT in parts and _is_binary(parts[_CONTENT])
    if not _is_binary(kind):
        return False
    first = next((cell for cell in _cells(source, name) if cell is not None), None)
    return first is not None and is_picture(BytesIO(first))


def _is_binary(kind: Any) -> bool:
    from pyarrow import types

    return bool(types.is_binary(kind) or types.is_large_binary(kind))


def _cells(source: ArrowSource, name: str) -> Iterator[Any]:
    return (cell for part in source.cells(name, _AT_A_TIME) for cell in part)


def _files(table: ImageTable) -> Files:
    """Return the images as files; where a cell has none, as an empty one.

    Raises:
        DataError: the table has paths and no content.
    """
    cells = list(_names_and_presence(table))
    if cells and not any(there for _, there in cells):
        raise DataError(
            f"{table.source.path}: the column '{table.column}' names images and holds none; "
            "give the folder where they lie, or save the table with their bytes"
        )
    stored = sum(path.stat().st_size for path in _paths(table.source.path))
    return Files([name for name, _ in cells], lambda: _contents(table), stored)


def _paths(path: Path) -> list[Path]:
    return (
        [each for part in arrow_parts(path).values() for each in part] if path.is_dir() else [path]
    )


def _names_and_presence(table: ImageTable) -> Iterator[tuple[str, bool]]:
    for row, cell in enumerate(_cells(table.source, table.column)):
        name = cell.get(_NAME) if isinstance(cell, dict) else None
        yield str(name or f"row {row}"), _content(cell) is not None


def _contents(table: ImageTable) -> Iterator[BytesIO]:
    return (BytesIO(_content(cell) or b"") for cell in _cells(table.source, table.column))


def _content(cell: Any) -> bytes | None:
    content: bytes | None = cell.get(_CONTENT) if isinstance(cell, dict) else cell
    return content


def _labels(
    table: ImageTable, request: ReadRequest
) -> tuple[Sequence[str] | None, tuple[Guess, ...]]:
    """Return the labels by their names, and what is said of the columns beside the images."""
    source = table.source
    beside = [name for name in source.columns if name not in (table.column, *table.others)]
    name = _label_column(table, beside, request) if request.wants_labels else None
    others = [each for each in beside if each != name]
    key = "labels=COLUMN" if request.wants_labels else ""
    said = (Guess("left out", f"the columns {listed(others)}", key),) if others else ()
    if name is None:
        return None, said
    names = _class_names(source, name)
    labels = [_class(cell, names) for cell in _cells(source, name)]
    fault = label_fault(labels, asked=request.options.labels is not None)
    if fault is not None and request.options.labels is not None:
        raise DataError(
            f"{source.path}: the column '{name}' holds no classes, {fault}; choose another column, "
            "or data.labels: none"
        )
    if fault is not None:
        return None, (*said, Guess(LABELS, f"none; the column '{name}' is left out, {fault}"))
    found = f"column '{name}', {count_classes(labels)} classes{unlabelled_in_words(labels)}"
    return labels, (*said, Guess(LABELS, found, "labels=none"))


def _label_column(table: ImageTable, beside: Sequence[str], request: ReadRequest) -> str | None:
    asked = request.options.labels
    if asked is not None and asked not in beside:
        raise DataError(
            f"{table.source.path} has no column '{asked}' beside its images; it has "
            f"{listed(tuple(beside)) or 'none'}"
        )
    folded = {name.casefold(): name for name in reversed(beside)}
    return asked or next((folded[name] for name in LABEL_COLUMNS if name in folded), None)


def _class(cell: Any, names: Sequence[str]) -> str:
    """Return a label as text; numbers of classes by their names, where the table has them."""
    if isinstance(cell, int) and 0 <= cell < len(names):
        return names[cell]
    return "" if cell is None else str(cell)


def _class_names(source: ArrowSource, column: str) -> Sequence[str]:
    """Return the names of the classes that Hugging Face keeps in a file's metadata."""
    try:
        document = json.loads((source.schema.metadata or {})[b"huggingface"])
        return [str(name) for name in document["info"]["features"][column]["names"]]
    except (KeyError, ValueError, TypeError):
        return ()


def _say_rows(table: ImageTable) -> tuple[Guess, ...]:
    said = f"the images of column '{table.column}'"
    if not table.others:
        return (*table.source.guesses, Guess("rows", said))
    found = f"{said}; left out: {listed(table.others)}"
    return (*table.source.guesses, Guess("rows", found, value_key("array", table.others[0])))
