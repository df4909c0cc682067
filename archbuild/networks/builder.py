"""From a plan to a network. Keras begins here; shapes are channels last from here on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

import keras

from archbuild import objectives
from archbuild.environment import FLOAT32
from archbuild.layers.building import flat
from archbuild.layers.context import BuildContext, Level
from archbuild.layers.precision import computing_in, in_float32
from archbuild.layers.shapes import channels_last
from archbuild.networks.network import Network
from archbuild.spec.decoder import output_index
from archbuild.spec.plan import Plan, PlannedLayer
from archbuild.spec.top import OF_COUNTS, TWO_OUTPUTS, ZERO_INFLATED
from archbuild.spec.vocabulary import Vocabulary

_TWINS: Final = {"gaussian": "log_variance", ZERO_INFLATED: "dropout"}
"""Kind of reconstruction with two outputs -> the word for the second one's layers."""


def build_network(
    plan: Plan, vocabulary: Vocabulary, seed: int, precision: str = FLOAT32
) -> Network:
    """Build both halves; the same plan and seed give the same weights, whatever ran before.

    Args:
        plan: what to build.
        vocabulary: knows the layer types.
        seed: of the first weights, and of layers that draw.
        precision: in which the layers compute, one of ``PRECISIONS`` (``environment.py``). Weights
            are float32, and so is what encoder and decoder give.
    """
    context = BuildContext(plan, seed)
    with computing_in(precision):
        encoder = _encoder(plan, vocabulary, context)
        decoder = _decoder(plan, vocabulary, context) if plan.spec.decodes else None
    return Network(plan, encoder, decoder, precision)


def _encoder(plan: Plan, vocabulary: Vocabulary, context: BuildContext) -> keras.Model:
    tensor = rows = None
    for layer in plan.encoder:
        tensor = vocabulary.layers[layer.type].build(layer, tensor, context)
        if rows is None:
            rows, tensor = tensor, _as_read(plan, tensor)
        context.outputs[layer.index] = tensor
    outputs = [flat(tensor, "latent")]
    inner = context.levels
    if plan.stochastic:
        *inner, last = context.levels
        outputs += [last.log_variance, last.features]
    outputs += [context.switches[index] for index, _ in plan.undone]
    outputs += _tensors(inner)
    return keras.Model(rows, list(map(in_float32, outputs)), name="encoder")


def _decoder(plan: Plan, vocabulary: Vocabulary, context: BuildContext) -> keras.Model:
    latent = keras.Input((plan.latent_size,), name="latent")
    context.outputs, context.levels = {}, []
    context.switches = {
        index: keras.Input(channels_last(switches.shape), name=f"switches_{index}")
        for index, switches in plan.undone
    }
    conditions = [keras.Input((each.size,), name=each.name) for each in plan.conditions]
    tensor = _start(plan, latent, conditions)
    further = [*context.switches.values(), *conditions]
    inputs = [latent, *further] if further else latent
    outputs = _decoded(plan, latent, tensor, vocabulary, context)
    outputs += _tensors(context.levels)
    return keras.Model(inputs, list(map(in_float32, outputs)), name="decoder")


def _tensors(levels: Sequence[Level]) -> list[Any]:
    return [tensor for level in levels for tensor in level]


def _decoded(
    plan: Plan, latent: Any, tensor: Any, vocabulary: Vocabulary, context: BuildContext
) -> list[Any]:
    """Return the value, and what the kind of reconstruction has besides."""
    kind = plan.spec.reconstruction
    if kind not in TWO_OUTPUTS:
        value = _stacked(plan.decoder, tensor, vocabulary, context)
        return [value, _log_dispersion(plan, latent)] if kind in OF_COUNTS else [value]
    below, mean, twins = _split(plan.decoder, _TWINS[kind])
    tensor = _stacked(below, tensor, vocabulary, context)
    value = _stacked(mean, tensor, vocabulary, context)
    other = _stacked(twins, tensor, vocabulary, context)
    if kind in OF_COUNTS:
        return [value, _log_dispersion(plan, latent), other]
    return [value, objectives.bounded_log_variance(in_float32(other))]


def _as_read(plan: Plan, rows: Any) -> Any:
    """Return what the encoder makes of rows first: counts are brought to one size."""
    if plan.spec.reconstruction in OF_COUNTS:
        return objectives.log_normalised_counts(rows)
    return rows


def _log_dispersion(plan: Plan, latent: Any) -> Any:
    """Return a learned number for each feature, the same for all rows, ``(batch, features)``."""
    (features,) = plan.encoder[0].output_shape
    only = keras.ops.cast(keras.ops.zeros_like(latent[:, 0]), "int32")
    free = keras.layers.Embedding(1, features, embeddings_initializer="zeros", name="dispersion")
    return objectives.bounded_log_variance(in_float32(free(only)))


def _start(plan: Plan, latent: Any, conditions: Sequence[Any]) -> Any:
    """Return what the decoder's first layer takes: the latent in its shape, or with conditions."""
    if conditions:
        return keras.layers.Concatenate(name="conditioned")([latent, *conditions])
    start = channels_last(plan.encoder[-1].output_shape)
    return latent if len(start) == 1 else keras.layers.Reshape(start, name="unflat")(latent)


def _stacked(
    layers: Sequence[PlannedLayer], tensor: Any, vocabulary: Vocabulary, context: BuildContext
) -> Any:
    for layer in layers:
        tensor = vocabulary.layers[layer.type].build(layer, tensor, context)
        context.outputs[layer.index] = tensor
    return tensor


def _split(
    decoder: Sequence[PlannedLayer], twin: str
) -> tuple[Sequence[PlannedLayer], Sequence[PlannedLayer], Sequence[PlannedLayer]]:
    """Return the layers that both outputs share, the mean's, and those of its ``twin``."""
    output = output_index(decoder) or 0
    below, mean = decoder[:output], decoder[output:]
    twins = [replace(layer, name=f"{layer.name}_{twin}") for layer in mean]
    twins[0] = replace(twins[0], config={**twins[0].config, "non_linearity": "linear"})
    return below, mean, twins
