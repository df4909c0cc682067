"""The bound of heads with a class and two latents, a sum over the classes, and its training.

The loss, in nats, is for rows without a label, exact in the class (``class_model.py`` has ``u``,
``v`` and their inference),

    E_q(u) Σ_y q(y | u, x) E_q(v) [-log p(x | ·)]                      "reconstruction"
    + kl_weight · E_q(u) Σ_y q(y | u, x) E_q(v) [log q(v | ·) - log p(v | ·)]
    + kl_weight · E_q(u) Σ_y q(y | u, x) E_q(v) [log q(u | ·) - log p(u | ·)]
    + kl_weight · E_q(u) Σ_y q(y | u, x) [log q(y | ·) - log p(y | ·)]  "kl_class"

and for rows with a label its value at their class, without ``log q(y | ·)``. The mean over rows of
the one kind and ``labelled_weight`` times that over the other are added, and so is

    classification_weight · mean of -log q(label | u, x)               "classification"

The ``K`` classes of a row go through the decoder as ``K`` rows, so it has no batch normalisation:
its statistics would be of rows that mostly do not exist.

Source: Maaløe et al., Auxiliary deep generative models, arXiv 1602.05473.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from archbuild import objectives
from archbuild.heads.base import BOUND_SAMPLES
from archbuild.heads.batch import Batch, Forward, reconstruction_loss
from archbuild.heads.class_model import MODEL_FIELDS, ClassModel
from archbuild.heads.generative import unweighted
from archbuild.heads.records import Evidence
from archbuild.networks.rows import by_rows
from archbuild.spec.field import Field
from archbuild.spec.fields import integer, number, schedule

if TYPE_CHECKING:
    from archbuild.networks.network import Encoding, Network, Reconstruction
    from archbuild.spec.plan import Plan
    from archbuild.spec.vocabulary import Answer


class ClassSumHead(ClassModel):
    """A class, a cluster without labels, beside two latents.

    A subclass sets the ``names`` of the latents ``u`` and ``v`` in its loss, their order from the
    bottom in ``levels`` and its ``term_names``, and has what ``ClassModel`` asks of it.
    """

    names: ClassVar[tuple[str, str]]
    levels: ClassVar[tuple[str, str]]
    labels_used = "some"
    fields: ClassVar[tuple[Field, ...]] = (
        *MODEL_FIELDS,
        schedule("kl_weight", "Weight of all divergences from the priors.", default=1.0),
        number(
            "classification_weight",
            "Weight of the cross-entropy of labelled rows; 0.1 times all rows over labelled rows "
            "in the original.",
            default=60.0,
        ),
        number(
            "labelled_weight",
            "Weight of the mean bound of labelled rows beside that of the others; their share of "
            "all rows makes the loss a bound of all data.",
            default=1.0,
        ),
        integer("mc_samples", "Draws of u and v for each row.", maximum=1_000, default=1),
        replace(BOUND_SAMPLES, default=50, implicit=False),
    )
    passing_fields: ClassVar[frozenset[str]] = frozenset({"bound_samples"})
    normalises_decoder = False

    def __init__(self, config: Mapping[str, Any], plan: Plan, seed: int = 0) -> None:
        import keras

        super().__init__(config, plan, seed)
        self.draws = config["mc_samples"]
        self.kl_weight = keras.Variable(0.0, trainable=False, name="kl_weight")
        self.scheduled = {"kl_weight": self.kl_weight}
        self.divergence_names = tuple(f"kl_{name}" for name in (*self.names, "class"))
        if self.answers != "classes":
            self._drop_term("classification")
        self.monitored_names = ("elbo", *map(unweighted, self.divergence_names))

    def _drop_term(self, name: str) -> None:
        """Leave a term out of the loss."""
        self.term_names = tuple(each for each in self.term_names if each != name)

    @classmethod
    def answers_under(cls, supervised: bool) -> Answer:
        """Return ``classes`` where labels say which they are, ``clusters`` otherwise."""
        return "classes" if supervised else "clusters"

    @classmethod
    def scratch_problem(cls, config: Mapping[str, Any]) -> str | None:
        """Return ``None``: the head is made for training from scratch."""
        return None

    @classmethod
    def check(cls, config: Mapping[str, Any], plan: Plan) -> Sequence[tuple[str, str, str]]:
        """Check the bottleneck, the likelihood, and that nothing normalises what reads classes."""
        found = list(super().check({**config, "bound_samples": 0}, plan))
        found += cls.likelihood_problems(plan)
        if any(layer.batch_norm or layer.type == "BatchNorm" for layer in plan.decoder):
            message = (
                f"the decoder of the {cls.name} head decodes every row once for each class, and "
                "batch normalisation would count rows of classes that they do not have"
            )
            found.append(("", message, "leave batch_norm and BatchNorm out of the decoder"))
        return found

    @property
    def variables(self) -> list[Any]:
        """The weights of the head's own networks, the scheduled weight, the state of the noise."""
        return [*self.part_variables, self.kl_weight, *super().variables]

    def initialise(self, codes: np.ndarray) -> None:
        """Do nothing: the first weights are random."""

    # -- training ----------------------------------------------------------------------------

    def forward(self, network: Network, inputs: Any, training: bool) -> Forward:
        """Infer, and decode every row once for each class.

        The ``extras``, ``(draws * batch, class)`` each: the logarithms of ``q(y | ·)`` and
        ``p(y | ·)``, and ``log q - log p`` of ``u`` and of ``v``.
        """
        from keras import ops

        encoding = network.encode(inputs, training=training)
        found = self.inferred(encoding, self.draws)
        decoded = self.decoded(network, found.classes, found.u, found.v, training)
        ratios = (ops.transpose(ops.sum(ratio, axis=-1)) for ratio in self.ratios(found))
        extras = dict(zip(self.divergence_names, ratios, strict=False))
        extras |= {"log_classes": found.log_classes, "log_prior": self.log_class_prior(found.u)}
        latent = ops.reshape(found.v, (-1, self.latent_size))
        return Forward(encoding, latent, decoded, extras)

    def loss_terms(self, batch: Batch) -> dict[str, Any]:
        """Return the terms of the negative bound, and those of labelled rows alone."""
        from keras import ops

        extras = dict(batch.forward.extras or {})
        labels = None if batch.labels is None else self.repeated(batch.labels)
        log_classes, log_prior = extras["log_classes"], extras["log_prior"]
        weights = objectives.class_weights(log_classes, labels)
        values = {"reconstruction": ops.sum(weights * self._losses(batch), axis=1)}
        for name in self.divergence_names[:2]:
            values[name] = ops.sum(weights * extras[name], axis=1)
        values["kl_class"] = objectives.class_divergence(log_classes, log_prior, labels)
        weight = self.config["labelled_weight"]
        terms = {
            name: objectives.mean_by_kind(rows, labels, weight) for name, rows in values.items()
        }
        monitored = {unweighted(name): terms[name] for name in self.divergence_names}
        terms |= {name: self.kl_weight * terms[name] for name in self.divergence_names}
        if "classification" in self.term_names:
            terms["classification"] = self._classification(log_classes, batch.labels)
        elbo = -ops.mean(ops.sum(ops.stack(list(values.values())), axis=0))
        return terms | {"elbo": elbo} | monitored

    def _losses(self, batch: Batch) -> Any:
        """Return ``-log p(x | ·)`` of each row and class, ``(draws * batch, class)``."""
        from keras import ops

        copies = self.draws * self.n_clusters
        present = None if batch.present is None else self.repeated(batch.present, copies)
        losses = reconstruction_loss(
            self.reconstruction,
            self.repeated(batch.inputs, copies),
            batch.reconstruction,
            present,
            by_row=True,
        )
        return ops.transpose(ops.reshape(losses, (self.n_clusters, -1)))

    def _classification(self, log_classes: Any, labels: Any) -> Any:
        """Return the weighted cross-entropy, a mean over the labelled rows."""
        from keras import ops

        by_draw = ops.reshape(log_classes, (self.draws, -1, self.n_clusters))
        losses = objectives.label_loss(by_draw, labels)
        known = ops.cast(labels >= 0, losses.dtype)
        mean = ops.sum(losses) / ops.maximum(ops.sum(known), 1.0)
        return self.config["classification_weight"] * mean

    # -- what others ask ---------------------------------------------------------------------

    def code(self, encoding: Encoding) -> Any:
        """Return ``[u | log q(y)]`` of each row, ``u`` at its mean."""
        from keras import ops

        log_classes = self.log_classes(self.read(encoding), encoding.mean)
        return ops.concatenate([encoding.mean, log_classes], axis=1)

    def assign(self, codes: Any) -> Any:
        """Return ``q(y | u, x)`` at the mean of ``u``."""
        from keras import ops

        return ops.exp(codes[:, self.latent_size :])

    def reconstruct(self, network: Network, inputs: Any) -> Reconstruction:
        """Decode rows ``(batch, *input_shape)`` at their likeliest class, and the means."""
        from keras import ops

        found = self.inferred(network.encode(inputs), draws=1, scale=0.0)
        likeliest = ops.one_hot(ops.argmax(found.log_classes, axis=1), self.n_clusters)
        chosen = ops.expand_dims(ops.transpose(likeliest), 2)
        v = ops.sum(chosen * found.v, axis=0, keepdims=True)
        return self.decoded(network, ops.expand_dims(likeliest, 0), found.u, v)

    def evidence(self, network: Network, inputs: Any, draws: int, present: Any = None) -> Evidence:
        """Return the weights of draws of ``u`` and ``v``; the sum over the classes is exact.

        The divergences are those of ``levels``, means over the classes by ``q(y)``.
        """
        from keras import ops

        found = self.inferred(network.encode(inputs), draws)
        decoded = self.decoded(network, found.classes, found.u, found.v)
        ratios = dict(zip("uv", self.ratios(found), strict=True))
        log_prior = ops.broadcast_to(self.log_class_prior(found.u), ops.shape(found.log_classes))
        log_ratio = ops.sum(ratios["u"] + ratios["v"], axis=-1) - ops.transpose(log_prior)
        copies = draws * self.n_clusters
        weighed = self.evidence_of(decoded, ops.reshape(log_ratio, (-1,)), inputs, copies, present)
        by_class = ops.reshape(weighed.log_weights, (self.n_clusters, draws, -1))
        weights = ops.expand_dims(ops.exp(ops.transpose(found.log_classes)), 2)
        units = (ops.sum(weights * ratios[level], axis=0) for level in self.levels)
        shape = (draws, -1, self.latent_size)
        means = tuple(ops.mean(ops.reshape(each, shape), axis=0) for each in units)
        return Evidence(ops.logsumexp(by_class, axis=0), means)

    def centres(self) -> None:
        """Return ``None``: a class has no point in the space of ``u``."""
        return

    def figures(self) -> Sequence[str]:
        """Return the pictures of rows drawn from each class, as a whole and level by level."""
        return ("generated", "levels") if self.latent_names else ("generated",)

    def sample_latents(self, per_cluster: int, rng: np.random.Generator) -> np.ndarray:
        """Draw ``v`` from the prior of each class, ``(class, per_cluster, size)``."""
        return self.drawn(per_cluster, rng)[1]

    def sample_rows(
        self, network: Network, per_cluster: int, rng: np.random.Generator
    ) -> np.ndarray:
        """Draw ``(class, per_cluster, *input_shape)`` rows, the means of ``p(x | ·)``."""
        return self._rows_of(network, *self.drawn(per_cluster, rng))

    def sample_level(
        self, network: Network, level: int, per_cluster: int, rng: np.random.Generator
    ) -> np.ndarray:
        """Draw ``(class, per_cluster, *input_shape)`` rows in which one of ``levels`` varies."""
        if not self.latent_names:
            return super().sample_level(network, level, per_cluster, rng)
        return self._rows_of(network, *self.drawn(per_cluster, rng, [self.levels[level - 1]]))

    def _rows_of(self, network: Network, u: np.ndarray, v: np.ndarray) -> np.ndarray:
        """Decode ``(class, per_class, size)`` latents of each class."""
        classes, per_class, size = v.shape
        one_hot = np.repeat(np.eye(classes, dtype="float32"), per_class, axis=0)
        joined = np.concatenate([u.reshape(-1, size), v.reshape(-1, size), one_hot], axis=1)

        def expected(part: np.ndarray) -> Any:
            sets = np.split(part[np.newaxis], [size, 2 * size], axis=2)
            return network.expected(self.decoded(network, sets[2], sets[0], sets[1]))

        rows = by_rows(expected, joined)
        return rows.reshape(classes, per_class, *rows.shape[1:])

    def arrays(self) -> dict[str, np.ndarray]:
        """Return the weights of the head's own networks: ``class_logits.0``, and so on."""
        return self.part_arrays()

    def restore(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Restore the weights of the head's own networks."""
        self.restore_parts(arrays)
