"""``classifier``: one label of each row, or a sequence of labels, by softmax; supervised.

Source of sequences: Sønderby et al., arXiv 1509.05329, whose loss is the mean cross-entropy over
the labels of a sequence, in their order. Nothing is reconstructed, so a spec may have ``decoder:
none``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from archbuild import objectives
from archbuild.heads.base import Head
from archbuild.heads.batch import Batch, Forward
from archbuild.networks.rows import to_numpy
from archbuild.spec.fields import choice, integer
from archbuild.spec.parts import Part, PartLayer

if TYPE_CHECKING:
    from archbuild.networks.network import Network
    from archbuild.spec.plan import Plan

ROW, STEP = "row", "step"
_PART = "classes"


class ClassifierHead(Head):
    """A softmax for each label of a row, on top of the bottleneck."""

    name: ClassVar[str] = "classifier"
    summary: ClassVar[str] = "one label a row, or a sequence of labels, learned from labels"
    fields = (
        integer(
            "n_clusters",
            "Number of classes; null: as many as the dataset declares.",
            maximum=10_000,
            default=None,
        ),
        integer("n_labels", "Number of labels of a row, the length of its sequence.", default=1),
        choice(
            "reads",
            [ROW, STEP],
            "Features that each label is read from; row: all, with weights of its own; step: those "
            "of its own step, with the weights of the others, behind TimeDistributed.",
            default=ROW,
        ),
    )
    term_names = ("cross_entropy",)
    monitored_names: tuple[str, ...] = ("batch_error",)
    labels_used = "all"
    answers = "classes"
    needs_decoder = False
    watches_rows = False
    trains_decoder = False

    @classmethod
    def labels_per_row(cls, config: Mapping[str, Any]) -> int:
        """Return the length of the sequence."""
        return int(config["n_labels"])

    @classmethod
    def check(cls, config: Mapping[str, Any], plan: Plan) -> Sequence[tuple[str, str, str]]:
        """Check that the bottleneck has a step for each label, where each reads its own."""
        shape, labels = plan.encoder[-1].output_shape, config["n_labels"]
        if config["reads"] == ROW or (len(shape) > 1 and shape[1] == labels):
            return ()
        message = f"each of {labels} labels reads a step, and the bottleneck gives {list(shape)}"
        advice = f"end the encoder with a TimeDistributed of {labels} steps, or write reads: {ROW}"
        return [("reads", message, advice)]

    @classmethod
    def parts(cls, config: Mapping[str, Any], plan: Plan) -> Sequence[Part]:
        """Return the dense layer to the logits of all labels, or of one step's."""
        labels, classes = config["n_labels"], config["n_clusters"]
        if config["reads"] == STEP:
            return [Part(_PART, plan.latent_size // labels, (PartLayer(classes),))]
        return [Part(_PART, plan.latent_size, (PartLayer(labels * classes),))]

    @classmethod
    def scratch_problem(cls, config: Mapping[str, Any]) -> str | None:
        """Return ``None``: it learns from scratch."""
        return None

    @property
    def variables(self) -> list[Any]:
        """The weights of the softmax."""
        return list(self.networks[_PART].weights)

    def forward(self, network: Network, inputs: Any, training: bool) -> Forward:
        """Encode; nothing is decoded."""
        encoding = network.encode(inputs, training=training)
        return Forward(encoding, encoding.mean, None)

    def initialise(self, codes: np.ndarray) -> None:
        """Do nothing: it learns from its first weights."""

    def loss_terms(self, batch: Batch) -> dict[str, Any]:
        """Return the cross-entropy of the known labels; and the share of them that are missed."""
        from keras import ops

        logits = self._logits(batch.latent)
        labels = ops.reshape(ops.cast(batch.labels, "int32"), (-1, self.config["n_labels"]))
        known = ops.cast(labels >= 0, logits.dtype)
        missed = ops.cast(ops.not_equal(labels, ops.argmax(logits, axis=-1)), logits.dtype)
        error = ops.sum(missed * known) / ops.maximum(ops.sum(known), 1.0)
        cross_entropy = objectives.label_cross_entropy(labels, logits)
        return {"cross_entropy": cross_entropy, "batch_error": error}

    def assign(self, codes: Any) -> Any:
        """Return ``(batch, class)`` probabilities; of sequences ``(batch, label, class)``."""
        from keras import ops

        probabilities = ops.softmax(self._logits(codes), axis=-1)
        return probabilities if self.config["n_labels"] > 1 else probabilities[:, 0]

    def _logits(self, latent: Any) -> Any:
        """Return ``(batch, label, class)``."""
        from keras import ops

        labels = self.config["n_labels"]
        if self.config["reads"] == STEP:
            latent = ops.reshape(latent, (-1, labels, self.latent_size // labels))
        logits = self.networks[_PART](latent)
        return ops.reshape(logits, (-1, labels, self.n_clusters))

    def arrays(self) -> dict[str, np.ndarray]:
        """Return ``kernel``, ``(features, logits)``, and ``bias``, ``(logits,)``."""
        kernel, bias = map(to_numpy, self.variables)
        return {"kernel": kernel, "bias": bias}

    def restore(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Restore the weights."""
        for variable, name in zip(self.variables, ("kernel", "bias"), strict=True):
            variable.assign(arrays[name])
