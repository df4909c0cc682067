"""Older forms of the spec language brought to the current one, a version at a time.

Entries keep their paths through a migration, so later problems still find their places in the file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import deepcopy
from typing import Any, Final

from archbuild.errors import Problem
from archbuild.spec.classic import CLASSIC, from_classic
from archbuild.spec.top import CURRENT_VERSION
from archbuild.spec.values import shown

MIGRATIONS: Final[Mapping[int, Callable[[dict[str, Any]], list[Problem]]]] = {
    CLASSIC: from_classic,
}
"""Version -> the step to a later one; a step works in place and sets ``spec_version``."""


def migrate(tree: Any) -> tuple[Any, list[Problem]]:
    """Return a copy of ``tree`` in the current version, and what was wrong with the older one.

    A tree that is not a mapping comes back as it is: the check says what it should be. One of an
    unknown version comes back as ``None``.
    """
    if not isinstance(tree, Mapping):
        return tree, []
    version = tree.get("spec_version", CLASSIC)
    if isinstance(version, bool) or version not in (*MIGRATIONS, CURRENT_VERSION):
        return None, [_unknown_version(version)]
    migrated = deepcopy(dict(tree))
    problems: list[Problem] = []
    while version != CURRENT_VERSION:
        step = MIGRATIONS[version]
        problems += step(migrated)
        version = migrated["spec_version"]
    return migrated, problems


def _unknown_version(version: Any) -> Problem:
    newer = isinstance(version, int | float) and version > CURRENT_VERSION
    return Problem(
        "unknown version of the spec language",
        ("spec_version",),
        shown(version),
        f"{CURRENT_VERSION}, or no spec_version for the classic form",
        "a newer archbuild may read it" if newer else f"write {CURRENT_VERSION}",
    )
