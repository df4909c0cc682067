"""The main job: stages, metrics, pictures, in that order."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from archbuild.errors import ArchbuildError, UsageError

if TYPE_CHECKING:
    from archbuild.cli.progress import ConsoleReporter
    from archbuild.experiments.job import Job, JobRequest


class StoppedError(ArchbuildError):
    """The user pressed Ctrl-C; says how to go on."""

    exit_status = 130


@dataclass(frozen=True)
class RunOptions:
    """The options of ``archbuild`` itself.

    Attributes:
        pretrain: epochs; negative: as many as the spec says; ``None``: not asked for.
        cluster: likewise.
        train: likewise.
    """

    dataset: str | None
    arch: str | None
    pretrain: int | None
    cluster: int | None
    train: int | None
    metrics: bool
    visualize: bool
    report: bool
    head: str | None
    overrides: tuple[str, ...]
    seed: int
    data_dir: Path | None
    out: Path
    fresh: bool
    quiet: bool
    as_json: bool

    @property
    def trains(self) -> bool:
        """Whether a stage is asked for."""
        return any(epochs is not None for epochs in (self.pretrain, self.cluster, self.train))

    @property
    def lengths(self) -> dict[str, int]:
        """The stages whose length is given; a negative one stands for the spec's own."""
        asked = {"pretrain": self.pretrain, "cluster": self.cluster, "train": self.train}
        return {stage: n for stage, n in asked.items() if n is not None and n >= 0}


def run(options: RunOptions) -> None:
    """Do what the options ask for."""
    with _begun(options) as (job, reporter):
        if _runs_network(options, job):
            _start_keras(reporter)
        if options.train is not None:
            job.refuse_scratch()  # before hours of other stages
        if options.pretrain is not None:
            job.pretrain(options.fresh)
        if options.cluster is not None:
            job.cluster(options.fresh)
        if options.train is not None:
            job.train(options.fresh)
        result = _results(job, reporter, options)
        if job.run.path.is_dir():
            reporter.note(f"the run is in {job.run.path}")
    if options.as_json:
        click.echo(json.dumps(result, indent=2))


def _request(options: RunOptions) -> JobRequest:
    """The request that the options stand for; refused where they say too little."""
    from archbuild.experiments.job import JobRequest

    if options.dataset is None or options.arch is None:
        raise UsageError(
            "a job needs a dataset and a spec: archbuild -d DIGITS -a 0 --pretrain 50; "
            "see 'archbuild list datasets' and 'archbuild list archs'"
        )
    if not (options.trains or options.metrics or options.visualize or options.report):
        raise UsageError(
            "nothing to do: add --pretrain, --cluster, --train, --metrics, --visualize or --report "
            f"(to look at the network: archbuild show -d {options.dataset} -a {options.arch})"
        )
    if options.fresh and not options.trains:
        raise UsageError("--fresh starts stages over: add --pretrain, --cluster or --train")
    return JobRequest(
        dataset=options.dataset,
        arch=options.arch,
        head=options.head,
        overrides=options.overrides,
        lengths=options.lengths,
        seed=options.seed,
        data_dir=options.data_dir,
        out=options.out,
    )


@contextmanager
def _begun(options: RunOptions) -> Iterator[tuple[Job, ConsoleReporter]]:
    """The job, locked and logged while the block lasts, and stopped by Ctrl-C with a word."""
    from archbuild.cli.log import run_log
    from archbuild.cli.progress import reporting
    from archbuild.experiments.job import Job
    from archbuild.training.progress import LOGGER

    request = _request(options)
    command = shlex.join(["archbuild", *sys.argv[1:]])
    with (
        reporting(options.quiet, options.as_json) as reporter,
        run_log(command) as log,
        _stoppable(reporter, options.fresh),
    ):
        job = Job(request, reporter)
        # looking takes no lock: pictures of a run that another process trains show its latest epoch
        with job.run.lock() if options.trains or options.metrics else nullcontext():
            path = log.open(options.out / "logs", job.dataset.name, job.spec.name)
            reporter.keep_scalars(path.with_suffix(""))
            reporter.note(_in_words(job))
            LOGGER.info("network: %s", job.plan.notation)
            yield job, reporter


@contextmanager
def _stoppable(reporter: ConsoleReporter, fresh: bool) -> Iterator[None]:
    """Turn Ctrl-C into words: every finished epoch is on disk, whenever it comes."""
    try:
        yield
    except KeyboardInterrupt:
        at = f" after {reporter.reached}" if reporter.reached else ""
        command = "the same command without --fresh" if fresh else "the same command"
        raise StoppedError(f"stopped{at}; {command} goes on from there") from None


def _in_words(job: Job) -> str:
    from archbuild.spec.rendering import shape_text

    shape = job.spec.input_shape
    row = f"{shape[0]} numbers" if len(shape) == 1 else shape_text(shape)
    return (
        f"{job.dataset.name}: {len(job.dataset):,} rows of {row}; "
        f"{job.spec.name}: {job.plan.parameters:,} parameters; seed {job.request.seed}"
    )


def _runs_network(options: RunOptions, job: Job) -> bool:
    from archbuild.models.results import measures_held_out

    draws = options.visualize or options.report
    return options.trains or draws or (options.metrics and measures_held_out(job))


def _start_keras(reporter: ConsoleReporter) -> None:
    from archbuild.environment import start_keras
    from archbuild.training.progress import LOGGER

    if "keras" not in sys.modules:
        reporter.show("starting Keras")
    with reporter.interrupt.holding():
        LOGGER.info("backend: %s", start_keras())


def _results(job: Job, reporter: ConsoleReporter, options: RunOptions) -> dict[str, Any]:
    """The run as one document; unless that is what is asked for, the table is printed at once."""
    from archbuild.evaluation.table import format_table
    from archbuild.models.results import measure

    result: dict[str, Any] = {"run": str(job.run.path), "stages": job.summaries()}
    if options.metrics:
        reporter.note("metrics: k-means with 20 starts in every space")
        result["metrics"] = measure(job)
        if not options.as_json:
            click.echo(format_table(result["metrics"]["rows"]))
    if options.visualize:
        result["pictures"] = [str(path) for path in _drawn(job, reporter)]
    if options.report:
        result["report"] = _reported(job, reporter)
    return result


def _drawn(job: Job, reporter: ConsoleReporter) -> list[Path]:
    from archbuild.figures.pictures import draw

    if not job.run.stages():
        reporter.note(f"nothing to draw: {job.run.path} holds no epoch of any stage yet")
        return []
    reporter.note("pictures: t-SNE of every space takes a while")
    pictures = draw(job)
    reporter.note(f"{len(pictures)} pictures in {job.plots}")
    return pictures


def _reported(job: Job, reporter: ConsoleReporter) -> str | None:
    from archbuild.report.writing import write_report

    if not job.run.stages():
        reporter.note(f"nothing to report: {job.run.path} holds no epoch of any stage yet")
        return None
    reporter.note("report: t-SNE of every space takes a while")
    path = write_report(job)
    reporter.note(f"the report is {path}")
    return str(path)
