"""``.txt``: a matrix of numbers, one row a line, and its labels in ``category.txt`` beside it.

So the Serket tutorials keep their data, and so ``numpy.savetxt`` writes them. Cells stand apart by
blanks or tabs; ``#`` begins a comment, and lines with nothing else are left out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np

from archbuild.data.columns import number_in
from archbuild.data.dataset import chunk_slices
from archbuild.data.formats.tables.faults import (
    LARGEST,
    fault_message,
    number_fault,
    place_of_cell,
)
from archbuild.data.formats.tables.narrow import as_narrow
from archbuild.data.formats.tables.separator import best_cut, separator_name
from archbuild.data.guess import Guess
from archbuild.data.precision import EXACT
from archbuild.data.profile import Profile
from archbuild.data.request import Arrays, ReadRequest
from archbuild.data.spill import release, room_for
from archbuild.errors import DataError

LABEL_FILE = "category.txt"
"""Beside the matrix, where there are labels: one a line, in the order of the rows."""

_LONGEST_EXAMPLE = 30
_SAMPLE = 200  # lines


def read_text_matrix(request: ReadRequest) -> Arrays:
    """Return the numbers, and the lines of ``category.txt`` as texts.

    The numbers are float32, or float64 where that would blur a column. The file is gone through
    several times, and is never in memory as a whole.

    Raises:
        DataError: words, NaN or numbers beyond float32, whole numbers that float64 would blur,
            lines of different lengths, another number of labels than of rows, no rows, or a file
            that is no text.
    """
    path = request.path
    n_rows, n_columns = _shape(path)
    labels = _labels(path, n_rows) if request.wants_labels else None
    values = as_narrow(_read_values(path, n_rows, n_columns), path)
    if request.known is None:  # new rows may be closer to each other than those of the training
        _refuse_blurred(path, values)
    return Arrays(values, labels, guesses=tuple(_say_comments(path)))


def _say_comments(path: Path) -> list[Guess]:
    """Return a line about comments; they are part of the format, so there is no key for them."""
    with path.open(encoding="utf-8-sig") as file:
        count = sum("#" in line for line in file)
    found = f"what is behind # is left out, in {count:,} line{'s' if count > 1 else ''}"
    return [Guess("comments", found)] if count else []


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """Yield each line without its comment, and its number in the file, from 1."""
    try:
        with path.open(encoding="utf-8-sig") as file:
            for number, line in enumerate(file, 1):
                text = line.partition("#")[0].strip()
                if text:
                    yield number, text
    except UnicodeDecodeError as error:
        raise DataError(
            f"{path} is no text in UTF-8 ({error}); save it with numpy.savetxt(path, array)"
        ) from error


def _shape(path: Path) -> tuple[int, int]:
    """Return rows and columns of a table whose lines all have equally many cells."""
    lengths = Counter(len(text.split()) for _, text in _lines(path))
    if not lengths:
        raise DataError(f"{path} is empty; expected one line of numbers for each row")
    if len(lengths) > 1:
        raise _fault(path)
    ((n_columns, n_rows),) = lengths.items()
    return n_rows, n_columns


def _read_values(path: Path, n_rows: int, n_columns: int) -> np.ndarray:
    """Return the matrix, some lines at a time."""
    values = room_for((n_rows, n_columns), np.float64, str(path))
    lines = (text for _, text in _lines(path))
    for part in chunk_slices(n_rows, values.itemsize * n_columns):
        values[part] = _numbers(lines, part.stop - part.start, path)
        release(values)
    return values


def _numbers(lines: Iterator[str], count: int, path: Path) -> np.ndarray:
    """Return the next ``count`` rows."""
    try:
        rows = np.loadtxt(lines, comments=None, max_rows=count, ndmin=2)
    except ValueError as error:
        raise _fault(path, str(error)) from error
    if not (np.abs(rows) <= LARGEST).all():  # true for NaN as well
        raise _fault(path)
    return rows


def _refuse_blurred(path: Path, values: np.ndarray) -> None:
    """Refuse columns whose numbers float64 does not tell apart."""
    parts = chunk_slices(len(values), values.itemsize * values.shape[1])
    beyond = [(np.abs(values[part]) >= EXACT).any(axis=0) for part in parts]
    profiles = {place: Profile() for place in np.flatnonzero(np.any(beyond, axis=0)).tolist()}
    for number, text in _lines(path) if profiles else ():
        cells = text.split()
        for place, profile in profiles.items():
            profile.add([cells[place]], [f"line {number}"])
    for place, profile in profiles.items():
        if profile.blur is not None:
            raise DataError(f"{path}: column {place + 1} {profile.blur.in_words}")


def _labels(path: Path, n_rows: int) -> list[str] | None:
    """Return the label of each row; ``None`` where there is no other file to hold them."""
    beside = path.with_name(LABEL_FILE)
    if not beside.is_file() or beside.samefile(path):
        return None
    labels = [text for _, text in _lines(beside)]
    if len(labels) != n_rows:
        raise DataError(
            f"{beside} has {len(labels)} labels, and {path} has {n_rows} rows; give one label a "
            f"line for each row, or, if these labels are not its own, move {path.name} elsewhere"
        )
    return labels


def _fault(path: Path, otherwise: str = "") -> DataError:
    """Return the first line that is no row, else the cells that hold no finite number.

    Args:
        path: of the matrix.
        otherwise: what to say where there is neither.
    """
    faults: dict[str, list[str]] = {}
    n_columns = 0
    for number, text in _lines(path):
        cells = text.split()
        n_columns = n_columns or len(cells)
        word = next((cell for cell in cells if number_in(cell) is None), None)
        if word is not None:
            return DataError(f"{path}, line {number}: {_no_number(word, path)}")
        if len(cells) != n_columns:
            return DataError(
                f"{path}, line {number}: {len(cells)} numbers, where the first row has "
                f"{n_columns}; fix or drop that line"
            )
        for column, cell in enumerate(cells, 1):
            if not abs(float(cell)) <= LARGEST:  # true for NaN as well
                where = place_of_cell(f"line {number}, column {column}", cell)
                faults.setdefault(number_fault(cell, float(cell)), []).append(where)
    return DataError(fault_message(path, faults, otherwise))


def _no_number(word: str, path: Path) -> str:
    shown = f"'{word[:_LONGEST_EXAMPLE]}' is no number"
    with path.open(encoding="utf-8-sig") as file:
        lines = list(islice(file, _SAMPLE))
    cut = best_cut(lines)
    sign = "; for decimal commas set data.decimal" if "," in word else ""
    if cut is not None and cut.separator not in " \t" and cut.share == 1:
        return (
            f"{shown}; {cut.in_words}: let the file's name end in .csv, or set data.separator: "
            f"{separator_name(cut.separator)}{sign}"
        )
    return (
        f"{shown}; expected numbers between blanks or tabs (begin a header with #, or set "
        f"data.header: true; put labels into {LABEL_FILE}, one a line){sign}"
    )
