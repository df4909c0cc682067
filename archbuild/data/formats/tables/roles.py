"""The roles of a table's columns, by their names and by the user's decisions."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence, Set
from difflib import get_close_matches
from pathlib import Path
from typing import NamedTuple

from archbuild.data.columns import IDENTIFIER, IGNORE, number_in
from archbuild.data.formats.tables.faults import NoFeatures
from archbuild.data.guess import Guess, column_key, listed
from archbuild.data.request import ReadOptions
from archbuild.data.table_form import name_key
from archbuild.errors import DataError

LABEL_COLUMNS = ("label", "class", "target", "y")
LABEL = "label"

_PANDAS_INDEX = "__index_level_0__"  # in Parquet, behind the other columns
_NO_NAME = ("", "Unnamed: 0", "Unnamed: 0.1", _PANDAS_INDEX)  # as data frames write row numbers
_WITHOUT_NAME = column_key("", IGNORE)

_SHOWN = 5
_CLOSE = 0.7  # share of letters that two names have in common; of income and comment 0.62

_log = logging.getLogger(__name__)


class Roles(NamedTuple):
    """The roles of the columns, as indices.

    Attributes:
        label: the label column, or ``None``.
        ids: the column that names the rows, or ``None``.
        features: the others that are used.
        label_is_guessed: whether the label column was found by its name alone.
        label_like: further columns with a label's name, the likeliest first.
        guesses: the decisions, in words.
        other_ids: further columns that identify rows, and are left out like ``ids``.
    """

    label: int | None
    ids: int | None
    features: tuple[int, ...]
    label_is_guessed: bool = False
    label_like: tuple[int, ...] = ()
    guesses: tuple[Guess, ...] = ()
    other_ids: tuple[int, ...] = ()

    @property
    def identifiers(self) -> tuple[int, ...]:
        """The columns that identify rows; the first names them."""
        return self.other_ids if self.ids is None else (self.ids, *self.other_ids)

    def with_next_label(self) -> Roles:
        """Return the roles in which the next column with a label's name is the label."""
        label, *others = self.label_like
        features = tuple(index for index in self.features if index != label)
        return self._replace(label=label, features=features, label_like=tuple(others))


class Unused(NamedTuple):
    """The columns that a model's table has beside its features, by their names.

    Attributes:
        identifiers: those that identify rows, the likeliest first.
        ignored: those that the user states to be none of the features.
        others: the rest, labels among them.
    """

    identifiers: Sequence[str] = ()
    ignored: Sequence[str] = ()
    others: Sequence[str] = ()


_ALL_USED = Unused()


def assign_roles(
    columns: Sequence[str], options: ReadOptions, path: Path, *, has_header: bool = True
) -> Roles:
    """Return the role of each column of a table to train on.

    The label column is the one that the user named, else one called label, class, target or y in
    any case. A first column without a name, as data frames write their row numbers, or called id
    in any case, names the rows and is no feature.

    Raises:
        DataError: there is no column of a name that is wanted, or none beside the labels, or two
            columns have one name.
    """
    if has_header:
        refuse_twins(columns, path)
    for name in options.columns:
        _place(name, columns, path)
    asked = _asked_label(options)
    named = [index for index in _label_like(columns, options) if columns[index] != asked]
    is_guessed = asked is None and not options.no_labels and bool(named)
    label = _place(asked, columns, path) if asked else named.pop(0) if is_guessed else None
    ids, guesses = _row_names(columns, label, options) if has_header else (None, ())
    other_ids = tuple(place for place in _of_kind(columns, options, IDENTIFIER) if place != ids)
    left_out = {label, ids, *other_ids}
    left_out |= {*_of_kind(columns, options, IGNORE), *_of_kind(columns, options, LABEL)}
    features = tuple(index for index in range(len(columns)) if index not in left_out)
    if not features:
        raise NoFeatures(f"{path} has no column beside its labels; there is nothing to cluster")
    guesses += tuple(_say_no_name(columns, features, options)) if has_header else ()
    return Roles(label, ids, features, is_guessed, tuple(named), guesses, other_ids)


def chosen_roles(
    columns: Sequence[str],
    wanted: Sequence[str],
    path: Path,
    label: int | None = None,
    unused: Unused = _ALL_USED,
) -> Roles:
    """Return the roles for a model that knows the columns ``wanted``, in its order.

    Labels are looked at only where ``label`` is their column. Rows are named by the first of the
    identifiers among the ``unused`` that is there, else as those of a table to train on. A warning
    lists what is left out beside these and the ignored ones.

    Raises:
        DataError: a column that is wanted is missing, or two columns have one name.
    """
    refuse_twins(columns, path)
    _refuse_missing(wanted, columns, path, {name for names in unused for name in names})
    features = tuple(_place(name, columns, path) for name in wanted)
    label = None if label in features else label
    places = [list(columns).index(name) for name in unused.identifiers if name in columns]
    named = [place for place in (*places, ids_place(columns)) if place not in (*features, label)]
    ids = named[0] if named else None
    known = {*features, *named, label}
    others = [
        name
        for index, name in enumerate(columns)
        if index not in known
        and name not in unused.ignored
        and name.casefold() not in LABEL_COLUMNS
    ]
    if others:
        _log.warning(
            "%s: left out, as the model was trained without them: %s", path, ", ".join(others)
        )
    return Roles(label, ids, features, guesses=_say_no_names(columns, unused.identifiers, ids))


def _say_no_names(
    columns: Sequence[str], identifiers: Sequence[str], ids: int | None
) -> tuple[Guess, ...]:
    """Return a line where the column that named the training rows is not there."""
    if not identifiers or identifiers[0] in (*columns, *_NO_NAME):
        return ()
    by = "numbered from 0" if ids is None else f"named by {listed([columns[ids]])}"
    found = f"there is no column {listed([identifiers[0]])} as in the training table; rows are {by}"
    return (Guess("row names", found),)


def _refuse_missing(
    wanted: Sequence[str], columns: Sequence[str], path: Path, familiar: Set[str]
) -> None:
    """Refuse a table without some of a model's columns; say which may be meant.

    None of those is that the model's table had too, ``familiar`` as ``wanted``.

    Raises:
        DataError: some are missing.
    """
    missing = [name for name in wanted if name not in columns]
    if len(missing) == 1:
        raise _no_column(missing[0], columns, path, {*familiar, *wanted})
    strange = [name for name in columns if name not in familiar and name not in wanted]
    others = {name_key(name): name for name in strange}
    pairs = [(others.get(name_key(name)), name) for name in missing]
    alike = [f"'{other}' may be '{name}'" for other, name in pairs if other is not None]
    if missing:
        meant = f"; {', '.join(alike[:_SHOWN])}: rename them" if alike else ""
        raise DataError(
            f"{path} has no columns {listed(missing)}, which the model was trained on{meant}. Its "
            f"columns are: {_shown(columns)}{_advice_on_header(columns)}"
        )


def _advice_on_header(columns: Sequence[str]) -> str:
    """Return the advice for names that may be a row; empty where one is a word."""
    is_row = all(number_in(name) is not None for name in columns)
    return "; if that is a row rather than a header: data.header: false" if is_row else ""


def refuse_twins(columns: Sequence[str], path: Path) -> None:
    """Refuse two columns of one name.

    Raises:
        DataError: there are some.
    """
    twins = sorted(name for name, count in Counter(columns).items() if count > 1)
    if twins:
        named = ", ".join(repr(name) if name else "'' (no name)" for name in twins)
        raise DataError(
            f"{path} has several columns of one name: {named}; "
            "rename or drop all but one, so that new tables can be read alike"
        )


def _say_no_name(
    columns: Sequence[str], features: Sequence[int], options: ReadOptions
) -> list[Guess]:
    """Return a line where a feature has no name."""
    return [
        Guess("columns", f"the column {index + 1} has no name, and is a feature", _WITHOUT_NAME)
        for index in features
        if not columns[index] and not options.columns.get("")
    ]


def _asked_label(options: ReadOptions) -> str | None:
    """Return the label column that the user named."""
    if options.labels is not None:
        return None if options.no_labels else options.labels
    return next((name for name, kind in options.columns.items() if kind == LABEL), None)


def _label_like(columns: Sequence[str], options: ReadOptions) -> list[int]:
    """Return the columns that have a label's name and no kind that says otherwise."""
    places = {name: [] for name in LABEL_COLUMNS}  # type: dict[str, list[int]]
    for index, name in enumerate(columns):
        if name.casefold() in places and name not in options.columns:
            places[name.casefold()].append(index)
    return [index for found in places.values() for index in found]


def _of_kind(columns: Sequence[str], options: ReadOptions, kind: str) -> list[int]:
    return [list(columns).index(name) for name, told in options.columns.items() if told == kind]


def _place(name: str, columns: Sequence[str], path: Path) -> int:
    if name in columns:
        return list(columns).index(name)
    raise _no_column(name, columns, path)


def _no_column(
    name: str, columns: Sequence[str], path: Path, familiar: Set[str] = frozenset()
) -> DataError:
    """Return the message for a column that is missing; ``familiar`` are not meant by its name."""
    if name.isdecimal() and list(columns) == [str(number + 1) for number in range(len(columns))]:
        return DataError(
            f"{path} has no column '{name}': without a header its columns are counted from 1, and "
            f"the last is {len(columns)}"
        )
    strange = [other for other in columns if other not in familiar]
    alike = [other for other in strange if name_key(other) == name_key(name)]
    close = alike or get_close_matches(name, strange, n=1, cutoff=_CLOSE)
    meant = f"; did you mean '{close[0]}'?" if close else "."
    return DataError(f"{path} has no column '{name}'{meant} Its columns are: {_shown(columns)}")


def _shown(columns: Sequence[str]) -> str:
    return ", ".join(columns[:20]) + (", ..." if len(columns) > 20 else "")


def ids_place(columns: Sequence[str]) -> int | None:
    """Return the place of the rows' names: the index of a data frame, else the first column."""
    place = list(columns).index(_PANDAS_INDEX) if _PANDAS_INDEX in columns else 0
    return place if columns[place] in _NO_NAME or columns[place].casefold() == "id" else None


def _row_names(
    columns: Sequence[str], label: int | None, options: ReadOptions
) -> tuple[int | None, tuple[Guess, ...]]:
    """Return the column that names the rows, and what is said about it."""
    told = _of_kind(columns, options, IDENTIFIER)
    if told:
        return told[0], ()
    place = ids_place(columns)
    if place is None or place == label or len(columns) < 2 or columns[place] in options.columns:
        return None, ()
    name = columns[place]
    if name in _NO_NAME:
        found = "a column without a name is taken for row numbers and left out"
    else:
        found = f"the column {listed([name])} names the rows and is left out of the features"
    return place, (Guess("row names", found, column_key(name, "number")),)
