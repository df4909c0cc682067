"""Rules for tables of every format: the role of each column, and what is refused."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import NamedTuple

from archbuild.errors import DataError

LABEL_COLUMNS = ("label", "class", "target", "y")
LARGEST = 3.4e38
"""Float32's largest number; cells beyond it count as missing."""

_PANDAS_INDEX = "__index_level_0__"  # in Parquet, behind the other columns
_NO_NAME = ("", "Unnamed: 0", _PANDAS_INDEX)  # as data frames write row numbers
_SHOWN = 5

_log = logging.getLogger(__name__)


class Roles(NamedTuple):
    """The columns' roles, as indices.

    Attributes:
        label: the label column, or ``None``.
        ids: the column that names the rows, or ``None``.
        features: the others.
    """

    label: int | None
    ids: int | None
    features: tuple[int, ...]


@dataclass(frozen=True)
class Layout:
    """The layout of a table.

    Attributes:
        delimiter: between the cells.
        columns: their names; ``1``, ``2``, ... where the file has no header.
        has_header: whether the first line is one.
        roles: which of them is what.
    """

    delimiter: str
    columns: tuple[str, ...]
    has_header: bool
    roles: Roles

    @property
    def feature_names(self) -> tuple[str, ...]:
        """The names in the header of the columns that are features; ``()`` without a header."""
        names = tuple(self.columns[index] for index in self.roles.features)
        return names if self.has_header else ()


def assign_roles(
    columns: Sequence[str],
    wanted: str | None,
    path: Path,
    *,
    has_header: bool = True,
    features: Sequence[str] = (),
) -> Roles:
    """Return the role of each column.

    The label column is the one the user named, else one called label, class, target or y in any
    case. A first column without a name, as data frames write their row numbers, or called id in
    any case, names the rows and is no feature; a warning says so.

    Where ``features`` are given these columns are taken, in this order, and labels are not looked
    at; a warning lists what is left out.

    Raises:
        DataError: there is no column of a requested name, or none beside the labels, or two
            columns have one name.
    """
    if has_header:
        _refuse_twins(columns, path)
    if features and has_header:
        return _chosen_roles(columns, wanted, features, path)
    label = _label_column(columns, wanted, path)
    ids = _id_column(columns, label, path) if has_header else None
    others = tuple(index for index in range(len(columns)) if index not in (label, ids))
    if not others:
        raise DataError(f"{path} has no column beside its labels; there is nothing to cluster")
    return Roles(label, ids, others)


def _chosen_roles(
    columns: Sequence[str], wanted: str | None, features: Sequence[str], path: Path
) -> Roles:
    missing = [name for name in features if name not in columns]
    if missing:
        raise _no_column(missing[0], columns, path)
    ids = _id_place(columns)
    ids = None if ids is None or columns[ids] in features else ids
    known = {*features, *LABEL_COLUMNS, wanted}
    others = [
        name
        for index, name in enumerate(columns)
        if not {name, name.casefold()} & known and index != ids
    ]
    if others:
        _log.warning(
            "%s: left out, as the model was trained without them: %s", path, ", ".join(others)
        )
    chosen = tuple(list(columns).index(name) for name in features)
    return Roles(None, ids, chosen)


def _refuse_twins(columns: Sequence[str], path: Path) -> None:
    twins = sorted({name for name in columns if list(columns).count(name) > 1})
    if twins:
        raise DataError(
            f"{path} has several columns of one name: {', '.join(repr(name) for name in twins)}; "
            "rename or drop all but one, so that new tables can be read alike"
        )


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
            f"these columns are not numeric: {named}; drop them, turn them into numbers, or, for "
            f"the labels, write {path}:COLUMN"
        )
    if missing:
        shown = ", ".join(missing[:_SHOWN])
        more = f" and {len(missing) - _SHOWN} more" if len(missing) > _SHOWN else ""
        parts.append(
            f"blank, NaN, or beyond float32: {shown}{more}; fill these cells in or drop the rows"
        )
    return f"{path}: " + ("; ".join(parts) or otherwise or "it cannot be read as numbers")


def _label_column(columns: Sequence[str], wanted: str | None, path: Path) -> int | None:
    if wanted is None:
        names = [name.casefold() for name in columns]
        return next((names.index(name) for name in LABEL_COLUMNS if name in names), None)
    if wanted in columns:
        return columns.index(wanted)
    raise _no_column(wanted, columns, path)


def _no_column(wanted: str, columns: Sequence[str], path: Path) -> DataError:
    close = get_close_matches(wanted, columns, n=1)
    meant = f"; did you mean '{close[0]}'?" if close else "."
    shown = ", ".join(columns[:20]) + (", ..." if len(columns) > 20 else "")
    return DataError(f"{path} has no column '{wanted}'{meant} Its columns are: {shown}")


def _id_place(columns: Sequence[str]) -> int | None:
    """Return the column of the rows' names, if any: a data frame's index, else the first."""
    place = list(columns).index(_PANDAS_INDEX) if _PANDAS_INDEX in columns else 0
    return place if columns[place] in _NO_NAME or columns[place].casefold() == "id" else None


def _id_column(columns: Sequence[str], label: int | None, path: Path) -> int | None:
    place = _id_place(columns)
    if place is None or place == label or len(columns) < 2:
        return None
    if columns[place] in _NO_NAME:
        _log.warning("%s: a column without a name is taken for row numbers, left out", path)
    else:
        _log.warning("%s: the column '%s' names the rows, and is left out", path, columns[place])
    return place
