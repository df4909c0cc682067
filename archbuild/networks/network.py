"""The built autoencoder: an encoder, a decoder, and what goes between them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import ops

from archbuild.errors import UsageError
from archbuild.spec.plan import Plan


class Encoding(NamedTuple):
    """What the encoder says of a batch.

    Attributes:
        mean: the latent, ``(batch, latent)``; the mean where the bottleneck is Gaussian.
        log_variance: ``(batch, latent)``, within +-10; ``None`` without a Gaussian bottleneck.
        switches: one 0/1 tensor for every pool whose maxima the decoder puts back.
    """

    mean: Any
    log_variance: Any | None
    switches: tuple[Any, ...]


class Reconstruction(NamedTuple):
    """What the decoder makes of latents.

    Attributes:
        value: ``(batch, *input_shape)``, channels last; logits under ``reconstruction: bernoulli``.
        log_variance: of the same shape, within +-10; ``None`` but for ``reconstruction: gaussian``.
    """

    value: Any
    log_variance: Any | None


class Network(keras.Model):
    """An autoencoder as planned. It never draws: heads sample where they want to.

    Args:
        plan: what was built.
        encoder: from a batch to the latent, its log-variance where there is one, the switches.
        decoder: from the latent and the switches to the value and its log-variance, likewise.
    """

    def __init__(self, plan: Plan, encoder: keras.Model, decoder: keras.Model) -> None:
        super().__init__(name="network")
        self.plan = plan
        self.encoder = encoder
        self.decoder = decoder
        # A bound method, so that Keras does not count the same weights a second time.
        self._predict_latents = keras.Model(encoder.input, encoder.outputs[0]).predict_on_batch
        self.built = True

    def encode(self, inputs: Any, training: bool = False) -> Encoding:
        """Encode ``(batch, *input_shape)``, channels last."""
        latent, *rest = keras.tree.flatten(self.encoder(inputs, training=training))
        log_variance = rest.pop(0) if self.plan.stochastic else None
        return Encoding(latent, log_variance, tuple(rest))

    def decode(
        self, latent: Any, switches: Sequence[Any] = (), training: bool = False
    ) -> Reconstruction:
        """Decode ``(batch, latent)``.

        Raises:
            UsageError: the decoder puts maxima back, and no switches are given.
        """
        if self.plan.needs_switches and not switches:
            raise UsageError(
                "this decoder puts values back where the encoder's MaxPool2D* layers found maxima, "
                "so it cannot decode a latent alone; give the encoding's switches, or use "
                "MaxPool2D in the spec"
            )
        given = [latent, *switches] if switches else latent
        value, *rest = keras.tree.flatten(self.decoder(given, training=training))
        return Reconstruction(value, rest[0] if rest else None)

    def expected(self, reconstruction: Reconstruction) -> Any:
        """The mean of the reconstructed data, ``(batch, *input_shape)``."""
        if self.plan.spec.reconstruction == "bernoulli":
            return ops.sigmoid(reconstruction.value)
        return reconstruction.value

    def predict_latents(self, rows: np.ndarray) -> np.ndarray:
        """The latents ``(n, latent)`` of one batch, as NumPy, with inference statistics."""
        return np.asarray(self._predict_latents(rows))

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Encode and decode, the mean in between; ``Reconstruction.value``."""
        encoding = self.encode(inputs, training=training)
        return self.decode(encoding.mean, encoding.switches, training=training).value
