"""A spec file as read: its values, and the place in the text of every one of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from archbuild.errors import Problem, SpecError

TreePath = tuple[str | int, ...]
Place = tuple[int, int]

MAX_BYTES: Final = 1_000_000
MAX_DEPTH: Final = 50
MAX_VALUES: Final = 100_000
MAX_SPECS: Final = 1_000
LONGEST_NUMBER: Final = 308
"""Digits of a whole number; longer ones are beyond what a float holds, and so not finite."""

NOWHERE: Final[Place] = (0, 0)


@dataclass(frozen=True)
class Document:
    """The values of one file.

    Attributes:
        source: the file's name, for messages.
        tree: mappings, lists, texts, numbers, booleans and ``None``.
        places: path -> line and column, both from 1, where the value begins.
        keys: path -> line and column where the key begins; only for entries of mappings.
    """

    source: str
    tree: Any = field(hash=False)
    places: Mapping[TreePath, Place] = field(default_factory=dict, hash=False, repr=False)
    keys: Mapping[TreePath, Place] = field(default_factory=dict, hash=False, repr=False)

    def place(self, path: TreePath, *, of_key: bool = False) -> Place:
        """Return where ``path`` begins, or its nearest parent if it is not in the text."""
        if of_key and path in self.keys:
            return self.keys[path]
        while path and path not in self.places:
            path = path[:-1]
        return self.places.get(path, NOWHERE)


def failure(
    source: str,
    message: str,
    *,
    place: Place = NOWHERE,
    path: TreePath = (),
    received: str | None = None,
    allowed: str | None = None,
    advice: str | None = None,
) -> SpecError:
    """Return a ``SpecError`` with one problem."""
    line, column = place
    return SpecError([Problem(message, path, received, allowed, advice, source, line, column)])
