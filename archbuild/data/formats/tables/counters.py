"""Columns that only count the rows: called like an identifier, and without a gap."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from archbuild.data.columns import NUMBER, number_in
from archbuild.data.formats.tables.roles import Roles
from archbuild.data.formats.tables.source import TableSource
from archbuild.data.guess import Guess, column_key, listed
from archbuild.data.precision import EXACT

FEWEST_ROWS = 10
"""Rows from which numbers that count up are no chance."""

_NAME = re.compile(
    r"(?i:^(.*[\W_])?(id|uid|uuid|index|idx|key|nr|no|num|number)$)"
    r"|[a-z0-9](ID|Id|Key|Nr|No|Num|Number)$"
)


def is_called_like_an_id(name: str) -> bool:
    """Return whether a column's name is that of an identifier: ``customer_id``, ``rowNr``."""
    return _NAME.search(name) is not None


def without_counters(source: TableSource, roles: Roles, told: Sequence[str]) -> Roles:
    """Return the roles of a table to train on, with counters of its rows as identifiers.

    A counter is called like an id and holds consecutive whole numbers, all different, in any
    order; such numbers tell nothing about the rows. The first names the rows, unless another
    column does. Where there are no other features all of them stay.

    Args:
        source: the table.
        roles: as their names say.
        told: the columns whose kind the user states.
    """
    names = source.columns
    likely = [
        place
        for place in roles.features
        if is_called_like_an_id(names[place]) and names[place] not in told
    ]
    counters = tuple(place for place in likely if source.has_header and _counts(source, place))
    features = tuple(place for place in roles.features if place not in counters)
    if not counters or not features:
        return roles
    ids, others = (counters[0], counters[1:]) if roles.ids is None else (roles.ids, counters)
    said = [_say(names[place], place == ids) for place in counters]
    return roles._replace(
        ids=ids,
        features=features,
        guesses=(*roles.guesses, *said),
        other_ids=(*roles.other_ids, *others),
    )


def _counts(source: TableSource, place: int) -> bool:
    """Return whether a column holds each of some consecutive whole numbers once."""
    parts = []
    for batch in source.batches([place]):
        numbers = [number_in(cell, source.decimal) for cell in batch.columns[0]]
        if not all(each is not None and each % 1 == 0 and abs(each) < EXACT for each in numbers):
            return False
        parts.append(np.array(numbers, np.float64))
    found = np.concatenate(parts) if parts else np.zeros(0)
    if len(found) < FEWEST_ROWS or found.max() - found.min() != len(found) - 1:
        return False
    seen = np.zeros(len(found), bool)
    seen[(found - found.min()).astype(np.int64)] = True
    return bool(seen.all())


def _say(name: str, names_rows: bool) -> Guess:
    use = "names them" if names_rows else "identifies them too"
    found = f"the column {listed([name])} counts the rows: it {use}, and is no feature"
    return Guess("row names", found, column_key(name, NUMBER))
