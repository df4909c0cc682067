"""The command: which attack, how many inputs, and where failures and records go."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from time import perf_counter

from archbuild.io.atomic import write_json
from archbuild.version import __version__
from benchmarks.attack.attacks import ATTACKS, Case, attack_of
from benchmarks.attack.outcomes import Outcome, Result
from benchmarks.attack.page import RECORD, read_series, write_page
from benchmarks.attack.running import run_files, run_series
from benchmarks.processes import exit_status, machine
from benchmarks.reproduce.command import RESULTS, write_index


def main(arguments: Sequence[str], description: str) -> int:
    """Run what the arguments say; return the exit status, 1 if an input failed.

    Args:
        arguments: of the command line.
        description: what the help says.
    """
    options = _parser(description).parse_args(arguments)
    return exit_status(lambda: _series(options) if not options.file else _files(options))


def table(counts: Counter[Outcome]) -> str:
    """Return the counts as a table in Markdown."""
    lines = [f"| {outcome} | {counts[outcome]:,} |" for outcome in Outcome]
    return "\n".join(["| outcome | inputs |", "|---|---|", *lines])


def _parser(description: str) -> ArgumentParser:
    parser = ArgumentParser(
        prog="attack", description=description, formatter_class=RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("attack", choices=list(ATTACKS), metavar="ATTACK", help=f"one of {', '.join(ATTACKS)}")
    add("--inputs", type=int, default=1000, metavar="N", help="how many (default: 1000)")
    add("--seed", type=int, default=0, metavar="S", help="of the inputs (default: 0)")
    add("--first", type=int, default=0, metavar="I", help="number of the first (default: 0)")
    add("--file", type=Path, nargs="+", metavar="PATH", help="these inputs in place of made ones")
    place = "of inputs that failed (default: attack-failures)"
    add("--failures", type=Path, default=Path("attack-failures"), metavar="DIR", help=place)
    place = "of the record (default: benchmarks/results)"
    add("--results", type=Path, default=RESULTS, metavar="DIR", help=place)
    return parser


def _series(options: Namespace) -> list[str]:
    """Run a series and record it; return what failed, in words."""
    maker = attack_of(options.attack)
    results = run_series(options.attack, options.seed, options.first, options.inputs)

    def keep(result: Result) -> str:
        kept = _keep(options.failures / options.attack, maker.case(options.seed, result.index))
        return f"--seed {options.seed} --first {result.index}, kept as {kept}"

    begun = perf_counter()
    counts, failed, slowest = _collected(results, keep)
    minutes = (perf_counter() - begun) / 60
    _record(options, counts, slowest, minutes)
    per_minute = counts.total() / minutes
    print(f"{minutes:.1f} minutes, {per_minute:,.0f} inputs a minute, slowest {slowest:.2f} s")
    return failed


def _files(options: Namespace) -> list[str]:
    """Run files; return what failed, in words."""
    results = run_files(options.attack, options.file)
    return _collected(results, lambda result: str(options.file[result.index]))[1]


def _collected(
    results: Iterator[Result], name: Callable[[Result], str]
) -> tuple[Counter[Outcome], list[str], float]:
    """Return the counts, what failed, and the seconds of the slowest; print the counts."""
    counts: Counter[Outcome] = Counter()
    failed: list[str] = []
    slowest = 0.0
    for result in results:
        counts[result.outcome] += 1
        slowest = max(slowest, result.seconds)
        if not result.outcome.is_right:
            failed.append(f"{result.outcome}: {result.detail}; {name(result)}")
    print(table(counts))
    return counts, failed, slowest


def _keep(folder: Path, case: Case) -> Path:
    """Write an input that failed under a name that its content decides."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{sha256(case.content).hexdigest()[:12]}{case.suffix}"
    path.write_bytes(case.content)
    return path


def _record(options: Namespace, counts: Counter[Outcome], slowest: float, minutes: float) -> None:
    """Record a series, in place of an earlier one of the same inputs, and write the pages."""
    series = {key: getattr(options, key) for key in ("attack", "seed", "first", "inputs")}
    recorded = read_series(options.results)
    others = [old for old in recorded if any(old[key] != series[key] for key in series)]
    new = {
        **series,
        "counts": {str(outcome): counts[outcome] for outcome in Outcome},
        "slowest_seconds": slowest,
        "minutes": round(minutes, 2),
        "machine": machine(),
        "version": __version__,
        "date": datetime.now(UTC).date().isoformat(),
    }
    write_json(options.results / RECORD, {"series": [*others, new]})
    write_page(options.results)
    write_index(options.results)
