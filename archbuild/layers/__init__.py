"""The layer types that a spec may name, and Keras layers for other models.

``LAYERS`` holds the types, one file per family, one line per type. The names in ``__all__`` are
Keras layers (``keras_layers.py`` and ``keras_glimpses.py``). Keras is imported when a network is
built, or when one of these is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from archbuild.layers import finishing, glimpses, pooling, recurrent, unpooling
from archbuild.layers.addition import Add
from archbuild.layers.convolution import Conv1D, Conv2D, Conv3D, DepthwiseConv2D
from archbuild.layers.deconvolution import Deconv1D, Deconv2D, Deconv3D
from archbuild.layers.dense import Dense
from archbuild.layers.embedding import Embedding
from archbuild.layers.gaussian import Gaussian
from archbuild.layers.input import Input
from archbuild.layers.regularisation import BatchNorm, Dropout, GaussianNoise
from archbuild.layers.shaping import Concat, Flatten, Reshape
from archbuild.layers.time_distributed import TimeDistributed
from archbuild.plugins import Registry, instance_of
from archbuild.spec.vocabulary import LayerType

if TYPE_CHECKING:
    from archbuild.layers.keras_glimpses import (
        EachStep,
        InverseSpatialTransformer,
        RecurrentSpatialTransformer,
        SpatialTransformer,
    )
    from archbuild.layers.keras_layers import (
        ClusteringLayer,
        InverseMaxPool2D,
        Noise,
        Resize,
        Spread,
        SwitchedMaxPool2D,
        Unpool1D,
        Unpool2D,
        Unpool3D,
    )

LAYERS: Final[Registry[LayerType]] = Registry(
    "archbuild.layers",
    (
        Input(),
        Dense(),
        Embedding(),
        Conv2D(),
        Conv1D(),
        Conv3D(),
        DepthwiseConv2D(),
        pooling.MaxPool2D(),
        pooling.SwitchedMaxPool2D(),
        pooling.MaxPool1D(),
        pooling.AveragePool2D(),
        pooling.AveragePool1D(),
        pooling.MaxPool3D(),
        pooling.AveragePool3D(),
        pooling.GlobalAveragePool(),
        Reshape(),
        Flatten(),
        Dropout(),
        GaussianNoise(),
        BatchNorm(),
        finishing.LayerNorm(),
        finishing.GroupNorm(),
        finishing.Activation(),
        finishing.PReLU(),
        recurrent.LSTM(),
        recurrent.GRU(),
        Add(),
        Concat(),
        glimpses.SpatialTransformer(),
        glimpses.RecurrentSpatialTransformer(),
        TimeDistributed(),
        Gaussian(),
        Deconv2D(),
        Deconv1D(),
        Deconv3D(),
        unpooling.Unpool2D(),
        unpooling.Unpool1D(),
        unpooling.Unpool3D(),
        unpooling.UpSample(),
        unpooling.InverseMaxPool2D(),
        glimpses.InverseSpatialTransformer(),
        recurrent.Repeat(),
    ),
    instance_of(LayerType),
)
"""Every layer type that a spec may name, in the order in which they are listed to users."""

__all__ = [
    "ClusteringLayer",
    "EachStep",
    "InverseMaxPool2D",
    "InverseSpatialTransformer",
    "Noise",
    "RecurrentSpatialTransformer",
    "Resize",
    "SpatialTransformer",
    "Spread",
    "SwitchedMaxPool2D",
    "Unpool1D",
    "Unpool2D",
    "Unpool3D",
]


def __getattr__(name: str) -> Any:
    """Import and return a Keras layer."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from archbuild.layers import keras_glimpses, keras_layers

    return getattr(keras_glimpses, name, None) or getattr(keras_layers, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
