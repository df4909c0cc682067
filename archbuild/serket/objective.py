"""``MessagePrior``: the objective of the ``VAE`` module."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from archbuild import objectives
from archbuild.heads.batch import Batch, Forward, autoencode, reconstruction_loss
from archbuild.heads.messages import MessagesHead, message_divergence

if TYPE_CHECKING:
    from archbuild.networks.network import Encoding, Network


class MessagePrior:
    """The two terms of the ``messages`` head, with a noise of its own.

    Args:
        kind: the spec's ``reconstruction``.
        alpha: weight of the divergence.
        seed: random seed of the noise.
    """

    term_names = MessagesHead.term_names
    monitored_names = MessagesHead.monitored_names
    trains_decoder = True
    compiles = True
    draws = 1

    def __init__(self, kind: str, alpha: float, seed: int) -> None:
        import keras

        self._kind, self._alpha = kind, alpha
        self._noise = keras.random.SeedGenerator(seed)

    @property
    def variables(self) -> list[Any]:
        """The state of the noise."""
        return [self._noise.state]

    def draw(self, encoding: Encoding) -> Any:
        """Return a sample of ``q(z | x)``, ``(batch, latent)``."""
        from keras import ops, random

        noise = random.normal(ops.shape(encoding.mean), seed=self._noise)
        return objectives.reparameterised(encoding.mean, encoding.log_variance, noise)

    def forward(self, network: Network, inputs: Any, training: bool) -> Forward:
        """Encode, draw once, decode."""
        return autoencode(network, inputs, self.draw, training)

    def loss_terms(self, batch: Batch) -> dict[str, Any]:
        """Return the two terms, weighted."""
        return {
            "reconstruction": reconstruction_loss(
                self._kind, batch.inputs, batch.reconstruction, batch.present
            ),
            "message_prior": self._alpha * message_divergence(batch),
        }
