"""Dense: every unit is connected with every number below."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from archbuild.layers.building import finished, flat
from archbuild.layers.shapes import flat_size, require_input
from archbuild.layers.weights import BATCH_NORM, WEIGHT_FIELDS, kernel_settings, use_bias
from archbuild.spec.fields import integer, non_linearity
from archbuild.spec.plan import PlannedLayer, Shape
from archbuild.spec.vocabulary import LayerType

if TYPE_CHECKING:
    from archbuild.layers.context import BuildContext


class Dense(LayerType):
    """A fully connected layer; what is not flat is flattened first, in channels-last order."""

    name = "Dense"
    summary = "A fully connected layer; flattens its input."
    fields = (
        integer("num_units", "Number of outputs."),
        non_linearity(),
        *WEIGHT_FIELDS,
        BATCH_NORM,
    )
    mirroring = "code"
    compiles = True

    def output_shape(self, config: Mapping[str, Any], input_shape: Shape) -> Shape:
        """Return ``(num_units,)`` whatever comes in."""
        require_input(self.name, input_shape)
        return self.declared_shape(config)

    def declared_shape(self, config: Mapping[str, Any]) -> Shape:
        """Return ``(num_units,)``."""
        return (config["num_units"],)

    def notation(self, config: Mapping[str, Any]) -> str:
        """Return ``fc[10]``."""
        return f"fc[{config['num_units']}]"

    def parameters(self, config: Mapping[str, Any], input_shape: Shape) -> int:
        """Count one weight for each pair of numbers, one bias for each unit."""
        units: int = config["num_units"]
        return (flat_size(input_shape) + int(config["use_bias"])) * units

    def mirror(self, layer: PlannedLayer) -> Sequence[Mapping[str, Any]]:
        """Return a Dense of the layer's own width and non-linearity, which rebuilds its output."""
        return [{"type": "Dense", **layer.config}]

    def kernel_shape(self, layer: PlannedLayer) -> Shape | None:
        """Return the inputs and the outputs."""
        return (flat_size(layer.input_shape), layer.output_shape[0])

    def shared_shape(self, layer: PlannedLayer) -> Shape | None:
        """Return the outputs and the inputs: the kernel is transposed."""
        return (layer.output_shape[0], flat_size(layer.input_shape))

    def build(self, layer: PlannedLayer, tensor: Any, context: BuildContext) -> Any:
        """Map ``(batch, ...)`` to ``(batch, num_units)``."""
        import keras

        below = flat(tensor, layer.name)
        if layer.tied_to is not None:
            from archbuild.layers.tied import TiedDense

            source = context.kernels[layer.tied_to]
            return finished(TiedDense(source, use_bias(layer), name=layer.name)(below), layer)
        dense = keras.layers.Dense(
            layer.config["num_units"],
            **kernel_settings(layer.config, context) | {"use_bias": use_bias(layer)},
            name=layer.name,
        )
        context.kernels.setdefault(layer.index, dense)
        return finished(dense(below), layer)
