"""The inverses of pools: ``Unpool2D`` and its kin, ``UpSample``, ``InverseMaxPool2D``.

Rows and columns that a pool left out come back as zeros; where its windows overlapped or stood over
the border, enlarging overshoots, and what is too much is cut at the end.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Final

from archbuild.layers.building import cropped
from archbuild.layers.shapes import by_axes, per_axis, require_axes
from archbuild.spec.field import REQUIRED, Field
from archbuild.spec.fields import choice, implicit, integer, size
from archbuild.spec.plan import PlannedLayer, Shape
from archbuild.spec.vocabulary import LayerType, ShapeError

if TYPE_CHECKING:
    from archbuild.layers.context import BuildContext

INTERPOLATIONS: Final = ("nearest", "bilinear")
_OUTPUT_PADDING = "Rows and columns of zeros put at the end, where pooling left some out."
_OUTPUT_CROPPING = "Rows and columns cut at the end, where enlarging overshoots."
_SWITCHED: Final = "MaxPool2D*"


def _factor(name: str, doc: str, *, minimum: int, default: Any = REQUIRED) -> Field:
    """Declare one whole number for every axis, or a list with one for each of one or two."""
    whole = {"type": "integer", "minimum": minimum, "maximum": 65_536}
    each = {"type": "array", "items": whole, "minItems": 1, "maxItems": 2}
    return Field(name, {"anyOf": [whole, each]}, default, doc)


def _enlarged(below: Shape, config: Mapping[str, Any], axes: int) -> Shape:
    """Return the spatial sizes: times the window's, plus the output padding, less the cropping."""
    names = ("filter_size", "output_padding", "output_cropping")
    factor, rest, cut = (per_axis(config[name], axes) for name in names)
    above = tuple(i * k + r - c for i, k, r, c in zip(below, factor, rest, cut, strict=True))
    if min(above) < 1:
        raise ShapeError(
            f"nothing is left of the {by_axes(below)} input: the result would be {by_axes(above)}",
            "make output_cropping smaller",
        )
    return above


class Unpool(LayerType):
    """Base of unpooling by repetition over one to three axes."""

    axes: ClassVar[int]
    sides = frozenset({"decoder"})

    def output_shape(self, config: Mapping[str, Any], input_shape: Shape) -> Shape:
        """Return each axis times the window's size, plus the output padding, less the cropping."""
        below = require_axes(self.name, input_shape, self.axes)
        return (input_shape[0], *_enlarged(below, config, self.axes))

    def notation(self, config: Mapping[str, Any]) -> str:
        """Return ``ups[2x2]``."""
        return f"ups[{by_axes(per_axis(config['filter_size'], self.axes))}]"

    def mirror(self, layer: PlannedLayer) -> Sequence[Mapping[str, Any]]:
        """Return nothing: the type stands in decoders only, and decoders are not mirrored."""
        return []

    def build(self, layer: PlannedLayer, tensor: Any, context: BuildContext) -> Any:
        """Return ``(batch, height, width, channels)`` -> every pixel repeated over its window."""
        from archbuild.layers import keras_layers

        unpooling = getattr(keras_layers, f"Unpool{self.axes}D")
        sizes = layer.config["filter_size"], layer.config["output_padding"]
        tensor = unpooling(*sizes, name=layer.name)(tensor)
        return cropped(tensor, [(0, c) for c in self._cut(layer.config)], layer.name)

    def _cut(self, config: Mapping[str, Any]) -> tuple[int, ...]:
        return per_axis(config["output_cropping"], self.axes)


class Unpool2D(Unpool):
    """Every pixel repeated over its window: the seed's inverse of ``MaxPool2D``."""

    name = "Unpool2D"
    summary = "Repeats every pixel over its window."
    fields = (
        size("filter_size", 2, "Repetitions of each row and each column."),
        size("output_padding", 2, _OUTPUT_PADDING, minimum=0, default=0),
        implicit(size("output_cropping", 2, _OUTPUT_CROPPING, minimum=0, default=0)),
    )
    axes = 2


class Unpool1D(Unpool):
    """Every value repeated over its window."""

    name = "Unpool1D"
    summary = "Repeats every value over its window."
    fields = (
        size("filter_size", 1, "Repetitions of each value."),
        size("output_padding", 1, _OUTPUT_PADDING, minimum=0, default=0),
        implicit(size("output_cropping", 1, _OUTPUT_CROPPING, minimum=0, default=0)),
    )
    axes = 1


class Unpool3D(Unpool):
    """Every voxel repeated over its window."""

    name = "Unpool3D"
    summary = "Repeats every voxel over its window."
    fields = (
        size("filter_size", 3, "Repetitions along each axis."),
        size("output_padding", 3, _OUTPUT_PADDING, minimum=0, default=0),
        implicit(size("output_cropping", 3, _OUTPUT_CROPPING, minimum=0, default=0)),
    )
    axes = 3


class UpSample(LayerType):
    """Enlarge by interpolation, over the length or over height and width, exactly to the size."""

    name = "UpSample"
    summary = "Enlarges by interpolation, over the length or over height and width."
    fields = (
        _factor("filter_size", "Factor of each axis.", minimum=1),
        choice(
            "interpolation",
            INTERPOLATIONS,
            "Interpolation of the values in between.",
            default="bilinear",
        ),
        _factor("output_padding", "Rows and columns beyond the factor's.", minimum=0, default=0),
        _factor("output_cropping", "Rows and columns short of the factor's.", minimum=0, default=0),
    )
    sides = frozenset({"decoder"})

    def output_shape(self, config: Mapping[str, Any], input_shape: Shape) -> Shape:
        """Return each axis times the factor, plus the output padding, less the cropping."""
        axes = 1 if len(input_shape) == 2 else 2
        below = require_axes(self.name, input_shape, axes)
        for field in ("filter_size", "output_padding", "output_cropping"):
            if len(per_axis(config[field], axes)) != axes:
                raise ShapeError(
                    f"{field} has {len(config[field])} numbers, but {list(input_shape)} comes in",
                    f"give one number, or {axes}",
                )
        return (input_shape[0], *_enlarged(below, config, axes))

    def notation(self, config: Mapping[str, Any]) -> str:
        """Return ``ups[2]bilinear``."""
        factor = config["filter_size"]
        text = by_axes([factor] if isinstance(factor, int) else factor)
        return f"ups[{text}]{config['interpolation']}"

    def mirror(self, layer: PlannedLayer) -> Sequence[Mapping[str, Any]]:
        """Return nothing: the type stands in decoders only, and decoders are not mirrored."""
        return []

    def build(self, layer: PlannedLayer, tensor: Any, context: BuildContext) -> Any:
        """Map ``(batch, *spatial, channels)`` to the same, every spatial axis longer."""
        from archbuild.layers import keras_layers

        sizes, way = layer.output_shape[1:], layer.config["interpolation"]
        return keras_layers.Resize(sizes, way, name=layer.name)(tensor)


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
        """Raise: the shape depends on other layers (``shape_in_network``)."""
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
        if pool is None or pool.type != _SWITCHED:
            places = [str(layer.index) for layer in encoder.values() if layer.type == _SWITCHED]
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
        """Return ``(batch, height, width, channels)`` -> the shape of the switches."""
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
