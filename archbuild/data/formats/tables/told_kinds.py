"""Columns whose cells are not of the kind that the user told."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from archbuild.data.columns import BOOLEAN, DATE, IGNORE, NUMBER, ColumnEncoding
from archbuild.data.guess import as_option, column_key, listed
from archbuild.data.profile import Profile
from archbuild.errors import DataError

_FORMS = {
    NUMBER: ("numbers", "plain ones, as 3.5, without units"),
    DATE: ("dates", "the form of ISO 8601, as 2024-01-31"),
    BOOLEAN: ("truth values", "true and false, yes and no, or 1 and 0"),
}
_FEWEST = 0.2  # of the cells
_SHOWN = 3


def refuse_other_kind(path: Path, name: str, kind: str, profile: Profile) -> None:
    """Refuse a column if fewer than a fifth of its cells are of a kind.

    Where more are, the cells that are not are mistakes, and are refused one by one.

    Raises:
        DataError: so few are; it says which form is expected.
    """
    if kind not in _FORMS or not profile.texts:
        return
    texts = list(profile.texts)
    is_one = ~np.isnan(ColumnEncoding(name, kind).encode(texts, profile.decimal)[:, 0])
    counts = np.array(list(profile.texts.values()))
    if counts[is_one].sum() >= _FEWEST * counts.sum():
        return
    others = [text for text, fits in zip(texts, is_one, strict=True) if not fits]
    what, form = _FORMS[kind]
    raise DataError(
        f"{path}: the column '{name}' does not hold {what} (data.columns: {kind}): "
        f"{counts[~is_one].sum():,} of {counts.sum():,} cells are none, as "
        f"{listed(others, _SHOWN)}; expected {form}. Convert the column, or leave it out with "
        f"{as_option(column_key(name, IGNORE))}"
    )
