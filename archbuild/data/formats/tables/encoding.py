"""The way from the columns of a table to features: kinds, encoding, and what is refused."""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Mapping, Sequence, Set
from dataclasses import replace
from pathlib import Path

import numpy as np

from archbuild.data.columns import (
    CATEGORICAL,
    CATEGORY,
    IDENTIFIER,
    IGNORE,
    NUMBER,
    ColumnEncoding,
    TableEncoding,
    is_missing,
)
from archbuild.data.formats.tables.constant import say_constant
from archbuild.data.formats.tables.faults import LARGEST, NoFeatures, cell_fault, fault_message
from archbuild.data.formats.tables.moments import say_moments
from archbuild.data.formats.tables.narrow import as_narrow
from archbuild.data.formats.tables.odd_numbers import say_odd_numbers
from archbuild.data.formats.tables.roles import Roles, refuse_twins
from archbuild.data.formats.tables.source import TableSource
from archbuild.data.formats.tables.told_kinds import refuse_other_kind
from archbuild.data.guess import Guess, as_option, column_key, column_subject, listed
from archbuild.data.precision import Blur
from archbuild.data.profile import MOST_DISTINCT, Profile
from archbuild.data.request import ReadRequest
from archbuild.data.spill import release, room_for
from archbuild.errors import DataError

_LONGEST_EXAMPLE = 30
_TOP = 5  # rows that may be a title, or a second header with units

_NONE_KNOWN = (
    "; it knows none of the column's values: are they written as in the training table, and in the "
    "right column?"
)

_log = logging.getLogger(__name__)


def read_features(
    source: TableSource, request: ReadRequest, roles: Roles, n_rows: int
) -> tuple[np.ndarray, TableEncoding, list[Guess]]:
    """Return the features, their encoding, and what is said about the columns."""
    names = [source.columns[index] for index in roles.features]
    told = {name: kind for name, kind in request.options.columns.items() if name in names}
    known, masked = request.known.encoding if request.known else None, request.options.masks_gaps
    plain = TableEncoding(tuple(ColumnEncoding(name, NUMBER, masked=masked) for name in names))
    if known is None and set(told.values()) <= {NUMBER}:
        numbers = source.numbers(roles.features, n_rows)
        if numbers is not None:
            said = [] if request.known else _say_of_values(plain, numbers, told)
            return as_narrow(numbers, source.path), plain, said
    if request.known is not None:
        known = known or plain
        return _encoded(source, roles.features, known, n_rows), known, []
    encoding, guesses = _choose_encoding(source, roles.features, told, masked)
    if not encoding.features:
        raise NoFeatures(
            f"{source.path} has no column that can be used ({'; '.join(map(str, guesses))}); state "
            "the kinds of its columns in the spec's data.columns"
        )
    refuse_twins(encoding.features, source.path)
    places = {name: index for index, name in enumerate(source.columns)}
    used = tuple(places[column.name] for column in encoding.used)
    values = _encoded(source, used, encoding, n_rows)
    return values, encoding, [*guesses, *_say_of_values(encoding, values, told)]


def _say_of_values(
    encoding: TableEncoding, values: np.ndarray, told: Mapping[str, str]
) -> list[Guess]:
    """Return what is said about the columns, by their numbers, unless their kinds are told."""
    odd = _odd_numbers(encoding, values, told)
    return [*odd, *say_constant(encoding, values, {*told}), *say_moments(encoding, values)]


def _odd_numbers(
    encoding: TableEncoding, values: np.ndarray, told: Mapping[str, str]
) -> list[Guess]:
    """Return a line for each column of numbers that may be something else, unless it is told."""
    names = encoding.features
    wanted = {
        column.name
        for column in encoding.columns
        if column.kind == NUMBER and not column.gaps and column.name not in told
    }
    places = [place for place, name in enumerate(names) if name in wanted]
    return say_odd_numbers(names, values, places)


def _profiles(source: TableSource, wanted: Sequence[int], told: Mapping[str, str]) -> list[Profile]:
    profiles = [Profile(source.decimal) for _ in wanted]
    top: Sequence[str] = ()
    for batch in source.batches(wanted):
        top = top or batch.places[:_TOP]
        for profile, cells in zip(profiles, batch.columns, strict=True):
            profile.add(cells, batch.places)
    for index, profile in zip(wanted, profiles, strict=True):
        name = source.columns[index]
        if profile.nearly_numeric and told.get(name, NUMBER) == NUMBER:
            raise _odd_cells(source.path, name, profile, top)
    return profiles


def _odd_cells(path: Path, name: str, profile: Profile, top: Sequence[str]) -> DataError:
    """Return the message for a column of numbers with a few cells that are none."""
    odd = [f"{place} ('{cell[:_LONGEST_EXAMPLE]}')" for place, cell in profile.odd]
    more = profile.filled - profile.numbers - len(odd)
    above = profile.odd[0][0] in top
    return DataError(
        f"{path}: the column '{name}' holds numbers, but not in {', '.join(odd)}"
        f"{f' and {more} more' if more > 0 else ''}; mend these cells, leave them blank, "
        f"{_as_missing(profile)}or {as_option(column_key(name, CATEGORY))} (or ignore)"
        + ("; lines above the table are left out with data.skip_lines" if above else "")
    )


def _as_missing(profile: Profile) -> str:
    """Return advice on a text that stands in every cell that is no number, or ``""``."""
    odd = {cell for _, cell in profile.odd}
    if len(odd) > 1 or not all(cell.isprintable() for cell in odd):
        return ""
    marks = json.dumps([*odd], ensure_ascii=False)
    return f"say that it stands for a missing value by {as_option(f'missing={marks}')}, "


def _choose_encoding(
    source: TableSource, wanted: Sequence[int], told: Mapping[str, str], masked: bool
) -> tuple[TableEncoding, list[Guess]]:
    """Return the encoding of the columns that can be used, and a line for each decision."""
    names = [source.columns[index] for index in wanted]
    profiles = _profiles(source, wanted, told)
    for name, each in zip(names, profiles, strict=True):
        refuse_other_kind(source.path, name, told.get(name, ""), each)
    kinds = [told.get(name) or each.kind() for name, each in zip(names, profiles, strict=True)]
    for name, kind, each in zip(names, kinds, profiles, strict=True):
        if kind == NUMBER and each.blur is not None:
            raise _blurred(source.path, name, each.blur)
    learnt = [
        _learn(source.path, name, kind, profile, masked)
        for name, kind, profile in zip(names, kinds, profiles, strict=True)
    ]
    columns = _filled(source, wanted, learnt)
    guesses = [
        _say(column, profile, column.name in told)
        for column, profile in zip(columns, profiles, strict=True)
        if column.kind != NUMBER or profile.missing or profile.rounded
    ]
    return TableEncoding(tuple(columns)), guesses


def _blurred(path: Path, name: str, blur: Blur) -> DataError:
    return DataError(
        f"{path}: the column '{name}' {blur.in_words}; or leave it out: "
        f"{as_option(column_key(name, IGNORE))} (or category)"
    )


def _learn(path: Path, name: str, kind: str, profile: Profile, masked: bool) -> ColumnEncoding:
    """Return the encoding of one column, without the number that fills its gaps."""
    if kind in (IDENTIFIER, IGNORE):
        return ColumnEncoding(name, IGNORE)
    if kind in CATEGORICAL and len(profile.texts) == MOST_DISTINCT:
        raise DataError(
            f"{path}: the column '{name}' has {MOST_DISTINCT:,} different values or more, too many "
            f"for a category: {as_option(column_key(name, IGNORE))} (or identifier)"
        )
    categories = tuple(sorted(profile.texts)) if kind in CATEGORICAL else ()
    marked = profile.missing > 0 and not masked
    return ColumnEncoding(name, kind, categories, gaps=marked, masked=masked)


def _filled(
    source: TableSource, wanted: Sequence[int], columns: Sequence[ColumnEncoding]
) -> list[ColumnEncoding]:
    """Return the columns with the mean of their numbers where cells are missing: in one pass."""
    places = {
        index: column
        for index, column in zip(wanted, columns, strict=True)
        if column.gaps and column.kind not in CATEGORICAL
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
    subject = column_subject(column.name)
    if not column.features:
        is_padded = profile.padded and profile.numbers == profile.filled
        other = column_key(column.name, NUMBER if is_padded else CATEGORY)
        return Guess(subject, _why_left_out(profile), other if profile.filled else "")
    parts = [_kind_in_words(column)] if column.kind != NUMBER else []
    otherwise = "" if told else column_key(column.name, IGNORE)
    if column.kind == CATEGORY and profile.padded and not told:
        parts.append(f"with leading zeros ('{profile.padded_example}') they are names")
        otherwise = column_key(column.name, NUMBER)
    if column.kind == NUMBER and profile.rounded:
        parts.append(_rounding(profile))
    if profile.missing:
        parts.append(f"{profile.missing:,} of {profile.rows:,} cells missing: {_in_gaps(column)}")
        otherwise = "gaps=impute" if column.masked else "gaps=mask"
    return Guess(subject, "; ".join(parts), otherwise)


def _kind_in_words(column: ColumnEncoding) -> str:
    if column.kind in CATEGORICAL:
        each = "one feature each" if column.kind == CATEGORY else "embedded by the network"
        return f"{len(column.categories)} categories ({listed(column.categories)}), {each}"
    return {"boolean": "true and false, as 1 and 0", "date": "dates, in days"}[column.kind]


def _in_gaps(column: ColumnEncoding) -> str:
    if column.masked:
        return "0 after scaling, and the loss leaves them out"
    filled = "no category" if column.fill is None else f"the mean, {column.fill:.4g},"
    return f"{filled} and a feature that marks them"


def _why_left_out(profile: Profile) -> str:
    if not profile.filled:
        return "left out: no cell has a value"
    words = profile.in_words()
    found = f"{words} with" if words == "text" else f"{words},"
    return f"left out: {found} {len(profile.texts):,} different values in {profile.filled:,} rows"


def _rounding(profile: Profile) -> str:
    exact, rounded = profile.merged()
    return (
        f"{profile.rounded:,} of {profile.rows:,} cells are whole numbers beyond 2^53, which are "
        f"rounded: {exact:,} different ones become {rounded:,}"
    )


def _encoded(
    source: TableSource, wanted: Sequence[int], encoding: TableEncoding, n_rows: int
) -> np.ndarray:
    """Return the features of all rows; cells that cannot be read are refused."""
    width = len(encoding.features)
    values = room_for((n_rows, width), np.float64, str(source.path))
    start = 0
    faults: dict[str, list[str]] = {}
    unknown: dict[str, Counter[str]] = {}
    understood: set[str] = set()
    for batch in source.batches(wanted):
        stop, place = start + len(batch.places), 0
        for column, cells in zip(encoding.used, batch.columns, strict=True):
            rows = column.encode(cells, source.decimal)
            for row in _unreadable(rows[:, 0], column, cells):
                where = f"{batch.places[row]}, column '{column.name}'"
                cause, where = cell_fault(cells[row].strip(), column.kind, where, source.decimal)
                faults.setdefault(cause, []).append(where)
            others = column.unknown(cells, source.decimal)
            unknown.setdefault(column.name, Counter()).update(others)
            if (rows[:, : len(column.categories)] == 1).any():
                understood.add(column.name)
            values[start:stop, place : place + rows.shape[1]] = rows
            place += rows.shape[1]
        start = stop
        release(values)
    if faults:
        raise DataError(fault_message(source.path, faults))
    _warn_of_unknown(source.path, unknown, understood)
    return as_narrow(values, source.path)


def _unreadable(numbers: np.ndarray, column: ColumnEncoding, cells: Sequence[str]) -> list[int]:
    """Return the rows whose cell is no finite feature, though none is expected to be missing."""
    broken = np.flatnonzero(~(np.abs(numbers) <= LARGEST)).tolist()
    return [row for row in broken if not (column.masked and is_missing(cells[row]))]


def _warn_of_unknown(path: Path, unknown: Mapping[str, Counter[str]], understood: Set[str]) -> None:
    """Warn of categories that training did not have; ``understood`` are the columns with others."""
    for name, texts in unknown.items():
        if texts:
            _log.warning(
                "%s: the column '%s' has categories that the model does not know, in %d rows: %s%s",
                path,
                name,
                texts.total(),
                listed(tuple(texts)),
                "" if name in understood else _NONE_KNOWN,
            )
