"""The request that a reader of the user's own data gets, and its result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from archbuild.data.columns import TableEncoding
from archbuild.data.dataset import Shape
from archbuild.data.guess import Guess
from archbuild.data.table_form import TableForm
from archbuild.spec.top import MASK, NO_LABELS, SEPARATORS

READING_KEYS = frozenset(
    {"header", "separator", "decimal", "skip_lines", "array", "rows", "channels"}
)
"""The keys that say how a file is read, whatever becomes of its numbers; new rows may differ."""

BYTES, DEEP, FLOATS = "bytes", "deep", "floats"
"""The depth of an image: 8 bits at most, whole numbers of more bits, floats."""


@dataclass(frozen=True)
class ReadOptions:
    """The spec's ``data`` section: each value that is not ``None`` overrules a guess.

    Attributes:
        labels: the label column of a table, or ``none``: no labels are read.
        header: whether the first line of a text table is a header.
        separator: the character between the cells of a text table.
        decimal: the decimal sign of a text table.
        channels: ``first`` or ``last``: where an array has its channel axis; ``none``: it has none.
        rows: ``first`` or ``last``: the axis of an array that counts the rows.
        divide_by: the number that every value is divided by.
        array: of a file with several arrays, the one that holds the rows.
        counts: ``log_normalise``: rows are divided by their sums, and the logarithm is taken.
        gaps: ``impute`` or ``mask``: what becomes of missing values.
        columns: of a table, column -> kind.
        skip_lines: how many lines, or rows of a sheet, are above the table.
        missing: of a table, further texts and numbers that stand for missing values.
        anew: the keys that the user sets for new rows alone, where a model keeps the others.
    """

    labels: str | None = None
    header: bool | None = None
    separator: str | None = None
    decimal: str | None = None
    channels: str | None = None
    rows: str | None = None
    divide_by: float | None = None
    array: str | None = None
    counts: str | None = None
    gaps: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    skip_lines: int | None = None
    missing: tuple[str, ...] = ()
    anew: frozenset[str] = frozenset()

    @classmethod
    def of(cls, section: Mapping[str, Any], anew: Mapping[str, Any] | None = None) -> ReadOptions:
        """Return the options of a spec's ``data`` section, ``{}`` where it has none.

        Args:
            section: the spec's.
            anew: keys that replace those of the section, for new rows alone.
        """
        section = {**section, **(anew or {})}
        separator = SEPARATORS.get(section.get("separator") or "")
        columns = section.get("columns") or {}
        missing = tuple(map(str, section.get("missing") or ()))
        own = {"separator": separator, "columns": columns, "missing": missing}
        return cls(**{**section, **own}, anew=frozenset(anew or ()))

    @property
    def told(self) -> frozenset[str]:
        """The keys that the user has set."""
        return frozenset(
            key.name
            for key in fields(self)
            if key.name != "anew" and getattr(self, key.name) not in (None, {}, ())
        )

    @property
    def no_labels(self) -> bool:
        """True if labels are to be left out."""
        return self.labels == NO_LABELS

    @property
    def masks_gaps(self) -> bool:
        """True if missing values are to be NaN, and no part of the loss."""
        return self.gaps == MASK


@dataclass(frozen=True)
class Known:
    """The form of a model's training data, in which its new rows are read.

    Attributes:
        columns: the names of a table's features, in order; ``()`` for other data.
        encoding: of a table with columns that are no plain numbers; ``None`` otherwise.
        scale: the factor of the training rows; ``None`` in runs of earlier versions, which
            multiplied bytes by 1/255 and nothing else.
        divisors: of image files, depth -> what its numbers were divided by; ``{}`` otherwise.
        gaps: whether values may be NaN, which no loss of the training saw.
        form: of a table, how it was read; ``None`` for other data, and in runs of earlier versions.
    """

    columns: tuple[str, ...] = ()
    encoding: TableEncoding | None = None
    scale: float | None = None
    divisors: Mapping[str, float] = field(default_factory=dict)
    gaps: bool = False
    form: TableForm | None = None

    @property
    def used_columns(self) -> tuple[str, ...]:
        """The columns of a table that give features; ``()`` where they have no names at all."""
        if self.form is not None:
            return self.form.used
        encoding = self.encoding
        return tuple(column.name for column in encoding.used) if encoding else self.columns

    @property
    def has_names(self) -> bool:
        """True if the columns of the training table had names of their own."""
        return self.form.header if self.form is not None else bool(self.columns)


@dataclass(frozen=True)
class ReadRequest:
    """One file or folder to read.

    Attributes:
        path: the file or folder, which exists.
        input_shape: the spec's Input, for what the data leave open.
        options: the user's decisions.
        known: for new rows of a trained model, the form that they are read in; labels are then
            not looked at, and one row is enough.
        split: of a folder with ``train``, ``val`` and ``test`` in it, the one that is wanted;
            ``None``: all of them.
        labelled: whether labels are looked at although a model reads its rows: of the rows that
            training left unseen.
    """

    path: Path
    input_shape: Shape | None = None
    options: ReadOptions = ReadOptions()
    known: Known | None = None
    split: str | None = None
    labelled: bool = False

    @property
    def least_rows(self) -> int:
        """The fewest rows that are accepted: clustering needs two, a trained model one."""
        return 2 if self.known is None else 1

    @property
    def wants_labels(self) -> bool:
        """True if labels are looked for."""
        return (self.known is None or self.labelled) and not self.options.no_labels


class Arrays(NamedTuple):
    """The content of a file.

    Attributes:
        values: the rows first.
        labels: one raw label for each row, or ``None``.
        ids: one text for each row, as ``Dataset.ids``.
        columns: as ``Dataset.columns``.
        guesses: the decisions that the reader made.
        encoding: of a table with columns that are no plain numbers.
        channels: where the channel axis is, ``first`` or ``last``; ``None``: not settled.
        gaps: whether values may be NaN, where there are none.
        scale: the factor of the values, where the reader knows it; ``None``: their range tells.
        divisors: as ``Known.divisors``.
        form: as ``Known.form``.
    """

    values: np.ndarray
    labels: Any = None
    ids: Sequence[str] | None = None
    columns: tuple[str, ...] = ()
    guesses: tuple[Guess, ...] = ()
    encoding: TableEncoding | None = None
    channels: str | None = None
    gaps: bool = False
    scale: float | None = None
    divisors: Mapping[str, float] = MappingProxyType({})
    form: TableForm | None = None
