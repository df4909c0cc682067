"""Keras layers that have the kernel of another layer, for ``decoder: tied``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras
from keras import ops

_saveable = keras.saving.register_keras_serializable(package="archbuild")


class _Tied(keras.layers.Layer):
    """Base of layers with the kernel of another layer, and a bias of their own.

    The other layer is no part of this one: it trains, freezes and saves its kernel itself.
    """

    def __init__(self, source: keras.layers.Layer, use_bias: bool = True, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._source: Callable[[], Any] = lambda: source  # Keras would track the layer itself
        self.use_bias = use_bias

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Make the bias, of as many numbers as the other layer takes."""
        self._input_shape = input_shape
        size = self._source().kernel.shape[-2]
        if self.use_bias:
            self.bias = self.add_weight(shape=(size,), initializer="zeros", name="bias")

    def call(self, inputs: Any) -> Any:
        """Go the other layer's way back, and add the bias."""
        outputs = self._back(inputs, self._source().kernel)
        return outputs + self.bias if self.use_bias else outputs

    def untied(self) -> keras.layers.Layer:
        """Return a layer of Keras's own that computes the same, with weights of its own."""
        kernel = self._kernel(ops.convert_to_numpy(self._source().kernel))
        layer = self._like(kernel)
        layer.build(self._input_shape)
        bias = [ops.convert_to_numpy(self.bias)] if self.use_bias else []
        layer.set_weights([kernel, *bias])
        return layer

    def _back(self, inputs: Any, kernel: Any) -> Any:
        raise NotImplementedError

    def _kernel(self, kernel: Any) -> Any:
        return kernel

    def _like(self, kernel: Any) -> keras.layers.Layer:
        raise NotImplementedError


@_saveable
class TiedDense(_Tied):
    """A dense layer whose kernel is that of another, transposed.

    Args:
        source: a ``keras.layers.Dense`` that is built.
        use_bias: whether a bias is added.

    Input shape: ``(batch, units of the source)``.

    Output shape: ``(batch, inputs of the source)``.
    """

    def _back(self, inputs: Any, kernel: Any) -> Any:
        return ops.matmul(inputs, ops.transpose(kernel))

    def _kernel(self, kernel: Any) -> Any:
        return kernel.T

    def _like(self, kernel: Any) -> keras.layers.Layer:
        return keras.layers.Dense(kernel.shape[1], use_bias=self.use_bias, name=self.name)


@_saveable
class TiedConvTranspose(_Tied):
    """A transposed convolution whose kernel is that of a convolution.

    Args:
        source: a ``keras.layers.Conv1D``, ``Conv2D`` or ``Conv3D`` that is built.
        use_bias: whether a bias is added.
        strides, padding, output_padding: as ``keras.layers.Conv2DTranspose`` takes them.

    Input shape: ``(batch, *spatial, filters of the source)``.

    Output shape: ``(batch, *spatial, channels of the source)``, of the sizes of Keras.
    """

    def __init__(
        self,
        source: keras.layers.Layer,
        use_bias: bool = True,
        strides: Sequence[int] = (1,),
        padding: str = "valid",
        output_padding: Sequence[int] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(source, use_bias, **kwargs)
        self.strides, self.padding = tuple(strides), padding
        self.output_padding = output_padding

    def _back(self, inputs: Any, kernel: Any) -> Any:
        return ops.conv_transpose(
            inputs,
            kernel,
            strides=self.strides,
            padding=self.padding,
            output_padding=self.output_padding,
            data_format="channels_last",
        )

    def _like(self, kernel: Any) -> keras.layers.Layer:
        transposed = getattr(keras.layers, f"Conv{kernel.ndim - 2}DTranspose")
        return transposed(
            kernel.shape[-2],
            kernel.shape[:-2],
            strides=self.strides,
            padding=self.padding,
            output_padding=self.output_padding,
            use_bias=self.use_bias,
            name=self.name,
        )
