"""The main job: stages, metrics, pictures, in that order."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from archbuild.errors import UsageError


def run(
    *,
    dataset: str | None,
    arch: str | None,
    pretrain: int | None,
    cluster: int | None,
    metrics: bool,
    visualize: bool,
    head: str | None,
    overrides: tuple[str, ...],
    seed: int,
    data_dir: Path | None,
    out: Path,
    fresh: bool,
    quiet: bool,
    as_json: bool,
) -> None:
    """Do what the options of ``archbuild`` ask for."""
    if dataset is None or arch is None:
        raise UsageError(
            "a job needs a dataset and a spec: archbuild -d DIGITS -a 0 --pretrain 50; "
            "see 'archbuild list datasets' and 'archbuild list archs'"
        )
    if not (pretrain is not None or cluster is not None or metrics or visualize):
        raise UsageError(
            "nothing to do: add --pretrain, --cluster, --metrics or --visualize "
            f"(to look at the network: archbuild show -d {dataset} -a {arch})"
        )
    from archbuild.cli.progress import reporting
    from archbuild.job import Job, JobRequest

    request = JobRequest(
        dataset=dataset,
        arch=arch,
        head=head,
        overrides=(*overrides, *_epochs("pretrain", pretrain), *_epochs("cluster", cluster)),
        seed=seed,
        data_dir=data_dir,
        out=out,
    )
    with reporting(quiet) as reporter:
        job = Job(request, reporter)
        with reporter.logging_to(job), job.run.lock():
            if pretrain is not None:
                job.pretrain(fresh)
            if cluster is not None:
                job.cluster(fresh)
            result = _results(job, reporter, metrics, visualize, as_json)
    if as_json:
        click.echo(json.dumps(result, indent=2))


def _epochs(stage: str, count: int | None) -> list[str]:
    """The override that a stage's option stands for; a negative count leaves the spec's own."""
    return [] if count is None or count < 0 else [f"{stage}.epochs={count}"]


def _results(
    job: Any, reporter: Any, metrics: bool, visualize: bool, as_json: bool
) -> dict[str, Any]:
    from archbuild.evaluation.table import format_table
    from archbuild.results import draw, measure

    result: dict[str, Any] = {"run": str(job.run.path), "stages": job.summaries()}
    if metrics:
        reporter.note("metrics: k-means with 20 starts in every space")
        result["metrics"] = measure(job)
        if not as_json:
            click.echo(format_table(result["metrics"]["rows"]))
    if visualize:
        reporter.note("pictures: t-SNE of every space takes a while")
        result["pictures"] = [str(path) for path in draw(job)]
        reporter.note(f"{len(result['pictures'])} pictures in {job.plots}")
    return result
