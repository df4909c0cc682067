"""The command: which tables are run, with which seeds, and where the results go."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from subprocess import CalledProcessError
from typing import Any, Final

from archbuild.errors import ArchbuildError, UsageError
from archbuild.io.atomic import write_text
from benchmarks.reproduce.declared import TABLES, Run, Table, read_tables
from benchmarks.reproduce.index import index
from benchmarks.reproduce.page import page
from benchmarks.reproduce.records import Record, Records
from benchmarks.reproduce.running import execute

RESULTS: Final = Path(__file__).resolve().parents[1] / "results"
_ALL: Final = "all"

Execute = Callable[[Run, int, Path], Record]


def main(
    arguments: Sequence[str], description: str, declared: Path = TABLES, run: Execute = execute
) -> int:
    """Run and write the tables that the arguments name; return the exit status.

    Args:
        arguments: of the command line.
        description: what the help says.
        declared: the file that declares the tables.
        run: runs one seed of a run in a folder, and returns its result.
    """
    tables = read_tables(declared)
    options = _parser(tables, description).parse_args(arguments)
    chosen = list(tables.values()) if options.table == _ALL else [tables[options.table]]
    try:
        failed = [] if options.table_only else _run_all(tables, chosen, options, run)
        _write(tables, chosen, options.results)
    except ArchbuildError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_status
    except KeyboardInterrupt:
        print("stopped; the same command goes on from there", file=sys.stderr)
        return 130
    for what in failed:
        print(f"failed: {what}", file=sys.stderr)
    return 1 if failed else 0


def _parser(tables: Mapping[str, Table], description: str) -> ArgumentParser:
    parser = ArgumentParser(
        prog="reproduce", description=description, formatter_class=RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("table", choices=[*tables, _ALL], metavar="TABLE", help=f"one of {', '.join(tables)}; all")
    add("--seeds", type=int, metavar="N", help="seeds 0 to N - 1; as declared without it")
    add("--only", action="append", metavar="LABEL", help="run of the table; repeatable")
    changed = "new value of a key of every spec, in a row of its own; repeatable"
    add("--set", action="append", default=[], dest="changes", metavar="KEY=VALUE", help=changed)
    add("--out", type=Path, default=Path("benchmark-runs"), metavar="DIR", help="of the runs")
    place = "of the records and the pages (default: benchmarks/results)"
    add("--results", type=Path, default=RESULTS, metavar="DIR", help=place)
    add("--table-only", action="store_true", help="write the pages, run nothing")
    return parser


def _run_all(
    tables: Mapping[str, Table], chosen: Sequence[Table], options: Namespace, run: Execute
) -> list[str]:
    """Run what is not recorded; return what failed, in words."""
    failed = []
    for table, declared in _wanted(chosen, options.only):
        asked = declared.changed(options.changes)
        records = Records(_file(options.results, table, "json"))
        for seed in range(declared.seeds if options.seeds is None else options.seeds):
            if records.has(asked, seed):
                continue
            result = _attempt(run, asked, seed, options.out)
            records.add(asked, seed, result)
            _write(tables, [table], options.results)
            if "failed" in result:
                failed.append(f"{table.name}, {declared.label}, seed {seed}: {result['failed']}")
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


def _write(tables: Mapping[str, Table], changed: Sequence[Table], folder: Path) -> None:
    """Write the pages of the changed tables, and the one that lists all."""
    records: dict[str, Any] = {
        name: Records(_file(folder, table, "json")).all for name, table in tables.items()
    }
    for table in changed:
        write_text(_file(folder, table, "md"), page(table, records[table.name]))
    write_text(folder / "README.md", index(tables.values(), records))


def _file(folder: Path, table: Table, suffix: str) -> Path:
    return folder / f"{table.name}.{suffix}"
