"""The main command: stages, metrics, figures and the report, in that order."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from archbuild.cli.output import say
from archbuild.errors import ArchbuildError, UsageError
from archbuild.io.documents import json_text

if TYPE_CHECKING:
    from archbuild.cli.hosts import Hosts
    from archbuild.cli.options import Reading, StageLengths
    from archbuild.cli.progress import Progress
    from archbuild.experiments.experiment import Experiment
    from archbuild.experiments.request import ExperimentRequest
    from archbuild.models.run import Run


class StoppedError(ArchbuildError):
    """The user pressed Ctrl-C; the message says how to continue."""

    exit_status = 130


@dataclass(frozen=True)
class RunOptions:
    """The options of ``archbuild`` without a verb."""

    dataset: str | None
    arch: str | None
    stages: StageLengths
    metrics: bool
    visualize: bool
    report: bool
    dry_run: bool
    head: str | None
    overrides: tuple[str, ...]
    reading: Reading
    hosts: Hosts
    seed: int
    precision: str
    data_dir: Path | None
    out: Path
    fresh: bool
    quiet: bool
    as_json: bool

    @property
    def trains(self) -> bool:
        """True if a stage is asked for."""
        return bool(self.stages.asked())


def run(options: RunOptions) -> None:
    """Run the stages, metrics, figures and report that the options ask for, or forecast them."""
    if options.dry_run:
        _forecast(options)
        return
    if not options.hosts.asked:
        _run(options)
        return
    options.hosts.refuse_incomplete()
    if not options.trains:
        raise UsageError("only training is spread: add --pretrain, --cluster or --train")
    if options.hosts.several:
        _run_together(options)
    else:
        _run_spread(options)


def _run_together(options: RunOptions) -> None:
    """Train with other processes; what comes after it is the first one's."""
    from archbuild.cli import hosts

    with (
        hosts.together(options.hosts) as devices,
        hosts.own_folder(devices, options.out) as out,
    ):
        first = devices.process == 0
        _run(
            replace(options, out=out, quiet=options.quiet or not first),
            before=lambda experiment: hosts.share_folder(devices, experiment.folder.path),
            after=hosts.part_from_others,
            to_the_end=first,
        )


def _run_spread(options: RunOptions) -> None:
    """Train on several devices of this host."""
    from archbuild.cli.hosts import refuse_other_backends
    from archbuild.training import devices

    refuse_other_backends()
    devices.use(devices.Devices(options.hosts.devices))
    try:
        _run(options, after=lambda: devices.use(None))
    finally:
        devices.use(None)


def _run(
    options: RunOptions,
    before: Callable[[Experiment], None] = lambda experiment: None,
    after: Callable[[], None] = lambda: None,
    to_the_end: bool = True,
) -> None:
    """Run what is asked for.

    Args:
        options: what it is.
        before: called before the first stage.
        after: called after the last.
        to_the_end: whether what follows the stages is done.
    """
    with _started(options) as (experiment, progress):
        if options.trains:
            _start_keras(progress)
            _advise(options, progress)
            before(experiment)
            _train(experiment, options)
            after()
        if not to_the_end:
            return
        result = _results(experiment.results(), progress, options)
        if experiment.folder.path.is_dir():
            progress.note(f"the run is in {experiment.folder.path}")
    if options.as_json:
        say(json_text(result, indent=2, ascii_only=True))


def _forecast(options: RunOptions) -> None:
    """Print what the stages will take; no log, no lock, nothing below ``--out``."""
    from archbuild.cli.forecast import forecast_text
    from archbuild.cli.progress import reporting
    from archbuild.experiments.experiment import Experiment
    from archbuild.experiments.forecast import forecast

    request = _request(options)
    with reporting(options.quiet, options.as_json) as progress:
        experiment = Experiment(request, progress)
        _introduce(experiment, progress)
        _start_keras(progress)
        _advise(options, progress)
        progress.show("timing a few steps of each stage")
        found = forecast(experiment, tuple(options.stages.asked()), fresh=options.fresh)
    say(
        json_text(found.to_json(), indent=2, ascii_only=True)
        if options.as_json
        else forecast_text(found)
    )


def _train(experiment: Experiment, options: RunOptions) -> None:
    """Run the stages that are asked for, in their order."""
    asked = options.stages.asked()
    experiment.refuse_impossible(asked)
    run_stage = {
        "pretrain": experiment.pretrain,
        "cluster": experiment.cluster,
        "train": experiment.train,
    }
    for stage in asked:
        run_stage[stage](fresh=options.fresh)


def _request(options: RunOptions) -> ExperimentRequest:
    """Return the request that the options stand for.

    Raises:
        UsageError: no dataset, no spec, or nothing to do is given.
    """
    from archbuild.experiments.request import ExperimentRequest

    if options.dataset is None or options.arch is None:
        raise UsageError(
            "a dataset and a spec are needed, such as: archbuild -d DIGITS -a 0 --pretrain 50; "
            "see 'archbuild list datasets' and 'archbuild list archs'"
        )
    if not (options.trains or options.metrics or options.visualize or options.report):
        raise UsageError(
            "nothing to do: add --pretrain, --cluster, --train, --metrics, --visualize or --report "
            f"(to look at the network: archbuild show -d {options.dataset} -a {options.arch})"
        )
    if options.dry_run and not options.trains:
        raise UsageError("--dry-run forecasts stages: add --pretrain, --cluster or --train")
    if options.fresh and not options.trains:
        raise UsageError("--fresh starts stages over: add --pretrain, --cluster or --train")
    return ExperimentRequest(
        dataset=options.dataset,
        arch=options.arch,
        head=options.head,
        overrides=(*options.overrides, *options.reading.overrides()),
        lengths=options.stages.given(),
        seed=options.seed,
        data_dir=options.data_dir,
        out=options.out,
        precision=options.precision,
    )


@contextmanager
def _started(options: RunOptions) -> Iterator[tuple[Experiment, Progress]]:
    """Start the experiment: locked and logged until the block ends, stoppable by Ctrl-C."""
    from archbuild.cli.log import run_log
    from archbuild.cli.progress import reporting
    from archbuild.experiments.experiment import Experiment
    from archbuild.training.progress import LOGGER

    request = _request(options)
    command = shlex.join(["archbuild", *sys.argv[1:]])
    with (
        reporting(options.quiet, options.as_json) as progress,
        run_log(command) as log,
        _stoppable(progress, options.fresh),
    ):
        experiment = Experiment(request, progress)
        # figures need no lock: of a run in training they show the latest epoch
        with experiment.folder.lock() if options.trains or options.metrics else nullcontext():
            path = log.open(options.out / "logs", experiment.dataset.name, experiment.spec.name)
            progress.keep_scalars(path.with_suffix(""))
            _introduce(experiment, progress)
            LOGGER.info("network: %s", experiment.plan.notation)
            yield experiment, progress


@contextmanager
def _stoppable(progress: Progress, fresh: bool) -> Iterator[None]:
    """Turn Ctrl-C into an error that says where training stopped and how to continue."""
    try:
        yield
    except KeyboardInterrupt:
        at = f" after {progress.reached}" if progress.reached else ""
        command = "the same command without --fresh" if fresh else "the same command"
        raise StoppedError(f"stopped{at}; {command} goes on from there") from None


def _introduce(experiment: Experiment, progress: Progress) -> None:
    progress.note(_in_words(experiment))
    for guess in experiment.dataset.guesses:
        progress.note(f"data, {guess}")


def _in_words(experiment: Experiment) -> str:
    from archbuild.spec.rendering import shape_text

    dataset, spec = experiment.dataset, experiment.spec
    shape = spec.input_shape
    row = f"{shape[0]} numbers" if len(shape) == 1 else shape_text(shape)
    return (
        f"{dataset.name}: {len(dataset):,} rows of {row}; "
        f"{spec.name}: {experiment.plan.parameters:,} parameters; seed {experiment.request.seed}"
    )


def _needs_keras(options: RunOptions, run: Run) -> bool:
    """Return whether a network is built after training."""
    from archbuild.models.measuring import measures_bounds, measures_held_out

    draws = options.visualize or options.report
    return draws or (options.metrics and (measures_held_out(run) or measures_bounds(run)))


def _start_keras(progress: Progress) -> None:
    from archbuild.environment import start_keras
    from archbuild.training.progress import LOGGER

    if "keras" not in sys.modules:
        progress.show("starting Keras")
    with progress.interrupt.holding():
        LOGGER.info("backend: %s", start_keras())


def _advise(options: RunOptions, progress: Progress) -> None:
    """Say what speaks against the precision on this machine."""
    from archbuild.experiments.requirements import precision_note

    if note := precision_note(options.precision):
        progress.note(note)


def _results(run: Run, progress: Progress, options: RunOptions) -> dict[str, Any]:
    """Return the results as one document; print the table at once, unless ``--json``."""
    stages = {stage.name: stage.summary for stage in run.finished_stages}
    result: dict[str, Any] = {"run": str(run.path), "stages": stages}
    if _needs_keras(options, run):
        _start_keras(progress)
    if options.metrics:
        result["metrics"] = _measured(run, progress, options)
    if options.visualize:
        result["pictures"] = [str(path) for path in _drawn(run, progress)]
    if options.report:
        result["report"] = _reported(run, progress)
    return result


def _measured(run: Run, progress: Progress, options: RunOptions) -> dict[str, Any]:
    from archbuild.evaluation.table import format_table
    from archbuild.models.measuring import measure

    progress.note("metrics: k-means with 20 starts in every space")
    document = measure(run)
    if not options.as_json:
        say(format_table(document["rows"]))
    return document


def _drawn(run: Run, progress: Progress) -> list[Path]:
    from archbuild.figures.drawing import draw

    if not run.stages:
        progress.note(f"nothing to draw: {run.path} holds no epoch of any stage yet")
        return []
    progress.note("pictures: t-SNE of every space takes a while")
    pictures = draw(run)
    progress.note(f"{len(pictures)} pictures in {run.plots}")
    return pictures


def _reported(run: Run, progress: Progress) -> str | None:
    from archbuild.report.writing import write_report

    if not run.stages:
        progress.note(f"nothing to report: {run.path} holds no epoch of any stage yet")
        return None
    progress.note("report: t-SNE of every space takes a while")
    path = write_report(run)
    progress.note(f"the report is {path}")
    return str(path)
