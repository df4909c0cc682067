"""The lines of a file that are no rows of its table: counted, and named by their numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from archbuild.data.guess import Guess

COMMENTS, BLANK_LINES = "comments", "blank lines"
"""The subjects of guesses about them."""

_MOST_NAMED = 20


@dataclass
class Counted:
    """Lines that are counted, the first of them by number."""

    count: int = 0
    first: list[int] = field(default_factory=list)

    def add(self, numbers: Sequence[int]) -> None:
        """Count lines by their numbers, from 1."""
        self.count += len(numbers)
        self.first += numbers[: _MOST_NAMED - len(self.first)]

    def in_words(self, unit: str = "line") -> str:
        """Return the numbers: ``lines 3, 17``."""
        more = f" and {self.count - len(self.first):,} more" if self.count > len(self.first) else ""
        return f"{unit}{'s' * (self.count > 1)} {', '.join(map(str, self.first))}{more}"


@dataclass
class LeftOut:
    """The lines of a file that are no rows of its table.

    Attributes:
        unit: the word for a line of the file: ``row`` of a sheet.
        comments: lines that begin with ``#``.
        blank: lines of separators alone, and blank lines between rows.
    """

    unit: str = "line"
    comments: Counted = field(default_factory=Counted)
    blank: Counted = field(default_factory=Counted)

    def guesses(self) -> list[Guess]:
        """Return a line for each kind that there is.

        No key overrules them: as they stand, none of them could be read as a row.
        """
        said = []
        if self.comments.count:
            found = f"lines that begin with # are left out, {self.comments.count:,} of them"
            found += f" ({self.comments.in_words()}); to have one read, drop its #"
            said.append(Guess(COMMENTS, found))
        if self.blank.count:
            found = f"{self.unit}s without a filled cell are left out, {self.blank.count:,} of them"
            found += f" ({self.blank.in_words(self.unit)}); rows are numbered without them"
            said.append(Guess(f"blank {self.unit}s", found))
        return said
