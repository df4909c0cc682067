"""What is recorded: a series for each room, seed and size of the sample, with every mutant."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from archbuild.io.atomic import write_json
from archbuild.io.reading import read_json

Series = dict[str, Any]
Record = dict[str, Any]

RECORD: Final = "mutation.json"
KEYS: Final = ("room", "seed", "sample")
"""What tells one series from another."""
SAME: Final = ("module", "operator", "before", "after")
"""What tells one mutant from another, wherever it stands."""
_TRIAGE: Final = Path(__file__).with_name("survivors.yaml")


def read_series(folder: Path) -> list[Series]:
    """Return the series below the folder of results, by room and seed.

    Raises:
        RunError: the record is damaged.
    """
    path = folder / RECORD
    series: list[Series] = read_json(path)["series"] if path.exists() else []
    return sorted(series, key=lambda one: [one[key] for key in KEYS])


def write_series(folder: Path, new: Series) -> None:
    """Record a series, in place of an earlier one of the same sample."""
    others = [old for old in read_series(folder) if any(old[key] != new[key] for key in KEYS)]
    write_json(folder / RECORD, {"series": [*others, new]})


def reasons(path: Path = _TRIAGE) -> dict[tuple[str, ...], Record]:
    """Return what was found out about survivors, by what tells a mutant from others.

    Args:
        path: a list in YAML, of records with ``module``, ``operator``, ``before``, ``after``,
            ``equivalent`` and ``why``.
    """
    known: Iterable[Record] = yaml.safe_load(path.read_text(encoding="utf-8")) or []
    return {identity(one): one for one in known}


def identity(mutant: Mapping[str, Any]) -> tuple[str, ...]:
    """Return what tells a mutant from others."""
    return tuple(mutant[key] for key in SAME)
