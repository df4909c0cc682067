"""TimeDistributed: the same layers for every step of a sequence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from archbuild.layers.nested import (
    build_nested,
    nested_layers,
    notation_of,
    parameters_of,
    plan_nested,
)
from archbuild.spec.plan import PlannedLayer, Shape
from archbuild.spec.vocabulary import LayerType, ShapeError

if TYPE_CHECKING:
    from archbuild.layers.context import BuildContext

EACH_STEP: Final = "layers"


class TimeDistributed(LayerType):
    """The same layers for every step of a sequence, with shared weights."""

    name = "TimeDistributed"
    summary = "The same layers, with the same weights, for every step of a sequence."
    fields = (nested_layers(EACH_STEP, "Layers that each step passes through."),)
    sides = frozenset({"encoder"})

    def output_shape(self, config: Mapping[str, Any], input_shape: Shape) -> Shape:
        """Return what the last layer gives for a step, with the steps behind the channels."""
        channels, *rest = self.nested(config, input_shape)[-1].output_shape
        return (channels, input_shape[1], *rest)

    def nested(self, config: Mapping[str, Any], input_shape: Shape) -> tuple[PlannedLayer, ...]:
        """Return the layers, planned for one step."""
        if len(input_shape) not in (2, 4):
            raise ShapeError(
                f"{self.name} works on [channels, steps] or [channels, steps, height, width], but "
                f"{list(input_shape)} comes in",
                "put it behind a RecurrentSpatialTransformer, or leave it out",
            )
        return plan_nested(EACH_STEP, config, _step(input_shape))

    def notation(self, config: Mapping[str, Any]) -> str:
        """Return ``each(32[3x3] fc[10])``: the layers of a step."""
        return f"each({notation_of(EACH_STEP, config)})"

    def parameters(self, config: Mapping[str, Any], input_shape: Shape) -> int:
        """Count those of the layers, once for all steps."""
        return parameters_of(self.nested(config, input_shape))

    def mirror(self, layer: PlannedLayer) -> Sequence[Mapping[str, Any]]:
        """Return nothing: the mirror completes to the input's shape."""
        return []

    def build(self, layer: PlannedLayer, tensor: Any, context: BuildContext) -> Any:
        """Map ``(batch, steps, ...)`` to ``(batch, steps, ...)``."""
        from archbuild.layers import keras_glimpses

        network = build_nested(layer, context, _step(layer.input_shape))
        return keras_glimpses.EachStep(network, name=layer.name)(tensor)


def _step(shape: Shape) -> Shape:
    """Return the shape of one step of ``(channels, steps, ...)``."""
    return (shape[0], *shape[2:])
