"""Max-pooling and its inverses.

``MaxPool2D``, ``MaxPool2D*`` and ``MaxPool1D``; ``Unpool2D``, ``Unpool1D``, ``InverseMaxPool2D``.
The windows stand side by side (the stride is the window's size); rows and columns that do not fill
a window are left out, and an inverse puts zeros in their place.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from archbuild.layers.shapes import by_axes, per_axis, require_axes
from archbuild.spec.field import Field
from archbuild.spec.fields import integer, size
from archbuild.spec.plan import PlannedLayer, Shape
from archbuild.spec.vocabulary import LayerType, ShapeError

if TYPE_CHECKING:
    from archbuild.layers.context import BuildContext

_OUTPUT_PADDING = "Rows and columns of zeros put at the end, where pooling left some out."


class MaxPool(LayerType):
    """Base of max-pooling over one and two axes."""

    axes: ClassVar[int]

    def output_shape(self, config: Mapping[str, Any], input_shape: Shape) -> Shape:
        """Return each axis divided by the window's size, rounded down."""
        below = require_axes(self.name, input_shape, self.axes)
        window = per_axis(config["filter_size"], self.axes)
        above = tuple(i // k for i, k in zip(below, window, strict=True))
        if min(above) < 1:
            raise ShapeError(
                f"the {by_axes(window)} window is larger than its {by_axes(below)} input, so "
                "nothing would be left",
                "make filter_size smaller, or leave this layer out",
            )
        return (input_shape[0], *above)

    def notation(self, config: Mapping[str, Any]) -> str:
        """Return ``max[2x2]``, with switches or without: the inverse shows which."""
        return f"max[{by_axes(per_axis(config['filter_size'], self.axes))}]"

    def mirror(self, layer: PlannedLayer) -> Sequence[Mapping[str, Any]]:
        """Return an unpooling, with zeros where pooling left rows or columns out."""
        window = per_axis(layer.config["filter_size"], self.axes)
        rest = [i % k for i, k in zip(layer.input_shape[1:], window, strict=True)]
        return [
            {
                "type": f"Unpool{self.axes}D",
                "filter_size": layer.config["filter_size"],
                "output_padding": rest if any(rest) else 0,
            }
        ]

    def build(self, layer: PlannedLayer, tensor: Any, context: BuildContext) -> Any:
        """Pool ``(batch, height, width, channels)``: height and width divided."""
        import keras

        window = per_axis(layer.config["filter_size"], self.axes)
        pooling = getattr(keras.layers, f"MaxPooling{self.axes}D")
        return pooling(window, strides=window, name=layer.name)(tensor)


class MaxPool2D(MaxPool):
    """Max-pooling over height and width, undone by repeating."""

    name = "MaxPool2D"
    summary = "Max-pooling over height and width, undone by repeating."
    fields = (size("filter_size", 2, "The window, and the step."),)
    axes = 2


class MaxPool1D(MaxPool):
    """Max-pooling over the length, undone by repeating."""

    name = "MaxPool1D"
    summary = "Max-pooling over the length, undone by repeating."
    fields = (size("filter_size", 1, "The window, and the step."),)
    axes = 1


class SwitchedMaxPool2D(MaxPool):
    """Max-pooling whose switches the decoder reads: where in its window each maximum was."""

    name = "MaxPool2D*"
    summary = "Max-pooling undone by putting values back where the maxima were."
    fields = (size("filter_size", 2, "The window, and the step."),)
    axes = 2

    def mirror(self, layer: PlannedLayer) -> Sequence[Mapping[str, Any]]:
        """Return the inverse that reads this layer's switches."""
        return [
            {
                "type": "InverseMaxPool2D",
                "inverse_of": layer.index,
                "filter_size": layer.config["filter_size"],
            }
        ]

    def build(self, layer: PlannedLayer, tensor: Any, context: BuildContext) -> Any:
        """Pool as MaxPool2D; the switches, of ``tensor``'s shape, are left in ``context``."""
        from archbuild.layers import keras_layers

        pool = keras_layers.SwitchedMaxPool2D(layer.config["filter_size"], name=layer.name)
        pooled, context.switches[layer.index] = pool(tensor)
        return pooled


class Unpool(LayerType):
    """Base of unpooling by repetition over one and two axes."""

    axes: ClassVar[int]
    sides = frozenset({"decoder"})

    def output_shape(self, config: Mapping[str, Any], input_shape: Shape) -> Shape:
        """Return each axis times the window's size, plus the output padding."""
        below = require_axes(self.name, input_shape, self.axes)
        window = per_axis(config["filter_size"], self.axes)
        rest = per_axis(config["output_padding"], self.axes)
        above = (i * k + r for i, k, r in zip(below, window, rest, strict=True))
        return (input_shape[0], *above)

    def notation(self, config: Mapping[str, Any]) -> str:
        """Return ``ups[2x2]``."""
        return f"ups[{by_axes(per_axis(config['filter_size'], self.axes))}]"

    def mirror(self, layer: PlannedLayer) -> Sequence[Mapping[str, Any]]:
        """Return nothing: the type stands in decoders only, and decoders are not mirrored."""
        return []

    def build(self, layer: PlannedLayer, tensor: Any, context: BuildContext) -> Any:
        """Repeat every pixel of ``(batch, height, width, channels)`` over its window."""
        from archbuild.layers import keras_layers

        unpooling = getattr(keras_layers, f"Unpool{self.axes}D")
        sizes = layer.config["filter_size"], layer.config["output_padding"]
        return unpooling(*sizes, name=layer.name)(tensor)


class Unpool2D(Unpool):
    """Every pixel repeated over its window: the seed's inverse of ``MaxPool2D``."""

    name = "Unpool2D"
    summary = "Repeats every pixel over its window."
    fields = (
        size("filter_size", 2, "Repetitions of each row and each column."),
        size("output_padding", 2, _OUTPUT_PADDING, minimum=0, default=0),
    )
    axes = 2


class Unpool1D(Unpool):
    """Every value repeated over its window."""

    name = "Unpool1D"
    summary = "Repeats every value over its window."
    fields = (
        size("filter_size", 1, "Repetitions of each value."),
        size("output_padding", 1, _OUTPUT_PADDING, minimum=0, default=0),
    )
    axes = 1


class InverseMaxPool2D(LayerType):
    """Values go back to where the maxima of an encoder layer were; zeros everywhere else.

    This is the gradient of max-pooling with the incoming values as output gradient (Lasagne's
    ``InverseLayer``); where several numbers share a maximum all get the value, as in Theano.
    """

    name = "InverseMaxPool2D"
    summary = "Puts values back where the maxima of a MaxPool2D* were."
    fields = (
        integer("inverse_of", "The encoder layer, counted from 0, that is undone."),
        Field(
            "filter_size",
            {"anyOf": [*size("", 2, "").schema["anyOf"], {"type": "null"}]},
            None,
            "The window; null: that of the layer that is undone.",
        ),
    )
    sides = frozenset({"decoder"})

    def output_shape(self, config: Mapping[str, Any], input_shape: Shape) -> Shape:
        """Raise: the shape depends on the encoder (``shape_in_network``)."""
        raise ShapeError(
            f"{self.name} takes its shape from the encoder layer that it undoes",
            "use it in a decoder whose encoder has a MaxPool2D*",
        )

    def shape_in_network(
        self, config: Mapping[str, Any], input_shape: Shape, encoder: Mapping[int, PlannedLayer]
    ) -> Shape:
        """Return the input shape of the encoder's layer, whose output shape must come in."""
        index = config["inverse_of"]
        pool = encoder.get(index)
        if pool is None or pool.type != SwitchedMaxPool2D.name:
            places = [str(layer.index) for layer in encoder.values() if layer.type == "MaxPool2D*"]
            raise ShapeError(
                f"inverse_of is {index}, but encoder layer {index} is no MaxPool2D*",
                f"MaxPool2D* stands at {', '.join(places)}" if places else "use Unpool2D instead",
            )
        if input_shape != pool.output_shape:
            raise ShapeError(
                f"encoder layer {index} gave {list(pool.output_shape)}, but {list(input_shape)} "
                "comes in",
                "bring it to that shape first, with a Deconv2D or a Dense and a Reshape",
            )
        self._require_same_window(config, pool)
        return pool.input_shape

    def notation(self, config: Mapping[str, Any]) -> str:
        """Return ``ups*[2x2]``; ``ups*`` where the window is left to the layer that is undone."""
        window = config["filter_size"]
        return "ups*" if window is None else f"ups*[{by_axes(per_axis(window, 2))}]"

    def mirror(self, layer: PlannedLayer) -> Sequence[Mapping[str, Any]]:
        """Return nothing: the type stands in decoders only, and decoders are not mirrored."""
        return []

    def build(self, layer: PlannedLayer, tensor: Any, context: BuildContext) -> Any:
        """Map ``(batch, height, width, channels)`` to the shape of the switches."""
        from archbuild.layers import keras_layers

        index = layer.config["inverse_of"]
        window = context.plan.encoder[index].config["filter_size"]
        unpooling = keras_layers.InverseMaxPool2D(window, name=layer.name)
        return unpooling([tensor, context.switches[index]])

    @staticmethod
    def _require_same_window(config: Mapping[str, Any], pool: PlannedLayer) -> None:
        if config["filter_size"] is None:
            return
        own, theirs = per_axis(config["filter_size"], 2), per_axis(pool.config["filter_size"], 2)
        if own != theirs:
            raise ShapeError(
                f"filter_size is {by_axes(own)}, but encoder layer {pool.index} pools over "
                f"{by_axes(theirs)}",
                "leave filter_size out",
            )
