"""The page of a table, in Markdown: published rows, ours, and how ours were made."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from operator import itemgetter

from benchmarks.reproduce import cells
from benchmarks.reproduce.columns import Column
from benchmarks.reproduce.declared import TAGS, Published, Table, command
from benchmarks.reproduce.earlier_page import earlier_section
from benchmarks.reproduce.records import Record
from benchmarks.reproduce.rows import Ours, ours


def page(table: Table, records: Iterable[Record]) -> str:
    """Return the whole page of a table."""
    rows = ours(table, records)
    parts = [
        f"# {table.title}",
        f"Made by `python benchmarks/reproduce {table.name}`; what was not run says so.",
        table.note.strip(),
        _side_by_side(table, rows),
        _legend(table),
        f"## How ours were made\n\n{_commands(rows)}",
    ]
    if any(row.done for row in rows):
        parts.append(f"## Seed by seed\n\n{_seeds(table, rows)}")
    parts.append(earlier_section(table))
    return "\n\n".join(filter(None, parts)) + "\n"


# -- published rows and ours -------------------------------------------------------------------


def _side_by_side(table: Table, rows: Iterable[Ours]) -> str:
    headings = ["method", "data", "from", *(column.heading for column in table.columns)]
    headings += ["median", "best seed", "worst seed", "seeds", "epochs", "minutes"]
    lines = [
        *(_published(table, row, "paper") for row in table.paper),
        *(_published(table, row, "peer") for row in table.peers),
        *(_ours(table, row) for row in rows),
    ]
    if len(table.datasets) == 1:
        for line in (headings, *lines):
            del line[1]
    return cells.markdown(headings, lines)


def _published(table: Table, row: Published, whose: str) -> list[str]:
    note = f" ({row.note})" if row.note else ""
    scores = [
        cells.mean_and_std(*row.scores[column.key], column.form) if column.key in row.scores else ""
        for column in table.columns
    ]
    best = cells.number(row.best, table.main.form)
    return [row.method + note, row.dataset, f"{whose}, {_tags(table, row)}", *scores, "", best]


def _tags(table: Table, row: Published) -> str:
    """Return how sure the figures of a row are, each by its column where they differ."""
    by_tag: dict[str, list[str]] = {}
    for column in table.columns:
        if column.key in row.tags:
            by_tag.setdefault(row.tags[column.key], []).append(column.name)
    if len(by_tag) == 1:
        return next(iter(by_tag))
    return ", ".join(f"{' and '.join(names)} {tag}" for tag, names in by_tag.items())


def _ours(table: Table, row: Ours) -> list[str]:
    scores = [cells.spread(row, column) for column in table.columns]
    if not row.done:
        scores[0] = cells.NOT_RUN
    ends = _ends([cells.scores(record, table.scores) for record in row.ranked(table.main)])
    effort = [cells.seeds(row), cells.epochs(row), cells.minutes(row)]
    scores.append(cells.medians(row, table.scores))
    return [f"**{row.label}**", row.run.dataset, "ours", *scores, *ends, *effort]


def _legend(table: Table) -> str:
    names = " / ".join(column.name for column in table.scores)
    text = f"Ours are means ± standard deviations over seeds; the best seed is by {table.main.name}"
    text += f". Medians and seeds: {names}." if len(table.scores) > 1 else "."
    tags = {tag for row in (*table.paper, *table.peers) for tag in row.tags.values()}
    said = "; ".join(f"*{tag}*: {meaning}" for tag, meaning in TAGS.items() if tag in tags)
    return f"{text} How sure published figures are: {said}." if said else text


def _ends(ranked: Sequence[str]) -> tuple[str, str]:
    """Return the best and the worst of at least two seeds."""
    return (ranked[0], ranked[-1]) if len(ranked) > 1 else ("", "")


# -- how ours were made ------------------------------------------------------------------------


def _commands(rows: Sequence[Ours]) -> str:
    headings = ["run", "command, S a seed", "row", "backend", "machine", "archbuild", "date"]
    return cells.markdown(headings, map(_made, rows))


def _made(row: Ours) -> list[str]:
    said = [_facts(row, lambda record: " and ".join(record["methods"]))]
    said += [_facts(row, itemgetter(key)) for key in ("backend", "machine", "version", "date")]
    lines = [command(row.run.preparation)] if row.run.own else []
    words = ", then ".join(f"`{line}`" for line in (*lines, command(row.arguments, "S")))
    return [row.label, words, *(said if row.done else [cells.NOT_RUN])]


def _facts(row: Ours, fact: Callable[[Record], str]) -> str:
    """Return what is said of each seed, once."""
    return "; ".join(dict.fromkeys(map(fact, row.done)))


def _seeds(table: Table, rows: Iterable[Ours]) -> str:
    headings = ["run", "seed", *(column.heading for column in table.columns), "epochs", "minutes"]
    return cells.markdown(headings, _each_seed(table.columns, rows))


def _each_seed(columns: Sequence[Column], rows: Iterable[Ours]) -> Iterator[list[str]]:
    for row in rows:
        for record in row.done:
            alone = Ours(row.run, row.arguments, [record], row.setting)
            scores = [cells.spread(alone, column) for column in columns]
            effort = [cells.epochs(alone), cells.minutes(alone)]
            yield [row.label, str(record["seed"]), *scores, *effort]
