"""The record of a model's training data, by which other data are read in the same way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from archbuild.data.columns import TableEncoding
from archbuild.data.dataset import Dataset
from archbuild.data.location import DataLocation
from archbuild.data.request import Known
from archbuild.data.scaling import Scaler
from archbuild.data.table_form import TableForm
from archbuild.errors import DataError

_ENOUGH_ROWS = 10  # fewer may lie close together by chance
_TINY = 0.05
_NAMED = 5  # columns
_DARK = 0.07  # 12 bits of 16 use 1/16 of the range


@dataclass(frozen=True)
class Origin:
    """The training data, as far as rows of tomorrow must agree with them.

    Attributes:
        name: the dataset's name.
        known: the form in which new rows are read.
        scaler: fitted on the training rows.
        low: the least value that the network was shown.
        high: the largest.
        location: where they were read; ``None`` for rows that were only in memory.
        command: the command line of the run, without its stages; ``""`` if unknown.
        labelled: the numbers, from 0, of the rows whose labels training read, where it read some
            and not all that there are.
        classes: the names of the classes that a head learned from labels, in the order of their
            numbers; ``()`` where it found clusters, or the classes have no names.
    """

    name: str
    known: Known
    scaler: Scaler
    low: float
    high: float
    location: DataLocation | None = None
    command: str = ""
    labelled: tuple[int, ...] = ()
    classes: tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        dataset: Dataset,
        scaler: Scaler,
        location: DataLocation | None = None,
        command: str = "",
    ) -> Origin:
        """Read the range of all rows, some at a time."""
        low, high = np.inf, -np.inf
        for rows in dataset.chunks(exact=True):
            scaled = scaler.apply(rows)
            low = min(low, float(np.fmin.reduce(scaled, axis=None)))
            high = max(high, float(np.fmax.reduce(scaled, axis=None)))
        known = Known(
            dataset.columns,
            dataset.encoding,
            dataset.scale,
            dataset.divisors,
            dataset.gaps,
            dataset.form,
        )
        return cls(dataset.name, known, scaler, low, high, location, command)

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of a table's features, in order; ``()`` for other data."""
        return self.known.columns

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON, from which ``from_json`` restores the same numbers."""
        encoding = self.known.encoding
        read = {"labelled": list(self.labelled), "classes": list(self.classes)}
        read = {key: value for key, value in read.items() if value}  # most heads read no labels
        return {
            "name": self.name,
            "columns": list(self.columns),
            "scaling": self.scaler.to_json(),
            "scale": self.known.scale,
            "divisors": dict(self.known.divisors),
            "encoding": encoding.to_json() if encoding else None,
            "gaps": self.known.gaps,
            "form": self.known.form.to_json() if self.known.form else None,
            "range": [self.low, self.high],
            "location": self.location.to_json() if self.location else None,
            "command": self.command,
            **read,
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Origin:
        """Return the object that ``to_json`` was called on."""
        low, high = document["range"]
        # location, scale, divisors, encoding, gaps, form are absent in runs of earlier versions
        place, encoding, form = map(document.get, ("location", "encoding", "form"))
        known = Known(
            tuple(document["columns"]),
            TableEncoding.from_json(encoding) if encoding else None,
            document.get("scale"),
            document.get("divisors") or {},
            document.get("gaps", False),
            TableForm.from_json(form) if form else None,
        )
        return cls(
            document["name"],
            known,
            Scaler.from_json(document["scaling"]),
            low,
            high,
            DataLocation.from_json(place) if place else None,
            document.get("command", ""),
            tuple(document.get("labelled", ())),
            tuple(document.get("classes", ())),
        )

    def refuse_other_columns(self, dataset: Dataset) -> None:
        """Make sure that a table has the features that the model was trained on, in their order.

        Raises:
            DataError: it has others; names them.
        """
        if not self.columns or not dataset.columns or dataset.columns == self.columns:
            return
        missing = [name for name in self.columns if name not in dataset.columns]
        surplus = [name for name in dataset.columns if name not in self.columns]
        parts = [f"lacks {_listed(missing)}"] if missing else []
        parts += [f"has {_listed(surplus)} besides"] if surplus else []
        parts = parts or ["has them in another order"]
        raise DataError(
            f"{dataset.source} {' and '.join(parts)}: the model was trained on {self.name}, with "
            f"the columns {_listed(list(self.columns))}; give it a table with just these, or, in "
            "Python, read the file as the model read its own: "
            "archbuild.models.new_rows.NewRows(PATH).load(model)"
        )

    def range_warning(self, rows: np.ndarray) -> str | None:
        """Describe scaled rows that lie far outside the training range; ``None`` if none do.

        Far is more than the range's own width beyond it, as for bytes where the training rows
        went from 0 to 1, or a range that is less than a twentieth as wide, as for numbers from 0
        to 1 where they were bytes. Of few images the darkness tells, as of one whose 12 bits are
        divided as 16. Of a table the columns are named, and in how many of the rows they are far
        outside. Such rows still get an answer.
        """
        if rows.size == 0:
            return None
        low, high, width = float(rows.min()), float(rows.max()), self.high - self.low
        least, most = self.low - width, self.high + width
        too_large = low < least or high > most
        is_tiny = len(rows) >= _ENOUGH_ROWS and high - low < _TINY * width
        too_small = is_tiny or (rows.ndim > 3 and high < self.low + _DARK * width)
        if not too_large and not too_small:
            return None
        return (
            f"values go from {low:.4g} to {high:.4g} after scaling, and those of the training data "
            f"from {self.low:.4g} to {self.high:.4g}{self._far(rows, least, most)}: are they in "
            "the same units?"
        )

    def _far(self, rows: np.ndarray, least: float, most: float) -> str:
        """Return the columns that hold numbers beyond two bounds, and in how many of the rows."""
        form = self.known.form
        names = self.columns or (form.used if form is not None else ())
        if rows.ndim != 2 or rows.shape[1] != len(names):
            return ""
        counts = ((rows < least) | (rows > most)).sum(axis=0)
        far = sorted(np.flatnonzero(counts).tolist(), key=lambda place: -counts[place])
        named = [f"'{names[place]}' in {counts[place]:,}" for place in far[:_NAMED]]
        more = f" and {len(far) - _NAMED} more columns" if len(far) > _NAMED else ""
        return f". Far outside: {', '.join(named)}{more} of {len(rows):,} rows" if far else ""


def _listed(names: list[str]) -> str:
    shown = ", ".join(f"'{name}'" for name in names[:10])
    return shown + (f" and {len(names) - 10} more" if names[10:] else "")
