"""One stage of training: its epochs, its checkpoints and its result."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from time import perf_counter
from typing import Any

import numpy as np

from archbuild.data.batches import count_steps, epoch_batches
from archbuild.data.spill import read_part
from archbuild.errors import DivergenceError
from archbuild.evaluation.collapse import Occupancy
from archbuild.io.arrays import prefixed, unprefixed
from archbuild.io.reading import fitting
from archbuild.networks.network import Network
from archbuild.networks.rows import to_numpy
from archbuild.runs.names import section_of
from archbuild.runs.stage import StageFolder
from archbuild.training.augmentation import Augmentation
from archbuild.training.devices import current, refuse_uneven
from archbuild.training.encoding import Reader, encode
from archbuild.training.feed import Feed, augmentation_seed, generator
from archbuild.training.model import Objective, StageModel, Step, optimizer
from archbuild.training.progress import EpochDone, EventHandler, StageStarted, StepDone
from archbuild.training.schedules import Position, learning_rate
from archbuild.training.steps import Losses, Steps, together

_ADVICE = (
    "Try a lower learning rate (--set {section}.learning_rate=...), a longer warm-up "
    "(--set {section}.warm_up=2), a tighter clip (--set {section}.clip_norm=0.1) or another seed."
)
_STEPS_WORTH_COMPILING = 1000  # compiling takes as long as some 500 small steps save


@dataclass(frozen=True)
class StageOutcome:
    """The result of a stage.

    Attributes:
        history: one row per epoch.
        codes: ``(n, code)`` of all rows, inference statistics: what the head assigns; the latents
            where there is no head.
        converged: whether the stop rule on label change ended it.
        occupancy: of the head's clusters at the end; ``None`` without a head.
        seconds: time spent, in the processes that were cut short too.
    """

    history: list[dict[str, Any]]
    codes: np.ndarray
    converged: bool
    occupancy: Occupancy | None
    seconds: float


class StageTrainer:
    """Trains a network for one stage, resuming from the folder's checkpoint if there is one.

    ``HeadTrainer`` does so with a clustering head.

    Args:
        name: ``pretrain`` or ``cluster-<head>``: the folder's name and part of every seed.
        settings: the stage's keys (``spec/stages.py``), ``batch_size`` resolved.
        network: the autoencoder, with the weights that the stage starts from.
        objective: what is minimised.
        feed: the rows.
        folder: where checkpoints go; ``begin`` has been called. ``None``: nothing is kept on disk.
        seed: of the run.
        emit: receives the events.
        rows: the numbers of those that are trained on; by default all.

    Attributes:
        epochs: how many there are in all.
        history: one row for each epoch so far.
        targets: one array for each name, rows of which a loss is given with its batch.
    """

    def __init__(
        self,
        name: str,
        settings: Mapping[str, Any],
        network: Network,
        objective: Objective,
        feed: Feed,
        folder: StageFolder | None,
        seed: int,
        emit: EventHandler,
        rows: np.ndarray | None = None,
    ) -> None:
        refuse_uneven(settings["batch_size"])
        self.name, self.settings = name, settings
        self.feed = feed if settings["augment"] else feed.unchanged
        self.network, self.objective = network, objective
        self.folder, self.seed, self.emit = folder, seed, emit
        self.read: Reader = network.predict_latents
        self.rows = range(len(feed)) if rows is None else rows
        self.steps = count_steps(len(self.rows), settings)
        self.epochs = int(settings["epochs"])
        self.model = self._built_model()
        self.history: list[dict[str, Any]] = []
        self.targets: dict[str, np.ndarray] = {}
        self._begun = perf_counter()
        self._earlier_seconds = 0.0

    def _built_model(self) -> StageModel:
        """Return the Keras model, compiled, with all variables in place for a checkpoint."""
        seed = augmentation_seed(self.seed, self.name)
        augmentation = Augmentation.of(self.feed.augmentation, self.network.plan, seed)
        decay = self.settings["weight_decay"]
        model = StageModel(self.network, self.objective, decay, augmentation)
        compiled = True if self._compiles else "auto"
        chosen = optimizer(self.settings, self.network.precision)
        model.compile(optimizer=chosen, jit_compile=compiled)
        model(self.feed.clean(np.arange(min(2, len(self.feed)))))
        model.optimizer.build(model.trainable_variables)
        return model

    @property
    def _compiles(self) -> bool:
        """True if XLA makes the stage faster, the time that it takes to compile included."""
        possible = self.network.plan.compiles and self.objective.compiles
        return possible and self.settings["epochs"] * self.steps >= _STEPS_WORTH_COMPILING

    def run(self) -> StageOutcome:
        """Train to the last epoch or until the clusters have settled.

        Raises:
            DivergenceError: a loss term stopped being finite.
            RunError: the checkpoint is damaged.
        """
        self.train()
        return self._outcome()

    def train(self) -> None:
        """Train as ``run`` does, without encoding the rows afterwards; raises as ``run``."""
        self._begun = perf_counter()
        self._resume()
        self.emit(StageStarted(self.name, len(self.history), self.epochs, self.steps))
        while len(self.history) < self.epochs and not self.converged:
            self._epoch(len(self.history))

    @property
    def seconds(self) -> float:
        """Time spent on the stage, in the processes that were cut short too."""
        return self._earlier_seconds + perf_counter() - self._begun

    @property
    def converged(self) -> bool:
        """True if the stage may end before its last epoch."""
        return False

    def _outcome(self) -> StageOutcome:
        codes = encode(self.read, self.feed)
        return StageOutcome(self.history, codes, self.converged, None, self.seconds)

    def _resume(self) -> None:
        checkpoint = self.folder.load_checkpoint() if self.folder else None
        if self.folder is None or checkpoint is None:
            return
        with fitting(self.folder.path, "the network and the head of its spec"):
            self._restore(checkpoint.arrays)
        self.history = [dict(row) for row in checkpoint.history]
        self._earlier_seconds = checkpoint.timing["seconds"]

    def _epoch(self, epoch: int) -> None:
        self._before_epoch(epoch)
        self._agree()
        row = {"epoch": epoch + 1, **self._train(epoch)}
        row = self._agreed(row | self._after_epoch(epoch))
        state = self.state()
        self._refuse_non_finite_weights(state, epoch)
        self.history.append(row)
        if self.folder:
            timing = {"seconds": round(self.seconds, 2)}
            self.folder.save_checkpoint(epoch + 1, state, self.history, timing=timing)
        self.emit(EpochDone(self.name, self.epochs, row))

    def _agree(self) -> None:
        """Take the weights and targets of the first process: others may round differently."""
        devices = current()
        if devices is None or not devices.several_hosts:
            return
        state = self.state() | prefixed("target_", self.targets)
        self._restore(devices.agreed_arrays(state))

    def _agreed(self, row: dict[str, Any]) -> dict[str, Any]:
        """Return the first process's line of the history, by which all go on or stop."""
        devices = current()
        found: dict[str, Any] = row if devices is None else devices.agreed(row)
        return found

    def _before_epoch(self, epoch: int) -> None:
        """Prepare the epoch of that number, counted from 0."""

    def _after_epoch(self, epoch: int) -> dict[str, Any]:
        """Return what the epoch's row of the history holds besides the loss."""
        return {}

    def _train(self, epoch: int) -> dict[str, float]:
        """Pass over the data once; return the mean over all batches' rows of each term."""
        rng = generator(self.seed, f"augment {self.name}", epoch)  # of what is binarised
        sums, n_rows, done = dict.fromkeys(self.model.term_names, 0.0), 0, 0
        for batches in together(self.batches(epoch), self.feed.row_bytes):
            losses = self.take(batches, epoch, done, rng)
            self._refuse_non_finite(losses, epoch, done)
            for place, indices in enumerate(batches):
                for name in sums:
                    sums[name] += float(losses[name][place]) * len(indices)
                n_rows += len(indices)
                self.emit(StepDone(self.name))
            done += len(batches)
        means = {name: total / n_rows for name, total in sums.items()}
        return means | {"learning_rate": self._values(self._position(epoch, done - 1))[0]}

    def take(
        self, batches: Sequence[np.ndarray], epoch: int, done: int, rng: np.random.Generator
    ) -> Losses:
        """Take the steps after the first ``done`` of an epoch, of batches of one size.

        Args:
            batches: the row numbers of each step.
            epoch: counted from 0.
            done: steps of the epoch before.
            rng: draws what is binarised.
        """
        steps = [
            self._step(indices, self._position(epoch, done + place), rng)
            for place, indices in enumerate(batches)
        ]
        return self._take(steps, len(batches[0]))

    def _position(self, epoch: int, step: int) -> Position:
        """Return where the step of that number in the epoch, counted from 0, ends."""
        return Position(epoch % self.settings["epochs"] * self.steps + step + 1, self.steps)

    def _step(self, indices: np.ndarray, position: Position, rng: np.random.Generator) -> Step:
        part = self._part(len(indices))
        targets = {name: rows[part] for name, rows in self._targets(indices).items()}
        if self.feed.binarises:  # drawn for the whole batch, whoever reads which part of it
            inputs, originals = (rows[part] for rows in self.feed.training(indices, rng))
        else:
            inputs, originals = self.feed.training(indices[part], rng)
        targets["original"] = originals
        present = self.feed.present(indices[part])
        targets |= {} if present is None else {"present": present}
        values = np.array(self._values(position), "float32")
        return Step(self.model.given(inputs, present), targets, values)

    def _part(self, size: int) -> slice:
        """Return the rows of a batch that this process reads."""
        devices = current()
        return slice(0, size) if devices is None else devices.part(size)

    def batches(self, epoch: int) -> Iterator[np.ndarray]:
        """Return the rows of each step of an epoch, counted from 0, by their numbers."""
        size, most = self.settings["batch_size"], self.settings["steps_per_epoch"]
        batches = epoch_batches(len(self.rows), size, self.seed, self.name, epoch, most)
        rows = self.rows
        return batches if isinstance(rows, range) else (rows[places] for places in batches)

    def _targets(self, indices: np.ndarray) -> dict[str, np.ndarray]:
        """Return what a loss is given with the rows of those indices."""
        return {name: read_part(rows, indices) for name, rows in self.targets.items()}

    @cached_property
    def _take(self) -> Steps:
        return Steps(self.model, self._scheduled)

    @property
    def _scheduled(self) -> list[Any]:
        """The variables that are set before every step."""
        return [self.model.optimizer.learning_rate]

    def _values(self, position: Position) -> list[float]:
        """Return the values of the scheduled variables for the step that ends there."""
        return [learning_rate(self.settings, position)]

    # -- numbers that are not finite -------------------------------------------------------

    def _refuse_non_finite(self, losses: Losses, epoch: int, done: int) -> None:
        """Refuse losses of the steps after the first ``done`` of an epoch."""
        finite = np.isfinite(list(losses.values()))
        if finite.all():
            return
        step = int(np.argmin(finite.all(axis=0)))
        broken = [name for name, values in losses.items() if not np.isfinite(values[step])]
        # the total breaks with any term: name the terms where there are some
        terms = [name for name in broken if name != "loss"] or ["loss"]
        what = "the loss term" if len(terms) == 1 else "each of the loss terms"
        raise self._divergence(f"{what} {', '.join(terms)}", epoch, done + step)

    def _refuse_non_finite_weights(self, state: Mapping[str, np.ndarray], epoch: int) -> None:
        """Check the weights themselves: a rectifier can hide a broken one from the loss."""
        for name, variable in self._variables():
            if state[name].dtype.kind == "f" and not np.all(np.isfinite(state[name])):
                raise self._divergence(f"the weight {variable.path}", epoch, self.steps - 1)

    def _divergence(self, what: str, epoch: int, step: int) -> DivergenceError:
        advice = _ADVICE.format(section=section_of(self.name))
        return DivergenceError(what, self.name, epoch + 1, step + 1, advice)

    # -- checkpoints -----------------------------------------------------------------------

    def _variables(self) -> Iterator[tuple[str, Any]]:
        yield from named_variables(self.network, self.objective)
        for index, variable in enumerate(self.model.optimizer.variables):
            yield f"optimizer_{index:04d}", variable
        for index, variable in enumerate(self.model.augmentation_variables):
            yield f"augmentation_{index:04d}", variable

    def state(self) -> dict[str, np.ndarray]:
        """Return everything that a checkpoint keeps, by name."""
        variables = {name: to_numpy(variable) for name, variable in self._variables()}
        return variables | prefixed("target_", self._kept_targets())

    def _kept_targets(self) -> dict[str, np.ndarray]:
        """Return the targets that a process which resumes here does not make anew."""
        return self.targets

    def _restore(self, arrays: Mapping[str, np.ndarray]) -> None:
        for name, variable in self._variables():
            variable.assign(arrays[name])
        self.targets = unprefixed("target_", arrays)


def restore_variables(
    network: Network, objective: Objective, arrays: Mapping[str, np.ndarray]
) -> None:
    """Set the variables of a network and of an objective to the values of a checkpoint."""
    for name, variable in named_variables(network, objective):
        variable.assign(arrays[name])


def named_variables(network: Network, objective: Objective) -> Iterator[tuple[str, Any]]:
    """Yield every variable of both, with the name that a checkpoint gives it."""
    for index, variable in enumerate(network.variables):
        yield f"network_{index:04d}", variable
    for index, variable in enumerate(objective.variables):
        yield f"objective_{index:04d}", variable
