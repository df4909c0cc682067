"""Numbers as the cells of a table, and a table in Markdown."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from typing import Any

from benchmarks.reproduce.columns import Column
from benchmarks.reproduce.records import Record
from benchmarks.reproduce.rows import Ours

NOT_RUN = "not run"


def markdown(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table; a bar in a cell is escaped, and rows may end before the last column."""
    lines = [headings, ["---"] * len(headings), *rows]
    whole = ([*line, *[""] * (len(headings) - len(line))] for line in lines)
    return "\n".join(f"| {' | '.join(line)} |" for line in map(_escaped, whole))


def number(value: Any, form: str) -> str:
    """Return a value as text; of a list each entry, ``None`` as nothing."""
    if value is None:
        return ""
    if isinstance(value, list):
        return " ".join(format(each, form) for each in value)
    return format(value, form)


def spread(row: Ours, column: Column) -> str:
    """Return the mean of a column over the seeds, and the standard deviation of several scores.

    The deviation is that of a sample, with n - 1. Lists, which have an entry for each level, are
    averaged level by level.
    """
    values = row.values(column)
    if not values:
        return ""
    if isinstance(values[0], list):
        return number([statistics.fmean(level) for level in zip(*values, strict=True)], column.form)
    has_std = len(values) > 1 and column.higher_is_better is not None
    std = statistics.stdev(values) if has_std else None
    return mean_and_std(row.mean(column), std, column.form)


def medians(row: Ours, columns: Iterable[Column]) -> str:
    """Return the medians of scores over at least two seeds, in one cell."""
    if len(row.done) < 2:
        return ""
    return " / ".join(
        number(row.median(column), column.form) for column in columns if row.values(column)
    )


def mean_and_std(mean: float, std: float | None, form: str) -> str:
    """Return a mean as text, with its standard deviation unless that is ``None``."""
    return number(mean, form) + ("" if std is None else f" ± {number(std, form)}")


def scores(record: Record, columns: Iterable[Column]) -> str:
    """Return the scores of one seed in one cell."""
    found = (number(column.value(record["scores"]), column.form) for column in columns)
    return " / ".join(filter(None, found))


def seeds(row: Ours) -> str:
    """Return how many seeds have run, of how many where some are left, and how many failed."""
    done, wanted = len(row.done), row.run.seeds
    text = f"{done} of {wanted}" if done < wanted else str(done)
    return text + (f", {len(row.failed)} failed" if row.failed else "")


def epochs(row: Ours) -> str:
    """Return the epochs of each stage, and the spec's own length where another was asked for."""
    if not row.done:
        return NOT_RUN
    by_seed = [record["stages"] for record in row.done]
    return " + ".join(_of_stage([stages[name] for stages in by_seed]) for name in by_seed[0])


def minutes(row: Ours) -> str:
    """Return the minutes that the stages of a seed took, in the mean."""
    taken = [
        sum(stage["seconds"] for stage in record["stages"].values()) / 60 for record in row.done
    ]
    return f"{statistics.fmean(taken):.1f}" if taken else ""


def _of_stage(stages: Sequence[Record]) -> str:
    """Return the epochs of one stage over the seeds, as ``150 (spec: 2,000)``."""
    run = [stage["epochs"] for stage in stages]
    low, high = min(run), max(run)
    text = f"{low:,}" if low == high else f"{low:,} to {high:,}"
    asked, own = stages[0]["length"], stages[0]["of_spec"]
    if asked == own:
        return text
    ((unit, length),) = own.items()
    return f"{text} (spec: {length:,}{'' if unit == 'epochs' else f' {unit}'})"


def _escaped(line: Iterable[str]) -> list[str]:
    return [cell.replace("|", "\\|") for cell in line]
