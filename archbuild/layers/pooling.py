"""Pooling over one to three axes, by the maximum or the mean; ``MaxPool2D*``, with switches.

By default the windows stand side by side (the stride is the window's size) and rows and columns
that do not fill a window are left out. ``unpooling.py`` has the inverses.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Final

from archbuild.layers.convolution_sizes import convolved
from archbuild.layers.shapes import by_axes, per_axis, require_axes, with_step
from archbuild.layers.unpooling import INTERPOLATIONS
from archbuild.spec.field import Field
from archbuild.spec.fields import choice, implicit, size
from archbuild.spec.plan import PlannedLayer, Shape, Switches
from archbuild.spec.vocabulary import LayerType, ShapeError

if TYPE_CHECKING:
    from archbuild.layers.context import BuildContext

_REPEAT = "repeat"


_INTERPOLATED: Final = (
    implicit(
        choice(
            "undone_by",
            (_REPEAT, *INTERPOLATIONS),
            "Enlargement by the mirror: repeat (Unpool), or the interpolation of an UpSample.",
            default=_REPEAT,
        )
    ),
)


def _pool_fields(axes: int) -> tuple[Field, ...]:
    """Return the fields of pools over ``axes`` spatial axes; those with a default came later."""
    return (
        size("filter_size", axes, "Size of the window, and of the step where no stride is given."),
        implicit(
            size(
                "stride",
                axes,
                "Step from one window to the next; null: the window's size.",
                default=None,
            )
        ),
        implicit(
            choice(
                "conv_mode",
                ("valid", "same"),
                "Windows that stand over the border: valid leaves them out, same has them.",
                default="valid",
            )
        ),
        *(_INTERPOLATED if axes < 3 else ()),
    )


class Pool(LayerType):
    """Base of pooling over one to three axes, undone by repeating."""

    axes: ClassVar[int]
    word: ClassVar[str]
    """Names the pool in the notation: ``max``, ``avg``."""
    keras_name: ClassVar[str]
    """The Keras layer without its number of axes."""

    def output_shape(self, config: Mapping[str, Any], input_shape: Shape) -> Shape:
        """Return how many windows each axis has room for."""
        below = require_axes(self.name, input_shape, self.axes)
        window, stride = self._window(config), self._stride(config)
        modes = (config.get("conv_mode", "valid"),) * self.axes
        above = tuple(map(convolved, below, window, stride, modes))
        if min(above) < 1:
            raise ShapeError(
                f"the {by_axes(window)} window is larger than its {by_axes(below)} input, so "
                "nothing would be left",
                "make filter_size smaller, or leave this layer out",
            )
        return (input_shape[0], *above)

    def notation(self, config: Mapping[str, Any]) -> str:
        """Return ``max[2x2]``; ``max[3x3]/2`` where the step is not the window."""
        window, stride = self._window(config), self._stride(config)
        word = f"{self.word}[{by_axes(window)}]"
        return word if window == stride else with_step(word, stride)

    def mirror(self, layer: PlannedLayer) -> Sequence[Mapping[str, Any]]:
        """Enlarge by the step; add zeros where pooling left rows out, cut where it overlapped."""
        stride = self._stride(layer.config)
        sizes = zip(layer.input_shape[1:], layer.output_shape[1:], stride, strict=True)
        rest = [below - above * step for below, above, step in sizes]
        added, cut = ([max(amount * sign, 0) for amount in rest] for sign in (1, -1))
        config = layer.config
        entry = {
            "type": f"Unpool{self.axes}D",
            "filter_size": config["filter_size"] if config.get("stride") is None else [*stride],
            "output_padding": added if any(added) else 0,
            "output_cropping": cut if any(cut) else 0,
        }
        way = config.get("undone_by", _REPEAT)
        return [entry if way == _REPEAT else {**entry, "type": "UpSample", "interpolation": way}]

    def build(self, layer: PlannedLayer, tensor: Any, context: BuildContext) -> Any:
        """Map ``(batch, *spatial, channels)`` to the same, each spatial axis shorter."""
        import keras

        pooling = getattr(keras.layers, f"{self.keras_name}{self.axes}D")
        config = layer.config
        return pooling(
            self._window(config),
            strides=self._stride(config),
            padding=config["conv_mode"],
            name=layer.name,
        )(tensor)

    def _window(self, config: Mapping[str, Any]) -> tuple[int, ...]:
        return per_axis(config["filter_size"], self.axes)

    def _stride(self, config: Mapping[str, Any]) -> tuple[int, ...]:
        stride = config.get("stride")
        return self._window(config) if stride is None else per_axis(stride, self.axes)


class MaxPool2D(Pool):
    """Max-pooling over height and width, undone by repeating."""

    name = "MaxPool2D"
    summary = "Max-pooling over height and width, undone by repeating."
    fields = _pool_fields(2)
    axes, word, keras_name = 2, "max", "MaxPooling"


class MaxPool1D(Pool):
    """Max-pooling over the length, undone by repeating."""

    name = "MaxPool1D"
    summary = "Max-pooling over the length, undone by repeating."
    fields = _pool_fields(1)
    axes, word, keras_name = 1, "max", "MaxPooling"


class AveragePool2D(Pool):
    """Average-pooling over height and width, undone by repeating."""

    name = "AveragePool2D"
    summary = "Average-pooling over height and width, undone by repeating."
    fields = _pool_fields(2)
    axes, word, keras_name = 2, "avg", "AveragePooling"


class AveragePool1D(Pool):
    """Average-pooling over the length, undone by repeating."""

    name = "AveragePool1D"
    summary = "Average-pooling over the length, undone by repeating."
    fields = _pool_fields(1)
    axes, word, keras_name = 1, "avg", "AveragePooling"


class MaxPool3D(Pool):
    """Max-pooling over depth, height and width, undone by repeating."""

    name = "MaxPool3D"
    summary = "Max-pooling over depth, height and width, undone by repeating."
    fields = _pool_fields(3)
    axes, word, keras_name = 3, "max", "MaxPooling"


class AveragePool3D(Pool):
    """Average-pooling over depth, height and width, undone by repeating."""

    name = "AveragePool3D"
    summary = "Average-pooling over depth, height and width, undone by repeating."
    fields = _pool_fields(3)
    axes, word, keras_name = 3, "avg", "AveragePooling"


class GlobalAveragePool(LayerType):
    """The mean of each channel over every place.

    Its mirror is left to the completion by a Dense and a Reshape: to repeat one number over the
    whole picture would tell no places apart, and deconvolutions of a constant learn little.
    """

    name = "GlobalAveragePool"
    summary = "The mean of each channel over all places, one number for each."
    mirroring = "code"

    def output_shape(self, config: Mapping[str, Any], input_shape: Shape) -> Shape:
        """Return ``(channels,)``."""
        if len(input_shape) < 2:
            raise ShapeError(
                f"{self.name} works on channels with places, but {list(input_shape)} comes in",
                "leave this layer out",
            )
        return input_shape[:1]

    def notation(self, config: Mapping[str, Any]) -> str:
        """Return ``gap``."""
        return "gap"

    def mirror(self, layer: PlannedLayer) -> Sequence[Mapping[str, Any]]:
        """Return nothing: a Dense and a Reshape complete the shape of the layer below."""
        return []

    def build(self, layer: PlannedLayer, tensor: Any, context: BuildContext) -> Any:
        """Map ``(batch, *spatial, channels)`` to ``(batch, channels)``."""
        import keras

        axes = len(layer.input_shape) - 1
        return getattr(keras.layers, f"GlobalAveragePooling{axes}D")(name=layer.name)(tensor)


class SwitchedMaxPool2D(Pool):
    """Max-pooling whose switches the decoder reads: where in its window each maximum was."""

    name = "MaxPool2D*"
    summary = "Max-pooling undone by putting values back where the maxima were."
    fields = (size("filter_size", 2, "The window, and the step."),)
    axes, word, keras_name = 2, "max", "MaxPooling"

    def mirror(self, layer: PlannedLayer) -> Sequence[Mapping[str, Any]]:
        """Return the inverse that reads this layer's switches."""
        return [
            {
                "type": "InverseMaxPool2D",
                "inverse_of": layer.index,
                "filter_size": layer.config["filter_size"],
            }
        ]

    def switches(self, config: Mapping[str, Any], input_shape: Shape) -> Switches:
        """Return the shape of the input: 1 where a number is the maximum of its window, else 0."""
        return Switches(input_shape)

    def build(self, layer: PlannedLayer, tensor: Any, context: BuildContext) -> Any:
        """Pool as MaxPool2D; the switches, of ``tensor``'s shape, are left in ``context``."""
        from archbuild.layers import keras_layers

        pool = keras_layers.SwitchedMaxPool2D(layer.config["filter_size"], name=layer.name)
        pooled, context.switches[layer.index] = pool(tensor)
        return pooled
