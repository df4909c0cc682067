"""The part of a table's page with what was measured before the table was declared."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping, Sequence

from benchmarks.reproduce import cells
from benchmarks.reproduce.columns import COLUMNS, Column
from benchmarks.reproduce.declared import Table
from benchmarks.reproduce.earlier import BACKEND, MACHINE, Earlier, EarlierRuns, Figures


def earlier_section(table: Table) -> str:
    """Return the section; nothing where nothing was measured before."""
    if not table.earlier:
        return ""
    rows = [row for runs in table.earlier for row in runs.rows]
    columns = _columns(table, rows)
    parts = [
        "## Measured before this table was declared",
        f"By commands that were typed, on {MACHINE}; {BACKEND}. Minutes are upper bounds.",
        _overview(table, columns, rows),
        _commands(table.earlier),
    ]
    by_seed = list(_each_seed(columns, rows))
    if by_seed:
        parts.append(f"### Seed by seed, measured before\n\n{_seeds(columns, by_seed)}")
    return "\n\n".join(parts)


def summary(row: Earlier, column: Column) -> str:
    """Return the mean and the median of a column in one line."""
    figures = row.scores[column.key]
    if isinstance(figures, Mapping):
        return _figures(figures, column)
    median = cells.number(statistics.median(figures), column.form)
    return _figures(figures, column) + (f", median {median}" if len(figures) > 1 else "")


def _columns(table: Table, rows: Sequence[Earlier]) -> list[Column]:
    """Return the columns of the table, and those that only these rows have."""
    seen = {key for row in rows for key in row.scores}
    own = [column for column in table.columns if column.key in seen]
    return [*own, *(each for key, each in COLUMNS.items() if key in seen and each not in own)]


def _overview(table: Table, columns: Sequence[Column], rows: Sequence[Earlier]) -> str:
    headings = ["run", "data", "row", *(column.heading for column in columns)]
    headings += ["median", "best seed", "worst seed", "seeds", "epochs", "minutes"]
    lines = []
    for row in rows:
        scores = [_figures(row.scores.get(column.key), column) for column in columns]
        effort = [str(row.seeds), _epochs(row), _minutes(row)]
        ends = _medians_and_ends(row, table)
        lines.append([row.label, row.dataset, row.method, *scores, *ends, *effort])
    return cells.markdown(headings, lines)


def _figures(figures: Figures | None, column: Column) -> str:
    """Return a mean and a deviation, or that it is a median, which alone is known."""
    if figures is None:
        return ""
    if isinstance(figures, Mapping):
        return f"median {cells.number(figures['median'], column.form)}"
    std = statistics.stdev(figures) if len(figures) > 1 else None
    return cells.mean_and_std(statistics.fmean(figures), std, column.form)


def _medians_and_ends(row: Earlier, table: Table) -> list[str]:
    """Return the medians of the table's scores, and the scores of the best and the worst seed.

    Where seeds are not known one by one, these are of the first column alone.
    """
    main = row.scores.get(table.main.key)
    if isinstance(main, Mapping):
        ends = [main.get(end) for end in ("highest", "lowest")]
        ends = ends if table.main.higher_is_better else ends[::-1]
        return [cells.number(value, table.main.form) for value in (main["median"], *ends)]
    if main is None or row.seeds < 2:
        return [""] * 3
    known = {c: each for c in table.scores if isinstance(each := row.scores.get(c.key), list)}
    ranked = sorted(range(row.seeds), key=lambda seed: -table.main.better(main[seed]))
    of_seeds = [{c: each[seed] for c, each in known.items()} for seed in (ranked[0], ranked[-1])]
    return [
        _joined({c: statistics.median(each) for c, each in known.items()}),
        *map(_joined, of_seeds),
    ]


def _joined(values: Mapping[Column, float]) -> str:
    return " / ".join(cells.number(value, column.form) for column, value in values.items())


def _epochs(row: Earlier) -> str:
    if row.epochs is None:
        return ""
    each = [row.epochs] if isinstance(row.epochs, int) else row.epochs
    low, high = min(each), max(each)
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"


def _minutes(row: Earlier) -> str:
    minutes = row.minutes
    if minutes is None:
        return ""
    if isinstance(minutes, Mapping):
        known = minutes.get("median")
        ends = (cells.number(minutes.get(end), ".1f") for end in ("lowest", "highest"))
        return " to ".join(ends) if known is None else f"{known:.1f}"
    return f"{statistics.fmean(minutes if isinstance(minutes, Sequence) else [minutes]):.1f}"


def _commands(groups: Sequence[EarlierRuns]) -> str:
    return "\n".join(f"* **{runs.label}**: {_in_words(runs)}" for runs in groups)


def _in_words(runs: EarlierRuns) -> str:
    commands = ", then ".join(f"`{command}`" for command in runs.commands)
    return ". ".join(filter(None, [commands, runs.note]))


def _seeds(columns: Sequence[Column], lines: Sequence[Sequence[str]]) -> str:
    headings = ["run", "row", "seed", *(column.heading for column in columns)]
    return cells.markdown([*headings, "epochs", "minutes"], lines)


def _each_seed(columns: Sequence[Column], rows: Sequence[Earlier]) -> Iterator[list[str]]:
    for row in rows:
        by_seed = {k: each for k, each in row.scores.items() if not isinstance(each, Mapping)}
        for seed in range(row.seeds) if by_seed else ():
            scores = [
                cells.number(by_seed[c.key][seed], c.form) if c.key in by_seed else ""
                for c in columns
            ]
            effort = [_of(row.epochs, seed, ","), _of(row.minutes, seed, ".1f")]
            yield [row.label, row.method, str(seed), *scores, *effort]


def _of(values: object, seed: int, form: str) -> str:
    if isinstance(values, Sequence):
        return cells.number(values[seed], form)
    return cells.number(values, form) if isinstance(values, int | float) else ""
