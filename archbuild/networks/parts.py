"""From a head's declared parts to Keras layers."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt
from typing import Any

import keras
import numpy as np

from archbuild.spec.parts import Part


def build_parts(parts: Sequence[Part], seeds: np.random.Generator) -> dict[str, Any]:
    """Build every part, in order; the same seeds give the same weights, whatever ran before.

    Returns:
        A Keras layer, built, by the part's name: from ``(batch, inputs)`` to ``(batch, outputs)``.
    """
    return {part.name: _build(part, seeds) for part in parts}


def over_sets(network: Any, shared: Any, varying: Any) -> Any:
    """Return what a part gives for ``[shared | varying]`` of several sets of rows.

    What the sets share goes through the first layer once, not once for each set.

    Args:
        network: of ``build_parts``, which takes both side by side.
        shared: ``(batch, ...)``; ``None``: the sets share nothing.
        varying: ``(set, batch or 1, ...)``.

    Returns:
        ``(set, batch, outputs)``.
    """
    first, *rest = [network] if isinstance(network, keras.layers.Dense) else network.layers
    if shared is None:
        hidden = first(varying)
    else:
        size = shared.shape[1]
        own = keras.ops.matmul(varying, first.kernel[size:])
        hidden = first.activation(keras.ops.matmul(shared, first.kernel[:size]) + own + first.bias)
    for layer in rest:
        hidden = layer(hidden)
    return hidden


def _build(part: Part, seeds: np.random.Generator) -> Any:
    layers = [_dense(part, index, below, seeds) for index, below in enumerate(part.widths[:-1])]
    if len(layers) == 1:
        return layers[0]
    network = keras.Sequential(layers, name=part.name)
    network.build((None, part.inputs))
    return network


def _dense(part: Part, index: int, inputs: int, seeds: np.random.Generator) -> Any:
    declared = part.layers[index]
    kernel, bias = _initialisers(part, inputs, seeds)
    layer = keras.layers.Dense(
        declared.units,
        activation=declared.activation,
        kernel_initializer=kernel,
        bias_initializer=bias,
        name=part.name if len(part.layers) == 1 else f"{part.name}_{index}",
    )
    layer.build((None, inputs))
    return layer


def _initialisers(part: Part, inputs: int, seeds: np.random.Generator) -> tuple[Any, Any]:
    """Return those of kernel and bias, with the next seeds."""
    if part.initialiser == "glorot_uniform":
        return keras.initializers.GlorotUniform(_next(seeds)), "zeros"
    bound = 1.0 / sqrt(inputs)
    kernel = keras.initializers.RandomUniform(-bound, bound, _next(seeds))
    return kernel, keras.initializers.RandomUniform(-bound, bound, _next(seeds))


def _next(seeds: np.random.Generator) -> int:
    return int(seeds.integers(2**31))
