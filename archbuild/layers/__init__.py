"""The vocabulary of layer types: one file per family, one line per type in the registry.

Nothing here imports Keras before a layer is built, or one of the Keras layers is asked for.
"""

from __future__ import annotations

from typing import Final

from archbuild.layers.convolution import Conv1D, Conv2D
from archbuild.layers.deconvolution import Deconv1D, Deconv2D
from archbuild.layers.dense import Dense
from archbuild.layers.gaussian import Gaussian
from archbuild.layers.input import Input
from archbuild.layers.pooling import (
    InverseMaxPool2D,
    MaxPool1D,
    MaxPool2D,
    SwitchedMaxPool2D,
    Unpool1D,
    Unpool2D,
)
from archbuild.layers.regularisation import BatchNorm, Dropout
from archbuild.layers.shaping import Concat, Flatten, Reshape
from archbuild.plugins import Registry, instance_of
from archbuild.spec.vocabulary import LayerType

LAYERS: Final[Registry[LayerType]] = Registry(
    "archbuild.layers",
    (
        Input(),
        Dense(),
        Conv2D(),
        Conv1D(),
        MaxPool2D(),
        SwitchedMaxPool2D(),
        MaxPool1D(),
        Reshape(),
        Flatten(),
        Dropout(),
        BatchNorm(),
        Concat(),
        Gaussian(),
        Deconv2D(),
        Deconv1D(),
        Unpool2D(),
        Unpool1D(),
        InverseMaxPool2D(),
    ),
    instance_of(LayerType),
)
"""Every layer type that a spec may name, in the order in which they are listed to users."""

__all__ = ["LAYERS"]
