"""Add: sums of layers' outputs, for residual networks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from archbuild.layers.building import cropped, glorot_uniform
from archbuild.layers.shapes import channels_last, require_earlier
from archbuild.spec.field import Field
from archbuild.spec.fields import choice
from archbuild.spec.plan import PlannedLayer, Shape
from archbuild.spec.vocabulary import LayerType, ShapeError

if TYPE_CHECKING:
    from archbuild.layers.context import BuildContext


class _Way(NamedTuple):
    """The resizing of one axis: each place repeated, or every ``stride``-th taken."""

    factor: int
    stride: int
    surplus: int


class Add(LayerType):
    """The sum of several layers' outputs (He et al., arXiv 1512.03385).

    A projection is a linear convolution of size 1, without a bias, with the stride that leads to
    the size of the last layer named; where that is larger, every place is repeated before.
    """

    name = "Add"
    summary = "The sum of the outputs of several layers before it: a residual block."
    fields = (
        Field(
            "of",
            {
                "type": "array",
                "items": {"type": "integer", "minimum": 0, "maximum": 10_000},
                "minItems": 2,
                "maxItems": 100,
                "uniqueItems": True,
            },
            doc="Layers of the same list, counted from 0, that are added; the last one decides the "
            "shape.",
        ),
        choice(
            "shortcut",
            ("identity", "projection"),
            "Way of the others to that shape: none, or a learnt convolution of size 1.",
            default="identity",
        ),
    )
    reads_own_half = True

    def output_shape(self, config: Mapping[str, Any], input_shape: Shape) -> Shape:
        """Raise: the shape depends on other layers (``shape_in_network``)."""
        raise ShapeError(
            f"{self.name} takes its shape from the layers that it adds", "use it after these layers"
        )

    def shape_in_network(
        self, config: Mapping[str, Any], input_shape: Shape, encoder: Mapping[int, PlannedLayer]
    ) -> Shape:
        """Return the shape of the last layer named, which the others must have or be brought to."""
        require_earlier(config["of"], encoder)
        wanted = encoder[config["of"][-1]].output_shape
        for index in config["of"]:
            _require_way(encoder[index].output_shape, wanted, config["shortcut"], index)
        return wanted

    def reads(self, config: Mapping[str, Any], index: int) -> Sequence[int]:
        """Return the layers that are added."""
        return tuple(config["of"])

    def shortcuts(self, config: Mapping[str, Any], index: int) -> Sequence[int]:
        """Return the layers that are added, but for the one just below."""
        return tuple(other for other in config["of"] if other != index - 1)

    def notation(self, config: Mapping[str, Any]) -> str:
        """Return ``add[1,3]``: the layers that are added."""
        return f"add[{','.join(map(str, config['of']))}]"

    def parameters_in_network(
        self, config: Mapping[str, Any], input_shape: Shape, layers: Mapping[int, PlannedLayer]
    ) -> int:
        """Count one matrix from channels to channels for each projection."""
        shapes = [layers[index].output_shape for index in config["of"]]
        return sum(shape[0] * shapes[-1][0] for shape in shapes if shape != shapes[-1])

    def mirror(self, layer: PlannedLayer) -> Sequence[Mapping[str, Any]]:
        """Return nothing: the branches are undone one by one, and ``shortcuts`` are added again."""
        return []

    def build(self, layer: PlannedLayer, tensor: Any, context: BuildContext) -> Any:
        """Return the sum, in the shape of the last layer named."""
        import keras

        parts = [
            _projected(context.outputs[index], layer.output_shape, f"{layer.name}_{index}", context)
            for index in layer.config["of"]
        ]
        return keras.layers.Add(name=layer.name)(parts)


def _require_way(shape: Shape, wanted: Shape, shortcut: str, index: int) -> None:
    """Raise ``ShapeError`` where a layer's output cannot be added to one of shape ``wanted``."""
    if shape == wanted:
        return
    message = f"layer {index} gives {list(shape)}, which cannot be added to {list(wanted)}"
    if len(shape) != len(wanted):
        raise ShapeError(message, "put a Flatten or a Reshape after one of them")
    if shortcut == "identity":
        raise ShapeError(message, "write shortcut: projection, or add layers of one shape")


def _way(at: int, to: int) -> _Way:
    """Return how ``at`` places become ``to``; what is too much then is cut at the end."""
    if at < to:
        factor = -(-to // at)
        return _Way(factor, 1, at * factor - to)
    stride = -(-at // to)
    if -(-at // stride) != to:
        stride = at // to
    return _Way(1, stride, -(-at // stride) - to)


def _projected(tensor: Any, wanted: Shape, name: str, context: BuildContext) -> Any:
    """Return the tensor in the shape ``wanted``, by a projection where it has another."""
    import keras

    from archbuild.layers import keras_layers

    if tuple(tensor.shape[1:]) == channels_last(wanted):
        return tensor
    settings = {"use_bias": False, "kernel_initializer": glorot_uniform(context), "name": name}
    axes, ways = len(wanted) - 1, [*map(_way, tensor.shape[1:-1], wanted[1:])]
    if not axes:
        return keras.layers.Dense(wanted[0], **settings)(tensor)
    factors = [way.factor for way in ways]
    if max(factors) > 1:
        unpooling = getattr(keras_layers, f"Unpool{axes}D")
        tensor = unpooling(factors, name=f"{name}_repeat")(tensor)
    convolution = getattr(keras.layers, f"Conv{axes}D")
    strides = [way.stride for way in ways]
    tensor = convolution(wanted[0], 1, strides=strides, **settings)(tensor)
    return cropped(tensor, [(0, way.surplus) for way in ways], name)
