"""The page that lists all tables: the best of ours beside the best published."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from benchmarks.reproduce import cells
from benchmarks.reproduce.columns import COLUMNS
from benchmarks.reproduce.declared import Table
from benchmarks.reproduce.earlier_page import summary
from benchmarks.reproduce.records import Record
from benchmarks.reproduce.rows import best_earlier, best_of_ours, best_published, ours

_HEADINGS = ("table", "data", "score", "best of ours", "best published", "seeds run")
_BEGINNING = (
    "Each table comes from `python benchmarks/reproduce TABLE`, which goes on where it stopped, "
    "and this page with it. Ours is the highest mean over seeds of what is declared, or the lowest "
    "where less is better; published figures that were measured in another way do not count. "
    "*Before* are figures of commands that were typed before the table was declared. Labels are "
    "read after training only. The settings of the shipped specs (start, weights, rates) were "
    "chosen by looking at the accuracies of such runs, as in the literature; no seed, epoch or "
    "restart was chosen that way."
)


def index(
    tables: Iterable[Table],
    records: Mapping[str, Sequence[Record]],
    pages: Sequence[Sequence[str]] = (),
) -> str:
    """Return the page.

    Args:
        tables: all of them, in order.
        records: those of each table by its name.
        pages: a line for each other page: the link, its title, and how much was run.
    """
    lines = [
        _line(table, dataset, records[table.name]) for table in tables for dataset in table.datasets
    ]
    parts = [
        "# Results, ours beside the published figures",
        _BEGINNING,
        cells.markdown(_HEADINGS, lines),
    ]
    if pages:
        parts += ["Further pages:", cells.markdown(["page", "about", "run"], pages)]
    return "\n\n".join(parts) + "\n"


def _line(table: Table, dataset: str, records: Sequence[Record]) -> list[str]:
    declared = [row for row in ours(table, records) if row.run.dataset == dataset]
    done = sum(len(row.done) for row in declared if not row.setting)
    wanted = sum(row.run.seeds for row in declared if not row.setting)
    return [
        f"[{table.name}]({table.name}.md)",
        dataset,
        table.main.heading,
        _ours(table, dataset, records) if declared else "",
        _published(table, dataset, records),
        f"{done} of {wanted}",
    ]


def _ours(table: Table, dataset: str, records: Sequence[Record]) -> str:
    row = best_of_ours(table, dataset, records)
    if row is None:
        before = best_earlier(table, dataset)
        said = f"{summary(before, table.main)}, {before.label}" if before else ""
        return f"{cells.NOT_RUN}; before: {said}" if said else cells.NOT_RUN
    median = cells.medians(row, [table.main])
    said = [cells.spread(row, table.main), f"median {median}" if median else "", row.label]
    return ", ".join(filter(None, said))


def _published(table: Table, dataset: str, records: Sequence[Record]) -> str:
    """Return the best published figure; of own data what k-means came to beside ours."""
    row = best_published(table, dataset)
    if row is not None:
        key = table.main.key
        figure = cells.mean_and_std(*row.scores[key], table.main.form)
        return f"{figure}, {row.method} ({row.tags[key]})"
    beside = COLUMNS.get(f"{table.main.key}_standardised")
    ours = best_of_ours(table, dataset, records)
    if beside is None or ours is None or not ours.values(beside):
        return "none known"
    return f"{cells.spread(ours, beside)}, k-means beside it"
