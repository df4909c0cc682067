"""Deconv2D, Deconv1D and Deconv3D: transposed convolutions, for decoders."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from archbuild.layers.building import cropped, finished, zero_padded
from archbuild.layers.convolution import (
    CAUSAL,
    KernelLayer,
    convolution_fields,
    convolve,
    dilation_of,
    require_padding_allowed,
)
from archbuild.layers.convolution_sizes import deconvolved, reach, same_as_valid
from archbuild.layers.shapes import by_axes, per_axis, require_axes
from archbuild.layers.weights import kernel_settings, use_bias
from archbuild.spec.field import Field
from archbuild.spec.plan import PlannedLayer, Shape
from archbuild.spec.vocabulary import ShapeError

if TYPE_CHECKING:
    from archbuild.layers.context import BuildContext


def _output_padding(axes: int) -> Field:
    whole = {"type": ["integer", "null"], "minimum": 0, "maximum": 65_536}
    each = {"type": "array", "items": whole, "minItems": axes, "maxItems": axes}
    return Field(
        "output_padding",
        {"anyOf": [whole, each]},
        None,
        "Rows and columns added to reach a size that the stride skips, less than the stride; "
        "null: as many as make 'same' give size times stride.",
    )


class _Sizes(NamedTuple):
    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    padding: tuple[int, ...]
    output_padding: tuple[int | None, ...]


class Deconvolution(KernelLayer):
    """Base of transposed convolutions.

    Each is the adjoint of the convolution with its fields: that of a causal one reads the code of
    a place and of those behind it, whose kernels have seen the place.
    """

    sides = frozenset({"decoder"})

    def output_shape(self, config: Mapping[str, Any], input_shape: Shape) -> Shape:
        """Return ``(num_filters, ...)``; sizes as in ``convolution_sizes``."""
        below = require_axes(self.name, input_shape, self.axes)
        sizes = self._sizes(config)
        mode = config["conv_mode"]
        require_padding_allowed(mode, sizes.padding)
        self._require_options_allowed(config, input_shape[0])
        self._require_padding_below_stride(sizes)
        modes = (mode,) * self.axes
        above = tuple(
            map(deconvolved, below, sizes.kernel, sizes.stride, modes, *sizes[2:]),
        )
        if min(above) < 1:
            raise ShapeError(
                f"nothing is left of the {by_axes(below)} input: the result would be "
                f"{by_axes(above)}",
                "crop less (padding), or leave output_padding out",
            )
        return (config["num_filters"], *above)

    def mirror(self, layer: PlannedLayer) -> Sequence[Mapping[str, Any]]:
        """Return nothing: the type stands in decoders only, and decoders are not mirrored."""
        return []

    def shared_shape(self, layer: PlannedLayer) -> Shape | None:
        """Return the kernel's sizes, filters and channels; none with groups or dilation."""
        kernel = per_axis(layer.config["filter_size"], self.axes)
        plain = layer.config.get("groups", 1) == max(dilation_of(layer.config, self.axes)) == 1
        return (*kernel, layer.output_shape[0], layer.input_shape[0]) if plain else None

    def build(self, layer: PlannedLayer, tensor: Any, context: BuildContext) -> Any:
        """Map ``(batch, height, width, channels)`` to ``(batch, height', width', num_filters)``."""
        config = layer.config
        if config.get("groups", 1) > 1 or max(dilation_of(config, self.axes)) > 1:
            return finished(self._by_convolution(layer, tensor, context), layer)
        mode, output_padding, crops = self._padding_and_crop(layer)
        settings = {
            "strides": per_axis(config["stride"], self.axes),
            "padding": mode,
            "output_padding": output_padding,
            "name": layer.name,
        }
        tensor = self._deconvolution(layer, settings, context)(tensor)
        return finished(cropped(tensor, crops, layer.name), layer)

    def _deconvolution(
        self, layer: PlannedLayer, settings: dict[str, Any], context: BuildContext
    ) -> Any:
        """Return the Keras layer, with the kernel of the encoder's layer that it is tied to."""
        import keras

        if layer.tied_to is not None:
            from archbuild.layers.tied import TiedConvTranspose

            source = context.kernels[layer.tied_to]
            return TiedConvTranspose(source, use_bias(layer), **settings)
        own = {**kernel_settings(layer.config, context), "use_bias": use_bias(layer)}
        deconvolution = getattr(keras.layers, f"Conv{self.axes}DTranspose")
        kernel = per_axis(layer.config["filter_size"], self.axes)
        return deconvolution(layer.config["num_filters"], kernel, **settings, **own)

    def _by_convolution(self, layer: PlannedLayer, tensor: Any, context: BuildContext) -> Any:
        """Convolve what zeros drive apart: Keras has no groups, TensorFlow no dilation, on CPU.

        That is the transposed convolution itself, its kernel stored the other way round.
        """
        from archbuild.layers import keras_layers

        sizes = self._sizes(layer.config)
        if max(sizes.stride) > 1:
            tensor = keras_layers.Spread(sizes.stride, name=f"{layer.name}_spread")(tensor)
        around = self._around(layer, sizes)
        tensor = zero_padded(tensor, [(max(a, 0), max(b, 0)) for a, b in around], layer.name)
        tensor = cropped(tensor, [(max(-a, 0), max(-b, 0)) for a, b in around], layer.name)
        groups = layer.config["groups"]
        return convolve(tensor, layer, context, groups, "valid", strided=False)

    def _around(self, layer: PlannedLayer, sizes: _Sizes) -> list[tuple[int, int]]:
        """Return the zeros before and after, of each axis, that give the planned size."""
        axes = zip(
            layer.input_shape[1:],
            sizes.kernel,
            sizes.stride,
            layer.output_shape[1:],
            sizes.padding,
            strict=True,
        )
        around = []
        for o, k, s, i, p in axes:
            full = (o - 1) * s + k
            if layer.config["conv_mode"] == CAUSAL:
                extra, (before, after) = 0, (k - 1, 0)
            elif layer.config["conv_mode"] == "same":
                extra, (before, after) = same_as_valid(o, k, s, i)
            else:
                extra, (before, after) = i + 2 * p - full, (p, p)
            around.append((k - 1 - before, k - 1 - after + extra))
        return around

    def _padding_and_crop(
        self, layer: PlannedLayer
    ) -> tuple[str, tuple[int, ...] | None, tuple[tuple[int, int], ...]]:
        """Return Keras's padding mode and output padding, and what is cropped afterwards."""
        sizes = self._sizes(layer.config)
        mode = layer.config["conv_mode"]
        if mode == CAUSAL:
            return "valid", None, tuple((size - 1, 0) for size in sizes.kernel)
        given = [amount for amount in sizes.output_padding if amount is not None]
        if mode == "same" and given and len(given) < self.axes:
            # Keras takes output padding for all axes or for none.
            axes = zip(
                layer.input_shape[1:],
                sizes.kernel,
                sizes.stride,
                layer.output_shape[1:],
                strict=True,
            )
            extra, crops = zip(*(same_as_valid(*axis) for axis in axes), strict=True)
            return "valid", extra, crops
        crops = tuple((amount, amount) for amount in sizes.padding)
        if not given:
            return mode, None, crops
        missing = (max(s - k, 0) for s, k in zip(sizes.stride, sizes.kernel, strict=True))
        pairs = zip(sizes.output_padding, missing, strict=True)
        return mode, tuple(extra if a is None else a for a, extra in pairs), crops

    def _sizes(self, config: Mapping[str, Any]) -> _Sizes:
        names = ("filter_size", "stride", "padding")
        kernel, stride, padding = (per_axis(config[name], self.axes) for name in names)
        kernel = tuple(map(reach, kernel, dilation_of(config, self.axes)))
        extra = config["output_padding"]
        each = (None,) * self.axes if extra is None else per_axis(extra, self.axes)
        return _Sizes(kernel, stride, padding, each)

    def _require_padding_below_stride(self, sizes: _Sizes) -> None:
        for amount, stride in zip(sizes.output_padding, sizes.stride, strict=True):
            if amount is not None and amount >= stride:
                raise ShapeError(
                    f"output_padding must be less than the stride, {amount} is not less than "
                    f"{stride}",
                    "leave output_padding out, or make the stride larger",
                )


class Deconv2D(Deconvolution):
    """A transposed convolution over height and width."""

    name = "Deconv2D"
    summary = "A transposed convolution over height and width."
    fields = (*convolution_fields(2), _output_padding(2))
    axes = 2


class Deconv1D(Deconvolution):
    """A transposed convolution over the length."""

    name = "Deconv1D"
    summary = "A transposed convolution over the length."
    fields = (*convolution_fields(1), _output_padding(1))
    axes = 1


class Deconv3D(Deconvolution):
    """A transposed convolution over depth, height and width."""

    name = "Deconv3D"
    summary = "A transposed convolution over depth, height and width."
    fields = (*convolution_fields(3), _output_padding(3))
    axes = 3
