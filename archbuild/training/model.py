"""The Keras model that a stage trains: network, objective and the loss terms by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

import keras
import numpy as np
from keras import ops

from archbuild import objectives
from archbuild.environment import FLOAT16, FLOAT32
from archbuild.heads.batch import Batch, Forward
from archbuild.networks.network import Network
from archbuild.training.augmentation import Augmentation


class Objective(Protocol):
    """The function that a stage minimises: a head's, or reconstruction (``pretraining.py``)."""

    @property
    def term_names(self) -> tuple[str, ...]:
        """The names of the weighted terms, whose sum is minimised."""

    @property
    def monitored_names(self) -> tuple[str, ...]:
        """The names of values that are logged and are no part of the loss."""

    @property
    def draws(self) -> int:
        """Samples of a row's latent; 0: the mean is decoded, and no variance is trained."""

    @property
    def variables(self) -> list[Any]:
        """The objective's own Keras variables."""

    @property
    def trains_decoder(self) -> bool:
        """True if the decoder is part of the loss."""

    @property
    def compiles(self) -> bool:
        """False if XLA cannot compile ``forward`` and ``loss_terms``."""

    def forward(self, network: Network, inputs: Any, training: bool) -> Forward:
        """Pass a batch through the network."""

    def loss_terms(self, batch: Batch) -> dict[str, Any]:
        """Return the weighted terms of the loss by name."""


class Step(NamedTuple):
    """The input of a step.

    Attributes:
        inputs: what ``StageModel.given`` returns for a batch.
        targets: arrays of ``(batch, ...)`` by name.
        values: of the scheduled variables, float32, in their order.
    """

    inputs: Any
    targets: dict[str, np.ndarray]
    values: np.ndarray


class StageModel(keras.Model):
    """A Keras model that overrides ``compute_loss`` only, so that it trains alike on every backend.

    Args:
        network: the autoencoder.
        objective: what is minimised.
        weight_decay: weight of the sum of squares of all trained weights.
        augmentation: changes the rows of each training step; ``None``: they stay as they are.
    """

    def __init__(
        self,
        network: Network,
        objective: Objective,
        weight_decay: float,
        augmentation: Augmentation | None = None,
    ) -> None:
        super().__init__(name="stage")
        self.network = network
        self.objective_variables = list(objective.variables)
        self.augmentation = augmentation
        self.augmentation_variables = augmentation.variables if augmentation else []
        self._objective = objective
        self._weight_decay = weight_decay
        network.choose_trained(objective.trains_decoder, objective.draws > 0)
        terms = {name: True for name in objective.term_names}
        terms |= {"reconstruction": objective.trains_decoder, "weight_decay": weight_decay > 0}
        terms["regularisation"] = bool(network.losses)
        names = [name for name, wanted in terms.items() if wanted]
        names += objective.monitored_names
        self.term_means = [keras.metrics.Mean(name=name) for name in names]

    @property
    def term_names(self) -> list[str]:
        """``loss``, the name of every term that is part of it, and what is only monitored."""
        return ["loss", *(mean.name for mean in self.term_means)]

    def given(self, rows: Any, present: Any) -> Any:
        """Return the input of a step: the rows, and what of them is there where that is asked for.

        Args:
            rows: ``(batch, *input_shape)``.
            present: as ``Batch.present``; an augmentation keeps gaps as they are.
        """
        if present is None or self.augmentation is None:
            return rows
        return {"rows": rows, "present": present}

    def call(self, inputs: Any, training: bool = False) -> Forward:
        """Pass a batch through the network as the objective defines it.

        Args:
            inputs: rows ``(batch, *input_shape)``, or what ``given`` makes of them.
            training: whether the rows are augmented, and statistics are the batch's.
        """
        rows, present = inputs, None
        if isinstance(inputs, Mapping):
            rows, present = inputs["rows"], inputs["present"]
        if not training or self.augmentation is None:
            return self._objective.forward(self.network, rows, training)
        changed = self.augmentation(rows, present)
        forward = self._objective.forward(self.network, changed.inputs, training)
        return forward._replace(target=changed.target)

    def compute_loss(
        self,
        x: Any = None,
        y: Mapping[str, Any] | None = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Any:
        """Return the sum of the objective's terms and the weights' penalties; track every term."""
        # the torch backend hands the targets on as they came, in NumPy
        targets = {name: ops.convert_to_tensor(rows) for name, rows in (y or {}).items()}
        inputs, labels = targets.pop("original", x), targets.pop("labels", None)
        present = targets.pop("present", None)
        if y_pred.target is not None:
            inputs, present = y_pred.target
        batch = Batch(inputs, y_pred, targets, labels, present)
        terms = self._objective.loss_terms(batch)
        if self._weight_decay:
            penalty = objectives.sum_of_squares(self.trainable_variables)
            terms = {**terms, "weight_decay": self._weight_decay * penalty}
        if penalties := self.network.losses:
            terms = {**terms, "regularisation": ops.sum(ops.stack(penalties))}
        for mean in self.term_means:
            if mean.name in terms:
                mean.update_state(terms[mean.name])
        monitored = self._objective.monitored_names
        summed = [term for name, term in terms.items() if name not in monitored]
        # not a chain of additions: TensorFlow would sum it in an order that depends on timing
        return ops.sum(ops.stack(summed))


def optimizer(settings: Mapping[str, Any], precision: str = FLOAT32) -> keras.optimizers.Optimizer:
    """Return the optimiser that a stage's settings name; its rate is set before every step.

    Args:
        settings: of the stage.
        precision: in which layers compute. Gradients in float16 are scaled, so that they neither
            vanish nor overflow; a step whose gradients do is left out.
    """
    kind, own = _kind(settings)
    if settings["clip_value"]:
        kind = _clipping(kind, settings["clip_value"])
    clip = settings["clip_norm"] or None
    chosen = kind(settings["learning_rate"], global_clipnorm=clip, **own)
    return keras.optimizers.LossScaleOptimizer(chosen) if precision == FLOAT16 else chosen


def _kind(settings: Mapping[str, Any]) -> tuple[type[keras.optimizers.Optimizer], dict[str, Any]]:
    """Return the optimiser's class, and the arguments that no other class takes."""
    if settings["optimizer"] == "sgd":
        momentum = {"momentum": settings["momentum"], "nesterov": settings["nesterov"]}
        return keras.optimizers.SGD, momentum
    if settings["optimizer"] == "rmsprop":
        return keras.optimizers.RMSprop, {}
    return keras.optimizers.Adam, {}


def _clipping(
    kind: type[keras.optimizers.Optimizer], limit: float
) -> type[keras.optimizers.Optimizer]:
    """Return the class, clipping each number of a gradient first: Keras's own clip one way only."""

    class Clipping(kind):
        def apply(self, grads: Any, trainable_variables: Any = None) -> Any:
            clipped = [None if each is None else ops.clip(each, -limit, limit) for each in grads]
            return super().apply(clipped, trainable_variables)

    return Clipping
