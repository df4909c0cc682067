"""One stage of training with a clustering head: passes over all rows between epochs, and rounds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import MISSING, asdict, fields
from itertools import chain
from time import perf_counter
from typing import Any

import numpy as np

from archbuild.data.batches import labelled_batches
from archbuild.data.labels import UNKNOWN, labelled_rows
from archbuild.data.spill import joined, parts_of, release, stacked
from archbuild.evaluation.collapse import Occupancy, occupancy
from archbuild.heads.base import Head
from archbuild.io.arrays import prefixed, unprefixed
from archbuild.networks.network import Network
from archbuild.networks.rows import to_numpy
from archbuild.runs.stage import StageFolder
from archbuild.training.encoding import encode, encode_views
from archbuild.training.feed import Feed
from archbuild.training.progress import LOGGER, EventHandler, Note
from archbuild.training.schedules import Position, weight, whole_epochs
from archbuild.training.stage import (
    StageOutcome,
    StageTrainer,
    named_variables,
    restore_variables,
)
from archbuild.training.validation import ERROR, Validation


class HeadTrainer(StageTrainer):
    """Trains a network and a head; the head sees all rows between epochs.

    Args:
        name: ``cluster-<head>`` or ``train-<head>``.
        settings: as of ``StageTrainer``.
        network: the autoencoder, with the weights that the stage starts from.
        head: new, for this network.
        feed: the rows.
        folder: as of ``StageTrainer``.
        seed: of the run.
        emit: receives the events.
        from_scratch: the network is not pretrained: a head's warmup, if it has one, comes first.
        labels: ``(n,)`` classes that the head may read, -1 where unknown; ``None``: none at all.
        labelled_batch: how many labelled rows are added to each batch, behind its own, which are
            then given without labels; ``None``: rows have their labels where they come.

    Attributes:
        epochs: the settings' own, times the head's rounds; none of a head that does not learn.
        codes: ``(n, code)`` of all rows after the latest epoch; ``None`` before they are needed.
        clusters: ``(n,)`` the cluster of each row; ``None`` before the head begins.
        occupancy: of the clusters; ``None`` before the head begins.
    """

    def __init__(
        self,
        name: str,
        settings: Mapping[str, Any],
        network: Network,
        head: Head,
        feed: Feed,
        folder: StageFolder | None,
        seed: int,
        emit: EventHandler,
        from_scratch: bool = False,
        labels: np.ndarray | None = None,
        labelled_batch: int | None = None,
    ) -> None:
        head.refines = not from_scratch
        self.validation = _validation(settings, labels, seed)
        rows = self.validation.trained(len(feed)) if self.validation else None
        super().__init__(name, settings, network, head, feed, folder, seed, emit, rows)
        self.head, self.labels, self.labelled_batch = head, labels, labelled_batch
        self.epochs *= (head.rounds or 1) if head.learns else 0
        self.begins = warmup_epochs(head, settings, self.steps) if from_scratch else 0
        self.read = network.reader(head.code)
        self.codes: np.ndarray | None = None
        self.clusters: np.ndarray | None = None
        self.occupancy: Occupancy | None = None
        self._first_weights = {} if head.warm_start else self._network_weights()

    def _network_weights(self) -> dict[str, np.ndarray]:
        """Return copies of what a round without a warm start begins with."""
        kept = ("objective_", "augmentation_")
        own = [of for of in self._variables() if not of[0].startswith(kept)]
        return {name: to_numpy(variable) for name, variable in own}

    @property
    def converged(self) -> bool:
        """True if the error on validation rows has not sunk for long, or clusters have settled."""
        if self.validation is not None and self.validation.is_over(self.history):
            return True
        change = self.history[-1].get("label_change") if self.history else None
        return change is not None and change < self.head.tolerance

    def _outcome(self) -> StageOutcome:
        if self.validation is not None and self.validation.weights:
            self._set_weights(self.validation.weights)
            self.codes = None
        codes = self._codes_now()
        if self._never_began:
            self._begin()
        return StageOutcome(self.history, codes, self.converged, self.occupancy, self.seconds)

    @property
    def _never_began(self) -> bool:
        """True if there was not one epoch since the head could begin."""
        if self.occupancy is not None:
            return False
        return self._follows_clusters or not self.history

    @property
    def _follows_clusters(self) -> bool:
        """True if the assignment of all rows is measured after each epoch."""
        return self.head.watches_rows and self.head.answers != "nothing"

    def _resume(self) -> None:
        super()._resume()
        if not self._follows_clusters:
            return
        epochs = len(self.history)
        if epochs > self.begins or (self.head.rounds and epochs == self.begins > 0):
            self._measure(previous=None)
            self.occupancy = _occupancy_of(self.history[-1]) or self.occupancy

    def _before_epoch(self, epoch: int) -> None:
        if epoch < self.begins or not self.head.watches_rows:
            return
        if epoch == 0 or not self.head.rounds:
            self._full_pass(epoch)
        elif epoch % self.settings["epochs"] == 0:
            self._reset_network()

    def _after_epoch(self, epoch: int) -> dict[str, Any]:
        """Encode all rows, end a round if it is one, and return what the clusters are."""
        validated = self._validated()
        if not self.head.watches_rows:
            return validated
        return validated | self._watched(epoch)

    def _validated(self) -> dict[str, Any]:
        """Return the error on the validation rows, and keep the weights where it is the lowest."""
        if self.validation is None:
            return {}
        codes = encode(self.read, self.feed, self.validation.rows)
        error = self.validation.error(self.head.assignments(codes))
        if self.validation.is_best(error, self.history):
            self.validation.weights = self._weights()
        return {ERROR: error}

    def _watched(self, epoch: int) -> dict[str, Any]:
        if epoch + 1 < self.begins:
            return {}
        self.codes, previous = encode(self.read, self.feed), self.clusters
        if self.head.rounds:
            self._full_pass(epoch + 1)
        if self.clusters is None:  # it begins before the next epoch
            return {}
        return asdict(self._measure(previous))

    def _full_pass(self, epoch: int) -> None:
        """Let the head begin, or see all rows, when it is due."""
        if epoch == self.begins:
            self._begin()
        if (epoch - self.begins) % self._epochs_between_passes == 0:
            self.targets = self.head.refresh(self._codes_and_views(epoch))

    def _codes_and_views(self, epoch: int) -> np.ndarray:
        """Return what the head's ``refresh`` reads."""
        if not self.head.views:
            return self._codes_now()
        views = encode_views(
            self.read,
            self.feed,
            self.model.augmentation,
            self.head.views,
            seed=self.seed,
            purpose=f"refresh {self.name}",
            epoch=epoch,
        )
        seen = chain([self._codes_now()], views)
        return stacked(seen, 1 + self.head.views, f"the views of {len(self.feed):,} rows")

    @property
    def _epochs_between_passes(self) -> int:
        return max(self.settings["epochs"], 1) if self.head.rounds else self.head.refresh_epochs

    def _begin(self) -> None:
        codes, begun = self._codes_now(), perf_counter()
        if start := self.head.config.get("start"):  # maps of many rows take minutes
            self.emit(Note(f"first clusters of {len(codes):,} rows, by {start}"))
        self.head.initialise(codes)
        LOGGER.info("the head started in %.2f s", perf_counter() - begun)
        if self.head.answers != "nothing":
            self._measure(previous=None)

    def _measure(self, previous: np.ndarray | None) -> Occupancy:
        """Assign all rows to clusters, and return what these hold.

        Raises:
            DivergenceError: a probability is not finite, as of latents whose squares are not.
        """
        codes = self._codes_now()
        parts = (self._clusters(codes[part]) for part in parts_of(codes))
        self.clusters = joined(parts, len(codes), f"the clusters of {len(codes):,} rows")
        self.occupancy = occupancy(self.clusters, self.head.n_clusters, previous, self.codes)
        release(self.clusters)
        return self.occupancy

    def _clusters(self, codes: np.ndarray) -> np.ndarray:
        assignments = self.head.assignments(codes)
        if not np.all(np.isfinite(assignments)):
            raise self._divergence("a row's assignment", len(self.history), self.steps - 1)
        clusters: np.ndarray = np.argmax(assignments, axis=-1)
        return clusters

    def _codes_now(self) -> np.ndarray:
        if self.codes is None:
            self.codes = encode(self.read, self.feed)
        return self.codes

    def _reset_network(self) -> None:
        """Set the first weights again, for a head whose rounds do not go on from each other's."""
        self._set_weights(self._first_weights)

    def _weights(self) -> dict[str, np.ndarray]:
        """Return copies of the weights of network and head."""
        return {name: to_numpy(of).copy() for name, of in named_variables(self.network, self.head)}

    def _set_weights(self, weights: Mapping[str, np.ndarray]) -> None:
        for name, variable in self._variables():
            if name in weights:
                variable.assign(weights[name])

    def _targets(self, indices: np.ndarray) -> dict[str, np.ndarray]:
        targets = super()._targets(indices)
        if self.labels is None:
            return targets
        labels = self.labels[indices]
        if self.labelled_batch is not None:
            labels[: -self.labelled_batch] = UNKNOWN
        return targets | {"labels": labels}

    def batches(self, epoch: int) -> Iterator[np.ndarray]:
        """Return the rows of each step, with labelled ones behind them where these are added."""
        batches = super().batches(epoch)
        if self.labels is None or self.labelled_batch is None:
            return batches
        known, size = labelled_rows(self.labels), self.labelled_batch
        rows = known[np.isin(known, self.rows)] if self.validation else known
        labelled = labelled_batches(rows, size, self.seed, self.name, epoch)
        # the one without end comes second, so that none of its batches is drawn in vain
        return (np.concatenate(both) for both in zip(batches, labelled, strict=False))

    @property
    def _scheduled(self) -> list[Any]:
        return [*super()._scheduled, *self.head.scheduled.values()]

    def _values(self, position: Position) -> list[float]:
        head, later = self.head, position.after(self.begins)
        own = [weight(head.config[name], later) for name in head.scheduled]
        return [*super()._values(position), *own]

    def _kept_targets(self) -> dict[str, np.ndarray]:
        """Return none where the next epoch begins with new ones, from the codes of this one."""
        epoch = len(self.history) + 1
        is_due = (epoch - self.begins) % self._epochs_between_passes == 0
        return {} if is_due and not self.head.rounds else super()._kept_targets()

    def state(self) -> dict[str, np.ndarray]:
        """Return everything that a checkpoint keeps, by name."""
        best = self.validation.weights if self.validation else {}
        return super().state() | prefixed("memory_", self.head.memory) | prefixed("best_", best)

    def _restore(self, arrays: Mapping[str, np.ndarray]) -> None:
        super()._restore(arrays)
        self.head.remember(unprefixed("memory_", arrays))
        if self.validation is not None:
            self.validation.weights = unprefixed("best_", arrays)


def _validation(
    settings: Mapping[str, Any], labels: np.ndarray | None, seed: int
) -> Validation | None:
    if labels is None or not settings["validation"]:
        return None
    return Validation(labels, settings["validation"], settings["patience"], seed)


def _occupancy_of(row: Mapping[str, Any]) -> Occupancy | None:
    """Read the occupancy from a line of the history: only there is the change of labels kept.

    ``None`` where the line lacks a value, as those of older versions do.
    """
    names = {field.name for field in fields(Occupancy)}
    if not {field.name for field in fields(Occupancy) if field.default is MISSING} <= row.keys():
        return None
    return Occupancy(**{name: row[name] for name in names & row.keys()})


def warmup_epochs(head: Head, settings: Mapping[str, Any], steps: int) -> int:
    """Return how many epochs of ``steps`` a stage from scratch trains before the head begins."""
    if head.rounds:
        return int(settings["epochs"])  # the first round is the network's alone
    warmup = head.warmup
    return whole_epochs(warmup["length"], warmup["unit"], steps) if warmup else 0


def restore_checkpoint(network: Network, head: Head, arrays: Mapping[str, np.ndarray]) -> None:
    """Put a checkpoint's weights into a network and a head, to use them without training."""
    restore_variables(network, head, arrays)
    head.remember(unprefixed("memory_", arrays))
