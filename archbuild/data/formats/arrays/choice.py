"""Choose by name which array of a file holds the rows, and which the labels."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Final, NamedTuple

from archbuild.data.formats.arrays.npz import LABEL_KEYS, VALUE_KEYS
from archbuild.data.guess import Guess, value_key
from archbuild.data.request import ReadRequest
from archbuild.errors import DataError

NUMBERS: Final = "numbers"
TEXTS: Final = "texts"
IMAGES: Final = "images"
OTHER: Final = "other"

_VALUES = (*VALUE_KEYS, "images", "features", "fea")
_LABELS = (*LABEL_KEYS, "label", "target", "targets", "classes", "gnd")
_SHOWN = 12


class Held(NamedTuple):
    """Shape and kind of an array in a file, as they are known before it is read.

    Attributes:
        shape: of the array.
        kind: ``NUMBERS``, ``TEXTS``, ``IMAGES`` (one file of an image for each row) or ``OTHER``.
        words: its type for a message: ``float32``.
    """

    shape: tuple[int, ...]
    kind: str
    words: str

    @property
    def can_be_rows(self) -> bool:
        """True of numbers with two axes or more, and of images."""
        return self.kind == IMAGES or (self.kind == NUMBERS and len(self.shape) > 1)

    def can_label(self, n_rows: Sequence[int]) -> bool:
        """Return whether there is one for each row, or a line of marks or of labels.

        Args:
            n_rows: numbers of rows that there may be.
        """
        count = max(self.shape, default=0)
        is_one_each = count in n_rows and count == prod(self.shape)
        is_line_each = len(self.shape) == 2 and self.shape[0] in n_rows
        return self.kind in (NUMBERS, TEXTS) and (is_one_each or is_line_each)


@dataclass(frozen=True)
class Choice:
    """The arrays of a file by name, of which some are chosen.

    Args:
        path: of the file, for messages.
        held: what is there by name.
        find: gives the name of what the user names, ``None`` where nothing is there: links may
            lead to what has another name.
        noun: what the format calls an array.
    """

    path: Path
    held: Mapping[str, Held]
    find: Callable[[str], str | None]
    noun: str = "array"

    def rows(self, request: ReadRequest) -> str:
        """Return the name of the rows.

        It is the one that ``data.array`` names, else one called ``x``, ``X``, ``data``,
        ``images``, ``features`` or ``fea``, else the only one that can be rows.

        Raises:
            DataError: there is none, or there are several.
        """
        asked = request.options.array
        if asked is not None:
            return self._named(asked)
        able = [name for name, there in self.held.items() if there.can_be_rows]
        usual = [name for wanted in _VALUES for name in able if name == wanted]
        rows = usual[:1] or [name for name in able if name not in _LABELS]
        if len(rows) == 1:
            return rows[0]
        problem = f"several {self.noun}s that may be rows" if rows else f"no {self.noun} of rows"
        advice = (
            "choose one with data.array in the spec (--set data.array=NAME)"
            if rows
            else f"expected numbers of two axes or more, as {', '.join(VALUE_KEYS)}"
        )
        raise DataError(f"{self.path} has {problem}: {self._some(rows or self.held)}; {advice}")

    def labels(self, rows: str, n_rows: Sequence[int], request: ReadRequest) -> str | None:
        """Return the name of the labels: beside the rows, else at the top; ``None``: none is there.

        Args:
            rows: their name.
            n_rows: how many there may be.
            request: ``data.labels`` names it; else it is called ``y``, ``Y``, ``labels``,
                ``label``, ``target``, ``targets``, ``classes`` or ``gnd``.

        Raises:
            DataError: there is nothing of the name that the user gives.
        """
        if not request.wants_labels:
            return None
        if request.options.labels is not None:
            return self._named(request.options.labels)
        beside = rows.rpartition("/")[0]
        places = [f"{beside}/{name}".strip("/") for name in _LABELS] + list(_LABELS)
        there = (name for name in places if name in self.held)
        return next((name for name in there if self.held[name].can_label(n_rows)), None)

    def say_rows(self, rows: str, shape: tuple[int, ...]) -> list[Guess]:
        """Return a line about rows of an unusual name."""
        return [] if rows in _VALUES else [Guess("rows", f"the {self.noun} '{rows}', {shape}")]

    def say_left_out(self, *used: str | None) -> list[Guess]:
        """Return a line about the others."""
        others = [name for name in self.held if name not in used]
        able = [name for name in others if self.held[name].can_be_rows]
        overrule = value_key("array", able[0]) if able else ""
        found = f"{len(others)} {self.noun}s: {self._some(others)}"
        return [Guess("left out", found, overrule)] if others else []

    def _named(self, name: str) -> str:
        found = self.find(name)
        if found is None:
            there = self._some(self.held, "none")
            raise DataError(f"{self.path} has no {self.noun} '{name}'; it has {there}")
        return found

    def _some(self, names: Mapping[str, Held] | Sequence[str], otherwise: str = "(none)") -> str:
        shown = [f"{name} {self.held[name].shape} {self.held[name].words}" for name in names]
        more = f" and {len(shown) - _SHOWN} more" if len(shown) > _SHOWN else ""
        return ", ".join(shown[:_SHOWN]) + more or otherwise
