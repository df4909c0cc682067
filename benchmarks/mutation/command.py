"""The command: which room, how many mutants, and where the record goes."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from archbuild.version import __version__
from benchmarks.mutation.making import draw, find, places
from benchmarks.mutation.mutants import End, Mutant, Result
from benchmarks.mutation.page import write_page
from benchmarks.mutation.records import Record, Series, read_series, write_series
from benchmarks.mutation.running import ROOMS, Bench
from benchmarks.processes import exit_status, machine
from benchmarks.reproduce.command import RESULTS, write_index


def main(arguments: Sequence[str], description: str) -> int:
    """Run what the arguments say; return the exit status.

    Args:
        arguments: of the command line.
        description: what the help says.
    """
    options = _parser(description).parse_args(arguments)
    return exit_status(lambda: _again(options) if options.again else _sample(options))


def _parser(description: str) -> ArgumentParser:
    parser = ArgumentParser(
        prog="mutation", description=description, formatter_class=RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--room", choices=ROOMS, required=True, help="whose modules are changed")
    add("--sample", type=int, default=80, metavar="N", help="how many mutants (default: 80)")
    add("--seed", type=int, default=0, metavar="S", help="of the sample (default: 0)")
    add("--again", action="store_true", help="test recorded survivors of the room once more")
    place = "of the record (default: benchmarks/results)"
    add("--results", type=Path, default=RESULTS, metavar="DIR", help=place)
    return parser


def _sample(options: Namespace) -> list[str]:
    """Test the mutants of a sample that are not recorded, and record them one by one."""
    with Bench(options.room) as bench:
        series = _begun(options, bench.package)
        mutants = draw(bench.package, options.room, options.sample, options.seed)
        for number, mutant in enumerate(mutants):
            if number < len(series["mutants"]):
                continue
            result = bench.test(mutant)
            series["mutants"].append(_record(mutant, result))
            series["seconds"] = round(series["seconds"] + result.seconds, 1)
            write_series(options.results, series)
            _say(series["mutants"][-1])
    _write(options.results)
    return []


def _begun(options: Namespace, package: Path) -> Series:
    """Return the series that is recorded, or a new one."""
    asked = {"room": options.room, "seed": options.seed, "sample": options.sample}
    for series in read_series(options.results):
        if all(series[key] == value for key, value in asked.items()):
            return series
    return {
        **asked,
        "places": len(places(package, options.room)),
        "mutants": [],
        "seconds": 0.0,
        "machine": machine(),
        "version": __version__,
        "date": datetime.now(UTC).date().isoformat(),
    }


def _record(mutant: Mutant, result: Result) -> Record:
    change = mutant.change
    return {
        "module": change.module,
        "line": change.line,
        "operator": change.operator,
        "before": mutant.before,
        "after": mutant.after,
        "end": result.end,
        "by": result.by,
    }


def _again(options: Namespace) -> list[str]:
    """Test the recorded survivors of a room once more, on the sources as they are now."""
    with Bench(options.room) as bench:
        for series in read_series(options.results):
            if series["room"] != options.room:
                continue
            for record in series["mutants"]:
                if record["end"] == End.SURVIVED and record.get("now") != End.KILLED:
                    _test_again(bench, record)
            write_series(options.results, series)
    _write(options.results)
    return []


def _test_again(bench: Bench, record: Record) -> None:
    mutant = find(bench.package, record)
    if mutant is None:
        record["now"] = "gone"  # the line was written anew
    else:
        result = bench.test(mutant)
        record |= {"now": result.end, "by": result.by}
    _say(record)


def _say(record: Record) -> None:
    """Print how a mutant ended, and a survivor's change."""
    place = f"{record['module']}:{record['line']}"
    print(f"{record.get('now', record['end'])} {place} {record['operator']} {record['by']}")
    if record.get("now", record["end"]) == End.SURVIVED:
        print(f"    - {record['before']}\n    + {record['after']}", flush=True)


def _write(folder: Path) -> None:
    write_page(folder)
    write_index(folder)
