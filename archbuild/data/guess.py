"""A guess about the structure of the user's data: what was found, and how to overrule it."""

from __future__ import annotations

from typing import NamedTuple


class Guess(NamedTuple):
    """One decision that the data do not settle, in words.

    Attributes:
        subject: what is decided: ``header``, ``label column``.
        found: the decision and its reason.
        overrule: the key and value of the spec's ``data`` that decide otherwise:
            ``header=false``; empty where there is nothing to overrule.
    """

    subject: str
    found: str
    overrule: str = ""

    def __str__(self) -> str:
        advice = f" [otherwise: --set data.{self.overrule}]" if self.overrule else ""
        return f"{self.subject}: {self.found}{advice}"


def listed(names: list[str] | tuple[str, ...], most: int = 5) -> str:
    """Return the first names in quotes, and how many more there are."""
    shown = ", ".join(f"'{name}'" for name in names[:most])
    return shown + (f" and {len(names) - most} more" if len(names) > most else "")
