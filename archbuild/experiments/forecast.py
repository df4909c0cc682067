"""The forecast of stages: parameters, time, memory and disk, from a few timed steps.

Nothing is written below the experiment's folder. Everything that the stages would refuse before
they begin is refused.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final

from archbuild.environment import available_memory, peak_memory
from archbuild.experiments.experiment import Experiment
from archbuild.experiments.requirements import refuse_out_of_range, refuse_pretraining
from archbuild.heads.base import AUTO
from archbuild.runs import StageFolder
from archbuild.runs.names import PRETRAIN
from archbuild.spec import Spec

if TYPE_CHECKING:
    from archbuild.heads.base import Head
    from archbuild.networks.network import Network
    from archbuild.training.costs import Costs, Passes

NEW, RESUMES, FINISHED = "new", "resumes", "finished"
_START: Final = "start"
_QUICK: Final = "k-means"
_SUPPOSED_CLUSTERS: Final = 10


@dataclass(frozen=True)
class StageForecast:
    """The forecast of one stage.

    Attributes:
        name: of the stage.
        state: ``new``, ``resumes`` or ``finished``.
        epochs: how many there are in all; a head may settle before.
        done: how many are complete.
        steps: optimisation steps in each.
        head_parameters: numbers in the head's variables; 0 without a head.
        startup: seconds of building, tracing and compiling.
        step: seconds of a step.
        epoch: seconds of an epoch: its steps, what the head computes from all rows, a checkpoint.
        seconds: of what is left of the stage.
        disk: bytes of the files that stay.
        disk_peak: most bytes of files while the stage runs.
    """

    name: str
    state: str
    epochs: int
    done: int
    steps: int
    head_parameters: int = 0
    startup: float = 0.0
    step: float = 0.0
    epoch: float = 0.0
    seconds: float = 0.0
    disk: int = 0
    disk_peak: int = 0


@dataclass(frozen=True)
class MemoryForecast:
    """Bytes of memory, the most of any stage.

    Attributes:
        weights: of network and head.
        optimizer: its state.
        gradients: of the trained weights.
        call: rows of one call of the backend, with the copies that are made of them.
        rows: what is held of all rows: codes, targets, assignments.
        process: the most that this process held while it took the timed steps, libraries and data
            included; ``None``: the system does not tell.
        available: what the machine has left; ``None``: the system does not tell.
    """

    weights: int = 0
    optimizer: int = 0
    gradients: int = 0
    call: int = 0
    rows: int = 0
    process: int | None = None
    available: int | None = None

    def larger(self, other: MemoryForecast) -> MemoryForecast:
        """Return the larger of each of both."""
        mine, theirs = asdict(self), asdict(other)
        return MemoryForecast(**{name: max(mine[name] or 0, theirs[name] or 0) for name in mine})

    @property
    def missing(self) -> int:
        """Bytes that training will lack; 0 where it has enough or where nobody tells."""
        if self.available is None:
            return 0
        return max(0, self.peak - self.available - (self.process or 0))  # which ends before

    @property
    def peak(self) -> int:
        """The most that training will hold at a time, without activations if not measured."""
        computed = self.weights + self.optimizer + self.gradients + self.call
        return self.rows + (computed if self.process is None else self.process)


@dataclass(frozen=True)
class Forecast:
    """The forecast of the stages that are asked for.

    Attributes:
        run: the run's folder.
        n_rows: number of rows.
        shape: of a row, as the spec writes it.
        parameters: of the network.
        stages: in the order in which they run.
        memory: the most at a time.
        disk_free: bytes that are free where the run's folder is or will be.
        notes: what the numbers do not contain, and what was supposed; sentences.
    """

    run: Path
    n_rows: int
    shape: tuple[int, ...]
    parameters: int
    stages: tuple[StageForecast, ...]
    memory: MemoryForecast
    disk_free: int
    notes: tuple[str, ...]

    @property
    def seconds(self) -> float:
        """Seconds of what is left of all stages."""
        return sum(stage.seconds for stage in self.stages)

    @property
    def disk(self) -> int:
        """Bytes of files that the stages add."""
        return sum(stage.disk for stage in self.stages)

    @property
    def disk_peak(self) -> int:
        """Most bytes of files that the stages add, at any time."""
        kept, most = 0, 0
        for stage in self.stages:
            most = max(most, kept + stage.disk_peak)
            kept += stage.disk
        return most

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON; seconds and bytes."""
        return {
            "run": str(self.run),
            "rows": self.n_rows,
            "shape": list(self.shape),
            "parameters": {
                "network": self.parameters,
                "head": max((stage.head_parameters for stage in self.stages), default=0),
            },
            "stages": [_rounded(asdict(stage)) for stage in self.stages],
            "seconds": round(self.seconds, 1),
            "memory": {**asdict(self.memory), "peak": self.memory.peak},
            "disk": {"kept": self.disk, "peak": self.disk_peak, "free": self.disk_free},
            "notes": list(self.notes),
        }


def forecast(experiment: Experiment, sections: Sequence[str], *, fresh: bool = False) -> Forecast:
    """Estimate what stages will take.

    Args:
        experiment: what is asked for.
        sections: ``pretrain``, ``cluster`` and ``train``, those that are asked for, in this order.
        fresh: the stages are to start over.

    Raises:
        ArchbuildError: whatever the stages would raise before their first epoch.
    """
    experiment.refuse_impossible(sections)
    notes = _supposed_clusters(experiment, sections)
    stages, memory = [], MemoryForecast()
    for section in sections:
        folder = _checked(experiment, section, sections, fresh)
        state, done = (NEW, 0) if fresh else _state(folder)
        stage, held = _stage(experiment, section, folder.name, state, done)
        stages.append(stage)
        memory = memory.larger(held)
    found = Forecast(
        run=experiment.folder.path,
        n_rows=len(experiment.dataset),
        shape=experiment.spec.input_shape,
        parameters=experiment.plan.parameters,
        stages=tuple(stages),
        memory=replace(memory, process=peak_memory(), available=available_memory()),
        disk_free=free_disk(experiment.folder.path),
        notes=(*notes, *_left_out(experiment.spec, stages)),
    )
    return replace(found, notes=(*shortages(found), *found.notes))


def shortages(found: Forecast) -> Iterator[str]:
    """Yield what there is too little of, and what to do."""
    if found.memory.missing:
        yield (
            f"about {found.memory.missing:,} bytes of memory are missing: close other programs, "
            "or lower batch_size or the widths of layers"
        )
    if found.disk_peak > found.disk_free:
        yield (
            f"{found.disk_peak - found.disk_free:,} bytes of disk are missing: free some space, or "
            "choose another --out"
        )


def _supposed_clusters(experiment: Experiment, sections: Sequence[str]) -> list[str]:
    """Take a number of clusters where it is to be found in latents that may not be there yet."""
    if "cluster" not in sections or experiment.spec.head.config.get("n_clusters") != AUTO:
        return []
    manifest = experiment.folder.stage(experiment.head_stage).manifest() or {}
    trained = manifest.get("request", {}).get("spec", {}).get("head", {}).get("n_clusters")
    number = trained or experiment.dataset.n_classes or _SUPPOSED_CLUSTERS
    experiment.take_clusters(number)
    return [f"head.n_clusters is auto: {number} clusters are supposed here"]


def _checked(
    experiment: Experiment, section: str, sections: Sequence[str], fresh: bool
) -> StageFolder:
    """Return the folder of a stage, of which nothing is in the way."""
    names = {
        PRETRAIN: PRETRAIN,
        "cluster": experiment.head_stage,
        "train": experiment.scratch_stage,
    }
    folder = experiment.folder.stage(names[section])
    if section != "train":
        refuse_pretraining(experiment.plan)
    request = experiment.request_of(section)
    if section == "cluster":
        request |= _parent(experiment, folder, fresh, PRETRAIN in sections)
    if not fresh:
        folder.refuse_another(request)
        if folder.status() != "absent":
            folder.verify()
    if fresh or folder.status() != "finished":
        refuse_out_of_range(experiment.spec, experiment.dataset, experiment.origin)
    return folder


def _parent(
    experiment: Experiment, folder: StageFolder, fresh: bool, pretrains: bool
) -> Mapping[str, Any]:
    """Return the pretrained stage as a request names it; as the folder does if it comes anew."""
    if pretrains and (fresh or experiment.folder.stage(PRETRAIN).status() != "finished"):
        manifest = folder.manifest()
        return {PRETRAIN: manifest["request"].get(PRETRAIN)} if manifest else {}
    return {PRETRAIN: experiment.pretrained().digest}


def _state(folder: StageFolder) -> tuple[str, int]:
    """Return the state of a stage, and how many of its epochs are complete."""
    manifest = folder.manifest()
    if manifest is None:
        return NEW, 0
    return (FINISHED if manifest["state"] == "finished" else RESUMES), manifest["epoch"]


def _stage(
    experiment: Experiment, section: str, name: str, state: str, done: int
) -> tuple[StageForecast, MemoryForecast]:
    if state == FINISHED:
        return StageForecast(name, state, done, done, 0), MemoryForecast()
    from archbuild.training.costs import costs_of, passes_left

    begun = perf_counter()
    network = experiment.network()
    head = None if section == PRETRAIN else experiment.new_head(**_quick(experiment.spec))
    trainer = experiment.trainer(name, head, network)
    built = perf_counter() - begun
    with TemporaryDirectory(prefix="archbuild-") as place:
        costs = costs_of(trainer, head, StageFolder(Path(place) / "stage"))
        kept = _kept_bytes(experiment, network, head, Path(place))
    left = trainer.epochs - done
    epochs = seconds_of_epochs(costs, passes_left(trainer, head, done), left, trainer.steps)
    found = StageForecast(
        name=name,
        state=state,
        epochs=trainer.epochs,
        done=done,
        steps=trainer.steps,
        head_parameters=head.n_parameters if head is not None else 0,
        startup=built + costs.startup,
        step=costs.step,
        epoch=epochs / left if left else 0.0,
        seconds=built + costs.startup + epochs,
        disk=kept,
        # a new checkpoint is whole before the old one is deleted, and so are the files that stay
        disk_peak=costs.checkpoint_bytes + max(costs.checkpoint_bytes, kept),
    )
    return found, memory_of(costs)


def seconds_of_epochs(costs: Costs, passes: Passes, epochs: int, steps: int) -> float:
    """Return the seconds of some epochs of a stage, with its passes over all rows.

    Args:
        costs: of the stage.
        passes: how often it goes through all rows in these epochs.
        epochs: how many.
        steps: of training in each.
    """
    return (
        epochs * (steps * costs.step + costs.saving)
        + passes.encodings * costs.encoding
        + passes.refreshes * costs.refresh
        + passes.measurements * costs.measuring
    )


def memory_of(costs: Costs) -> MemoryForecast:
    """Return what a stage holds in memory, without the process itself."""
    return MemoryForecast(
        weights=costs.weight_bytes,
        optimizer=costs.optimizer_bytes,
        gradients=costs.gradient_bytes,
        call=costs.call_bytes,
        rows=costs.row_bytes,
    )


def _quick(spec: Spec) -> dict[str, Any]:
    """Return the change to the head's fields by which it starts at once."""
    return {_START: _QUICK} if _START in spec.head.config else {}


def _kept_bytes(experiment: Experiment, network: Network, head: Head | None, place: Path) -> int:
    """Return the size of the files of a finished stage."""
    weights = place / "model.weights.h5"
    network.save_weights(weights)
    size, n_rows = weights.stat().st_size, len(experiment.dataset)
    size += 4 * n_rows * experiment.plan.latent_size
    if head is not None:
        size += sum(array.nbytes for array in head.arrays().values())
    if head is not None and head.answers != "nothing":
        size += n_rows * (4 * head.n_clusters + 8) * head.labels_per_row(head.config)
    return size


def _left_out(spec: Spec, stages: Sequence[StageForecast]) -> Iterator[str]:
    """Yield what the numbers do not contain."""
    yield "not counted: the start of Python and Keras, metrics, pictures and the report"
    headed = [stage for stage in stages if stage.name != PRETRAIN and stage.state != FINISHED]
    if headed and _START in spec.head.config:
        start = spec.head.config[_START]
        yield f"not counted, in time and memory: the start of the head's clusters, start: {start}"
    if headed and spec.head.config.get("tolerance"):
        yield "a head may settle before its last epoch (head.tolerance)"


def free_disk(path: Path) -> int:
    """Return the free bytes of the disk that a path, which need not exist, lies on."""
    there = next(folder for folder in (path, *path.absolute().parents) if folder.is_dir())
    return shutil.disk_usage(there).free


def _rounded(values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: round(value, 6) if isinstance(value, float) else value
        for name, value in values.items()
    }
