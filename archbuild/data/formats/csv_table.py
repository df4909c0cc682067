"""``.csv``: a table of numbers, with or without a header, with or without a label column."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from archbuild.data.dataset import chunk_slices
from archbuild.data.formats.csv_faults import describe_faults, is_number
from archbuild.data.formats.table import LABEL_COLUMNS, Layout, assign_roles
from archbuild.data.request import Arrays, ReadRequest
from archbuild.data.spill import release, room_for
from archbuild.errors import DataError


class _Texts(NamedTuple):
    """The text of the rows: their number, labels and names."""

    n_rows: int
    labels: list[str] | None
    ids: list[str] | None


def read_csv(request: ReadRequest) -> Arrays:
    """Return the numeric columns as float32, and the labels and the rows' names as texts.

    ``table.assign_roles`` says which column is what. The file is gone through twice, and is never
    in memory as a whole.

    Raises:
        DataError: columns that are not numeric, blank or NaN cells, lines of different lengths, a
            named column that is not there, no rows, or a file that is no text.
    """
    path = request.path
    try:
        layout = read_layout(path, request.column, request.columns)
        texts = _read_texts(path, layout)
        if not texts.n_rows:
            raise DataError(f"{path} has a header and no rows; expected one line for each row")
        values = _read_values(path, layout, texts.n_rows)
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(
            f"{path} is no table in UTF-8 text ({error}); save it as CSV, UTF-8"
        ) from error
    return Arrays(values, texts.labels, texts.ids, layout.feature_names)


def read_layout(path: Path, column: str | None = None, features: Sequence[str] = ()) -> Layout:
    """Determine delimiter, header and columns from the first two lines."""
    delimiter = _sniff_delimiter(path)
    lines = numbered_lines(path, delimiter)
    first, second = next(lines, (0, []))[1], next(lines, (0, []))[1]
    if not first:
        raise DataError(f"{path} is empty; expected one line of numbers for each row")
    has_header = _is_header(first, second, column)
    names = [cell.strip() for cell in first] if has_header else map(str, range(1, len(first) + 1))
    columns = tuple(names)
    roles = assign_roles(columns, column, path, has_header=has_header, features=features)
    return Layout(delimiter, columns, has_header, roles)


def numbered_lines(path: Path, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Return the lines that are not blank, with their numbers in the file, from 1."""
    with path.open(newline="", encoding="utf-8-sig") as file:
        reader = csv.reader(file, delimiter=delimiter)
        for cells in reader:
            if cells:
                yield reader.line_num, cells


def _sniff_delimiter(path: Path) -> str:
    if path.suffix.lower() == ".tsv":
        return "\t"
    with path.open(newline="", encoding="utf-8-sig") as file:
        line = next((line for line in file if line.strip()), "")
    return max(",;\t|", key=line.count)


def _is_header(first: list[str], second: list[str], column: str | None) -> bool:
    """Return whether the first line is a header: a label column's name, or words above numbers."""
    words = [not is_number(cell) and cell.strip() != "" for cell in first]
    below = zip(words, first, second, strict=False)
    names = {*LABEL_COLUMNS, (column or "label").casefold()}
    return any(
        word and (is_number(under) or cell.strip().casefold() in names)
        for word, cell, under in below
    ) or (any(words) and not any(is_number(cell) for cell in first))


def _read_texts(path: Path, layout: Layout) -> _Texts:
    """Return the label and the name of each row, once every line has its length."""
    label, named = layout.roles.label, layout.roles.ids
    labels, ids, n_rows = [], [], 0
    lines = numbered_lines(path, layout.delimiter)
    if layout.has_header:
        next(lines)
    for number, cells in lines:
        if len(cells) != len(layout.columns):
            raise DataError(
                f"{path}, line {number}: {len(cells)} cells, where the first line has "
                f"{len(layout.columns)}; fix or drop that line"
            )
        n_rows += 1
        if label is not None:
            labels.append(cells[label].strip())
        if named is not None:
            ids.append(cells[named].strip())
    if "" in labels:
        raise DataError(describe_faults(numbered_lines(path, layout.delimiter), layout, path))
    return _Texts(n_rows, None if label is None else labels, None if named is None else ids)


def _read_values(path: Path, layout: Layout, n_rows: int) -> np.ndarray:
    """Return the features, ``(n_rows, features)`` float32, some lines at a time."""
    n_features = len(layout.roles.features)
    values = room_for((n_rows, n_features), np.float32, str(path))
    with path.open(encoding="utf-8-sig") as file:
        for _ in range(_header_lines(path, layout)):
            next(file)
        lines = (line for line in file if line != "\n")
        for part in chunk_slices(n_rows, 4 * n_features):
            values[part] = _numbers(lines, part.stop - part.start, path, layout)
            release(values)
    return values


def _numbers(lines: Iterator[str], count: int, path: Path, layout: Layout) -> np.ndarray:
    """Return the features of the next ``count`` rows."""
    fault = ""
    try:
        rows = np.loadtxt(
            lines,
            dtype=np.float32,
            comments=None,
            delimiter=layout.delimiter,
            quotechar='"',
            usecols=layout.roles.features,
            max_rows=count,
            ndmin=2,
        )
        if np.isfinite(rows).all():
            return rows
    except ValueError as error:
        fault = str(error)
    raise DataError(describe_faults(numbered_lines(path, layout.delimiter), layout, path, fault))


def _header_lines(path: Path, layout: Layout) -> int:
    """Count the physical lines of the header, blank lines before it included."""
    return next(numbered_lines(path, layout.delimiter))[0] if layout.has_header else 0
