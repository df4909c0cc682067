"""Spatial transformers: one glimpse of an image, a sequence of them, and the way back.

Sources: Jaderberg et al., arXiv 1506.02025; Sønderby et al., arXiv 1509.05329.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from archbuild.environment import FLOAT32
from archbuild.layers.affine import IDENTITY, TRANSFORMS
from archbuild.layers.building import glorot_uniform
from archbuild.layers.nested import build_nested, nested_layers, parameters_of, plan_nested
from archbuild.layers.precision import computing_in
from archbuild.layers.shapes import flat_size, require_axes
from archbuild.spec.field import Field
from archbuild.spec.fields import choice, integer, number
from archbuild.spec.plan import PlannedLayer, Shape, Switches
from archbuild.spec.vocabulary import LayerType, ShapeError

if TYPE_CHECKING:
    from archbuild.layers.context import BuildContext

LOCALISATION: Final = "localisation"

_FIELDS: Final[tuple[Field, ...]] = (
    nested_layers(
        LOCALISATION, "Layers from the image to the features that the map is computed from."
    ),
    number(
        "downsample",
        "Height and width of the image over those of a glimpse, which are rounded down.",
        minimum=1.0,
        maximum=1000.0,
        default=1.0,
    ),
    choice(
        "transform",
        list(TRANSFORMS),
        "Maps that can be found; attention: one factor for both axes, and a shift.",
        default="affine",
    ),
    choice(
        "outside",
        ["zeros", "border"],
        "Values beyond the border of the image; border: those of the nearest pixel.",
        default="zeros",
    ),
)


class SpatialTransformer(LayerType):
    """A glimpse under a map that is the identity before training.

    Its mirror puts the glimpse back to where it was found.
    """

    name = "SpatialTransformer"
    summary = "A glimpse of the image under an affine map that is found for it; begins as identity."
    fields = _FIELDS
    sides = frozenset({"encoder"})
    takes_glimpses = True

    def output_shape(self, config: Mapping[str, Any], input_shape: Shape) -> Shape:
        """Return the channels, and height and width over ``downsample``."""
        plan_nested(LOCALISATION, config, input_shape)
        return (input_shape[0], *self._glimpse(config, input_shape))

    def nested(self, config: Mapping[str, Any], input_shape: Shape) -> tuple[PlannedLayer, ...]:
        """Return the localisation."""
        return plan_nested(LOCALISATION, config, input_shape)

    def switches(self, config: Mapping[str, Any], input_shape: Shape) -> Switches | None:
        """Return that the map of each row is kept; without a row it is the identity."""
        return Switches((len(IDENTITY),), IDENTITY)

    def notation(self, config: Mapping[str, Any]) -> str:
        """Return ``st/2``, with ``downsample``."""
        return f"st{_per(config)}"

    def parameters(self, config: Mapping[str, Any], input_shape: Shape) -> int:
        """Count those of the localisation, and a dense layer to the free numbers of a map."""
        layers = self.nested(config, input_shape)
        features = flat_size(layers[-1].output_shape)
        return parameters_of(layers) + (features + 1) * len(TRANSFORMS[config["transform"]])

    def mirror(self, layer: PlannedLayer) -> Sequence[Mapping[str, Any]]:
        """Return what puts the glimpse back."""
        return [{"type": InverseSpatialTransformer.name, "inverse_of": layer.index}]

    def build(self, layer: PlannedLayer, tensor: Any, context: BuildContext) -> Any:
        """Map ``(batch, height, width, channels)`` to glimpses; the maps go to ``context``."""
        from archbuild.layers import keras_glimpses

        localisation = build_nested(layer, context, layer.input_shape)
        with computing_in(FLOAT32):  # places of pixels need all digits
            transformer = keras_glimpses.SpatialTransformer(
                localisation, name=layer.name, **_settings(layer.config)
            )
        glimpses, context.switches[layer.index] = transformer(tensor)
        return glimpses

    def _glimpse(self, config: Mapping[str, Any], input_shape: Shape) -> Shape:
        """Return height and width of a glimpse."""
        image = require_axes(self.name, input_shape, 2)
        size = tuple(int(extent / config["downsample"]) for extent in image)
        if min(size) < 1:
            raise ShapeError(
                f"downsample is {config['downsample']:g}, and nothing is left of {list(image)}",
                f"use downsample of at most {min(image)}",
            )
        return size


class RecurrentSpatialTransformer(SpatialTransformer):
    """A sequence of glimpses, whose maps a gated recurrent unit finds one after another.

    The mirror rebuilds the image from what the network makes of the glimpses, by a Dense.
    """

    name = "RecurrentSpatialTransformer"
    summary = "A sequence of glimpses of the image, whose maps a GRU finds one after another."
    fields = (
        integer("steps", "Number of glimpses.", maximum=100),
        integer("num_units", "Units of the GRU.", maximum=100_000, default=256),
        *_FIELDS,
    )

    def output_shape(self, config: Mapping[str, Any], input_shape: Shape) -> Shape:
        """Return ``(channels, steps, height, width)``."""
        channels, *glimpse = super().output_shape(config, input_shape)
        return (channels, config["steps"], *glimpse)

    def switches(self, config: Mapping[str, Any], input_shape: Shape) -> None:
        """Return that nothing is kept: the mirror does not read the maps."""

    def notation(self, config: Mapping[str, Any]) -> str:
        """Return ``rst[3x256]/3``: glimpses, units and ``downsample``."""
        return f"rst[{config['steps']}x{config['num_units']}]{_per(config)}"

    def parameters(self, config: Mapping[str, Any], input_shape: Shape) -> int:
        """Count the localisation, the three gates with two biases, and the dense layer."""
        layers, units = self.nested(config, input_shape), int(config["num_units"])
        gates = 3 * units * (flat_size(layers[-1].output_shape) + units + 2)
        return parameters_of(layers) + gates + (units + 1) * len(TRANSFORMS[config["transform"]])

    def mirror(self, layer: PlannedLayer) -> Sequence[Mapping[str, Any]]:
        """Return nothing: one image has no single place among several glimpses."""
        return []

    def build(self, layer: PlannedLayer, tensor: Any, context: BuildContext) -> Any:
        """Map ``(batch, height, width, channels)`` to glimpses, ``(batch, steps, ...)``."""
        import keras

        from archbuild.layers import keras_glimpses

        localisation = build_nested(layer, context, layer.input_shape)
        gru = keras.layers.GRU(
            layer.config["num_units"],
            return_sequences=True,
            unroll=True,
            kernel_initializer=glorot_uniform(context),
            recurrent_initializer=keras.initializers.Orthogonal(seed=context.next_seed()),
            name="gru",
        )
        with computing_in(FLOAT32):  # places of pixels need all digits
            transformer = keras_glimpses.RecurrentSpatialTransformer(
                localisation, gru, layer.config["steps"], name=layer.name, **_settings(layer.config)
            )
        return transformer(tensor)[0]


class InverseSpatialTransformer(LayerType):
    """The glimpse back in its place; beyond it are the values of its nearest pixel.

    Zeros beyond it would be wrong for logits, where 0 is a probability of one half.
    """

    name = "InverseSpatialTransformer"
    summary = "Puts a glimpse back to where a SpatialTransformer found it."
    fields = (integer("inverse_of", "The encoder layer, counted from 0, that is undone."),)
    sides = frozenset({"decoder"})

    def output_shape(self, config: Mapping[str, Any], input_shape: Shape) -> Shape:
        """Raise: the shape depends on other layers (``shape_in_network``)."""
        raise ShapeError(
            f"{self.name} takes its shape from the encoder layer that it undoes",
            "use it in a decoder whose encoder has a SpatialTransformer",
        )

    def shape_in_network(
        self, config: Mapping[str, Any], input_shape: Shape, encoder: Mapping[int, PlannedLayer]
    ) -> Shape:
        """Return the input shape of the encoder's layer, whose output shape must come in."""
        index = config["inverse_of"]
        undone = encoder.get(index)
        if undone is None or undone.type != SpatialTransformer.name:
            raise ShapeError(
                f"inverse_of is {index}, but encoder layer {index} is no {SpatialTransformer.name}",
                f"give the index of a {SpatialTransformer.name}, or leave this layer out",
            )
        if input_shape != undone.output_shape:
            raise ShapeError(
                f"encoder layer {index} gave {list(undone.output_shape)}, but {list(input_shape)} "
                "comes in",
                "bring it to that shape first, with a Deconv2D or a Dense and a Reshape",
            )
        return undone.input_shape

    def notation(self, config: Mapping[str, Any]) -> str:
        """Return ``st*``."""
        return "st*"

    def mirror(self, layer: PlannedLayer) -> Sequence[Mapping[str, Any]]:
        """Return nothing: the type stands in decoders only, and decoders are not mirrored."""
        return []

    def build(self, layer: PlannedLayer, tensor: Any, context: BuildContext) -> Any:
        """Map glimpses ``(batch, height, width, channels)`` to images."""
        from archbuild.layers import keras_glimpses

        maps = context.switches[layer.config["inverse_of"]]
        size = layer.output_shape[1:]
        back = keras_glimpses.InverseSpatialTransformer(size, name=layer.name, dtype=FLOAT32)
        return back([tensor, maps])


def _settings(config: Mapping[str, Any]) -> dict[str, Any]:
    return {name: config[name] for name in ("downsample", "transform", "outside")}


def _per(config: Mapping[str, Any]) -> str:
    return "" if config["downsample"] == 1 else f"/{config['downsample']:g}"
