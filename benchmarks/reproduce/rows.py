"""The rows of a table: published ones, and the seeds of ours put together."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

from archbuild.data.guess import PART
from benchmarks.reproduce.columns import Column
from benchmarks.reproduce.declared import Published, Run, Table
from benchmarks.reproduce.earlier import Earlier
from benchmarks.reproduce.records import Record, setting


@dataclass(frozen=True)
class Ours:
    """A run of ours with the seeds that were recorded of it, in their order.

    Attributes:
        run: as it is declared.
        arguments: of ``archbuild``, but for the seed.
        records: one for each seed; those that failed have no scores.
        setting: in words, what differs from the declaration; empty where nothing does.
    """

    run: Run
    arguments: Sequence[str]
    records: Sequence[Record]
    setting: str = ""

    @property
    def label(self) -> str:
        """The label, what differs from the declaration, and what training read.

        The latter is how many labels, and which part of a dataset that was not whole.
        """
        used = {record["scores"].get("labels_used") for record in self.done} - {None}
        labels = [f"{', '.join(map(str, used))} labels"] if used else []
        parts = {record.get("data", {}).get(PART, "") for record in self.done}
        notes = ", ".join(filter(None, [*labels, *sorted(parts), self.setting]))
        return f"{self.run.label} ({notes})" if notes else self.run.label

    @property
    def done(self) -> list[Record]:
        """The seeds that have scores."""
        return [record for record in self.records if "scores" in record]

    @property
    def failed(self) -> list[Record]:
        """The seeds that have none."""
        return [record for record in self.records if "scores" not in record]

    def values(self, column: Column) -> list[Any]:
        """Return a column's values, of the seeds that have one."""
        values = (column.value(record["scores"]) for record in self.done)
        return [value for value in values if value is not None]

    def mean(self, column: Column) -> float:
        """Return the mean over the seeds, of which at least one has a value."""
        return statistics.fmean(self.values(column))

    def median(self, column: Column) -> float:
        """Return the median over the seeds, likewise."""
        return statistics.median(self.values(column))

    def ranked(self, column: Column) -> list[Record]:
        """Return the seeds that have a score, the best first."""
        scored = [record for record in self.done if column.value(record["scores"]) is not None]
        return sorted(scored, key=lambda record: -column.better(column.value(record["scores"])))


def ours(table: Table, records: Iterable[Record]) -> list[Ours]:
    """Return the runs of a table in their order, each followed by its other settings."""
    found = list(records)
    return [row for run in table.runs for row in _of_run(run, found)]


def best_published(table: Table, dataset: str) -> Published | None:
    """Return the row with the best comparable figure on a dataset, if any."""
    key = table.main.key
    rows = [
        row
        for row in (*table.paper, *table.peers)
        if row.dataset == dataset and row.comparable and key in row.scores
    ]
    return max(rows, key=lambda row: table.main.better(row.scores[key][0]), default=None)


def best_of_ours(table: Table, dataset: str, records: Iterable[Record]) -> Ours | None:
    """Return the run as declared that has the best mean on a dataset, if any was run."""
    column = table.main
    rows = [
        row
        for row in ours(table, records)
        if row.run.dataset == dataset and not row.setting and row.values(column)
    ]
    return max(rows, key=lambda row: column.better(row.mean(column)), default=None)


def best_earlier(table: Table, dataset: str) -> Earlier | None:
    """Return the head that was the best on a dataset before the table was declared, if any."""
    key = table.main.key
    rows = [row for runs in table.earlier for row in runs.rows if row.dataset == dataset]
    by_row = {row: row.middle(key) for row in rows if row.is_head}
    known = {row: middle for row, middle in by_row.items() if middle is not None}
    return max(known, key=lambda row: table.main.better(known[row]), default=None)


def _of_run(run: Run, records: Sequence[Record]) -> list[Ours]:
    """Return what is recorded of a run as declared, and of each of its other settings."""
    own = setting(run)
    groups: list[tuple[Record, list[Record]]] = [(own, [])]
    for record in sorted(records, key=itemgetter("seed")):
        if (record["label"], record["row"]) == (run.label, run.row):
            _group(groups, {key: record[key] for key in own}).append(record)
    return [
        Ours(run, of["arguments"], found, "" if of == own else _in_words(run, found))
        for of, found in groups
    ]


def _group(groups: list[tuple[Record, list[Record]]], wanted: Record) -> list[Record]:
    """Return the records of a setting, of which there may be none yet."""
    for found, records in groups:
        if found == wanted:
            return records
    groups.append((wanted, []))
    return groups[-1][1]


def _in_words(run: Run, records: Sequence[Record]) -> str:
    """Return how the setting of some records differs from what is declared."""
    record = records[0]
    if record["arguments"] == run.arguments:
        return "an earlier spec"
    return ", ".join(record["changes"]) or "as declared before"
