"""``.csv``: a table of numbers, with or without a header, with or without a label column."""

from __future__ import annotations

import csv
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

import numpy as np

from archbuild.data.csv_faults import describe_faults, is_number
from archbuild.data.limits import check_size
from archbuild.data.request import Arrays, ReadRequest
from archbuild.errors import DataError

LABEL_COLUMNS = ("label", "class", "target", "y")

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Layout:
    """How a table is laid out.

    Attributes:
        delimiter: between the cells.
        columns: their names; ``1``, ``2``, ... where the file has no header.
        has_header: whether the first line is one.
        label: the index of the label column, or ``None``.
        features: the indices of the others.
    """

    delimiter: str
    columns: tuple[str, ...]
    has_header: bool
    label: int | None
    features: tuple[int, ...]


def read_csv(request: ReadRequest) -> Arrays:
    """The numeric columns as float32, and the labels as texts where there is a label column.

    The label column is the one the user named, else one called label, class, target or y in any
    case. A first column without a name, as data frames write their row numbers, is left out.

    Raises:
        DataError: columns that are not numeric, blank or NaN cells, lines of different lengths, a
            named column that is not there, no rows, or a file that is no text.
    """
    path = request.path
    try:
        layout = read_layout(path, request.column)
        labels = _read_labels(path, layout)
        if not labels:
            raise DataError(f"{path} has a header and no rows; expected one line for each row")
        check_size(4 * len(labels) * len(layout.features), str(path))
        values = _read_values(path, layout)
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(
            f"{path} is no table in UTF-8 text ({error}); save it as CSV, UTF-8"
        ) from error
    return Arrays(values, None if layout.label is None else labels)


def read_layout(path: Path, column: str | None = None) -> Layout:
    """Delimiter, header and columns, judged by the first two lines."""
    delimiter = _sniff_delimiter(path)
    lines = numbered_lines(path, delimiter)
    first, second = next(lines, (0, []))[1], next(lines, (0, []))[1]
    if not first:
        raise DataError(f"{path} is empty; expected one line of numbers for each row")
    has_header = _is_header(first, second, column)
    names = [cell.strip() for cell in first] if has_header else map(str, range(1, len(first) + 1))
    columns = tuple(names)
    label = _label_column(columns, column, path)
    skipped = {label} | ({0} if _counts_rows(columns, has_header, path) else set())
    features = tuple(index for index in range(len(columns)) if index not in skipped)
    if not features:
        raise DataError(f"{path} has no column beside its labels; there is nothing to cluster")
    return Layout(delimiter, columns, has_header, label, features)


def numbered_lines(path: Path, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """The lines that are not blank, with their numbers in the file, from 1."""
    with path.open(newline="", encoding="utf-8-sig") as file:
        reader = csv.reader(file, delimiter=delimiter)
        for cells in reader:
            if cells:
                yield reader.line_num, cells


def _sniff_delimiter(path: Path) -> str:
    with path.open(newline="", encoding="utf-8-sig") as file:
        line = next((line for line in file if line.strip()), "")
    return max(",;\t|", key=line.count)


def _is_header(first: list[str], second: list[str], column: str | None) -> bool:
    """A header has a label column's name, a word above a number, or nothing but words."""
    words = [not is_number(cell) and cell.strip() != "" for cell in first]
    below = zip(words, first, second, strict=False)
    names = {*LABEL_COLUMNS, (column or "label").casefold()}
    return any(
        word and (is_number(under) or cell.strip().casefold() in names)
        for word, cell, under in below
    ) or (any(words) and not any(is_number(cell) for cell in first))


def _label_column(columns: tuple[str, ...], wanted: str | None, path: Path) -> int | None:
    if wanted is None:
        names = [name.casefold() for name in columns]
        return next((names.index(name) for name in LABEL_COLUMNS if name in names), None)
    if wanted in columns:
        return columns.index(wanted)
    close = get_close_matches(wanted, columns, n=1)
    meant = f"; did you mean '{close[0]}'?" if close else "."
    shown = ", ".join(columns[:20]) + (", ..." if len(columns) > 20 else "")
    raise DataError(f"{path} has no column '{wanted}'{meant} Its columns are: {shown}")


def _counts_rows(columns: tuple[str, ...], has_header: bool, path: Path) -> bool:
    counts = has_header and len(columns) > 1 and columns[0] in ("", "Unnamed: 0")
    if counts:
        _log.warning("%s: the first column has no name; taken for row numbers, left out", path)
    return counts


def _read_labels(path: Path, layout: Layout) -> list[str]:
    """The label of each row (blank without a label column), once every line has its length."""
    labels = []
    lines = numbered_lines(path, layout.delimiter)
    if layout.has_header:
        next(lines)
    for number, cells in lines:
        if len(cells) != len(layout.columns):
            raise DataError(
                f"{path}, line {number}: {len(cells)} cells, where the first line has "
                f"{len(layout.columns)}; mend or drop that line"
            )
        labels.append("" if layout.label is None else cells[layout.label].strip())
    if layout.label is not None and "" in labels:
        raise DataError(describe_faults(numbered_lines(path, layout.delimiter), layout, path))
    return labels


def _read_values(path: Path, layout: Layout) -> np.ndarray:
    try:
        values = np.loadtxt(
            path,
            dtype=np.float32,
            comments=None,
            delimiter=layout.delimiter,
            quotechar='"',
            skiprows=_header_lines(path, layout),
            usecols=layout.features,
            encoding="utf-8-sig",
            ndmin=2,
        )
    except ValueError as error:
        lines = numbered_lines(path, layout.delimiter)
        raise DataError(describe_faults(lines, layout, path, str(error))) from error
    if not np.isfinite(values).all():
        raise DataError(describe_faults(numbered_lines(path, layout.delimiter), layout, path))
    return values


def _header_lines(path: Path, layout: Layout) -> int:
    """How many physical lines the header takes, blank lines before it included."""
    return next(numbered_lines(path, layout.delimiter))[0] if layout.has_header else 0
