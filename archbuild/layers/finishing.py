"""Layers that finish another one and keep its shape: Activation, PReLU, LayerNorm, GroupNorm."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from archbuild.layers.building import activated
from archbuild.layers.shapes import require_input
from archbuild.spec.fields import integer, non_linearity
from archbuild.spec.plan import PlannedLayer, Shape
from archbuild.spec.vocabulary import LayerType, ShapeError

if TYPE_CHECKING:
    from archbuild.layers.context import BuildContext

FIRST_SLOPE: Final = 0.25
"""Of PReLU: He et al., arXiv 1502.01852."""


class Finishing(LayerType):
    """A layer that keeps the shape, and is mirrored by one of its own kind."""

    mirroring = "finishing"
    compiles = True

    def output_shape(self, config: Mapping[str, Any], input_shape: Shape) -> Shape:
        """Return the shape that comes in."""
        return require_input(self.name, input_shape)

    def mirror(self, layer: PlannedLayer) -> Sequence[Mapping[str, Any]]:
        """Return the type with the fields of ``layer``."""
        return [{"type": self.name, **layer.config}]


class Activation(Finishing):
    """A non-linearity on its own, after a layer that is linear."""

    name = "Activation"
    summary = "A non-linearity on its own."
    fields = (non_linearity(),)

    def notation(self, config: Mapping[str, Any]) -> str:
        """Return ``act``."""
        return "act"

    def build(self, layer: PlannedLayer, tensor: Any, context: BuildContext) -> Any:
        """Return the shape that comes in."""
        return activated(tensor, layer)


class PReLU(Finishing):
    """A rectifier whose slope below 0 is learnt, one for each channel."""

    name = "PReLU"
    summary = "A rectifier whose slope below 0 is learnt, one for each channel."

    def parameters(self, config: Mapping[str, Any], input_shape: Shape) -> int:
        """Count one slope for each channel."""
        return input_shape[0]

    def notation(self, config: Mapping[str, Any]) -> str:
        """Return ``prelu``."""
        return "prelu"

    def build(self, layer: PlannedLayer, tensor: Any, context: BuildContext) -> Any:
        """Return the shape that comes in."""
        import keras

        places = list(range(1, len(layer.output_shape)))
        slope = keras.initializers.Constant(FIRST_SLOPE)
        return keras.layers.PReLU(slope, shared_axes=places or None, name=layer.name)(tensor)


class LayerNorm(Finishing):
    """Layer normalisation over the channels, at each place for itself."""

    name = "LayerNorm"
    summary = "Layer normalisation over the channels, at each place for itself."

    def parameters(self, config: Mapping[str, Any], input_shape: Shape) -> int:
        """Count scale and offset of each channel."""
        return 2 * input_shape[0]

    def notation(self, config: Mapping[str, Any]) -> str:
        """Return ``ln``."""
        return "ln"

    def build(self, layer: PlannedLayer, tensor: Any, context: BuildContext) -> Any:
        """Return the shape that comes in."""
        import keras

        return keras.layers.LayerNormalization(name=layer.name)(tensor)


class GroupNorm(Finishing):
    """Normalisation over all places and the channels of a group (Wu and He, arXiv 1803.08494)."""

    name = "GroupNorm"
    summary = "Normalisation over all places and the channels of a group."
    fields = (integer("groups", "Number of groups of channels.", default=8),)

    def output_shape(self, config: Mapping[str, Any], input_shape: Shape) -> Shape:
        """Return the shape that comes in, whose channels the groups must divide."""
        shape = super().output_shape(config, input_shape)
        if shape[0] % config["groups"]:
            raise ShapeError(
                f"{config['groups']} groups do not divide the {shape[0]} channels that come in",
                "choose groups that divide them",
            )
        return shape

    def parameters(self, config: Mapping[str, Any], input_shape: Shape) -> int:
        """Count scale and offset of each channel."""
        return 2 * input_shape[0]

    def notation(self, config: Mapping[str, Any]) -> str:
        """Return ``gn[8]``."""
        return f"gn[{config['groups']}]"

    def build(self, layer: PlannedLayer, tensor: Any, context: BuildContext) -> Any:
        """Return the shape that comes in."""
        import keras

        return keras.layers.GroupNormalization(layer.config["groups"], name=layer.name)(tensor)
