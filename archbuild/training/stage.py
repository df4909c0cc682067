"""One stage of training: epochs, looks at the whole set, checkpoints, and the ways it can end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from time import perf_counter
from typing import Any

import numpy as np

from archbuild.data.batches import count_batches, epoch_batches
from archbuild.errors import DivergenceError
from archbuild.evaluation.collapse import Occupancy, occupancy
from archbuild.heads.base import Head, to_numpy
from archbuild.networks.network import Network
from archbuild.runs.folder import StageFolder
from archbuild.training.encoding import encode
from archbuild.training.feed import Feed, generator
from archbuild.training.model import Objective, StageModel, optimizer
from archbuild.training.progress import Reporter
from archbuild.training.schedules import learning_rate

_ADVICE = (
    "Try a lower learning rate (--set {section}.learning_rate=...), a longer warm-up "
    "(--set {section}.warm_up=2), a tighter clip (--set {section}.clip_norm=0.1) or another seed."
)


@dataclass(frozen=True)
class StageOutcome:
    """How a stage ended.

    Attributes:
        history: one row per epoch.
        latents: ``(n, latent)`` of all rows, inference statistics.
        converged: whether the stop rule on label change ended it.
        occupancy: of the head's clusters at the end; ``None`` without a head.
        seconds: time spent, in the processes that were cut short too.
    """

    history: list[dict[str, Any]]
    latents: np.ndarray
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
        folder: where checkpoints go; ``begin`` has been called.
        seed: of the run.
        reporter: hears of progress.
    """

    def __init__(
        self,
        name: str,
        settings: Mapping[str, Any],
        network: Network,
        objective: Objective,
        feed: Feed,
        folder: StageFolder,
        seed: int,
        reporter: Reporter,
    ) -> None:
        self.name, self.settings, self.feed = name, settings, feed
        self.network, self.folder, self.seed, self.reporter = network, folder, seed, reporter
        self.objective = objective
        self.head = objective if isinstance(objective, Head) else None
        self.model = StageModel(network, objective, settings["weight_decay"])
        self.model.compile(optimizer=optimizer(settings))
        self.model(feed.clean(np.arange(min(2, len(feed)))))
        self.model.optimizer.build(self.model.trainable_variables)
        self.history: list[dict[str, Any]] = []
        self.targets: dict[str, np.ndarray] = {}
        self.latents: np.ndarray | None = None
        self.occupancy: Occupancy | None = None
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
        epochs = self.settings["epochs"]
        steps = count_batches(len(self.feed), self.settings["batch_size"])
        self.reporter.stage_begins(self.name, len(self.history), epochs, steps)
        while len(self.history) < epochs and not self.converged:
            self._epoch(len(self.history), steps)
        if self.head is None or self.latents is None:
            self.latents = encode(self.network, self.feed)
        return StageOutcome(
            self.history,
            self.latents,
            self.converged,
            self.occupancy,
            self.seconds,
        )

    @property
    def seconds(self) -> float:
        """Time spent on the stage, in the processes that were cut short too."""
        return self._earlier_seconds + perf_counter() - self._begun

    @property
    def converged(self) -> bool:
        """Whether fewer rows changed their cluster in the last epoch than the head tolerates."""
        if self.head is None or not self.history:
            return False
        return bool(self.history[-1]["label_change"] < self.head.config["tolerance"])

    def _resume_or_start(self) -> None:
        checkpoint = self.folder.load_checkpoint()
        if checkpoint is not None:
            self._restore(checkpoint.arrays)
            self.history = [dict(row) for row in checkpoint.history]
            self._earlier_seconds = checkpoint.timing["seconds"]
        if self.head is not None:
            self.latents = encode(self.network, self.feed)
            if checkpoint is None:
                self.head.initialise(self.latents, self.seed)
            self._measure(previous=None)

    def _epoch(self, epoch: int, steps: int) -> None:
        self._look(epoch)
        row = {"epoch": epoch + 1, **self._train(epoch, steps)}
        if self.head is not None:
            self.latents = encode(self.network, self.feed)
            self._measure(previous=self.clusters)
            row |= asdict(self.occupancy)
        state = self._state()
        self._refuse_non_finite_weights(state, epoch, steps)
        self.history.append(row)
        timing = {"seconds": round(self.seconds, 2)}
        self.folder.save_checkpoint(epoch + 1, state, self.history, timing=timing)
        self.reporter.epoch_ends(self.name, row, self.settings["epochs"])

    def _look(self, epoch: int) -> None:
        """Let the head see the whole set, when it is due."""
        if self.head is not None and epoch % self.head.config["refresh"] == 0:
            self.targets = self.head.refresh(self.latents)

    def _measure(self, previous: np.ndarray | None) -> None:
        self.clusters = np.argmax(self.head.assignments(self.latents), axis=1)
        self.occupancy = occupancy(self.clusters, self.head.n_clusters, previous)

    def _batches(self, epoch: int) -> Any:
        return epoch_batches(
            len(self.feed), self.settings["batch_size"], self.seed, self.name, epoch
        )

    def _train(self, epoch: int, steps: int) -> dict[str, float]:
        """One pass over the data; the mean over its rows of the loss and of every term."""
        rng = generator(self.seed, f"augment {self.name}", epoch)
        rate, sums = 0.0, dict.fromkeys(self.model.term_names, 0.0)
        for step, indices in enumerate(self._batches(epoch)):
            rate = learning_rate(self.settings, epoch + (step + 1) / steps)
            self.model.optimizer.learning_rate = rate
            targets = {name: rows[indices] for name, rows in self.targets.items()}
            rows, originals = self.feed.training(indices, rng)
            targets |= {"original": originals}
            losses = self.model.train_on_batch(rows, targets, return_dict=True)
            self._refuse_non_finite(losses, epoch, step)
            for name in sums:
                sums[name] += float(losses[name]) * len(indices)
            self.reporter.step(self.name)
        means = {name: total / len(self.feed) for name, total in sums.items()}
        return means | {"learning_rate": rate}

    def _refuse_non_finite(self, losses: Mapping[str, Any], epoch: int, step: int) -> None:
        broken = [name for name, value in losses.items() if not np.isfinite(float(value))]
        if broken:
            # the total breaks with any term: name the term where there is one
            term = next((name for name in broken if name != "loss"), "loss")
            raise self._divergence(f"the loss term {term}", epoch, step)

    def _refuse_non_finite_weights(
        self, state: Mapping[str, np.ndarray], epoch: int, steps: int
    ) -> None:
        """A rectifier can hide a broken weight from the loss: look at the weights themselves."""
        for variable, array in zip(self._variables(), state.values(), strict=False):
            if array.dtype.kind == "f" and not np.all(np.isfinite(array)):
                raise self._divergence(f"the weight {variable.path}", epoch, steps - 1)

    def _divergence(self, what: str, epoch: int, step: int) -> DivergenceError:
        advice = _ADVICE.format(section=self.name.partition("-")[0])
        return DivergenceError(what, self.name, epoch + 1, step + 1, advice)

    def _variables(self) -> list[Any]:
        # an optimiser's learning rate is set before every step, and so restored for free
        return [*self.model.variables, *self.model.optimizer.variables]

    def _state(self) -> dict[str, np.ndarray]:
        variables = {f"variable_{i:04d}": to_numpy(v) for i, v in enumerate(self._variables())}
        return variables | {f"target_{name}": rows for name, rows in self.targets.items()}

    def _restore(self, arrays: Mapping[str, np.ndarray]) -> None:
        for index, variable in enumerate(self._variables()):
            variable.assign(arrays[f"variable_{index:04d}"])
        self.targets = {
            name.removeprefix("target_"): rows
            for name, rows in arrays.items()
            if name.startswith("target_")
        }
