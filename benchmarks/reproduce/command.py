"""The command: which tables and pages are run, with which seeds, and where the results go."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from subprocess import CalledProcessError
from typing import Final

from archbuild.errors import UsageError
from archbuild.io.atomic import write_text
from benchmarks.attack.page import PAGE as ATTACKS
from benchmarks.attack.page import attack_line
from benchmarks.mutation.page import PAGE as MUTATION
from benchmarks.mutation.page import mutation_line
from benchmarks.mutation.page import write_page as write_mutation
from benchmarks.peers.page import PEERS, peers_line
from benchmarks.processes import exit_status
from benchmarks.reproduce.declared import TABLES, Run, Table, read_tables
from benchmarks.reproduce.index import index
from benchmarks.reproduce.page import page
from benchmarks.reproduce.records import Record, Records
from benchmarks.reproduce.running import execute
from benchmarks.reproduce.studies import (
    Outputs,
    Part,
    Study,
    execute_part,
    read_studies,
    study_line,
    study_page,
)

RESULTS: Final = Path(__file__).resolve().parents[1] / "results"
_ALL: Final = "all"

Execute = Callable[[Run, int, Path], Record]
ExecutePart = Callable[[Part, Path], Record]


@dataclass(frozen=True)
class Declared:
    """What is declared: tables by name, and pages of commands by name."""

    tables: Mapping[str, Table]
    studies: Mapping[str, Study]

    def chosen(self, name: str) -> Declared:
        """Return what a name means: a table, a page, or all."""
        if name == _ALL:
            return self
        both = (self.tables, self.studies)
        return Declared(*({name: each[name]} if name in each else {} for each in both))


def main(
    arguments: Sequence[str],
    description: str,
    declared: Path = TABLES,
    run: Execute = execute,
    run_part: ExecutePart = execute_part,
) -> int:
    """Run and write the tables and pages that the arguments name; return the exit status.

    Args:
        arguments: of the command line.
        description: what the help says.
        declared: the file that declares the tables; ``studies.yaml`` beside it declares pages.
        run: runs one seed of a run in a folder, and returns its result.
        run_part: runs a command of a page in a folder, and returns what it printed.
    """
    known = _declared(declared)
    options = _parser(known, description).parse_args(arguments)
    chosen = known.chosen(options.table)

    def work() -> list[str]:
        failed = []
        if not options.table_only:
            failed += _run_tables(known, list(chosen.tables.values()), options, run)
            failed += _run_studies(known, chosen.studies, options, run_part)
        _write(known, chosen, options.results)
        return failed

    return exit_status(work)


def write_index(folder: Path) -> None:
    """Write the page that lists all, of the declared tables and pages."""
    _write_index(_declared(TABLES), folder)


def _declared(tables: Path) -> Declared:
    return Declared(read_tables(tables), read_studies(tables.with_name("studies.yaml")))


def _parser(known: Declared, description: str) -> ArgumentParser:
    parser = ArgumentParser(
        prog="reproduce", description=description, formatter_class=RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    names = [*known.tables, *known.studies]
    add("table", choices=[*names, _ALL], metavar="TABLE", help=f"one of {', '.join(names)}; all")
    add("--seeds", type=int, metavar="N", help="seeds 0 to N - 1; as declared without it")
    add("--only", action="append", metavar="LABEL", help="run of the table; repeatable")
    changed = "new value of a key of every spec, in a row of its own; repeatable"
    add("--set", action="append", default=[], dest="changes", metavar="KEY=VALUE", help=changed)
    add("--out", type=Path, default=Path("benchmark-runs"), metavar="DIR", help="of the runs")
    place = "of the records and the pages (default: benchmarks/results)"
    add("--results", type=Path, default=RESULTS, metavar="DIR", help=place)
    add("--table-only", action="store_true", help="write the pages, run nothing")
    return parser


def _run_tables(
    known: Declared, chosen: Sequence[Table], options: Namespace, run: Execute
) -> list[str]:
    """Run what is not recorded; return what failed, in words."""
    failed: list[str] = []
    for table, declared in _wanted(chosen, options.only) if chosen else ():
        asked = declared.changed(options.changes)
        records = Records(_file(options.results, table, "json"))
        for seed in range(declared.seeds if options.seeds is None else options.seeds):
            if records.has(asked, seed):
                continue
            result = _attempt(run, asked, seed, options.out)
            records.add(asked, seed, result)
            _write(known, known.chosen(table.name), options.results)
            if "failed" in result:
                failed.append(f"{table.name}, {declared.label}, seed {seed}: {result['failed']}")
    return failed


def _run_studies(
    known: Declared, chosen: Mapping[str, Study], options: Namespace, run: ExecutePart
) -> list[str]:
    """Run the commands that are not recorded; return what failed, in words.

    Raises:
        UsageError: seeds, runs or settings were chosen, of a page of commands that have their own.
    """
    if options.seeds is not None or options.only or options.changes:
        if options.table != _ALL and chosen:
            raise UsageError(
                f"{options.table} is a page of commands, each with its own seeds and settings; "
                "--seeds, --only and --set are for tables: leave them out"
            )
        return []
    failed = []
    for study in chosen.values():
        outputs = Outputs(_file(options.results, study, "json"))
        for part in study.parts:
            if part.command in outputs.all:
                continue
            try:
                outputs.add(part.command, run(part, options.out))
            except CalledProcessError as error:
                failed.append(f"{study.name}, {part.command}: ended with {error.returncode}")
            _write(known, known.chosen(study.name), options.results)
    return failed


def _attempt(run: Execute, asked: Run, seed: int, out: Path) -> Record:
    try:
        return run(asked, seed, out)
    except CalledProcessError as error:
        return {"failed": f"the process ended with status {error.returncode}"}


def _wanted(tables: Sequence[Table], labels: Sequence[str] | None) -> list[tuple[Table, Run]]:
    """Return the runs of these labels, or all, each with its table.

    Raises:
        UsageError: no run has one of the labels.
    """
    runs = [(table, run) for table in tables for run in table.runs]
    known = [run.label for _, run in runs]
    unknown = [label for label in labels or () if label not in known]
    if unknown:
        raise UsageError(f"there is no run '{unknown[0]}'; expected one of: {'; '.join(known)}")
    return [(table, run) for table, run in runs if labels is None or run.label in labels]


def _write(known: Declared, changed: Declared, folder: Path) -> None:
    """Write the changed pages, and the one that lists all."""
    for table in changed.tables.values():
        write_text(
            _file(folder, table, "md"), page(table, Records(_file(folder, table, "json")).all)
        )
    for study in changed.studies.values():
        outputs = Outputs(_file(folder, study, "json")).all
        write_text(_file(folder, study, "md"), study_page(study, outputs))
    _write_index(known, folder)


def _write_index(known: Declared, folder: Path) -> None:
    records = {
        name: Records(_file(folder, table, "json")).all for name, table in known.tables.items()
    }
    pages = [
        study_line(study, Outputs(_file(folder, study, "json")).all)
        for study in known.studies.values()
    ]
    if (folder / PEERS).exists():
        pages.append(peers_line(folder))
    if (folder / ATTACKS).exists():
        pages.append(attack_line(folder))
    if (folder / MUTATION).exists():
        write_mutation(folder)  # reasons are written by hand
        pages.append(mutation_line(folder))
    write_text(folder / "README.md", index(known.tables.values(), records, pages))


def _file(folder: Path, of: Table | Study, suffix: str) -> Path:
    return folder / f"{of.name}.{suffix}"
