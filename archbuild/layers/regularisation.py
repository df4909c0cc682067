"""Dropout, GaussianNoise and BatchNorm."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from archbuild.layers.building import activated, batch_normalised
from archbuild.layers.shapes import require_input
from archbuild.spec.field import Field
from archbuild.spec.fields import non_linearity, number
from archbuild.spec.plan import PlannedLayer, Shape
from archbuild.spec.vocabulary import LayerType

if TYPE_CHECKING:
    from archbuild.layers.context import BuildContext


class Dropout(LayerType):
    """In training, sets a share of the numbers to zero and scales the others up."""

    name = "Dropout"
    summary = "Sets a share of the numbers to zero while training."
    fields = (
        Field(
            "rate",
            {"type": "number", "minimum": 0, "exclusiveMaximum": 1},
            doc="The share that is set to zero, 0 <= rate < 1.",
        ),
    )
    mirroring = "passing"
    compiles = True

    def output_shape(self, config: Mapping[str, Any], input_shape: Shape) -> Shape:
        """Return the shape that comes in."""
        return require_input(self.name, input_shape)

    def notation(self, config: Mapping[str, Any]) -> str:
        """Return ``drop[0.2]``."""
        return f"drop[{config['rate']:g}]"

    def mirror(self, layer: PlannedLayer) -> Sequence[Mapping[str, Any]]:
        """Return nothing: there is no way back, and none is needed."""
        return []

    def build(self, layer: PlannedLayer, tensor: Any, context: BuildContext) -> Any:
        """Return the shape that comes in."""
        import keras

        dropout = keras.layers.Dropout(
            layer.config["rate"], seed=context.next_seed(), name=layer.name
        )
        return dropout(tensor)


class GaussianNoise(LayerType):
    """In training, adds normal noise; at the input, the network learns to take it away."""

    name = "GaussianNoise"
    summary = "Adds normal noise while training; the loss compares with the input without it."
    fields = (number("stddev", "Standard deviation of the noise.", above=0.0),)
    mirroring = "passing"
    compiles = True

    def output_shape(self, config: Mapping[str, Any], input_shape: Shape) -> Shape:
        """Return the shape that comes in."""
        return require_input(self.name, input_shape)

    def notation(self, config: Mapping[str, Any]) -> str:
        """Return ``noise[0.1]``."""
        return f"noise[{config['stddev']:g}]"

    def mirror(self, layer: PlannedLayer) -> Sequence[Mapping[str, Any]]:
        """Return nothing: there is no way back, and none is needed."""
        return []

    def build(self, layer: PlannedLayer, tensor: Any, context: BuildContext) -> Any:
        """Return the shape that comes in."""
        from archbuild.layers import keras_layers

        noise = keras_layers.Noise(layer.config["stddev"], context.next_seed(), name=layer.name)
        return noise(tensor)


class BatchNorm(LayerType):
    """Batch normalisation over every axis but the channels, at any place."""

    name = "BatchNorm"
    summary = "Batch normalisation, then a non-linearity."
    fields = (non_linearity(default="linear"),)
    mirroring = "passing"
    compiles = True

    def output_shape(self, config: Mapping[str, Any], input_shape: Shape) -> Shape:
        """Return the shape that comes in."""
        return require_input(self.name, input_shape)

    def parameters(self, config: Mapping[str, Any], input_shape: Shape) -> int:
        """Count scale, offset, running mean and running variance of each channel."""
        return 4 * input_shape[0]

    def notation(self, config: Mapping[str, Any]) -> str:
        """Return ``bn``."""
        return "bn"

    def mirror(self, layer: PlannedLayer) -> Sequence[Mapping[str, Any]]:
        """Return a BatchNorm with the same non-linearity."""
        return [{"type": "BatchNorm", **layer.config}]

    def build(self, layer: PlannedLayer, tensor: Any, context: BuildContext) -> Any:
        """Return the shape that comes in."""
        return activated(batch_normalised(tensor, layer.name), layer)
