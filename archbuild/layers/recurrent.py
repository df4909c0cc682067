"""LSTM and GRU over a length, and Repeat, which their mirror begins with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from archbuild.layers.building import glorot_uniform
from archbuild.layers.shapes import require_axes
from archbuild.spec.fields import boolean, implicit, integer
from archbuild.spec.plan import PlannedLayer, Shape
from archbuild.spec.vocabulary import LayerType, ShapeError

if TYPE_CHECKING:
    from archbuild.layers.context import BuildContext


class Recurrent(LayerType):
    """Base of recurrent layers.

    The mirror repeats a code over the length, and the same layer gives a sequence of its width;
    what is left to the input's channels, a Deconv1D of size 1 makes at each place.
    """

    fields = (
        integer("num_units", "Number of outputs of each direction, at each place or at the end."),
        boolean(
            "return_sequences",
            "An output at every place; otherwise at the last one alone.",
            default=False,
        ),
        implicit(
            boolean(
                "bidirectional",
                "A second layer from the end to the beginning, its outputs beside the first's.",
                default=False,
            )
        ),
    )
    mirroring = "rebuilding"
    word: ClassVar[str]
    gates: ClassVar[int]
    biases: ClassVar[int]
    """Biases of each unit and gate."""

    def output_shape(self, config: Mapping[str, Any], input_shape: Shape) -> Shape:
        """Return ``(num_units,)``, or ``(num_units, length)``; twice as many in two directions."""
        length = require_axes(self.name, input_shape, 1)
        units = config["num_units"] * _directions(config)
        return (units, *(length if config["return_sequences"] else ()))

    def notation(self, config: Mapping[str, Any]) -> str:
        """Return ``lstm[64]``; ``lstm[64]s`` where every place gives an output, ``bilstm[64]``."""
        word = f"bi{self.word}" if config["bidirectional"] else self.word
        return f"{word}[{config['num_units']}]{'s' if config['return_sequences'] else ''}"

    def parameters(self, config: Mapping[str, Any], input_shape: Shape) -> int:
        """Count kernel, recurrent kernel and biases of every gate, in each direction."""
        units: int = config["num_units"]
        weights = self.gates * units * (input_shape[0] + units + self.biases)
        return weights * _directions(config)

    def mirror(self, layer: PlannedLayer) -> Sequence[Mapping[str, Any]]:
        """Return the layer back, after a Repeat where it gave one output alone."""
        return self.mirror_from(layer, layer.output_shape) or []

    def mirror_from(self, layer: PlannedLayer, shape: Shape) -> Sequence[Mapping[str, Any]] | None:
        """Return the layer back from a code, or from a sequence of the length."""
        length = layer.input_shape[1]
        back = {**layer.config, "type": self.name, "return_sequences": True}
        if len(shape) == 1:
            return [{"type": Repeat.name, "times": length}, back]
        return [back] if shape[1:] == (length,) else None

    def rebuilds(self, layer: PlannedLayer) -> bool:
        """Return whether the layer gave a sequence: that is what its mirror gives."""
        return bool(layer.config["return_sequences"])

    def build(self, layer: PlannedLayer, tensor: Any, context: BuildContext) -> Any:
        """Map ``(batch, length, channels)`` to ``(batch, [length,] num_units)``."""
        import keras

        if not layer.config["bidirectional"]:
            return self._direction(layer, layer.name, context)(tensor)
        forward = self._direction(layer, f"{layer.name}_forward", context)
        # of its own seeds: Keras would copy the other's
        backward = self._direction(layer, f"{layer.name}_backward", context, go_backwards=True)
        both = keras.layers.Bidirectional(forward, backward_layer=backward, name=layer.name)
        return both(tensor)

    def _direction(
        self, layer: PlannedLayer, name: str, context: BuildContext, **settings: Any
    ) -> Any:
        import keras

        return getattr(keras.layers, self.name)(
            layer.config["num_units"],
            return_sequences=layer.config["return_sequences"],
            kernel_initializer=glorot_uniform(context),
            recurrent_initializer=keras.initializers.Orthogonal(seed=context.next_seed()),
            name=name,
            **settings,
        )


def _directions(config: Mapping[str, Any]) -> int:
    return 2 if config["bidirectional"] else 1


class LSTM(Recurrent):
    """Long short-term memory over the length."""

    name = "LSTM"
    summary = "Long short-term memory over the length of a series."
    word, gates, biases = "lstm", 4, 1


class GRU(Recurrent):
    """A gated recurrent unit over the length."""

    name = "GRU"
    summary = "A gated recurrent unit over the length of a series."
    word, gates, biases = "gru", 3, 2


class Repeat(LayerType):
    """A code at every place of a length."""

    name = "Repeat"
    summary = "Gives what comes in at every place of a series."
    fields = (integer("times", "Length of the series."),)
    sides = frozenset({"decoder"})

    def output_shape(self, config: Mapping[str, Any], input_shape: Shape) -> Shape:
        """Return ``(features, times)``."""
        if len(input_shape) != 1:
            raise ShapeError(
                f"{self.name} works on [features], but {list(input_shape)} comes in",
                "put a Flatten before it, or leave it out",
            )
        return (input_shape[0], config["times"])

    def notation(self, config: Mapping[str, Any]) -> str:
        """Return ``rep[24]``."""
        return f"rep[{config['times']}]"

    def mirror(self, layer: PlannedLayer) -> Sequence[Mapping[str, Any]]:
        """Return nothing: the type stands in decoders only, and decoders are not mirrored."""
        return []

    def build(self, layer: PlannedLayer, tensor: Any, context: BuildContext) -> Any:
        """Map ``(batch, features)`` to ``(batch, times, features)``."""
        import keras

        return keras.layers.RepeatVector(layer.config["times"], name=layer.name)(tensor)
