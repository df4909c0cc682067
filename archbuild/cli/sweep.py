"""``archbuild sweep``: runs over seeds, heads and a grid of values, and a table of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from archbuild.cli.columns import in_columns
from archbuild.cli.engine import RAY, address_option, engine_option, refuse_without_ray
from archbuild.cli.numbers import Whole
from archbuild.cli.options import (
    StageLengths,
    arch_option,
    backend_option,
    data_dir_option,
    dataset_option,
    gathered,
    json_option,
    out_option,
    precision_option,
    quiet_option,
    set_option,
    stage_options,
)
from archbuild.cli.output import say
from archbuild.errors import TrainingError, UsageError
from archbuild.io.documents import json_text

if TYPE_CHECKING:
    from archbuild.cli.progress import Progress
    from archbuild.experiments.sweeps import Sweep, SweepPlan, SweepRequest
    from archbuild.experiments.sweeps.running import ChildMaker
    from archbuild.experiments.sweeps.search import SearchRequest

_ENDS: Final = ("best", "worst")


@dataclass(frozen=True)
class SweepOptions:
    """The options of the verb."""

    dataset: str
    arch: str
    stages: StageLengths
    seeds: int
    heads: str | None
    grid: tuple[str, ...]
    search: int | None
    ranges: tuple[str, ...]
    by: str | None
    overrides: tuple[str, ...]
    processes: int | None
    engine: str
    address: str | None
    name: str | None
    precision: str
    data_dir: Path | None
    out: Path
    quiet: bool
    as_json: bool

    def request(self) -> SweepRequest:
        """Return the request that the options stand for.

        Raises:
            UsageError: no stage is asked for, or a grid has no key or no values.
            SpecError: the values of a grid cannot be read.
        """
        from archbuild.experiments.request import ExperimentRequest
        from archbuild.experiments.sweeps import SweepRequest, read_grid

        return SweepRequest(
            experiment=ExperimentRequest(
                self.dataset,
                self.arch,
                overrides=self.overrides,
                data_dir=self.data_dir,
                out=self.out,
                precision=self.precision,
            ),
            stages=self.stages.asked(),
            seeds=range(self.seeds),
            heads=[head.strip() for head in self.heads.split(",")] if self.heads else [None],
            grid=read_grid(self.grid),
            name=self.name,
        )


@click.command(no_args_is_help=True, short_help="Train with many seeds, heads and values.")
@dataset_option(required=True)
@arch_option(required=True)
@stage_options
@click.option(
    "--seeds",
    type=Whole(1, 10_000),
    default=5,
    show_default=True,
    metavar="N",
    help="Number of random seeds, from 0.",
)
@click.option(
    "--head",
    "heads",
    metavar="HEAD,...",
    help="Types of the heads; see 'archbuild list heads'.",
    show_default="the spec's",
)
@click.option(
    "--grid",
    multiple=True,
    metavar="KEY=VALUE,...",
    help="Values of a key of the spec; repeatable, for every combination.",
)
@click.option(
    "--search",
    type=Whole(1, 100_000),
    metavar="N",
    help="Number of settings, chosen one after the other by what the others came to (Optuna).",
)
@click.option(
    "--range",
    "ranges",
    multiple=True,
    metavar="KEY=LOW..HIGH[,log]",
    help="Bounds of a key of the spec, for --search; repeatable.",
)
@click.option(
    "--by",
    metavar="SCORE",
    help="Score without labels that --search chooses by.",
    show_default="silhouette",
)
@set_option
@click.option(
    "--processes",
    type=Whole(1, 10_000),
    metavar="N",
    help="Number of runs at a time.",
    show_default="1; of a Ray cluster, its free CPUs",
)
@engine_option
@address_option
@click.option(
    "--name",
    metavar="NAME",
    help="Name of the table's files.",
    show_default="what is swept over",
)
@precision_option
@data_dir_option
@out_option
@backend_option
@quiet_option
@json_option(progress=True)
@gathered(SweepOptions, "options")
def sweep(options: SweepOptions) -> None:
    """Train with several seeds, with each of several heads and every point of a grid.

    Of a space too large for a grid, --search N tries N points (--grid: choices; --range: bounds).

    Every run is a process of its own, here or on a machine of a Ray cluster. Finished runs are
    skipped and interrupted ones resumed; if one fails, the others continue. A table over the seeds
    is printed at the end, and saved in sweeps/ with the metrics of every run as CSV.
    """
    from archbuild.cli.progress import reporting
    from archbuild.cli.sweep_screen import SweepScreen
    from archbuild.experiments.sweeps import document, plan_sweep, write_table

    refuse_without_ray(options.engine, {"--address": options.address})
    request = options.request()
    search = _search_request(options, request)
    with reporting(options.quiet, options.as_json, screen=SweepScreen) as progress:
        if search is None:
            swept = _run(plan_sweep(request), options, progress)
            found = document(swept.plan, swept.done)
        else:
            swept, found = _run_search(search, options, progress)
        paths = write_table(swept.plan.table_path, found)
        say(json_text(found, indent=2, ascii_only=True) if options.as_json else table_text(found))
        progress.show(f"the table is in {paths[0]}, every run's metrics in {paths[1]}")
        if swept.failures:
            raise TrainingError(_failures(swept))


def _search_request(options: SweepOptions, request: SweepRequest) -> SearchRequest | None:
    """Return the request to a search; ``None`` without ``--search``.

    Raises:
        UsageError: an option of a search is given without it, or contradicts another.
    """
    if options.search is None:
        if options.ranges or options.by:
            raise UsageError("--range and --by are for a search: add --search N")
        return None
    from archbuild.experiments.sweeps.search import DEFAULT_SCORE, SearchRequest, read_ranges

    ranges = read_ranges(options.ranges)
    return SearchRequest(request, ranges, options.search, options.by or DEFAULT_SCORE)


def _run(plan: SweepPlan, options: SweepOptions, progress: Progress) -> Sweep:
    """Run the plan.

    Raises:
        StoppedError: the user pressed Ctrl-C.
        UsageError: there is no such cluster.
    """
    with _engine(options) as (make_child, free):
        return _swept(plan, progress, make_child, options.processes or free)


def _run_search(
    request: SearchRequest, options: SweepOptions, progress: Progress
) -> tuple[Sweep, dict[str, Any]]:
    """Run a search; return all of it, and its document.

    Raises:
        StoppedError: the user pressed Ctrl-C.
        UsageError: there is no such cluster, or no Optuna.
    """
    from archbuild.experiments.sweeps import document
    from archbuild.experiments.sweeps.search import Search

    search = Search(request)
    with _engine(options) as (make_child, free):
        processes = options.processes or free
        at_a_time = ceil(processes / len(request.sweep.seeds))
        swept = search.run(lambda plan: _swept(plan, progress, make_child, processes), at_a_time)
    best = search.best()
    found = document(swept.plan, swept.done)
    found["search"] = {"score": request.score, "trials": request.trials, "best": best}
    if best:
        setting = " ".join(f"{key}={value}" for key, value in best["setting"].items())
        progress.show(f"best {request.score}, without labels: {best['value']:.4f} with {setting}")
    return swept, found


def _swept(
    plan: SweepPlan, progress: Progress, make_child: ChildMaker | None, processes: int
) -> Sweep:
    from archbuild.cli.run import StoppedError
    from archbuild.experiments.sweeps import Sweep

    sweep = Sweep(plan, progress, make_child)
    try:
        sweep.run(processes)
    except KeyboardInterrupt:
        raise StoppedError(
            f"stopped with {len(sweep.done)} of {len(plan.parts)} done; the same command goes on "
            "from there"
        ) from None
    return sweep


def _engine(options: SweepOptions) -> AbstractContextManager[tuple[ChildMaker | None, int]]:
    """Return what the children of a sweep are made by, and how many run at a time by default."""
    from archbuild.experiments.sweeps.ray_child import ray_children
    from archbuild.ray_cluster import AUTO

    if options.engine != RAY:
        return nullcontext((None, 1))
    return ray_children(options.address or AUTO, options.out)


def _failures(sweep: Sweep) -> str:
    """Return the list of failures, and advice."""
    count = len(sweep.plan.parts)
    lines = [
        f"    {run.label} {part.head}: {message}"
        for run, part in sweep.plan.parts
        if (message := sweep.failures.get(part)) is not None
    ]
    counts = f"{len(lines)} of {count} failed, and the table is without them"
    return "\n".join([f"{counts}; the same command tries them again:", *lines])


def table_text(found: Mapping[str, Any]) -> str:
    """Return the table of a sweep as text, with the scores of ``BRIEF``."""
    from archbuild.evaluation.scores import BRIEF

    rows = found["table"]
    present = [score for score in BRIEF if any(score in row["scores"] for row in rows)]
    if not present:
        return "no run has been measured"
    shown = [score for score in present if score != "silhouette"] or present
    keys = list(found["grid"])
    first = BRIEF[shown[0]]
    headings = [*keys, "space", "method", "seeds", first, "median", "best (seed)", "worst (seed)"]
    headings += [BRIEF[score] for score in shown[1:]]
    lines = [_line(row, keys, shown) for row in rows]
    numbers = range(len(keys) + 2, len(headings))
    return in_columns([headings, *lines], numbers=list(numbers))


def _line(row: Mapping[str, Any], keys: Sequence[str], shown: Sequence[str]) -> list[str]:
    from archbuild.evaluation.table import method_in_words

    first, *others = (row["scores"].get(score) for score in shown)
    setting = [row["setting"][key] for key in keys]
    spread = ["-"] * 3
    if first:
        best, worst = (f"{first[end]['value']:.4f} ({first[end]['seed']})" for end in _ENDS)
        spread = [f"{first['median']:.4f}", best, worst]
    names = [*setting, row["space"], method_in_words(row), str(len(row["seeds"]))]
    return [*names, _mean(first), *spread, *map(_mean, others)]


def _mean(score: Mapping[str, Any] | None) -> str:
    """Return mean and standard deviation as text; of one seed, the mean alone."""
    if not score:
        return "-"
    deviation = "" if score["std"] is None else f" ± {score['std']:.4f}"
    return f"{score['mean']:.4f}{deviation}"
