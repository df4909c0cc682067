"""The recorded seeds of a table: a JSON document beside its page."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from archbuild.io.atomic import write_json
from archbuild.io.reading import read_json
from benchmarks.reproduce.declared import Run
from benchmarks.reproduce.specs import digest

Record = Mapping[str, Any]
"""What is kept of a seed: what was asked for, its scores, and how and where it was run."""


def identity(run: Run, seed: int) -> Record:
    """Return what tells a seed's record from others: one with all of this is not run again.

    The spec's digest is part of it, so that seeds are run again where a shipped spec has changed.
    """
    return {**setting(run), "label": run.label, "row": run.row, "seed": seed}


def setting(run: Run) -> Record:
    """Return what a run trains: its arguments, and the digest of the spec that they lead to."""
    return {"arguments": run.arguments, "spec": digest(run)}


class Records:
    """What is recorded of a table.

    Args:
        path: the document; it need not exist yet.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def all(self) -> list[Record]:
        """Every record, as the document has them now.

        Raises:
            RunError: it is damaged.
        """
        return read_json(self.path)["seeds"] if self.path.exists() else []

    def has(self, run: Run, seed: int) -> bool:
        """Return whether a seed is recorded with its scores, so that it need not run again."""
        wanted = identity(run, seed)
        return any("scores" in record and _is(record, wanted) for record in self.all)

    def add(self, run: Run, seed: int, result: Record) -> None:
        """Record a seed's result, in place of what was recorded of it before.

        Args:
            run: of which declared or changed run.
            seed: which seed.
            result: what ``execute`` returned, or ``{"failed": REASON}``.
        """
        wanted = identity(run, seed)
        others = [other for other in self.all if not _is(other, wanted)]
        new = {**wanted, "changes": list(run.changes), **result}
        write_json(self.path, {"seeds": [*others, new]})


def _is(record: Record, wanted: Record) -> bool:
    return all(record[key] == value for key, value in wanted.items())
