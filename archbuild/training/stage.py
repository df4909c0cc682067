"""One stage of training: its epochs, its checkpoints and its result."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import numpy as np

from archbuild.data.batches import count_batches, epoch_batches
from archbuild.errors import DivergenceError
from archbuild.evaluation.collapse import Occupancy
from archbuild.io.arrays import prefixed, unprefixed
from archbuild.io.reading import fitting
from archbuild.networks.network import Network
from archbuild.networks.rows import to_numpy
from archbuild.runs.names import section_of
from archbuild.runs.stage import StageFolder
from archbuild.training.augmentation import Augmentation
from archbuild.training.encoding import Reader, encode
from archbuild.training.feed import Feed, augmentation_seed, generator
from archbuild.training.model import Objective, StageModel, optimizer
from archbuild.training.progress import EpochDone, EventHandler, StageStarted, StepDone
from archbuild.training.schedules import Position, learning_rate

_ADVICE = (
    "Try a lower learning rate (--set {section}.learning_rate=...), a longer warm-up "
    "(--set {section}.warm_up=2), a tighter clip (--set {section}.clip_norm=0.1) or another seed."
)


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
        self.name, self.settings, self.feed = name, settings, feed
        self.network, self.objective = network, objective
        self.folder, self.seed, self.emit = folder, seed, emit
        self.model = self._built_model()
        self.read: Reader = network.predict_latents
        self.rows = np.arange(len(feed)) if rows is None else rows
        self.steps = count_batches(len(self.rows), settings["batch_size"])
        self.epochs = int(settings["epochs"])
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
        model.compile(optimizer=optimizer(self.settings))
        model(self.feed.clean(np.arange(min(2, len(self.feed)))))
        model.optimizer.build(model.trainable_variables)
        return model

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
        row = {"epoch": epoch + 1, **self._train(epoch)}
        row |= self._after_epoch(epoch)
        state = self._state()
        self._refuse_non_finite_weights(state, epoch)
        self.history.append(row)
        if self.folder:
            timing = {"seconds": round(self.seconds, 2)}
            self.folder.save_checkpoint(epoch + 1, state, self.history, timing=timing)
        self.emit(EpochDone(self.name, self.epochs, row))

    def _before_epoch(self, epoch: int) -> None:
        """Prepare the epoch of that number, counted from 0."""

    def _after_epoch(self, epoch: int) -> dict[str, Any]:
        """Return what the epoch's row of the history holds besides the loss."""
        return {}

    def _train(self, epoch: int) -> dict[str, float]:
        """Pass over the data once; return the mean over all batches' rows of each term."""
        rng = generator(self.seed, f"augment {self.name}", epoch)  # of what is binarised
        rate, sums, n_rows = 0.0, dict.fromkeys(self.model.term_names, 0.0), 0
        for step, indices in enumerate(self._batches(epoch)):
            step_of_round = epoch % self.settings["epochs"] * self.steps + step
            rate = self._schedule(Position(step_of_round + 1, self.steps))
            inputs, originals = self.feed.training(indices, rng)
            targets = self._targets(indices) | {"original": originals}
            present = self.feed.present(indices)
            targets |= {} if present is None else {"present": present}
            given = self.model.given(inputs, present)
            losses = self.model.train_on_batch(given, targets, return_dict=True)
            self._refuse_non_finite(losses, epoch, step)
            for name in sums:
                sums[name] += float(losses[name]) * len(indices)
            n_rows += len(indices)
            self.emit(StepDone(self.name))
        means = {name: total / n_rows for name, total in sums.items()}
        return means | {"learning_rate": rate}

    def _batches(self, epoch: int) -> Iterator[np.ndarray]:
        batches = epoch_batches(
            len(self.rows), self.settings["batch_size"], self.seed, self.name, epoch
        )
        return (self.rows[places] for places in batches)

    def _targets(self, indices: np.ndarray) -> dict[str, np.ndarray]:
        """Return what a loss is given with the rows of those indices."""
        return {name: rows[indices] for name, rows in self.targets.items()}

    def _schedule(self, position: Position) -> float:
        """Set what changes from step to step; return the learning rate."""
        rate = learning_rate(self.settings, position)
        self.model.optimizer.learning_rate = rate
        return rate

    # -- numbers that are not finite -------------------------------------------------------

    def _refuse_non_finite(self, losses: Mapping[str, Any], epoch: int, step: int) -> None:
        broken = [name for name, value in losses.items() if not np.isfinite(float(value))]
        if broken:
            # the total breaks with any term: name the terms where there are some
            terms = [name for name in broken if name != "loss"] or ["loss"]
            what = "the loss term" if len(terms) == 1 else "each of the loss terms"
            raise self._divergence(f"{what} {', '.join(terms)}", epoch, step)

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

    def _state(self) -> dict[str, np.ndarray]:
        """Return everything that a checkpoint keeps, by name."""
        variables = {name: to_numpy(variable) for name, variable in self._variables()}
        return variables | prefixed("target_", self.targets)

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
