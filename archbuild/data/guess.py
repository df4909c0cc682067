"""A guess about the structure of the user's data: what was found, and how to overrule it."""

from __future__ import annotations

import json
import re
from typing import NamedTuple

from archbuild.printable import LONGEST, one_line, shell_word, shortened
from archbuild.spec.line import quoted

LABELS = "labels"
"""The subject of guesses about labels."""

PART = "part"
"""The subject of what is said where only a part of a dataset is there."""


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

    @property
    def key(self) -> str:
        """The key of ``data`` that overrules it: ``header``; empty where there is none."""
        return re.split("[.=]", self.overrule, maxsplit=1)[0]

    def __str__(self) -> str:
        is_short = 0 < len(self.overrule) <= LONGEST  # half a command is none
        advice = f" [otherwise: {as_option(self.overrule)}]" if is_short else ""
        return one_line(f"{shortened(self.subject)}: {shortened(self.found)}{advice}")


def as_option(key: str) -> str:
    """Return the option of the command line that sets a key of the spec's ``data`` section."""
    return f"--set {shell_word(f'data.{key}')}"


def column_key(name: str, kind: str) -> str:
    """Return the assignment that states the kind of a column, for ``--set data.``.

    It is empty for a name that no spec can hold: one with line breaks or control characters.
    """
    if not name.isprintable():
        return ""
    if re.fullmatch(r"[A-Za-z_]\w*", name):
        return f"columns.{name}={kind}"
    return f"columns={json.dumps({name: kind}, ensure_ascii=False)}"


def value_key(key: str, value: str) -> str:
    """Return the assignment of a name to a key, for ``--set data.``; empty as ``column_key``."""
    return f"{key}={quoted(value)}" if value.isprintable() else ""


def column_subject(name: str) -> str:
    """Return the subject of a guess about a column."""
    return f"column '{name}'"


def listed(names: list[str] | tuple[str, ...], most: int = 5) -> str:
    """Return the first names in quotes, and how many more there are."""
    shown = ", ".join(f"'{name}'" for name in names[:most])
    return shown + (f" and {len(names) - most} more" if len(names) > most else "")
