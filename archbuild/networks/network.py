"""The built autoencoder: an encoder, a decoder, and what goes between them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import ops

from archbuild import objectives
from archbuild.data.counts import TARGET_SUM
from archbuild.environment import FLOAT32
from archbuild.errors import UsageError
from archbuild.layers.context import Level
from archbuild.layers.keras_glimpses import first_transformer
from archbuild.networks.hierarchy import Steps
from archbuild.networks.rows import by_rows, to_numpy
from archbuild.spec.plan import Plan, PlannedLayer
from archbuild.spec.top import OF_COUNTS


class Encoding(NamedTuple):
    """The encoder's output for a batch.

    Attributes:
        mean: the latent, ``(batch, latent)``; the mean where the bottleneck is Gaussian.
        log_variance: ``(batch, latent)``, within +-10; ``None`` without a Gaussian bottleneck.
        features: what a Gaussian bottleneck reads, ``(batch, features)``; ``None`` without one.
        switches: one tensor for each encoder layer whose switches the decoder reads, from below:
            of a pool 0 and 1 in its input's shape, of a spatial transformer the maps.
        inner: what the Gaussian layers below the bottleneck give, bottom first.
        inputs: what was encoded, ``(batch, *input_shape)``.
    """

    mean: Any
    log_variance: Any | None
    features: Any | None
    switches: tuple[Any, ...]
    inner: tuple[Level, ...] = ()
    inputs: Any = None

    @property
    def levels(self) -> tuple[Level, ...]:
        """The output of every Gaussian layer, bottom first: last that of a Gaussian bottleneck."""
        if self.log_variance is None:
            return self.inner
        return (*self.inner, Level(self.mean, self.log_variance, self.features))


class Reconstruction(NamedTuple):
    """The decoder's output for latents.

    Attributes:
        value: ``(batch, *input_shape)``, channels last; logits under ``reconstruction: bernoulli``
            and those of counts.
        log_variance: of the same shape, within +-10; ``None`` but for ``reconstruction: gaussian``.
        log_dispersion: of the same shape, within +-10; ``None`` but for reconstructions of counts.
        dropout_logits: of the same shape; ``None`` but for ``zero_inflated_negative_binomial``.
    """

    value: Any
    log_variance: Any | None
    log_dispersion: Any | None = None
    dropout_logits: Any | None = None


class Glimpses(NamedTuple):
    """The glimpses that a spatial transformer samples from images, and their maps.

    Attributes:
        maps: ``(batch, steps, 6)``, affine maps (``layers/affine.py``); one step if not recurrent.
        glimpses: ``(batch, steps, height, width, channels)``.
    """

    maps: np.ndarray
    glimpses: np.ndarray


class Network(keras.Model):
    """An autoencoder as planned. It never draws: heads sample.

    Args:
        plan: what was built.
        encoder: from a batch to the latent, its log-variance where there is one, the switches.
        decoder: from the latent and the switches to the value and its log-variance, likewise; and
            the priors of the levels below, top first; ``None`` under ``decoder: none``.
        precision: in which the layers of both compute.
    """

    def __init__(
        self,
        plan: Plan,
        encoder: keras.Model,
        decoder: keras.Model | None,
        precision: str = FLOAT32,
    ) -> None:
        super().__init__(name="network")
        self.plan = plan
        self.precision = precision
        self.encoder = encoder
        self.decoder: Any = decoder
        self.predict_latents = self.reader(lambda encoding: encoding.mean)
        """``(n, *input_shape)`` to the latents ``(n, latent)``, with inference statistics."""
        self.built = True

    def choose_trained(self, decoder: bool, log_variance: bool) -> None:
        """Say what is trained beside the encoder: what no loss reaches must not be."""
        if self.decoder is not None:
            self.decoder.trainable = decoder
            self._train_log_variances(self.decoder, self.plan.priors, decoder and log_variance)
        self._train_log_variances(self.encoder, self.plan.stochastic_layers, log_variance)

    @staticmethod
    def _train_log_variances(
        half: keras.Model, levels: Sequence[PlannedLayer], trained: bool
    ) -> None:
        prefixes = tuple(f"{level.name}_log_variance" for level in levels)
        for layer in half.layers if prefixes else ():
            if layer.name.startswith(prefixes):
                layer.trainable = trained

    def encode(self, inputs: Any, training: bool = False) -> Encoding:
        """Encode ``(batch, *input_shape)``, channels last."""
        outputs = keras.tree.flatten(self.encoder(inputs, training=training))
        return self._encoding(outputs)._replace(inputs=inputs)

    def decode(
        self,
        latent: Any,
        switches: Sequence[Any] = (),
        conditions: Sequence[Any] = (),
        training: bool = False,
    ) -> Reconstruction:
        """Decode ``(batch, latent)``.

        Args:
            latent: what to decode.
            switches: those of the encoding, where the decoder reads some; without them, their
                defaults.
            conditions: ``(batch, size)`` each, the plan's ``conditions`` in their order.
            training: whether batch statistics and dropout are those of training.

        Raises:
            UsageError: there is no decoder; or it reads switches without a default, and none are
                given.
        """
        if self.decoder is None:
            raise UsageError(
                "the network has no decoder, under decoder: none, so nothing is decoded"
            )
        if self.plan.undone and not switches:
            latent = ops.convert_to_tensor(latent)
            switches = self._default_switches(latent)
        further = [*switches, *conditions]
        given = [latent, *further] if further else latent
        outputs = keras.tree.flatten(self.decoder(given, training=training))
        return self._reconstruction(outputs[: self._n_reconstructed])

    def _default_switches(self, latent: Any) -> list[Any]:
        """Return the switches of latents that come from no rows, ``(batch, ...)`` each."""
        if self.plan.needs_switches:
            raise UsageError(
                "this decoder puts values back where the encoder's MaxPool2D* layers found maxima, "
                "so it cannot decode a latent alone; give the encoding's switches, or use "
                "MaxPool2D in the spec"
            )
        ones = ops.ones_like(latent[:, :1])
        return [
            ones * ops.convert_to_tensor([switches.default], ones.dtype)
            for _, switches in self.plan.undone
        ]

    @cached_property
    def _n_reconstructed(self) -> int:
        """Number of the decoder's outputs that are no priors of levels."""
        return len(self.decoder.outputs) - len(Level._fields) * len(self.plan.priors)

    def _reconstruction(self, outputs: Sequence[Any]) -> Reconstruction:
        value, *rest = outputs
        if self.plan.spec.reconstruction in OF_COUNTS:
            return Reconstruction(value, None, *rest)
        return Reconstruction(value, rest[0] if rest else None)

    # -- hierarchies: one level at a time -------------------------------------------------

    @cached_property
    def _upward(self) -> Steps:
        """The encoder, cut at its levels: the inputs are the rows, then each level but the top."""
        levels = self._encoding(self.encoder.outputs).levels
        return Steps([self.encoder.input, *(level[:2] for level in levels)])

    @cached_property
    def _downward(self) -> Steps:
        """The decoder, cut at its levels: from the top latent to the rows."""
        outputs, first, size = self.decoder.outputs, self._n_reconstructed, len(Level._fields)
        priors = [outputs[at : at + 2] for at in range(first, len(outputs), size)]
        return Steps([self.decoder.input, *priors, outputs[:first]])

    def encode_above(self, level: int, latent: Any, training: bool = False) -> tuple[Any, Any]:
        """Return mean and log-variance of the level above ``level``, given a draw of that.

        Args:
            level: counted from 1 at the bottom; 0: ``latent`` is a batch of rows.
            latent: ``(batch, size)`` of the level.
            training: whether batch statistics and dropout are those of training.
        """
        mean, log_variance = self._upward(level, latent, training)
        return mean, log_variance

    def prior(self, level: int, above: Any, training: bool = False) -> tuple[Any, Any]:
        """Return mean and log-variance of ``p(z | above)`` of ``level``, which is not the top one.

        Args:
            level: counted from 1 at the bottom.
            above: ``(batch, size)``, a draw of the level above it.
            training: as in ``encode_above``.
        """
        step = len(self.plan.priors) - level
        mean, log_variance = self._downward(step, above, training)
        return mean, log_variance

    def decode_lowest(self, latent: Any, training: bool = False) -> Reconstruction:
        """Decode ``(batch, size)`` of the lowest level; the only one's where there is only one."""
        return self._reconstruction(self._downward(len(self.plan.priors), latent, training))

    def expected(self, reconstruction: Reconstruction, inputs: Any = None) -> Any:
        """Return the mean of the reconstructed data, ``(batch, *input_shape)``.

        Args:
            reconstruction: what the decoder gave.
            inputs: the rows that were encoded. A row of counts is expected to have their sum, or
                without them 10,000.
        """
        if self.plan.spec.reconstruction in OF_COUNTS:
            size = TARGET_SUM if inputs is None else objectives.library_size(inputs)
            mean = size * ops.softmax(reconstruction.value, axis=-1)
            dropout = reconstruction.dropout_logits
            return mean if dropout is None else mean * ops.sigmoid(-dropout)
        if self.plan.spec.reconstruction == "bernoulli":
            return ops.sigmoid(reconstruction.value)
        return reconstruction.value

    def decode_rows(self, latents: np.ndarray) -> np.ndarray:
        """Return ``(n, *input_shape)`` means of ``p(x | z)`` for latents ``(n, latent)``.

        Any number of latents: they are decoded a fixed number at a time.

        Raises:
            UsageError: the decoder puts maxima back where the encoder found them.
        """
        return by_rows(
            lambda part: self.expected(self.decode(part)), np.asarray(latents, "float32")
        )

    def reader(self, code: Callable[[Encoding], Any]) -> Callable[[np.ndarray], np.ndarray]:
        """Return a function from ``(n, *input_shape)`` to ``code(encoding)`` as NumPy.

        Compiled, and with inference statistics; it follows the weights.
        """
        rows = self.encoder.input
        model = keras.Model(rows, code(self._encoding(self.encoder.outputs)._replace(inputs=rows)))
        return lambda rows: np.asarray(model.predict_on_batch(rows))

    def glimpses(self, inputs: Any) -> Glimpses:
        """Return the glimpses that the first spatial transformer takes of ``(batch, ...)`` rows.

        Raises:
            ValueError: the encoder has none.
        """
        taken = keras.Model(self.encoder.input, first_transformer(self.encoder).output)
        glimpses, maps = map(to_numpy, taken(inputs))
        if maps.ndim == 2:
            glimpses, maps = glimpses[:, np.newaxis], maps[:, np.newaxis]
        return Glimpses(maps, glimpses)

    def _encoding(self, outputs: Sequence[Any]) -> Encoding:
        mean, *rest = outputs
        log_variance = features = None
        if self.plan.stochastic:
            log_variance, features, *rest = rest
        size = len(Level._fields)
        n_inner = len(self.plan.stochastic_layers) - self.plan.stochastic
        first = len(rest) - size * n_inner
        inner = (Level(*rest[at : at + size]) for at in range(first, len(rest), size))
        return Encoding(mean, log_variance, features, tuple(rest[:first]), tuple(inner))

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Encode and decode, the mean in between; ``Reconstruction.value``."""
        encoding = self.encode(inputs, training=training)
        return self.decode(encoding.mean, encoding.switches, training=training).value
