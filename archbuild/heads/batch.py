"""One training batch: the pass through the network, and the input of a loss."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from archbuild import objectives
from archbuild.spec.top import NEGATIVE_BINOMIAL, ZERO_INFLATED

if TYPE_CHECKING:
    from archbuild.networks.network import Encoding, Network, Reconstruction


class Target(NamedTuple):
    """Rows that the decoder is to give back in place of those of the batch.

    Attributes:
        rows: ``(batch, ...)``, channels last.
        present: as ``Batch.present``.
    """

    rows: Any
    present: Any = None


class Forward(NamedTuple):
    """The result of a pass through network and head.

    Attributes:
        encoding: mean and log-variance of the bottleneck, ``(batch, latent)`` each.
        latent: ``(draws * batch, latent)``, the input of the decoder.
        reconstruction: output of the decoder, ``(draws * batch, ...)``; logits under ``bernoulli``;
            ``None`` of a head that decodes nothing.
        extras: further tensors of the head's own ``forward``, by name.
        target: set by training where the decoder has to give back the augmented rows.
    """

    encoding: Encoding
    latent: Any
    reconstruction: Any
    extras: Mapping[str, Any] | None = None
    target: Target | None = None


class Batch(NamedTuple):
    """The input of a loss.

    Attributes:
        inputs: ``(batch, ...)``, channels last, the target of the decoder: before any augmentation,
            unless the decoder reads switches.
        forward: the pass of the batch through network and head.
        targets: the rows of this batch of every array that ``refresh`` returned, by name.
        labels: ``(batch,)`` integer classes, -1 where unknown; ``None`` unless the spec has a
            ``supervision`` section.
        present: the shape of ``inputs``, 1 where a row has a value and 0 in its gaps, which a
            reconstruction loss leaves out; ``None`` where rows have no gaps.
    """

    inputs: Any
    forward: Forward
    targets: Mapping[str, Any]
    labels: Any = None
    present: Any = None

    @property
    def encoding(self) -> Encoding:
        """The output of the encoder."""
        return self.forward.encoding

    @property
    def latent(self) -> Any:
        """The input of the decoder, ``(draws * batch, latent)``."""
        return self.forward.latent

    @property
    def reconstruction(self) -> Reconstruction:
        """The output of the decoder, ``(draws * batch, ...)``."""
        found: Reconstruction = self.forward.reconstruction
        return found


def autoencode(
    network: Network, inputs: Any, draw: Callable[[Encoding], Any], training: bool
) -> Forward:
    """Encode, draw once, decode."""
    encoding = network.encode(inputs, training=training)
    latent = draw(encoding)
    reconstruction = network.decode(latent, encoding.switches, training=training)
    return Forward(encoding, latent, reconstruction)


def reconstruction_loss(
    kind: str,
    inputs: Any,
    reconstruction: Reconstruction,
    present: Any = None,
    by_row: bool = False,
) -> Any:
    """Compute the loss that a spec's ``reconstruction`` names, a scalar in its own units.

    Args:
        kind: the spec's ``reconstruction``.
        inputs: what is to come out, ``(batch, ...)``.
        reconstruction: what came out.
        present: as ``Batch.present``.
        by_row: whether to return ``-log p(x | z)`` of each row, ``(batch,)``; ``squared_error`` has
            none.
    """
    value, rest = reconstruction.value, (present, by_row)
    if kind == "bernoulli":
        return objectives.bernoulli_negative_log_likelihood(inputs, value, *rest)
    if kind == "gaussian":
        return objectives.gaussian_negative_log_likelihood(
            inputs, value, reconstruction.log_variance, *rest
        )
    if kind == NEGATIVE_BINOMIAL:
        return objectives.negative_binomial_negative_log_likelihood(
            inputs, value, reconstruction.log_dispersion, *rest
        )
    if kind == ZERO_INFLATED:
        return objectives.zero_inflated_negative_log_likelihood(
            inputs, value, reconstruction.log_dispersion, reconstruction.dropout_logits, *rest
        )
    if by_row:
        raise ValueError(f"reconstruction '{kind}' is no likelihood, so no bound can be had of it")
    return objectives.squared_error(inputs, value, present)
