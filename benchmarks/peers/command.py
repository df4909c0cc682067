"""The command: which rows are run, with which seeds, and where the results go."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from archbuild.errors import UsageError
from archbuild.io.atomic import write_text
from benchmarks.peers.declared import Row, rows
from benchmarks.peers.page import PEERS, SEEDS, add_seed, page, read_seeds
from benchmarks.peers.running import PeerError, execute
from benchmarks.processes import exit_status
from benchmarks.reproduce.command import RESULTS, write_index

Execute = Callable[[Row, int, str, Path], dict[str, Any]]


def main(arguments: Sequence[str], description: str, run: Execute = execute) -> int:
    """Run what is not recorded, and write the page; return the exit status.

    Args:
        arguments: of the command line.
        description: what the help says.
        run: runs one seed of a row, and returns its result.
    """
    options = _parser(description).parse_args(arguments)

    def work() -> list[str]:
        failed = [] if options.table_only else _run_all(options, run)
        _write(options.results)
        return failed

    return exit_status(work)


def _parser(description: str) -> ArgumentParser:
    parser = ArgumentParser(
        prog="peers", description=description, formatter_class=RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    where = "interpreter with the packages of the extra `peers` (default: this one)"
    add("--python", default=sys.executable, metavar="PATH", help=where)
    add("--seeds", type=int, default=SEEDS, metavar="N", help=f"seeds 0 to N - 1 ({SEEDS})")
    only = "rows of DATASET, DATASET,METHOD or DATASET,METHOD,SETTINGS; repeatable"
    add("--only", action="append", metavar="ROW", help=only)
    add("--out", type=Path, default=Path("benchmark-runs"), metavar="DIR", help="of the processes")
    place = "of the records and the page (default: benchmarks/results)"
    add("--results", type=Path, default=RESULTS, metavar="DIR", help=place)
    add("--table-only", action="store_true", help="write the page, run nothing")
    return parser


def _run_all(options: Namespace, run: Execute) -> list[str]:
    """Run what is not recorded; return what failed, in words."""
    failed = []
    for row in _wanted(options.only):
        for seed in range(options.seeds):
            recorded = read_seeds(options.results, row)
            if any(each["seed"] == seed and "failed" not in each for each in recorded):
                continue
            print(f"{row.label}, seed {seed}", file=sys.stderr, flush=True)
            try:
                result = run(row, seed, options.python, options.out)
            except PeerError as error:
                result = {"seed": seed, "failed": str(error)}
                failed.append(f"{row.label}, seed {seed}: {error}")
            add_seed(options.results, row, result)
            _write(options.results)
    return failed


def _wanted(names: Sequence[str] | None) -> list[Row]:
    """Return the rows that a name begins, or all.

    Raises:
        UsageError: no row begins so.
    """
    known = list(rows())
    for name in names or ():
        if not any(_begins(row, name) for row in known):
            labels = "; ".join(row.label for row in known)
            raise UsageError(f"no row begins with '{name}'; expected a beginning of: {labels}")
    return [row for row in known if names is None or any(_begins(row, name) for name in names)]


def _begins(row: Row, name: str) -> bool:
    return f"{row.label},".startswith(f"{name},")


def _write(folder: Path) -> None:
    write_text(folder / PEERS, page(folder))
    write_index(folder)
