"""A class and two Gaussian latents of each row: how heads with a sum over classes infer them.

A row ``x`` has a class ``y``, a latent ``u`` that is inferred first, and a latent ``v`` that the
decoder reads. All such heads infer them by

    q(u | x) q(y | u, x) q(v | u, y, x)

of which the encoder gives ``q(u | x)``, its Gaussian, and networks of the head's own the others;
they differ in the generative process (``auxiliary.py``, ``cluster_aware.py``).

Source: Maaløe et al., Auxiliary deep generative models, arXiv 1602.05473.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Container, Mapping, Sequence
from math import log, prod
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from archbuild import objectives
from archbuild.heads.base import N_CLUSTERS
from archbuild.heads.generative import GenerativeHead
from archbuild.networks.rows import to_numpy
from archbuild.spec.field import Field
from archbuild.spec.fields import choice, widths
from archbuild.spec.parts import Condition, Part, PartLayer

if TYPE_CHECKING:
    from archbuild.networks.network import Encoding, Network, Reconstruction
    from archbuild.spec.plan import Plan

Gaussian = tuple[Any, Any]
"""Mean and log-variance."""


class Inferred(NamedTuple):
    """The draws of a batch: one of ``u`` for each row, one of ``v`` for each row and class.

    Attributes:
        u: ``(batch, size)``.
        posterior_u: of the shape of ``u``.
        log_classes: ``log q(y | u, x)``, ``(batch, class)``.
        v: ``(class, batch, size)``.
        posterior_v: of the shape of ``v``.
        read: what the head's networks read of a row beside these, ``(batch, features)``.
        classes: each class as numbers 0 and 1, ``(class, 1, class)``.
    """

    u: Any
    posterior_u: Gaussian
    log_classes: Any
    v: Any
    posterior_v: Gaussian
    read: Any
    classes: Any


MODEL_FIELDS: tuple[Field, ...] = (
    N_CLUSTERS,
    widths(
        "hidden_units",
        "Widths of the hidden layers (rectify) of each of the head's own networks.",
        default=[500, 500],
    ),
    choice(
        "reads",
        ["features", "rows"],
        "Input of the head's own networks that read a row: what the encoder's Gaussian reads, or "
        "the row itself.",
        default="features",
    ),
)


class ClassModel(GenerativeHead):
    """The generative process and the inference.

    A subclass has the generative process: ``priors``, ``log_class_prior`` and ``drawn``.
    """

    @classmethod
    def parts(cls, config: Mapping[str, Any], plan: Plan) -> Sequence[Part]:
        """Return the networks of ``q(y | u, x)`` and ``q(v | u, y, x)``, and those of priors."""
        read = plan.features if config["reads"] == "features" else prod(plan.input_shape)
        size, classes = plan.latent_size, config["n_clusters"]
        return [
            network("class_logits", read + size, config, classes),
            network("v_posterior", read + size + classes, config, 2 * size),
        ]

    # -- the generative process, a subclass's ------------------------------------------------

    @abstractmethod
    def priors(self, found: Inferred) -> tuple[Gaussian, Gaussian]:
        """Return the priors of ``u`` and ``v`` at draws.

        Each broadcasts against ``(class, batch, size)``.
        """

    def log_class_prior(self, u: Any) -> Any:
        """Return ``log p(y | ·)`` at draws ``(batch, size)``: ``(batch, class)`` or ``(class,)``.

        By default all classes are equally likely.
        """
        from keras import ops

        return ops.full((self.n_clusters,), -log(self.n_clusters))

    @abstractmethod
    def drawn(
        self, per_class: int, rng: np.random.Generator, varied: Container[str] = ("u", "v")
    ) -> tuple[np.ndarray, np.ndarray]:
        """Draw ``u`` and ``v`` from the prior of each class.

        Args:
            per_class: number of draws of each class.
            rng: of the draws.
            varied: the latents that are drawn; one that is not is at its mean given the other.

        Returns:
            ``(class, per_class, size)`` float32 each. Where a prior is a Gaussian, the ``i``-th
            draws of all classes share their noise, so that columns compare.
        """

    def noise_for(
        self, latent: str, per_class: int, rng: np.random.Generator, varied: Container[str]
    ) -> np.ndarray:
        """Return standard normal ``(per_class, size)`` for a latent; 0 where it does not vary."""
        shape = (per_class, self.latent_size)
        drawn = rng.standard_normal(shape) if latent in varied else np.zeros(shape)
        return drawn.astype("float32")

    # -- inference ---------------------------------------------------------------------------

    def inferred(self, encoding: Encoding, draws: int, scale: float = 1.0) -> Inferred:
        """Draw ``u``, and ``v`` for every class.

        Args:
            encoding: of a batch.
            draws: number of draws of each row: the batch of the answer is ``draws`` times as long.
            scale: of the noise; 0 gives the means.
        """
        from keras import ops

        posterior_u = (
            self.repeated(encoding.mean, draws),
            self.repeated(encoding.log_variance, draws),
        )
        u = self.sampled_gaussian(*posterior_u, scale, draws=1)
        read = self.repeated(self.read(encoding), draws)
        classes = ops.expand_dims(ops.eye(self.n_clusters), 1)
        posterior_v = self.gaussian("v_posterior", ops.concatenate([read, u], axis=1), classes)
        v = self._draw_v(posterior_v, scale)
        log_classes = self.log_classes(read, u)
        return Inferred(u, posterior_u, log_classes, v, posterior_v, read, classes)

    def gaussian(self, part: str, shared: Any, varying: Any) -> Gaussian:
        """Return the Gaussian that a network gives for each class.

        Args:
            part: the network's name.
            shared: its first inputs, ``(batch, ...)``, or ``None``.
            varying: its other inputs, ``(class, batch or 1, ...)``.

        Returns:
            Mean and bounded log-variance, ``(class, batch, size)`` each.
        """
        from keras import ops

        from archbuild.networks.parts import over_sets

        mean, log_variance = ops.split(over_sets(self.networks[part], shared, varying), 2, axis=-1)
        return mean, objectives.bounded_log_variance(log_variance)

    def read(self, encoding: Encoding) -> Any:
        """Return what the head's networks read of a row, ``(batch, features)``."""
        from keras import ops

        if self.config["reads"] == "features":
            return encoding.features
        return ops.reshape(encoding.inputs, (-1, prod(encoding.inputs.shape[1:])))

    def log_classes(self, read: Any, u: Any) -> Any:
        """Return ``log q(y | u, x)``, ``(batch, class)``."""
        from keras import ops

        logits = self.networks["class_logits"](ops.concatenate([read, u], axis=1))
        return ops.log_softmax(logits, axis=1)

    def _draw_v(self, posterior: Gaussian, scale: float) -> Any:
        """Draw with one noise for all classes of a row: it says less about which is the best."""
        from keras import ops, random

        mean, log_variance = posterior
        noise = scale * random.normal(ops.shape(mean)[1:], seed=self.noise)
        return objectives.reparameterised(mean, log_variance, noise)

    def decoded(
        self, network: Network, classes: Any, u: Any, v: Any, training: bool = False
    ) -> Reconstruction:
        """Decode ``v`` of each row and class.

        Args:
            network: encoder and decoder.
            classes: ``(class, 1 or batch, class)``.
            u: ``(batch, size)`` or ``(class, batch, size)``.
            v: ``(class, batch, size)``.
            training: as of ``forward``.

        Returns:
            ``(class * batch, *input_shape)``, class by class.
        """
        from keras import ops

        sets, batch, size = v.shape[0], ops.shape(v)[1], v.shape[2]
        given = {"class": (classes, self.n_clusters), "u": (u, size)}
        conditions = [
            ops.reshape(ops.broadcast_to(rows, (sets, batch, width)), (-1, width))
            for rows, width in (given[each.name] for each in network.plan.conditions)
        ]
        return network.decode(ops.reshape(v, (-1, size)), (), conditions, training=training)

    def ratios(self, found: Inferred) -> tuple[Any, Any]:
        """Return ``log q - log p`` of every unit of ``u`` and ``v``, ``(class, batch, size)``."""
        from keras import ops

        prior_u, prior_v = self.priors(found)
        of_u = objectives.gaussian_log_ratio(found.u, *found.posterior_u, *prior_u)
        of_v = objectives.gaussian_log_ratio(found.v, *found.posterior_v, *prior_v)
        return ops.broadcast_to(of_u, ops.shape(of_v)), of_v


def network(name: str, inputs: int, config: Mapping[str, Any], outputs: int) -> Part:
    """Return a network of the head's own, with the hidden layers that its fields say."""
    hidden = (PartLayer(units, "relu") for units in config["hidden_units"])
    return Part(name, inputs, (*hidden, PartLayer(outputs)))


def class_and_u(config: Mapping[str, Any], plan: Plan) -> Sequence[Condition]:
    """Return the inputs of a decoder that reads the class, and with ``skip`` ``u`` too."""
    conditions = [Condition("class", config["n_clusters"])]
    return [*conditions, Condition("u", plan.latent_size)] if config["skip"] else conditions


def numpy_gaussian(gaussian: Gaussian, noise: np.ndarray) -> np.ndarray:
    """Draw from a Gaussian of tensors, by standard normal ``noise``, as float32."""
    mean, log_variance = (to_numpy(each) for each in gaussian)
    drawn: np.ndarray = (mean + np.exp(0.5 * log_variance) * noise).astype("float32")
    return drawn
