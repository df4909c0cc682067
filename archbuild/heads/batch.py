"""One training batch: forward through the network, and what a loss may look at."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from archbuild import objectives

if TYPE_CHECKING:
    from archbuild.networks.network import Encoding, Network, Reconstruction


class Forward(NamedTuple):
    """What a pass through network and head gives.

    Attributes:
        encoding: mean and log-variance of the bottleneck, ``(batch, latent)`` each.
        latent: ``(draws * batch, latent)``, what the decoder was given.
        reconstruction: what came out, ``(draws * batch, ...)``; logits under ``bernoulli``.
        extras: further tensors of the head's own ``forward``, by name.
    """

    encoding: Encoding
    latent: Any
    reconstruction: Reconstruction
    extras: Mapping[str, Any] | None = None


class Batch(NamedTuple):
    """What a loss may look at.

    Attributes:
        inputs: ``(batch, ...)``, channels last, before any augmentation: what is to come out.
        forward: the pass of the batch through network and head.
        targets: one constant array per name that ``refresh`` returned, rows of this batch.
        labels: ``(batch,)`` integer classes, -1 where unknown; ``None`` unless the spec has a
            ``supervision`` section.
    """

    inputs: Any
    forward: Forward
    targets: Mapping[str, Any]
    labels: Any = None

    @property
    def encoding(self) -> Encoding:
        """What the encoder gave."""
        return self.forward.encoding

    @property
    def latent(self) -> Any:
        """What the decoder was given, ``(draws * batch, latent)``."""
        return self.forward.latent

    @property
    def reconstruction(self) -> Reconstruction:
        """What came out, ``(draws * batch, ...)``."""
        return self.forward.reconstruction


def autoencode(
    network: Network, inputs: Any, draw: Callable[[Encoding], Any], training: bool
) -> Forward:
    """Encode, draw once, decode."""
    encoding = network.encode(inputs, training=training)
    latent = draw(encoding)
    reconstruction = network.decode(latent, encoding.switches, training=training)
    return Forward(encoding, latent, reconstruction)


def reconstruction_loss(kind: str, inputs: Any, reconstruction: Reconstruction) -> Any:
    """Compute the scalar that a spec's ``reconstruction`` names, in the units of its objective."""
    if kind == "bernoulli":
        return objectives.bernoulli_negative_log_likelihood(inputs, reconstruction.value)
    if kind == "gaussian":
        return objectives.gaussian_negative_log_likelihood(
            inputs, reconstruction.value, reconstruction.log_variance
        )
    return objectives.squared_error(inputs, reconstruction.value)
