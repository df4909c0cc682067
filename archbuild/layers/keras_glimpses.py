"""Keras layers of spatial transformers: glimpses of images, and the way back into the image."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any, ClassVar

import keras
from keras import ops

from archbuild.layers.affine import IDENTITY, TRANSFORMS
from archbuild.layers.sampling import inverse, sample

_saveable = keras.saving.register_keras_serializable(package="archbuild")


class _Transformer(keras.layers.Layer):
    """Base of layers that find affine maps of images, and sample what they show."""

    owned: ClassVar[tuple[str, ...]] = ("localisation",)
    """The constructor's arguments that are layers."""

    def __init__(
        self,
        localisation: keras.layers.Layer,
        downsample: float = 1.0,
        transform: str = "affine",
        outside: str = "zeros",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if downsample < 1 or transform not in TRANSFORMS or outside not in ("zeros", "border"):
            raise ValueError(
                "expected downsample of at least 1, transform affine, attention or translation, "
                f"and outside zeros or border, got {downsample}, {transform} and {outside}"
            )
        self.localisation = localisation
        self.downsample, self.transform, self.outside = downsample, transform, outside
        self.input_spec = keras.layers.InputSpec(ndim=4)
        # from zeros: every map is the identity at first
        self.free = keras.layers.Dense(
            len(TRANSFORMS[transform]), kernel_initializer="zeros", name="free"
        )

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Build the localisation, and what makes maps of its output."""
        if not self.localisation.built:
            self.localisation.build(input_shape)
        self._size = glimpse_size(input_shape[1:3], self.downsample)
        self._features = prod(self.localisation.compute_output_shape(input_shape)[1:])
        self.free.build((None, self._build_states(self._features)))

    def _build_states(self, features: int) -> int:
        """Build what stands between features and maps; return the numbers it gives."""
        return features

    def call(self, inputs: Any, training: bool = False) -> tuple[Any, Any]:
        """Return the glimpses and the maps."""
        features = self.localisation(inputs, training=training)
        features = ops.reshape(features, (-1, self._features))
        changes = ops.convert_to_tensor(TRANSFORMS[self.transform], self.compute_dtype)
        free = self.free(self._states(features, training))
        theta = ops.convert_to_tensor(IDENTITY, self.compute_dtype) + ops.matmul(free, changes)
        return sample(inputs, theta, self._size, self.outside), theta

    def _states(self, features: Any, training: bool) -> Any:
        return features

    def get_config(self) -> dict[str, Any]:
        """Return what the constructor takes."""
        layers = {
            name: keras.saving.serialize_keras_object(getattr(self, name)) for name in self.owned
        }
        own = {"downsample": self.downsample, "transform": self.transform, "outside": self.outside}
        return {**super().get_config(), **layers, **own}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> keras.layers.Layer:
        """Return the layer of a config."""
        layers = {name: keras.saving.deserialize_keras_object(config[name]) for name in cls.owned}
        return cls(**{**config, **layers})


@_saveable
class SpatialTransformer(_Transformer):
    """A glimpse of each image, under an affine map that is found for it.

    Source: Jaderberg et al., arXiv 1506.02025. The map is the identity before training. Sampling is
    bilinear.

    Args:
        localisation: a layer or a model, from images to features of any shape.
        downsample: height and width of the image over those of the glimpse, rounded down.
        transform: the maps that can be found: ``affine``, ``attention`` (one factor for both axes,
            and a shift) or ``translation``.
        outside: the values beyond the border of an image: ``zeros``, or ``border``, those of the
            nearest pixel.

    Input shape: ``(batch, height, width, channels)``; height and width have to be known.

    Output: the glimpses, ``(batch, height // downsample, width // downsample, channels)``, and the
    maps, ``(batch, 6)``, as ``InverseSpatialTransformer`` takes them.
    """


@_saveable
class RecurrentSpatialTransformer(_Transformer):
    """A sequence of glimpses of each image, under maps that a recurrent layer finds one by one.

    Source: Sønderby et al., arXiv 1509.05329: the features of the localisation enter at every step.

    Args:
        localisation: as of ``SpatialTransformer``.
        recurrent: a recurrent layer with ``return_sequences=True``.
        steps: number of glimpses.
        downsample, transform, outside: as of ``SpatialTransformer``.

    Input shape: ``(batch, height, width, channels)``; height and width have to be known.

    Output: the glimpses, ``(batch, steps, height // downsample, width // downsample, channels)``,
    and the maps, ``(batch, steps, 6)``.
    """

    owned = ("localisation", "recurrent")

    def __init__(
        self,
        localisation: keras.layers.Layer,
        recurrent: keras.layers.Layer,
        steps: int,
        **kwargs: Any,
    ) -> None:
        super().__init__(localisation, **kwargs)
        self.recurrent, self.steps = recurrent, steps

    def _build_states(self, features: int) -> int:
        sequence = (None, self.steps, features)
        if not self.recurrent.built:
            self.recurrent.build(sequence)
        return int(self.recurrent.compute_output_shape(sequence)[-1])

    def _states(self, features: Any, training: bool) -> Any:
        repeated = ops.repeat(features[:, None], self.steps, axis=1)
        return self.recurrent(repeated, training=training)

    def get_config(self) -> dict[str, Any]:
        """Return what the constructor takes."""
        return {**super().get_config(), "steps": self.steps}


@_saveable
class InverseSpatialTransformer(keras.layers.Layer):
    """Put glimpses back to where a ``SpatialTransformer`` found them.

    Each image is sampled from its glimpse, under the inverse map; beyond the glimpse are the values
    of its nearest pixel.

    Args:
        size: height and width of the images.

    Input: a list of the glimpses, ``(batch, height, width, channels)``, and the maps that took
    them, ``(batch, 6)``.

    Output shape: ``(batch, *size, channels)``.
    """

    def __init__(self, size: Sequence[int], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.size = tuple(size)

    def call(self, inputs: Sequence[Any]) -> Any:
        """Return the images."""
        glimpses, theta = inputs
        return sample(glimpses, inverse(theta), self.size, "border")

    def get_config(self) -> dict[str, Any]:
        """Return what the constructor takes."""
        return {**super().get_config(), "size": self.size}


@_saveable
class EachStep(keras.layers.Layer):
    """One layer for every step of a sequence, all steps at once.

    Args:
        layer: a layer or a model, from ``(batch, ...)`` to ``(batch, ...)``.

    Input shape: ``(batch, steps, ...)``; the number of steps has to be known.

    Output shape: ``(batch, steps, ...)``, what the layer gives for each.
    """

    def __init__(self, layer: keras.layers.Layer, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.layer = layer

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Build the layer for one step."""
        if not self.layer.built:
            self.layer.build((None, *input_shape[2:]))

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Count the steps as rows, apply the layer, and count them as steps again."""
        steps = inputs.shape[1]
        rows = self.layer(ops.reshape(inputs, (-1, *inputs.shape[2:])), training=training)
        return ops.reshape(rows, (-1, steps, *rows.shape[1:]))

    def get_config(self) -> dict[str, Any]:
        """Return what the constructor takes."""
        return {**super().get_config(), "layer": keras.saving.serialize_keras_object(self.layer)}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> keras.layers.Layer:
        """Return the layer of a config."""
        return cls(**{**config, "layer": keras.saving.deserialize_keras_object(config["layer"])})


def glimpse_size(image: Sequence[int | None], downsample: float) -> tuple[int, ...]:
    """Return height and width of the glimpses of images of this height and width."""
    return tuple(int(extent / downsample) for extent in image if extent is not None)


def first_transformer(model: keras.Model) -> keras.layers.Layer:
    """Return the first layer of a model that takes glimpses.

    Raises:
        ValueError: there is none.
    """
    for layer in model.layers:
        if isinstance(layer, _Transformer):
            return layer
    raise ValueError(f"no layer of the model '{model.name}' takes glimpses")
