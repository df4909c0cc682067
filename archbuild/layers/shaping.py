"""Reshape, Flatten and Concat: layers that only arrange numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from archbuild.layers.building import flat
from archbuild.layers.shapes import channels_last, flat_size, require_earlier, require_input
from archbuild.spec.field import Field
from archbuild.spec.fields import shape
from archbuild.spec.plan import PlannedLayer, Shape
from archbuild.spec.vocabulary import LayerType, ShapeError

if TYPE_CHECKING:
    from archbuild.layers.context import BuildContext


class Reshape(LayerType):
    """The same numbers in another shape, in channels-last order."""

    name = "Reshape"
    summary = "The same numbers in another shape."
    fields = (shape("output_shape", "The new shape, channels first, without the batch."),)
    mirroring = "passing"
    compiles = True

    def output_shape(self, config: Mapping[str, Any], input_shape: Shape) -> Shape:
        """Return the declared shape, which must take as many numbers as come in."""
        require_input(self.name, input_shape)
        wanted = self.declared_shape(config)
        if flat_size(wanted) != flat_size(input_shape):
            raise ShapeError(
                f"{list(input_shape)} holds {flat_size(input_shape):,} numbers, and "
                f"{list(wanted)} {flat_size(wanted):,}",
                f"put a Dense with num_units {flat_size(wanted)} before it, or correct "
                "output_shape",
            )
        return wanted

    def declared_shape(self, config: Mapping[str, Any]) -> Shape:
        """Return the shape that the field gives."""
        return tuple(config["output_shape"])

    def notation(self, config: Mapping[str, Any]) -> str:
        """Return ``rsh``."""
        return "rsh"

    def mirror(self, layer: PlannedLayer) -> Sequence[Mapping[str, Any]]:
        """Return a Reshape back."""
        return [{"type": "Reshape", "output_shape": list(layer.input_shape)}]

    def build(self, layer: PlannedLayer, tensor: Any, context: BuildContext) -> Any:
        """Map ``(batch, ...)`` to ``(batch, *output_shape)``, channels last."""
        import keras

        return keras.layers.Reshape(channels_last(layer.output_shape), name=layer.name)(tensor)


class Flatten(LayerType):
    """The same numbers in one row, in channels-last order."""

    name = "Flatten"
    summary = "The same numbers in one row."
    mirroring = "passing"
    compiles = True

    def output_shape(self, config: Mapping[str, Any], input_shape: Shape) -> Shape:
        """Return ``(features,)``."""
        return (flat_size(require_input(self.name, input_shape)),)

    def notation(self, config: Mapping[str, Any]) -> str:
        """Return ``flat``."""
        return "flat"

    def mirror(self, layer: PlannedLayer) -> Sequence[Mapping[str, Any]]:
        """Return a Reshape back."""
        return [{"type": "Reshape", "output_shape": list(layer.input_shape)}]

    def build(self, layer: PlannedLayer, tensor: Any, context: BuildContext) -> Any:
        """Map ``(batch, ...)`` to ``(batch, features)``."""
        import keras

        return keras.layers.Flatten(name=layer.name)(tensor)


class Concat(LayerType):
    """The outputs of several encoder layers, flattened and joined in the order given."""

    name = "Concat"
    summary = "Joins the outputs of several earlier encoder layers, flattened."
    fields = (
        Field(
            "of",
            {
                "type": "array",
                "items": {"type": "integer", "minimum": 0, "maximum": 10_000},
                "minItems": 1,
                "maxItems": 100,
                "uniqueItems": True,
            },
            doc="The encoder layers, counted from 0, that are joined.",
        ),
    )
    sides = frozenset({"encoder"})
    mirroring = "code"
    compiles = True

    def output_shape(self, config: Mapping[str, Any], input_shape: Shape) -> Shape:
        """Raise: the shape depends on the other layers (``shape_in_network``)."""
        raise ShapeError(
            f"{self.name} takes its shape from the encoder layers that it joins",
            "use it in an encoder, after these layers",
        )

    def shape_in_network(
        self, config: Mapping[str, Any], input_shape: Shape, encoder: Mapping[int, PlannedLayer]
    ) -> Shape:
        """Return ``(features,)``, all joined."""
        require_earlier(config["of"], encoder)
        return (sum(flat_size(encoder[index].output_shape) for index in config["of"]),)

    def reads(self, config: Mapping[str, Any], index: int) -> Sequence[int]:
        """Return the layers that are joined."""
        return tuple(config["of"])

    def notation(self, config: Mapping[str, Any]) -> str:
        """Return ``cat[1,3]``: the layers that are joined."""
        return f"cat[{','.join(map(str, config['of']))}]"

    def mirror(self, layer: PlannedLayer) -> Sequence[Mapping[str, Any]]:
        """Return nothing: the layers that are joined are undone one by one."""
        return []

    def build(self, layer: PlannedLayer, tensor: Any, context: BuildContext) -> Any:
        """Join layers to ``(batch, features)``; ``tensor`` counts only if it is named."""
        import keras

        parts = [
            flat(context.outputs[index], f"{layer.name}_{index}") for index in layer.config["of"]
        ]
        if len(parts) == 1:
            return parts[0]
        return keras.layers.Concatenate(name=layer.name)(parts)
