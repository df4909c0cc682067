"""``RmsPool2D``: the root of the mean square of each window, undone by repeating."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from archbuild.layers.shapes import by_axes, per_axis, require_axes
from archbuild.spec import LayerType, PlannedLayer, Shape, ShapeError
from archbuild.spec.fields import size


class RmsPool2D(LayerType):
    """The root mean square over height and width, undone by repeating."""

    name = "RmsPool2D"
    summary = "The root mean square over height and width, undone by repeating."
    fields = (size("filter_size", 2, "The window, and the step."),)

    def output_shape(self, config: Mapping[str, Any], input_shape: Shape) -> Shape:
        """Divide height and width by the window's size, rounded down."""
        window = per_axis(config["filter_size"], 2)
        sizes = zip(require_axes(self.name, input_shape, 2), window, strict=True)
        above = tuple(below // k for below, k in sizes)
        if min(above) < 1:
            raise ShapeError(
                f"the {by_axes(window)} window is larger than its input", "make filter_size smaller"
            )
        return (input_shape[0], *above)

    def notation(self, config: Mapping[str, Any]) -> str:
        """Return ``rms[2x2]``."""
        return f"rms[{by_axes(per_axis(config['filter_size'], 2))}]"

    def mirror(self, layer: PlannedLayer) -> Sequence[Mapping[str, Any]]:
        """Return a layer that repeats, with zeros where pooling left rows or columns out."""
        window = layer.config["filter_size"]
        sizes = zip(layer.input_shape[1:], per_axis(window, 2), strict=True)
        rest = [below % k for below, k in sizes]
        return [{"type": "Unpool2D", "filter_size": window, "output_padding": rest}]

    def build(self, layer: PlannedLayer, tensor: Any, context: Any) -> Any:
        """Apply it: ``(batch, height, width, channels)``, height and width divided."""
        import keras

        window = per_axis(layer.config["filter_size"], 2)
        mean = keras.layers.AveragePooling2D(window, strides=window, name=layer.name)
        # sqrt has no slope at 0
        return keras.ops.sqrt(mean(keras.ops.square(tensor)) + 1e-6)
