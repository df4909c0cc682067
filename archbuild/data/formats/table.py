"""The way from a table in any format to numbers: roles, kinds, encoding, and what is refused."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np

from archbuild.data.columns import (
    CATEGORY,
    IDENTIFIER,
    IGNORE,
    NUMBER,
    ColumnEncoding,
    Profile,
    TableEncoding,
    is_missing,
    number_in,
)
from archbuild.data.dataset import chunk_slices
from archbuild.data.formats.roles import Roles, assign_roles, chosen_roles, refuse_twins
from archbuild.data.guess import Guess, column_key, listed
from archbuild.data.precision import needs_double
from archbuild.data.request import Arrays, Known, ReadRequest
from archbuild.data.spill import release, room_for
from archbuild.errors import DataError

LARGEST = 3.4e38
"""Float32's largest number; cells beyond it are refused."""

_NO_LABEL = ("", "nan")
_SHOWN = 5
_LONGEST_EXAMPLE = 30

_log = logging.getLogger(__name__)


class Batch(NamedTuple):
    """Some rows of a table, as texts.

    Attributes:
        places: of each row, for messages: ``line 2``.
        columns: the cells of each column that was asked for.
    """

    places: Sequence[str]
    columns: Sequence[Sequence[str]]


class TableSource(Protocol):
    """A table in some format.

    Attributes:
        path: for messages.
        columns: the names; ``1``, ``2``, ... without a header.
        has_header: whether the columns have names of their own.
        decimal: the decimal sign in its cells.
        guesses: the decisions of its reader.
    """

    path: Path
    columns: tuple[str, ...]
    has_header: bool
    decimal: str
    guesses: tuple[Guess, ...]

    def batches(self, wanted: Sequence[int]) -> Iterator[Batch]:
        """Yield all rows in order, the wanted columns alone."""

    def numbers(self, wanted: Sequence[int], n_rows: int) -> np.ndarray | None:
        """Return columns of plain finite numbers, ``(n_rows, columns)``; ``None`` if they are not.

        This is the fast way for tables that hold nothing else.
        """


def read_table(source: TableSource, request: ReadRequest) -> Arrays:
    """Return the features, the labels and the rows' names of a table.

    Raises:
        DataError: a column that is wanted is missing, most cells of a column are numbers and some
            are not, a label is missing, or there are no rows.
    """
    roles = _roles(source, request)
    n_rows, texts = _read_texts(source, roles)
    labels = None if roles.label is None else texts[roles.label]
    guesses = [*source.guesses, *roles.guesses]
    if roles.label is not None and labels is not None:
        roles, labels, said = _judge_labels(source, roles, labels)
        guesses += said
    features, encoding, said_of_columns = _features(source, request, roles, n_rows)
    return Arrays(
        values=features,
        labels=labels,
        ids=None if roles.ids is None else texts[roles.ids],
        columns=encoding.features if source.has_header else (),
        guesses=(*guesses, *said_of_columns),
        encoding=None if encoding.is_plain else encoding,
    )


def _roles(source: TableSource, request: ReadRequest) -> Roles:
    wanted = _wanted_columns(request.known)
    if wanted and source.has_header:
        return chosen_roles(source.columns, wanted, source.path)
    roles = assign_roles(source.columns, request.options, source.path, has_header=source.has_header)
    return roles if request.known is None else Roles(None, roles.ids, roles.features)


def _wanted_columns(known: Known | None) -> tuple[str, ...]:
    if known is None:
        return ()
    encoding = known.encoding
    return tuple(column.name for column in encoding.used) if encoding else known.columns


def _read_texts(source: TableSource, roles: Roles) -> tuple[int, dict[int, list[str]]]:
    """Return the number of rows, and the cells of the columns of labels and names."""
    wanted = [index for index in (roles.label, roles.ids) if index is not None]
    texts: dict[int, list[str]] = {index: [] for index in wanted}
    missing: list[str] = []
    n_rows = 0
    for batch in source.batches(wanted):
        n_rows += len(batch.places)
        for index, cells in zip(wanted, batch.columns, strict=True):
            texts[index] += [cell.strip() for cell in cells]
            if index == roles.label:
                empty = [
                    place
                    for place, cell in zip(batch.places, cells, strict=True)
                    if cell.strip().casefold() in _NO_LABEL
                ]
                missing += [f"{place}, column '{source.columns[index]}'" for place in empty]
    if not n_rows:
        raise DataError(f"{source.path} has a header and no rows; expected one line for each row")
    if missing:
        raise DataError(fault_message(source.path, {}, missing))
    return n_rows, texts


def _judge_labels(
    source: TableSource, roles: Roles, labels: list[str]
) -> tuple[Roles, list[str] | None, list[Guess]]:
    """Return the roles and labels, once a column of a label's name is known to hold classes."""
    index = roles.label or 0
    name = source.columns[index]
    fault = label_fault(labels, source.decimal)
    if fault is None:
        classes = len(set(labels))
        said = Guess("labels", f"column '{name}', {classes} classes", "labels=none")
        return roles, labels, [said] if roles.label_is_guessed else []
    if not roles.label_is_guessed:
        raise DataError(
            f"{source.path}: the column '{name}' holds no classes, {fault}; labels name classes, "
            "so choose another column, or data.labels: none"
        )
    found = f"none; the column '{name}' is a feature, {fault}"
    features = tuple(sorted((*roles.features, index)))
    said = Guess("labels", found, column_key(name, "ignore"))
    return roles._replace(label=None, features=features), None, [said]


def label_fault(labels: Sequence[str], decimal: str = ".") -> str | None:
    """Return why texts are values of a quantity rather than classes; ``None`` if they are classes.

    Fractions are never classes; whole numbers are not where nearly every row has its own.
    """
    counts = Counter(labels)
    numbers = [number_in(text, decimal) for text in counts]
    fractions = [number for number in numbers if number is not None and number % 1]
    if fractions:  # NaN and infinity count as such
        return f"since it has fractions ({fractions[0]:g})"
    numeric = all(number is not None for number in numbers)
    if numeric and len(counts) > max(20, len(labels) / 4):
        return f"since it has {len(counts)} different numbers in {len(labels)} rows"
    return None


def _features(
    source: TableSource, request: ReadRequest, roles: Roles, n_rows: int
) -> tuple[np.ndarray, TableEncoding, list[Guess]]:
    """Return the features, their encoding, and what is said about the columns."""
    names = [source.columns[index] for index in roles.features]
    told = {name: kind for name, kind in request.options.columns.items() if name in names}
    known = request.known.encoding if request.known else None
    plain = TableEncoding(tuple(ColumnEncoding(name, NUMBER) for name in names))
    if known is None and set(told.values()) <= {NUMBER}:
        numbers = source.numbers(roles.features, n_rows)
        if numbers is not None:
            return _smallest(numbers, source.path), plain, []
    if request.known is not None:
        known = known or plain
        return _encoded(source, roles.features, known, n_rows), known, []
    profiles = _profiles(source, roles.features)
    encoding, guesses = _choose_encoding(source, roles.features, profiles, told)
    if not encoding.features:
        raise DataError(
            f"{source.path} has no column that can be used ({'; '.join(map(str, guesses))}); state "
            "the kinds of its columns in the spec's data.columns"
        )
    refuse_twins(encoding.features, source.path)
    used = tuple(source.columns.index(column.name) for column in encoding.used)
    return _encoded(source, used, encoding, n_rows), encoding, guesses


def _profiles(source: TableSource, wanted: Sequence[int]) -> list[Profile]:
    profiles = [Profile(source.decimal) for _ in wanted]
    for batch in source.batches(wanted):
        for profile, cells in zip(profiles, batch.columns, strict=True):
            profile.add(cells, batch.places)
    for index, profile in zip(wanted, profiles, strict=True):
        if profile.nearly_numeric:
            name = source.columns[index]
            odd = [f"{place} ('{cell[:_LONGEST_EXAMPLE]}')" for place, cell in profile.odd]
            more = profile.filled - profile.numbers - len(odd)
            raise DataError(
                f"{source.path}: the column '{name}' holds numbers, but not in {', '.join(odd)}"
                f"{f' and {more} more' if more > 0 else ''}; mend these cells, leave them blank, "
                f"or set data.columns.{name} to category or ignore"
            )
    return profiles


def _choose_encoding(
    source: TableSource,
    wanted: Sequence[int],
    profiles: Sequence[Profile],
    told: Mapping[str, str],
) -> tuple[TableEncoding, list[Guess]]:
    """Return the encoding of the columns that can be used, and a line for each decision."""
    names = [source.columns[index] for index in wanted]
    kinds = [told.get(name) or each.kind() for name, each in zip(names, profiles, strict=True)]
    columns = _filled(source, wanted, list(map(_learn, names, kinds, profiles)))
    guesses = [
        _say(column, profile, column.name in told)
        for column, profile in zip(columns, profiles, strict=True)
        if column.kind != NUMBER or column.gaps
    ]
    return TableEncoding(tuple(columns)), guesses


def _learn(name: str, kind: str, profile: Profile) -> ColumnEncoding:
    """Return the encoding of one column, without the number that fills its gaps."""
    if kind in (IDENTIFIER, IGNORE):
        return ColumnEncoding(name, IGNORE)
    categories = tuple(sorted(profile.texts)) if kind == CATEGORY else ()
    return ColumnEncoding(name, kind, categories, gaps=profile.missing > 0)


def _filled(
    source: TableSource, wanted: Sequence[int], columns: Sequence[ColumnEncoding]
) -> list[ColumnEncoding]:
    """Return the columns with the mean of their numbers where cells are missing: in one pass."""
    places = {
        index: column
        for index, column in zip(wanted, columns, strict=True)
        if column.gaps and column.kind != CATEGORY
    }
    totals, counts = dict.fromkeys(places, 0.0), dict.fromkeys(places, 0)
    for batch in source.batches(list(places)) if places else ():
        for (index, column), cells in zip(places.items(), batch.columns, strict=True):
            there = [cell for cell in cells if not is_missing(cell)]
            totals[index] += float(column.encode(there, source.decimal)[:, 0].sum())
            counts[index] += len(there)
    fills = {index: totals[index] / max(counts[index], 1) for index in places}
    return [
        replace(column, fill=fills[index]) if index in fills else column
        for index, column in zip(wanted, columns, strict=True)
    ]


def _say(column: ColumnEncoding, profile: Profile, told: bool) -> Guess:
    if not column.features:
        return Guess(
            column_subject(column.name), _why_left_out(profile), column_key(column.name, "category")
        )
    parts = []
    if column.kind == CATEGORY:
        number = len(column.categories)
        parts.append(f"{number} categories ({listed(column.categories)}), one feature each")
    elif column.kind != NUMBER:
        parts.append(
            {"boolean": "true and false, as 1 and 0", "date": "dates, in days"}[column.kind]
        )
    if column.gaps:
        filled = "no category" if column.fill is None else f"the mean, {column.fill:.4g},"
        parts.append(
            f"{profile.missing:,} of {profile.rows:,} cells missing: {filled} and a feature that "
            "marks them"
        )
    other = "" if told else column_key(column.name, "ignore")
    return Guess(column_subject(column.name), "; ".join(parts), other)


def column_subject(name: str) -> str:
    """Return the subject of a guess about a column."""
    return f"column '{name}'"


def _why_left_out(profile: Profile) -> str:
    if not profile.filled:
        return "left out: no cell has a value"
    return f"left out: text with {len(profile.texts):,} different values in {profile.filled:,} rows"


def _encoded(
    source: TableSource, wanted: Sequence[int], encoding: TableEncoding, n_rows: int
) -> np.ndarray:
    """Return the features of all rows; cells that cannot be read are refused."""
    width = len(encoding.features)
    values = room_for((n_rows, width), np.float64, str(source.path))
    start = 0
    faults: list[str] = []
    unknown: dict[str, Counter[str]] = {}
    for batch in source.batches(wanted):
        stop, place = start + len(batch.places), 0
        for column, cells in zip(encoding.used, batch.columns, strict=True):
            rows = column.encode(cells, source.decimal)
            faults += _unreadable(rows[:, 0], batch.places, column.name, cells)
            unknown.setdefault(column.name, Counter()).update(column.unknown(cells))
            values[start:stop, place : place + rows.shape[1]] = rows
            place += rows.shape[1]
        start = stop
        release(values)
    if faults:
        raise DataError(fault_message(source.path, {}, faults))
    _warn_of_unknown(source.path, unknown)
    return _smallest(values, source.path)


def _unreadable(
    numbers: np.ndarray, places: Sequence[str], name: str, cells: Sequence[str]
) -> list[str]:
    broken = np.flatnonzero(~(np.abs(numbers) <= LARGEST))
    return [
        f"{places[row]}, column '{name}'"
        + (f" ({cells[row].strip()})" if cells[row].strip() else "")
        for row in broken.tolist()
    ]


def _warn_of_unknown(path: Path, unknown: Mapping[str, Counter[str]]) -> None:
    for name, texts in unknown.items():
        if texts:
            _log.warning(
                "%s: the column '%s' has categories that the model does not know, in %d rows: %s",
                path,
                name,
                texts.total(),
                listed(tuple(texts)),
            )


def _smallest(values: np.ndarray, path: Path) -> np.ndarray:
    """Return the numbers as float32, unless that would blur a column."""
    if values.dtype == np.float32:
        return values
    parts = list(chunk_slices(len(values), 8 * values.shape[1]))
    if needs_double(values[part] for part in parts):
        return values
    single = room_for(values.shape, np.float32, str(path))
    for part in parts:
        single[part] = values[part]
        release(single)
        release(values)
    return single


def fault_message(
    path: Path, words: Mapping[str, str], missing: Sequence[str], otherwise: str = ""
) -> str:
    """Return the message for a table that cannot be read as numbers.

    Args:
        path: of the table.
        words: column -> an example, for each that is not numeric.
        missing: the places of cells that are blank, NaN or beyond float32.
        otherwise: what to say where there is neither.
    """
    parts = []
    if words:
        named = ", ".join(f"'{name}' (for instance '{cell}')" for name, cell in words.items())
        parts.append(
            f"these columns are not numeric: {named}; drop them, or turn them into numbers"
        )
    if missing:
        shown = ", ".join(missing[:_SHOWN])
        more = f" and {len(missing) - _SHOWN} more" if len(missing) > _SHOWN else ""
        parts.append(
            f"blank, NaN, beyond float32, or not of the column's kind: {shown}{more}; fill these "
            "cells in or drop the rows"
        )
    return f"{path}: " + ("; ".join(parts) or otherwise or "it cannot be read as numbers")
