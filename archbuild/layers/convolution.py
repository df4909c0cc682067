"""Conv2D, Conv1D, Conv3D and DepthwiseConv2D."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import TYPE_CHECKING, Any, ClassVar, Final

from archbuild.layers.building import finished, zero_padded
from archbuild.layers.convolution_sizes import convolved, mirror_padding, reach
from archbuild.layers.shapes import alike, by_axes, per_axis, require_axes, with_step
from archbuild.layers.weights import WEIGHT_FIELDS, kernel_settings, use_bias
from archbuild.spec.field import Field
from archbuild.spec.fields import choice, implicit, integer, non_linearity, size
from archbuild.spec.plan import PlannedLayer, Shape
from archbuild.spec.vocabulary import LayerType, ShapeError

if TYPE_CHECKING:
    from archbuild.layers.context import BuildContext


CAUSAL: Final = "causal"


def convolution_fields(axes: int) -> tuple[Field, ...]:
    """Return the fields that convolutions and deconvolutions of ``axes`` spatial axes share."""
    modes = ("valid", "same")
    return (
        integer("num_filters", "Number of output channels."),
        size("filter_size", axes, "Size of the kernel."),
        size("stride", axes, "The step from one place of the kernel to the next.", default=1),
        choice(
            "conv_mode",
            (*modes, CAUSAL) if axes == 1 else modes,
            "Padding of the border: none, or so much that only the stride changes the size"
            + ("; causal: all of it in front, with stride 1." if axes == 1 else "."),
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
        *(_dilation(axes) if axes < 3 else ()),  # not to be had over three axes on CPU
        implicit(
            integer("groups", "Number of groups of channels, each convolved on its own.", default=1)
        ),
        *WEIGHT_FIELDS,
    )


def _dilation(axes: int) -> tuple[Field, ...]:
    doc = "Distance between neighbours of the kernel; above 1 with stride 1 only."
    return (implicit(size("dilation", axes, doc, default=1)),)


def dilation_of(config: Mapping[str, Any], axes: int) -> tuple[int, ...]:
    """Return the distance between neighbours of the kernel, for every axis."""
    return per_axis(config.get("dilation", 1), axes)


class KernelLayer(LayerType):
    """Base of convolutions and deconvolutions."""

    axes: ClassVar[int]
    batch_norm_follows = True

    def filters(self, config: Mapping[str, Any], channels: int) -> int:
        """Return how many channels go out where ``channels`` come in."""
        filters: int = config["num_filters"]
        return filters

    def groups(self, config: Mapping[str, Any], channels: int) -> int:
        """Return in how many groups the channels are convolved."""
        groups: int = config.get("groups", 1)
        return groups

    def parameters(self, config: Mapping[str, Any], input_shape: Shape) -> int:
        """Count one kernel over the channels of its group below for each filter, and its bias."""
        channels = input_shape[0]
        kernel = prod(per_axis(config["filter_size"], self.axes))
        weights = kernel * (channels // self.groups(config, channels)) + int(config["use_bias"])
        return weights * self.filters(config, channels)

    def notation(self, config: Mapping[str, Any]) -> str:
        """Return ``50[5x5]``: filters and kernel; ``50[5x5]/2`` where the stride is not 1.

        ``50[3x3]d2`` and ``50[3x3]g10`` where it has dilation or groups.
        """
        kernel = by_axes(per_axis(config["filter_size"], self.axes))
        dilation = dilation_of(config, self.axes)
        spread = "" if set(dilation) == {1} else f"d{by_axes(alike(dilation))}"
        word = f"{self._notation_of_filters(config)}[{kernel}]{spread}{_grouped(config)}"
        return with_step(word, per_axis(config["stride"], self.axes))

    def _notation_of_filters(self, config: Mapping[str, Any]) -> str:
        return str(config["num_filters"])

    def _require_options_allowed(self, config: Mapping[str, Any], channels: int) -> None:
        """Raise ``ShapeError`` for groups that do not divide, and for strides that cannot be."""
        groups, filters = self.groups(config, channels), self.filters(config, channels)
        if channels % groups or filters % groups:
            raise ShapeError(
                f"{groups} groups do not divide both the {channels} channels that come in and the "
                f"{filters} filters",
                "choose groups that divide both",
            )
        strides = per_axis(config["stride"], self.axes)
        if max(strides) > 1 and max(dilation_of(config, self.axes)) > 1:
            raise ShapeError(
                "stride and dilation cannot both be above 1", "set one of the two to 1"
            )
        if max(strides) > 1 and config["conv_mode"] == CAUSAL:
            raise ShapeError(
                "conv_mode 'causal' goes with stride 1 only: a stride would leave the end unread",
                "set stride to 1, and put an AveragePool1D behind the layer to shorten it",
            )


class Convolution(KernelLayer):
    """Base of convolutions."""

    def output_shape(self, config: Mapping[str, Any], input_shape: Shape) -> Shape:
        """Return ``(num_filters, ...)``; the kernel must fit into the padded input."""
        below = require_axes(self.name, input_shape, self.axes)
        kernel, stride, padding = self._sizes(config)
        mode = config["conv_mode"]
        require_padding_allowed(mode, padding)
        self._require_options_allowed(config, input_shape[0])
        above = tuple(map(convolved, below, kernel, stride, (mode,) * self.axes, padding))
        if min(above) < 1:
            raise ShapeError(
                f"the {by_axes(kernel)} kernel is larger than its {by_axes(below)} input",
                "make filter_size smaller, set conv_mode to 'same', or pool less before",
            )
        return (self.filters(config, input_shape[0]), *above)

    def mirror(self, layer: PlannedLayer) -> Sequence[Mapping[str, Any]]:
        """Return a deconvolution with the same kernel, stride and non-linearity, exact in size."""
        config, channels = layer.config, layer.input_shape[0]
        kernel, stride, padding = self._sizes(config)
        modes = (config["conv_mode"],) * self.axes
        extra = [*map(mirror_padding, layer.input_shape[1:], kernel, stride, modes, padding)]
        inverse = {
            **config,
            "type": f"Deconv{self.axes}D",
            "num_filters": channels,
            "groups": self.groups(config, channels),
            "output_padding": None if extra == [None] * self.axes else extra,
        }
        return [inverse]

    def build(self, layer: PlannedLayer, tensor: Any, context: BuildContext) -> Any:
        """Map ``(batch, height, width, channels)`` to ``(batch, height', width', num_filters)``."""
        kernel, _, padding = self._sizes(layer.config)
        mode, around = layer.config["conv_mode"], [(amount, amount) for amount in padding]
        if mode == CAUSAL:
            mode, around = "valid", [(size - 1, 0) for size in kernel]
        tensor = zero_padded(tensor, around, layer.name)
        groups = self.groups(layer.config, layer.input_shape[0])
        return finished(convolve(tensor, layer, context, groups, mode), layer)

    def kernel_shape(self, layer: PlannedLayer) -> Shape | None:
        """Return the kernel's sizes, channels and filters; none with groups or dilation."""
        kernel = per_axis(layer.config["filter_size"], self.axes)
        groups = self.groups(layer.config, layer.input_shape[0])
        plain = groups == max(dilation_of(layer.config, self.axes)) == 1
        return (*kernel, layer.input_shape[0], layer.output_shape[0]) if plain else None

    def _sizes(self, config: Mapping[str, Any]) -> tuple[tuple[int, ...], ...]:
        """Return what the kernel reaches over, stride and padding, each for every axis."""
        names = ("filter_size", "stride", "padding")
        kernel, stride, padding = (per_axis(config[name], self.axes) for name in names)
        return tuple(map(reach, kernel, dilation_of(config, self.axes))), stride, padding


def convolve(
    tensor: Any,
    layer: PlannedLayer,
    context: BuildContext,
    groups: int,
    mode: str,
    *,
    strided: bool = True,
) -> Any:
    """Convolve as the layer says: ``(batch, *spatial, channels)``; not strided: with stride 1."""
    axes, filters = len(layer.output_shape) - 1, layer.output_shape[0]
    stride = per_axis(layer.config["stride"], axes) if strided else (1,) * axes
    settings: dict[str, Any] = {
        "kernel_size": per_axis(layer.config["filter_size"], axes),
        "strides": stride,
        "padding": mode,
        "dilation_rate": dilation_of(layer.config, axes),
    }
    # Keras takes one stride for both axes of a depthwise convolution, and has none over three
    if 1 < groups == layer.input_shape[0] and len(set(stride)) == 1 and axes < 3:
        own = kernel_settings(layer.config, context, "depthwise")
        settings |= {**own, "depth_multiplier": filters // groups, "use_bias": use_bias(layer)}
        return _keras_layer(f"DepthwiseConv{axes}D", layer.name, settings)(tensor)
    return _by_groups(tensor, layer, context, groups, settings)


def _by_groups(
    tensor: Any, layer: PlannedLayer, context: BuildContext, groups: int, settings: dict[str, Any]
) -> Any:
    """Convolve each group on its own: Keras's groups would need XLA, and could not be exported."""
    import keras

    name = f"Conv{len(layer.output_shape) - 1}D"
    settings |= {"filters": layer.output_shape[0] // groups}
    parts = keras.ops.split(tensor, groups, axis=-1) if groups > 1 else [tensor]
    convolved_parts = []
    for index, part in enumerate(parts):
        own = kernel_settings(layer.config, context) | {"use_bias": use_bias(layer)}
        own_name = f"{layer.name}_{index}" if groups > 1 else layer.name
        convolution = _keras_layer(name, own_name, settings | own)
        context.kernels.setdefault(layer.index, convolution)
        convolved_parts.append(convolution(part))
    if groups == 1:
        return convolved_parts[0]
    return keras.layers.Concatenate(name=layer.name)(convolved_parts)


def _keras_layer(kind: str, name: str, settings: Mapping[str, Any]) -> Any:
    import keras

    return getattr(keras.layers, kind)(name=name, **settings)


def _grouped(config: Mapping[str, Any]) -> str:
    groups = config.get("groups", 1)
    return "" if groups == 1 else f"g{groups}"


def require_padding_allowed(mode: str, padding: Sequence[int]) -> None:
    """Raise ``ShapeError`` for explicit padding beside a ``conv_mode`` that pads."""
    if mode != "valid" and any(padding):
        raise ShapeError(
            f"padding and conv_mode '{mode}' contradict each other",
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


class Conv3D(Convolution):
    """A convolution over depth, height and width."""

    name = "Conv3D"
    summary = "A convolution over depth, height and width."
    fields = convolution_fields(3)
    axes = 3


class DepthwiseConv2D(Convolution):
    """A convolution over height and width of each channel on its own."""

    name = "DepthwiseConv2D"
    summary = "A convolution over height and width of each channel on its own."
    fields = tuple(
        field for field in convolution_fields(2) if field.name not in ("num_filters", "groups")
    )
    axes = 2

    def filters(self, config: Mapping[str, Any], channels: int) -> int:
        """Return as many as come in."""
        return channels

    def groups(self, config: Mapping[str, Any], channels: int) -> int:
        """Return one for each channel."""
        return channels

    def _notation_of_filters(self, config: Mapping[str, Any]) -> str:
        return "dw"
