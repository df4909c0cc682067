"""The argument and the result of a reader of a user's own data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from archbuild.data.dataset import Shape


@dataclass(frozen=True)
class ReadRequest:
    """One file or folder to read.

    Attributes:
        path: where it is; it exists.
        column: the label column of a table, where the user named one.
        input_shape: the spec's Input, for what the data leave open.
        columns: of a table, the features that are wanted, in this order, and no others; labels
            are then not looked at. ``()``: all that it has.
        least_rows: fewer are refused: clustering needs two, a trained model one.
        labels: whether a file of their own is looked for, where the format has one.
    """

    path: Path
    column: str | None = None
    input_shape: Shape | None = None
    columns: tuple[str, ...] = ()
    least_rows: int = 2
    labels: bool = True


class Arrays(NamedTuple):
    """The content of a file.

    Attributes:
        values: the rows first.
        labels: one raw label for each row, or ``None``.
        ids: one text for each row, as ``Dataset.ids``.
        columns: as ``Dataset.columns``.
    """

    values: np.ndarray
    labels: Any = None
    ids: Sequence[str] | None = None
    columns: tuple[str, ...] = ()
