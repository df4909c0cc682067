"""Names and aliases of the specs of a document that is not checked yet."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from archbuild.errors import Problem
from archbuild.spec.document import Document, TreePath
from archbuild.spec.values import shown

_NO_NAME: Final = "(no name)"


def entries(document: Document) -> list[Any]:
    """Return a document's specs, unchecked: its list, or the one that it is."""
    return document.tree if isinstance(document.tree, list) else [document.tree]


def names(document: Document) -> list[str]:
    """Return the names of a document's specs, in order."""
    found = [entry.get("name") if isinstance(entry, dict) else None for entry in entries(document)]
    return [name if isinstance(name, str) else _NO_NAME for name in found]


def aliases_of(entry: Any) -> list[str]:
    """Return the other names of a spec; what is no text is left for the check."""
    return [alias for _, alias in _aliases(entry)]


def all_names(document: Document) -> list[list[str]]:
    """Return for each of a document's specs its name, and after it its aliases."""
    pairs = zip(names(document), entries(document), strict=True)
    return [[name, *aliases_of(entry)] for name, entry in pairs]


def alias_problems(document: Document) -> Iterator[Problem]:
    """Yield a problem for each alias that is a spec's name, or an alias of a spec before it."""
    taken: dict[str, int] = {}
    for index, name in enumerate(names(document)):
        taken.setdefault(name, index)
    for index, entry in enumerate(entries(document)):
        place = (index,) if isinstance(document.tree, list) else ()
        for at, alias in _aliases(entry):
            if taken.setdefault(alias, index) != index or alias == entry.get("name"):
                yield _taken(alias, taken[alias], (*place, "aliases", at))


def _aliases(entry: Any) -> list[tuple[int, str]]:
    """Return the aliases that are text, each with its place in the list."""
    given = entry.get("aliases") if isinstance(entry, dict) else None
    listed = enumerate(given) if isinstance(given, list) else ()
    return [(at, alias) for at, alias in listed if isinstance(alias, str)]


def _taken(alias: str, index: int, path: TreePath) -> Problem:
    return Problem(
        f"the spec at index {index} is called '{alias}' already",
        path,
        shown(alias),
        "an alias that is no other name in the file",
        "leave it out",
    )
