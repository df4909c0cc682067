"""Keras layers that networks of archbuild are made of, for any ``keras.Model``.

Images are channels last. Every layer can be saved: import this module, or ask ``archbuild.layers``
for a layer, before ``keras.saving.load_model``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import keras
from keras import ops

from archbuild.layers.shapes import per_axis
from archbuild.objectives.soft_assignment import log_soft_assignment

_saveable = keras.saving.register_keras_serializable(package="archbuild")


class _Unpool(keras.layers.Layer):
    """Repeat every entry over its window, then append zeros; over one or two axes."""

    axes: ClassVar[int]

    def __init__(
        self,
        size: int | Sequence[int] = 2,
        output_padding: int | Sequence[int] = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.size = per_axis(size, self.axes)
        self.output_padding = per_axis(output_padding, self.axes)
        self.input_spec = keras.layers.InputSpec(ndim=self.axes + 2)

    def call(self, inputs: Any) -> Any:
        """Map ``(batch, *spatial, channels)`` to longer spatial axes."""
        return _zeros_after(_repeated(inputs, self.size), self.output_padding)

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> tuple[int | None, ...]:
        """Return each spatial axis times the window's size, plus the padding."""
        batch, *spatial, channels = input_shape
        sizes = zip(spatial, self.size, self.output_padding, strict=True)
        return (batch, *(None if n is None else n * k + rest for n, k, rest in sizes), channels)

    def get_config(self) -> dict[str, Any]:
        """Return what the constructor takes."""
        own = {"size": self.size, "output_padding": self.output_padding}
        return {**super().get_config(), **own}


@_saveable
class Unpool2D(_Unpool):
    """Undo max-pooling over height and width by repeating every pixel over its window.

    Args:
        size: how often each row and each column is repeated.
        output_padding: rows and columns of zeros put at the end, where pooling left some out.

    Input shape: ``(batch, height, width, channels)``.

    Output shape: ``(batch, height * size + output_padding, ..., channels)``.
    """

    axes = 2


@_saveable
class Unpool1D(_Unpool):
    """Undo max-pooling over the length by repeating every entry over its window.

    Args:
        size: how often each entry is repeated.
        output_padding: zeros put at the end, where pooling left some entries out.

    Input shape: ``(batch, length, channels)``.

    Output shape: ``(batch, length * size + output_padding, channels)``.
    """

    axes = 1


@_saveable
class Unpool3D(_Unpool):
    """Undo max-pooling over depth, height and width by repeating every voxel over its window.

    Args:
        size: repetitions along each axis.
        output_padding: zeros put at the end of each axis, where pooling left some entries out.

    Input shape: ``(batch, depth, height, width, channels)``.

    Output shape: ``(batch, depth * size + output_padding, ..., channels)``.
    """

    axes = 3


@_saveable
class Resize(keras.layers.Layer):
    """Interpolate to a size, over the length or over height and width.

    Args:
        sizes: the spatial sizes that go out, one or two.
        interpolation: ``nearest`` or ``bilinear``.

    Input shape: ``(batch, *spatial, channels)``.

    Output shape: ``(batch, *sizes, channels)``.
    """

    def __init__(
        self, sizes: Sequence[int], interpolation: str = "bilinear", **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.sizes = tuple(sizes)
        self.interpolation = interpolation
        self.input_spec = keras.layers.InputSpec(ndim=len(self.sizes) + 2)

    def call(self, inputs: Any) -> Any:
        """Interpolate; a length is resized as a picture of one column."""
        flat = len(self.sizes) == 1
        pictures = ops.expand_dims(inputs, 2) if flat else inputs
        sizes = (*self.sizes, 1) if flat else self.sizes
        resized = ops.image.resize(
            pictures, sizes, interpolation=self.interpolation, data_format="channels_last"
        )
        return ops.squeeze(resized, 2) if flat else resized

    def get_config(self) -> dict[str, Any]:
        """Return what the constructor takes."""
        own = {"sizes": self.sizes, "interpolation": self.interpolation}
        return {**super().get_config(), **own}


@_saveable
class Noise(keras.layers.Layer):
    """Add normal noise while training, of any standard deviation (Keras's own has at most 1).

    Args:
        stddev: standard deviation, above 0.
        seed: of the noise.

    Output shape: that of the input.
    """

    def __init__(self, stddev: float, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.stddev, self.seed = stddev, seed
        self.seed_generator = keras.random.SeedGenerator(seed)

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Return the inputs, with noise while training."""
        if not training:
            return inputs
        noise = keras.random.normal(
            ops.shape(inputs), stddev=self.stddev, dtype=inputs.dtype, seed=self.seed_generator
        )
        return inputs + noise

    def get_config(self) -> dict[str, Any]:
        """Return what the constructor takes."""
        return {**super().get_config(), "stddev": self.stddev, "seed": self.seed}


@_saveable
class Spread(keras.layers.Layer):
    """Drive entries apart with zeros in between, as a transposed convolution does.

    Args:
        strides: the distance from one entry to the next, for each spatial axis.

    Input shape: ``(batch, *spatial, channels)``; the spatial sizes have to be known.

    Output shape: ``(batch, (size - 1) * stride + 1, ..., channels)``.
    """

    def __init__(self, strides: Sequence[int], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.strides = tuple(strides)
        self.input_spec = keras.layers.InputSpec(ndim=len(self.strides) + 2)

    def call(self, inputs: Any) -> Any:
        """Interleave with zeros, one axis after another, and cut those after the last entry."""
        for axis, stride in enumerate(self.strides, start=1):
            if stride > 1:
                inputs = self._spread(inputs, axis, stride)
        return inputs

    def get_config(self) -> dict[str, Any]:
        """Return what the constructor takes."""
        return {**super().get_config(), "strides": self.strides}

    @staticmethod
    def _spread(tensor: Any, axis: int, stride: int) -> Any:
        shape = tensor.shape
        before, size, after = shape[1:axis], shape[axis], shape[axis + 1 :]
        apart = ops.expand_dims(tensor, axis + 1)
        zeros = [(0, 0)] * (axis + 1) + [(0, stride - 1)] + [(0, 0)] * len(after)
        joined = ops.reshape(ops.pad(apart, zeros), (-1, *before, size * stride, *after))
        return joined[(slice(None),) * axis + (slice(0, (size - 1) * stride + 1),)]


class _Pool2D(keras.layers.Layer):
    """Base of layers with a window over height and width."""

    def __init__(self, pool_size: int | Sequence[int] = 2, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.pool_size = per_axis(pool_size, 2)

    def get_config(self) -> dict[str, Any]:
        """Return what the constructor takes."""
        return {**super().get_config(), "pool_size": self.pool_size}


@_saveable
class SwitchedMaxPool2D(_Pool2D):
    """Max-pooling that also says where the maxima were, for ``InverseMaxPool2D``.

    Args:
        pool_size: the window, and the step, for height and width.

    Input shape: ``(batch, height, width, channels)``; height and width have to be known.

    Output: the maxima, ``(batch, height // pool_size, width // pool_size, channels)``, and the
    switches, in the input's shape: 1 where a number is the maximum of its window, otherwise 0.
    Where several numbers share a maximum all of them have 1. No gradient passes the switches.
    """

    def call(self, inputs: Any) -> tuple[Any, Any]:
        """Return the maxima and the switches."""
        pooled = ops.max_pool(inputs, self.pool_size, self.pool_size)
        spread = _repeated(pooled, self.pool_size)
        height, width = spread.shape[1:3]
        is_maximum = ops.equal(inputs[:, :height, :width, :], spread)
        rest = (inputs.shape[1] - height, inputs.shape[2] - width)
        switches = _zeros_after(ops.cast(is_maximum, spread.dtype), rest)
        return pooled, ops.stop_gradient(switches)


@_saveable
class InverseMaxPool2D(_Pool2D):
    """Put values back to where the maxima of max-pooling were; zeros everywhere else.

    The gradient of max-pooling with the values as output gradient (Lasagne's ``InverseLayer``);
    where several numbers shared a maximum all of them get the value, as in Theano.

    Args:
        pool_size: the window of the pooling that is undone.

    Input: a list of the values, ``(batch, height // pool_size, width // pool_size, channels)``, and
    the switches of ``SwitchedMaxPool2D``, ``(batch, height, width, channels)``; height and width
    have to be known.

    Output shape: that of the switches.
    """

    def call(self, inputs: Sequence[Any]) -> Any:
        """Return the values where the switches are 1."""
        values, switches = inputs
        spread = _repeated(values, self.pool_size)
        sizes = zip(switches.shape[1:3], spread.shape[1:3], strict=True)
        return _zeros_after(spread, [theirs - own for theirs, own in sizes]) * switches


@_saveable
class ClusteringLayer(keras.layers.Layer):
    """Soft assignment of rows to trainable centres by a Student-t kernel (DEC, equation 1).

    ``q_ik`` is proportional to ``(1 + ||z_i - c_k||² / ν)^(-(ν + 1) / 2)``; source: Xie, Girshick,
    Farhadi, arXiv 1511.06335. ``archbuild.objectives.target_distribution`` sharpens it.

    Args:
        n_clusters: how many centres there are.
        degrees_of_freedom: ν of the kernel, above 0.
        centres_initializer: of the centres; k-means centres are set with
            ``layer.set_weights([centres])``.

    Input shape: ``(batch, features)``.

    Output shape: ``(batch, n_clusters)``; each row's sum is 1.

    Attributes:
        centres: the variable, ``(n_clusters, features)``.
    """

    def __init__(
        self,
        n_clusters: int,
        degrees_of_freedom: float = 1.0,
        centres_initializer: Any = "glorot_uniform",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if n_clusters < 1 or degrees_of_freedom <= 0:
            raise ValueError(
                "expected n_clusters of at least 1 and degrees_of_freedom above 0, got "
                f"{n_clusters} and {degrees_of_freedom}"
            )
        self.n_clusters = n_clusters
        self.degrees_of_freedom = degrees_of_freedom
        self.centres_initializer = keras.initializers.get(centres_initializer)
        self.input_spec = keras.layers.InputSpec(ndim=2)

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Make the centres, of the width of the input."""
        self.centres = self.add_weight(
            shape=(self.n_clusters, input_shape[-1]),
            initializer=self.centres_initializer,
            name="centres",
        )

    def call(self, inputs: Any) -> Any:
        """Return ``q``, ``(batch, n_clusters)``."""
        return ops.exp(log_soft_assignment(inputs, self.centres, self.degrees_of_freedom))

    def get_config(self) -> dict[str, Any]:
        """Return what the constructor takes."""
        return {
            **super().get_config(),
            "n_clusters": self.n_clusters,
            "degrees_of_freedom": self.degrees_of_freedom,
            "centres_initializer": keras.initializers.serialize(self.centres_initializer),
        }


def _repeated(tensor: Any, window: Sequence[int]) -> Any:
    """Repeat every number of ``(batch, *spatial, channels)`` over its window."""
    for axis, times in enumerate(window, start=1):
        if times > 1:
            tensor = ops.repeat(tensor, times, axis=axis)
    return tensor


def _zeros_after(tensor: Any, amounts: Sequence[int]) -> Any:
    """Append zeros to each spatial axis of ``(batch, *spatial, channels)``."""
    if not any(amounts):
        return tensor
    return ops.pad(tensor, [(0, 0), *((0, amount) for amount in amounts), (0, 0)])
