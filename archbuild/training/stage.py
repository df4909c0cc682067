"""One stage of training: epochs, looks at the whole set, checkpoints, and the ways it can end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from time import perf_counter
from typing import Any

import numpy as np

from archbuild.data.batches import count_batches, epoch_batches
from archbuild.errors import DivergenceError
from archbuild.evaluation.collapse import Occupancy, occupancy
from archbuild.heads.base import Head
from archbuild.io.arrays import prefixed, unprefixed
from archbuild.io.reading import fitting
from archbuild.networks.network import Network
from archbuild.networks.rows import to_numpy
from archbuild.runs.names import section_of
from archbuild.runs.stage import StageFolder
from archbuild.training.encoding import encode
from archbuild.training.feed import Feed, generator
from archbuild.training.model import Objective, StageModel, optimizer
from archbuild.training.progress import EpochDone, EventHandler, StageStarted, StepDone
from archbuild.training.schedules import Position, learning_rate, weight, whole_epochs

_ADVICE = (
    "Try a lower learning rate (--set {section}.learning_rate=...), a longer warm-up "
    "(--set {section}.warm_up=2), a tighter clip (--set {section}.clip_norm=0.1) or another seed."
)


@dataclass(frozen=True)
class StageOutcome:
    """How a stage ended.

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

    Args:
        name: ``pretrain`` or ``cluster-<head>``: the folder's name and part of every seed.
        settings: the stage's keys (``spec/stages.py``), ``batch_size`` resolved.
        network: the autoencoder, with the weights that the stage starts from.
        objective: what is minimised; a ``Head`` also looks at the whole set between epochs.
        feed: the rows.
        folder: where checkpoints go; ``begin`` has been called. ``None``: nothing is kept on disk.
        seed: of the run.
        emit: receives the events.
        from_scratch: the network is not pretrained: a head's warmup, if it has one, comes first.
        labels: ``(n,)`` classes that the head may read, -1 where unknown; ``None``: none at all.

    Attributes:
        epochs: how many there are in all: the settings' own, times the head's rounds.
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
        from_scratch: bool = False,
        labels: np.ndarray | None = None,
    ) -> None:
        self.labels = labels
        self.name, self.settings, self.feed = name, settings, feed
        self.network, self.folder, self.seed, self.emit = network, folder, seed, emit
        self.objective = objective
        self.head = objective if isinstance(objective, Head) else None
        if self.head is not None:
            self.head.refines = not from_scratch
        self.model = StageModel(network, objective, settings["weight_decay"])
        self.model.compile(optimizer=optimizer(settings))
        self.model(feed.clean(np.arange(min(2, len(feed)))))
        self.model.optimizer.build(self.model.trainable_variables)
        self.steps = count_batches(len(feed), settings["batch_size"])
        self.rounds = self.head.rounds if self.head else None
        self.epochs = settings["epochs"] * (self.rounds or 1)
        self.begins = warmup_epochs(self.head, settings, self.steps) if from_scratch else 0
        self.read = network.reader(self.head.code) if self.head else network.predict_latents
        self.history: list[dict[str, Any]] = []
        self.targets: dict[str, np.ndarray] = {}
        self.codes: np.ndarray | None = None
        self.clusters: np.ndarray | None = None
        self.occupancy: Occupancy | None = None
        self._first_weights: dict[str, np.ndarray] = {}
        if self.head is not None and not self.head.warm_start:
            own = {name: v for name, v in self._variables() if not name.startswith("objective_")}
            self._first_weights = {name: to_numpy(variable) for name, variable in own.items()}
        self._begun = perf_counter()
        self._earlier_seconds = 0.0

    def run(self) -> StageOutcome:
        """Train to the last epoch or until the clusters have settled.

        Raises:
            DivergenceError: a loss term stopped being finite.
            RunError: the checkpoint is damaged.
        """
        self._begun = perf_counter()
        self._resume_or_start()
        self.emit(StageStarted(self.name, len(self.history), self.epochs, self.steps))
        while len(self.history) < self.epochs and not self.converged:
            self._epoch(len(self.history))
        if self.codes is None:
            self.codes = encode(self.read, self.feed)
        if self._never_began:
            self._begin()
        return StageOutcome(
            self.history,
            self.codes,
            self.converged,
            self.occupancy,
            self.seconds,
        )

    @property
    def _never_began(self) -> bool:
        """Whether there was not one epoch since the head could begin."""
        if self.head is None or self.occupancy is not None:
            return False
        return self.head.answers != "nothing" or not self.history

    @property
    def seconds(self) -> float:
        """Time spent on the stage, in the processes that were cut short too."""
        return self._earlier_seconds + perf_counter() - self._begun

    @property
    def converged(self) -> bool:
        """Whether fewer rows changed their cluster in the last epoch than the head tolerates."""
        change = self.history[-1].get("label_change") if self.history else None
        return change is not None and change < self.head.tolerance

    def _resume_or_start(self) -> None:
        checkpoint = self.folder.load_checkpoint() if self.folder else None
        if self.folder is not None and checkpoint is not None:
            with fitting(self.folder.path, "the network and the head of its spec"):
                self._restore(checkpoint.arrays)
            self.history = [dict(row) for row in checkpoint.history]
            self._earlier_seconds = checkpoint.timing["seconds"]
        if self.head is not None and len(self.history) >= self.begins:
            self.codes = encode(self.read, self.feed)
            if len(self.history) > self.begins or (self.rounds and self.history):
                self._measure(previous=None)
                self.occupancy = _occupancy_of(self.history[-1]) or self.occupancy

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
        if self.head is None or epoch < self.begins:
            return
        if epoch == 0 or not self.rounds:
            self._full_pass(epoch)
        elif epoch % self.settings["epochs"] == 0:
            self._begin_network_anew()

    def _after_epoch(self, epoch: int) -> dict[str, Any]:
        """Where all rows are now, the end of a round if it is one, and what the clusters are."""
        if self.head is None or epoch + 1 < self.begins:
            return {}
        self.codes, previous = encode(self.read, self.feed), self.clusters
        if self.rounds:
            self._full_pass(epoch + 1)
        if self.clusters is None:  # it begins before the next epoch
            return {}
        self._measure(previous)
        return asdict(self.occupancy)

    def _full_pass(self, epoch: int) -> None:
        """Let the head begin, or see the whole set, when it is due."""
        if epoch == self.begins:
            self._begin()
        if (epoch - self.begins) % self._epochs_between_passes == 0:
            self.targets = self.head.refresh(self.codes)

    def _begin_network_anew(self) -> None:
        """Where the head does not want rounds to go on from each other's weights."""
        for name, variable in self._variables():
            if name in self._first_weights:
                variable.assign(self._first_weights[name])

    @property
    def _epochs_between_passes(self) -> int:
        return max(self.settings["epochs"], 1) if self.rounds else self.head.refresh_epochs

    def _begin(self) -> None:
        self.head.initialise(self.codes)
        self._measure(previous=None)

    def _measure(self, previous: np.ndarray | None) -> None:
        if self.head.answers == "nothing":
            return
        self.clusters = np.argmax(self.head.assignments(self.codes), axis=1)
        self.occupancy = occupancy(self.clusters, self.head.n_clusters, previous)

    def _batches(self, epoch: int) -> Any:
        return epoch_batches(
            len(self.feed), self.settings["batch_size"], self.seed, self.name, epoch
        )

    def _train(self, epoch: int) -> dict[str, float]:
        """One pass over the data; the mean over its rows of the loss and of every term."""
        rng = generator(self.seed, f"augment {self.name}", epoch)
        rate, sums = 0.0, dict.fromkeys(self.model.term_names, 0.0)
        for step, indices in enumerate(self._batches(epoch)):
            step_of_round = epoch % self.settings["epochs"] * self.steps + step
            rate = self._schedule(Position(step_of_round + 1, self.steps))
            targets = {name: rows[indices] for name, rows in self.targets.items()}
            rows, originals = self.feed.training(indices, rng)
            targets |= {"original": originals}
            if self.labels is not None:
                targets |= {"labels": self.labels[indices]}
            losses = self.model.train_on_batch(rows, targets, return_dict=True)
            self._refuse_non_finite(losses, epoch, step)
            for name in sums:
                sums[name] += float(losses[name]) * len(indices)
            self.emit(StepDone(self.name))
        means = {name: total / len(self.feed) for name, total in sums.items()}
        return means | {"learning_rate": rate}

    def _schedule(self, position: Position) -> float:
        """Set the learning rate, which is returned, and the weights that the head schedules."""
        rate = learning_rate(self.settings, position)
        self.model.optimizer.learning_rate = rate
        scheduled = self.head.scheduled if self.head else {}
        for name, variable in scheduled.items():
            variable.assign(weight(self.head.config[name], position.after(self.begins)))
        return rate

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

    def _variables(self) -> Iterator[tuple[str, Any]]:
        yield from named_variables(self.network, self.objective)
        for index, variable in enumerate(self.model.optimizer.variables):
            yield f"optimizer_{index:04d}", variable

    def _state(self) -> dict[str, np.ndarray]:
        variables = {name: to_numpy(variable) for name, variable in self._variables()}
        memory = self.head.memory if self.head else {}
        return variables | prefixed("target_", self.targets) | prefixed("memory_", memory)

    def _restore(self, arrays: Mapping[str, np.ndarray]) -> None:
        for name, variable in self._variables():
            variable.assign(arrays[name])
        self.targets = unprefixed("target_", arrays)
        if self.head is not None:
            self.head.remember(unprefixed("memory_", arrays))


def _occupancy_of(row: Mapping[str, Any]) -> Occupancy | None:
    """Read the occupancy from a line of the history, which alone knows the change of labels.

    ``None`` where the line lacks a value, as those of older versions do.
    """
    names = {field.name for field in fields(Occupancy)}
    if not names <= row.keys():
        return None
    return Occupancy(**{name: row[name] for name in names})


def warmup_epochs(head: Head | None, settings: Mapping[str, Any], steps: int) -> int:
    """How many epochs of ``steps`` go by, in training from scratch, before the head begins."""
    if head is not None and head.rounds:
        return int(settings["epochs"])  # the first round is the network's alone
    warmup = head.warmup if head else None
    return whole_epochs(warmup["length"], warmup["unit"], steps) if warmup else 0


def restore_checkpoint(
    network: Network, objective: Objective, arrays: Mapping[str, np.ndarray]
) -> None:
    """Put a checkpoint's weights into a network and what was trained with it, to look at them."""
    for name, variable in named_variables(network, objective):
        variable.assign(arrays[name])
    if isinstance(objective, Head):
        objective.remember(unprefixed("memory_", arrays))


def named_variables(network: Network, objective: Objective) -> Iterator[tuple[str, Any]]:
    """Every variable of both, by the name that a checkpoint gives it."""
    for index, variable in enumerate(network.variables):
        yield f"network_{index:04d}", variable
    for index, variable in enumerate(objective.variables):
        yield f"objective_{index:04d}", variable
