"""``archbuild sweep``: one job over seeds, heads and a grid of values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from archbuild.cli.columns import in_columns
from archbuild.cli.folders import data_dir_option, out_option
from archbuild.cli.numbers import Whole
from archbuild.cli.stages import OF_HEAD, stage_option
from archbuild.errors import TrainingError
from archbuild.io.documents import json_text

if TYPE_CHECKING:
    from archbuild.experiments.sweeps import Plan, Sweep

_ENDS: Final = ("best", "worst")


@click.command(no_args_is_help=True, short_help="Run a job over seeds, heads and a grid of values.")
@click.option("-d", "--dataset", required=True, metavar="DATASET", help="A name, or a path.")
@click.option("-a", "--arch", required=True, metavar="ARCH", help="As for the main job.")
@stage_option("--pretrain", "Learn to reconstruct")
@stage_option("--cluster", "Refine the pretrained network with each head", OF_HEAD)
@stage_option("--train", "Train network and head as one, from scratch", OF_HEAD)
@click.option(
    "--seeds",
    type=Whole(1, 10_000),
    default=5,
    metavar="N",
    help="So many seeds, from 0 (default: 5).",
)
@click.option("--head", "heads", metavar="HEAD,...", help="Heads' types, in place of the spec's.")
@click.option(
    "--grid",
    multiple=True,
    metavar="KEY=VALUE,...",
    help="Values of the spec to try; several times: every combination.",
)
@click.option(
    "--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Change a value of every run."
)
@click.option(
    "--jobs",
    type=Whole(1, 256),
    default=1,
    metavar="N",
    help="Runs side by side (default: 1).",
)
@click.option("--name", metavar="NAME", help="Of the table's files (default: what is swept over).")
@data_dir_option("As for a job.")
@out_option("saved_params/ and sweeps/ go")
@click.option("--quiet", is_flag=True, help="Only results and errors.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
def sweep(
    dataset: str,
    arch: str,
    pretrain: int | None,
    cluster: int | None,
    train: int | None,
    seeds: int,
    heads: str | None,
    grid: tuple[str, ...],
    overrides: tuple[str, ...],
    jobs: int,
    name: str | None,
    data_dir: Path | None,
    out: Path,
    quiet: bool,
    as_json: bool,
) -> None:
    """Run a job with several seeds, with each of several heads and every point of a grid.

    Every run is a process of its own. What is done is skipped, what was cut short goes on; where
    one fails the others go on. At the end comes a table over the seeds, which is also written to
    sweeps/, with every run's metrics as CSV beside it.
    """
    from archbuild.cli.progress import reporting
    from archbuild.experiments.request import ExperimentRequest
    from archbuild.experiments.sweeps import (
        SweepRequest,
        document,
        make_plan,
        read_grid,
        write_table,
    )

    asked = {"pretrain": pretrain, "cluster": cluster, "train": train}
    request = SweepRequest(
        experiment=ExperimentRequest(dataset, arch, None, overrides, 0, data_dir, out),
        stages={
            stage: None if epochs < 0 else epochs
            for stage, epochs in asked.items()
            if epochs is not None
        },
        seeds=range(seeds),
        heads=[head.strip() for head in heads.split(",")] if heads else [None],
        grid=read_grid(grid),
        name=name,
    )
    with reporting(quiet, as_json) as progress:
        plan = make_plan(request)
        sweep = _swept(plan, jobs, quiet, as_json)
        found = document(plan, sweep.done)
        paths = write_table(plan.table_path, found)
        click.echo(json_text(found, indent=2, ascii_only=True) if as_json else table_text(found))
        progress.show(f"the table is in {paths[0]}, every run's metrics in {paths[1]}")
        if sweep.failures:
            raise TrainingError(_failures(sweep))


def _swept(plan: Plan, jobs: int, quiet: bool, as_json: bool) -> Sweep:
    """Everything run that can be, and shown while it runs."""
    from archbuild.cli.run import StoppedError
    from archbuild.cli.sweep_progress import listening
    from archbuild.experiments.sweeps import Sweep

    count = len(plan.parts)
    with listening(count, quiet, as_json) as listener:
        sweep = Sweep(plan, listener)
        try:
            sweep.run(jobs)
        except KeyboardInterrupt:
            raise StoppedError(
                f"stopped with {len(sweep.done)} of {count} done; the same command goes on from "
                "there"
            ) from None
    return sweep


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
    """Return the table of a sweep for people; of the scores, those that fit beside the first."""
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
    first, *others = (row["scores"].get(score) for score in shown)
    setting = [row["setting"][key] for key in keys]
    spread = ["-"] * 3
    if first:
        best, worst = (f"{first[end]['value']:.4f} ({first[end]['seed']})" for end in _ENDS)
        spread = [f"{first['median']:.4f}", best, worst]
    names = [*setting, row["space"], row["method"], str(len(row["seeds"]))]
    return [*names, _mean(first), *spread, *map(_mean, others)]


def _mean(score: Mapping[str, Any] | None) -> str:
    """Mean and standard deviation; the latter not of one seed."""
    if not score:
        return "-"
    deviation = "" if score["std"] is None else f" ± {score['std']:.4f}"
    return f"{score['mean']:.4f}{deviation}"
