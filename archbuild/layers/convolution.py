"""Conv2D and Conv1D."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import TYPE_CHECKING, Any, ClassVar

from archbuild.layers.building import finished, glorot_uniform
from archbuild.layers.convolution_sizes import convolved, mirror_padding
from archbuild.layers.shapes import by_axes, per_axis, require_axes
from archbuild.spec.field import Field
from archbuild.spec.fields import choice, integer, non_linearity, size
from archbuild.spec.plan import PlannedLayer, Shape
from archbuild.spec.vocabulary import LayerType, ShapeError

if TYPE_CHECKING:
    from archbuild.layers.context import BuildContext


def convolution_fields(axes: int) -> tuple[Field, ...]:
    """Return the fields that convolutions and deconvolutions of ``axes`` spatial axes share."""
    return (
        integer("num_filters", "Number of output channels."),
        size("filter_size", axes, "Size of the kernel."),
        size("stride", axes, "The step from one place of the kernel to the next.", default=1),
        choice(
            "conv_mode",
            ("valid", "same"),
            "Padding of the border: none, or so much that only the stride changes the size.",
            default="valid",
        ),
        size(
            "padding",
            axes,
            "Zeros on each side of the input (a deconvolution crops as many), with conv_mode "
            "valid only.",
            minimum=0,
            default=0,
        ),
        non_linearity(),
    )


class KernelLayer(LayerType):
    """Base of convolutions and deconvolutions over one and two axes."""

    axes: ClassVar[int]
    batch_norm_follows = True

    def parameters(self, config: Mapping[str, Any], input_shape: Shape) -> int:
        """Count for each filter a kernel over all channels below, and its bias."""
        kernel = prod(per_axis(config["filter_size"], self.axes))
        filters: int = config["num_filters"]
        return (kernel * input_shape[0] + 1) * filters

    def notation(self, config: Mapping[str, Any]) -> str:
        """Return ``50[5x5]``, filters and kernel; ``50[5x5]/2`` where the stride is not 1."""
        stride = per_axis(config["stride"], self.axes)
        step = stride[:1] if len(set(stride)) == 1 else stride
        suffix = "" if set(stride) == {1} else f"/{by_axes(step)}"
        kernel = by_axes(per_axis(config["filter_size"], self.axes))
        return f"{config['num_filters']}[{kernel}]{suffix}"


class Convolution(KernelLayer):
    """Base of convolutions over one and two axes."""

    def output_shape(self, config: Mapping[str, Any], input_shape: Shape) -> Shape:
        """Return ``(num_filters, ...)``; the kernel must fit into the padded input."""
        below = require_axes(self.name, input_shape, self.axes)
        kernel, stride, padding = self._sizes(config)
        mode = config["conv_mode"]
        require_padding_allowed(mode, padding)
        above = tuple(map(convolved, below, kernel, stride, (mode,) * self.axes, padding))
        if min(above) < 1:
            raise ShapeError(
                f"the {by_axes(kernel)} kernel is larger than its {by_axes(below)} input",
                "make filter_size smaller, set conv_mode to 'same', or pool less before",
            )
        return (config["num_filters"], *above)

    def mirror(self, layer: PlannedLayer) -> Sequence[Mapping[str, Any]]:
        """Return a deconvolution with the same kernel, stride and non-linearity, exact in size."""
        config = layer.config
        kernel, stride, padding = self._sizes(config)
        modes = (config["conv_mode"],) * self.axes
        extra = [*map(mirror_padding, layer.input_shape[1:], kernel, stride, modes, padding)]
        inverse = {
            **config,
            "type": f"Deconv{self.axes}D",
            "num_filters": layer.input_shape[0],
            "output_padding": None if extra == [None] * self.axes else extra,
        }
        return [inverse]

    def build(self, layer: PlannedLayer, tensor: Any, context: BuildContext) -> Any:
        """Map ``(batch, height, width, channels)`` to ``(batch, height', width', num_filters)``."""
        import keras

        config = layer.config
        kernel, stride, padding = self._sizes(config)
        if any(padding):
            pad = getattr(keras.layers, f"ZeroPadding{self.axes}D")
            amount = padding if self.axes > 1 else padding[0]
            tensor = pad(amount, name=f"{layer.name}_padding")(tensor)
        convolution = getattr(keras.layers, f"Conv{self.axes}D")(
            config["num_filters"],
            kernel,
            strides=stride,
            padding=config["conv_mode"],
            use_bias=not layer.batch_norm,
            kernel_initializer=glorot_uniform(context),
            name=layer.name,
        )
        return finished(convolution(tensor), layer)

    def _sizes(self, config: Mapping[str, Any]) -> tuple[tuple[int, ...], ...]:
        return tuple(
            per_axis(config[field], self.axes) for field in ("filter_size", "stride", "padding")
        )


def require_padding_allowed(mode: str, padding: Sequence[int]) -> None:
    """Raise ``ShapeError`` for explicit padding with ``conv_mode: same``."""
    if mode == "same" and any(padding):
        raise ShapeError(
            "padding and conv_mode 'same' contradict each other",
            "leave padding out, or set conv_mode to 'valid'",
        )


class Conv2D(Convolution):
    """A convolution over height and width."""

    name = "Conv2D"
    summary = "A convolution over height and width."
    fields = convolution_fields(2)
    axes = 2


class Conv1D(Convolution):
    """A convolution over the length."""

    name = "Conv1D"
    summary = "A convolution over the length."
    fields = convolution_fields(1)
    axes = 1
