"""A network and a clustering head as a Keras model that trains by ``fit``.

The command line and the estimator train by stages (``stage.py``), which resume, stop by themselves
and leave a run folder. Both minimise the same loss.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import Any

import keras
import numpy as np

from archbuild.data.batches import count_batches, epoch_batches
from archbuild.errors import UsageError
from archbuild.heads.base import Head
from archbuild.networks.network import Network
from archbuild.networks.rows import by_rows
from archbuild.training.augmentation import Augmentation
from archbuild.training.feed import augmentation_seed
from archbuild.training.model import StageModel
from archbuild.training.schedules import Position, weight


class ClusteringModel(StageModel):
    """Encoder, decoder and head, trained together; made by ``NetworkBuilder.attach``.

    ``compile(optimizer)``, then ``fit(rows, epochs=...)``, then ``predict(rows)``. The loss is the
    head's, so ``compile`` takes none. Rows are those that the network takes: float32, channels
    last, scaled. Labels take no part. Training changes them as the spec's ``augment`` says.

    The first ``fit`` finds the head's first clusters (``initialise``) among the rows as the network
    encodes them, so train the autoencoder before. What a head computes from all rows (the target
    distribution of ``kld``, the centres of ``kmeans``) is computed anew every ``refresh`` epochs.
    Weights that a schedule moves are set before every step; on JAX, before every epoch.

    Args:
        network: the autoencoder; it is trained in place.
        head: new, for this network.
        batch_size: of ``fit`` where it is given none.
        seed: of the order of rows, and of how they are augmented.
    """

    def __init__(self, network: Network, head: Head, batch_size: int, seed: int) -> None:
        head.refines = True
        changes = network.plan.spec.augmentation
        augmentation = Augmentation.of(changes, network.plan, augmentation_seed(seed, "attached"))
        super().__init__(network, head, 0.0, augmentation)
        self.head = head
        self.batch_size = batch_size
        self.seed = seed
        self.is_initialised = False
        self.epochs_trained = 0

    def initialise(self, rows: Any) -> None:
        """Give the head its first clusters, from rows ``(n, *input_shape)``."""
        self.head.initialise(self.codes(rows))
        self.is_initialised = True

    def fit(
        self,
        rows: Any,
        *,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: Any = "auto",
        callbacks: Iterable[keras.callbacks.Callback] = (),
    ) -> keras.callbacks.History:
        """Train; a later call continues where the one before ended.

        Args:
            rows: ``(n, *input_shape)``.
            batch_size: by default the spec's.
            epochs: how many more.
            verbose: as in ``keras.Model.fit``.
            callbacks: of Keras; the terms of the loss are logged by name beside ``loss``.

        Returns:
            The history of this call.

        Raises:
            UsageError: the model is not compiled.
        """
        if not self.compiled:
            raise UsageError("the model is not compiled; call compile(optimizer) before fit")
        rows = np.asarray(rows, "float32")
        if not self.is_initialised:
            self.initialise(rows)
        batches = _Batches(self, rows, batch_size or self.batch_size)
        begin = self.epochs_trained
        return super().fit(
            batches,
            initial_epoch=begin,
            epochs=begin + epochs,
            verbose=verbose,
            callbacks=[_Epochs(self, batches), *callbacks],
            shuffle=False,
        )

    def predict(self, rows: Any) -> np.ndarray:
        """Return the probability of every cluster, ``(n, n_clusters)`` float32.

        Raises:
            UsageError: there are no clusters yet.
        """
        if not self.is_initialised:
            raise UsageError("there are no clusters yet; call fit(rows) or initialise(rows) first")
        return self.head.assignments(self.codes(rows))

    def encode(self, rows: Any) -> np.ndarray:
        """Return the latents ``(n, latent)`` float32; of a Gaussian bottleneck, the means."""
        return by_rows(self.network.predict_latents, np.asarray(rows, "float32"))

    def codes(self, rows: Any) -> np.ndarray:
        """Return what the head assigns by, ``(n, code)``: first the latents."""
        return by_rows(self._read, np.asarray(rows, "float32"))

    @cached_property
    def _read(self) -> Any:
        return self.network.reader(self.head.code)


class _Batches(keras.utils.PyDataset):
    """The rows in batches, with the head's targets for each of them.

    Every epoch is prepared before Keras reads its first batch: the hooks of this class also run
    when Keras only reads the shapes.
    """

    def __init__(self, model: ClusteringModel, rows: np.ndarray, batch_size: int) -> None:
        super().__init__()
        self._model, self._rows, self._batch_size = model, rows, batch_size
        self._refresh()
        self._shuffle(model.epochs_trained)

    def __len__(self) -> int:
        return count_batches(len(self._rows), self._batch_size)

    def __getitem__(self, index: int) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        chosen = self._order[index]
        rows = self._rows[chosen]
        return rows, {name: of[chosen] for name, of in self._targets.items()} | {"original": rows}

    def prepare(self, epoch: int, is_first: bool) -> None:
        """Compute the targets of all rows when they are due, and shuffle the rows for the epoch."""
        if not is_first and epoch % self._model.head.refresh_epochs == 0:
            self._refresh()
        self._shuffle(epoch)

    def _refresh(self) -> None:
        codes, head = self._model.codes(self._rows), self._model.head
        self._targets = head.refresh(codes[np.newaxis] if head.views else codes)

    def _shuffle(self, epoch: int) -> None:
        order = epoch_batches(
            len(self._rows), self._batch_size, self._model.seed, "attached", epoch
        )
        self._order = list(order)


class _Epochs(keras.callbacks.Callback):
    """Prepares every epoch, and sets what the head's schedules move before every step."""

    def __init__(self, model: ClusteringModel, batches: _Batches) -> None:
        super().__init__()
        self._owner, self._batches = model, batches
        self._first = model.epochs_trained

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Prepare the targets and the order of the rows."""
        self._batches.prepare(epoch, is_first=epoch == self._first)

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Set each scheduled variable for the step to come."""
        head, steps = self._owner.head, len(self._batches)
        position = Position(self._owner.epochs_trained * steps + batch + 1, steps)
        for name, variable in head.scheduled.items():
            variable.assign(weight(head.config[name], position))

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Count the epoch."""
        self._owner.epochs_trained = epoch + 1
