"""Input: the shape of one example."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from archbuild.layers.shapes import channels_last
from archbuild.spec.fields import shape
from archbuild.spec.plan import PlannedLayer, Shape
from archbuild.spec.vocabulary import LayerType, ShapeError

if TYPE_CHECKING:
    from archbuild.layers.context import BuildContext


class Input(LayerType):
    """The first layer of every encoder."""

    name = "Input"
    summary = "The shape of one example."
    fields = (
        shape(
            "output_shape",
            "[features], [channels, length], [channels, height, width] or [channels, depth, "
            "height, width], without the batch.",
        ),
    )
    sides = frozenset({"encoder"})
    compiles = True

    def output_shape(self, config: Mapping[str, Any], input_shape: Shape) -> Shape:
        """Return the declared shape; nothing may stand below an Input."""
        if input_shape:
            raise ShapeError("Input must be the first layer", "keep one Input, at the top")
        return self.declared_shape(config)

    def declared_shape(self, config: Mapping[str, Any]) -> Shape:
        """Return the shape that the field gives."""
        return tuple(config["output_shape"])

    def notation(self, config: Mapping[str, Any]) -> str:
        """Return nothing: the line begins with the first layer that computes."""
        return ""

    def mirror(self, layer: PlannedLayer) -> Sequence[Mapping[str, Any]]:
        """Return nothing: the mirror's last step is to reach this layer's shape."""
        return []

    def build(self, layer: PlannedLayer, tensor: Any, context: BuildContext) -> Any:
        """Return a Keras input, channels last; ``tensor`` is ignored."""
        import keras

        return keras.Input(channels_last(layer.output_shape), name=layer.name)
