"""Figures of commands that were typed before the tables were declared; nothing is added to them.

``measured/TABLE.yaml`` lists groups of rows, each from the same runs. The runs that ``tables.yaml``
declares take their place.

    label    of the group; dataset, command (or a list of them) and note beside it
    seeds    how many, where no row has a value for each
    stages   space -> epochs and minutes: of all seeds, or of each
    rows     "space, method" -> column -> the value of each seed, from 0; or median, lowest and
             highest, where these alone are known
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from archbuild.spec.reading import read_document
from benchmarks.reproduce.checking import check_keys
from benchmarks.reproduce.columns import COLUMNS

BACKEND: Final = "TensorFlow 2.21.0, Keras 3.15.1"
MACHINE: Final = "two x86-64 cores without an accelerator, beside other work; Python 3.11.7"

Figures = Sequence[float] | Mapping[str, float]
"""The value of each seed; or ``median``, ``lowest`` and ``highest``, those that are known."""

_KEYS = {"label", "dataset", "command", "note", "seeds", "stages", "rows"}
_KNOWN = {"median", "lowest", "highest"}


@dataclass(frozen=True, eq=False)
class Earlier:
    """A row of a space and a method, with the seeds of one group.

    Attributes:
        label: of the group.
        dataset: what was measured.
        method: ``space, method``, as ``--metrics`` names them, or another name.
        scores: column -> figures.
        seeds: how many there were.
        epochs: of each seed, or of all; ``None`` if not known.
        minutes: likewise, or figures.
    """

    label: str
    dataset: str
    method: str
    scores: Mapping[str, Figures]
    seeds: int
    epochs: int | Sequence[int] | None = None
    minutes: float | Figures | None = None

    @property
    def is_head(self) -> bool:
        """Whether these are the clusters of a head of ours."""
        return "head" in self.method.split(", ")[1:]

    def middle(self, key: str) -> float | None:
        """Return the mean of a column, or its median where seeds are not known one by one."""
        figures = self.scores.get(key)
        if figures is None or isinstance(figures, Mapping):
            return None if figures is None else figures.get("median")
        return statistics.fmean(figures)


@dataclass(frozen=True)
class EarlierRuns:
    """A group of rows from the same runs."""

    label: str
    commands: Sequence[str]
    note: str
    rows: Sequence[Earlier] = field(default_factory=list)


def read_earlier(path: Path) -> list[EarlierRuns]:
    """Return the groups of a file; none where it is not there.

    Raises:
        SpecError: it is not YAML.
        UsageError: a key is missing or unknown; the message says where.
    """
    if not path.exists():
        return []
    return [_group(entry, f"{path.name}, {entry['label']}") for entry in read_document(path).tree]


def _group(entry: Mapping[str, Any], where: str) -> EarlierRuns:
    check_keys(entry, _KEYS, {"label", "dataset", "rows"}, where)
    given = entry.get("command", [])
    commands = [given] if isinstance(given, str) else given
    rows = [_row(entry, method, scores, where) for method, scores in entry["rows"].items()]
    return EarlierRuns(entry["label"], commands, entry.get("note", ""), rows)


def _row(
    group: Mapping[str, Any], method: str, scores: Mapping[str, Figures], where: str
) -> Earlier:
    check_keys(scores, COLUMNS, (), f"{where}, {method}")
    for figures in scores.values():
        if isinstance(figures, Mapping):
            check_keys(figures, _KNOWN, {"median"}, f"{where}, {method}")
    counts = {len(each) for each in scores.values() if not isinstance(each, Mapping)}
    (seeds,) = counts or {group["seeds"]}
    stage = group.get("stages", {}).get(method.partition(",")[0], {})
    known = {key: stage.get(key) for key in ("epochs", "minutes")}
    return Earlier(group["label"], group["dataset"], method, scores, seeds, **known)
