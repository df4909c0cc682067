"""Functions that the layers' ``build`` methods share; Keras is imported inside."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from archbuild.spec.fields import NON_LINEARITIES
from archbuild.spec.plan import PlannedLayer

if TYPE_CHECKING:
    from archbuild.layers.context import BuildContext

# The seed's own constants (Lasagne's defaults). Keras's momentum of 0.99 would need some hundred
# steps before the running statistics mean anything, which is many epochs of a small dataset.
BATCH_NORM_MOMENTUM: Final = 0.9
BATCH_NORM_EPSILON: Final = 1e-4


def glorot_uniform(context: BuildContext) -> Any:
    """Return a Glorot uniform initialiser with the next seed of the network."""
    import keras

    return keras.initializers.GlorotUniform(seed=context.next_seed())


def flat(tensor: Any, name: str) -> Any:
    """Flatten ``(batch, ..., channels)`` to ``(batch, features)``, in channels-last order."""
    import keras

    return tensor if len(tensor.shape) == 2 else keras.layers.Flatten(name=f"{name}_flat")(tensor)


def zero_padded(tensor: Any, amounts: Sequence[tuple[int, int]], name: str) -> Any:
    """Put zeros around: ``(before, after)`` for each spatial axis; nothing where all are 0."""
    import keras

    if not any(map(any, amounts)):
        return tensor
    axes = len(amounts)
    pad = getattr(keras.layers, f"ZeroPadding{axes}D")
    return pad(tuple(amounts) if axes > 1 else amounts[0], name=f"{name}_padding")(tensor)


def cropped(tensor: Any, amounts: Sequence[tuple[int, int]], name: str) -> Any:
    """Cut rows and columns: ``(before, after)`` for each spatial axis; nothing where all are 0."""
    import keras

    if not any(map(any, amounts)):
        return tensor
    axes = len(amounts)
    crop = getattr(keras.layers, f"Cropping{axes}D")
    amount = tuple(amounts) if axes > 1 else amounts[0]
    return crop(amount, name=f"{name}_crop")(tensor)


def batch_normalised(tensor: Any, name: str) -> Any:
    """Apply batch normalisation over every axis but the channels."""
    import keras

    layer = keras.layers.BatchNormalization(
        momentum=BATCH_NORM_MOMENTUM, epsilon=BATCH_NORM_EPSILON, name=name
    )
    return layer(tensor)


def activated(tensor: Any, layer: PlannedLayer) -> Any:
    """Return the layer's non-linearity; nothing where it is linear."""
    import keras

    given = layer.config["non_linearity"]
    if not isinstance(given, str):
        leaky = keras.layers.LeakyReLU(given["slope"], name=f"{layer.name}_leaky_relu")
        return leaky(tensor)
    activation = NON_LINEARITIES[given]
    if activation == "linear":
        return tensor
    return keras.layers.Activation(activation, name=f"{layer.name}_{activation}")(tensor)


def finished(tensor: Any, layer: PlannedLayer) -> Any:
    """Apply batch normalisation where planned, and then the non-linearity."""
    if layer.batch_norm:
        tensor = batch_normalised(tensor, f"{layer.name}_batch_norm")
    return activated(tensor, layer)
