"""Lists of layers in a field of another layer: how they are declared, planned and built."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from archbuild.layers import finishing, pooling
from archbuild.layers.context import BuildContext
from archbuild.layers.convolution import Conv2D, DepthwiseConv2D
from archbuild.layers.dense import Dense
from archbuild.layers.regularisation import BatchNorm, Dropout, GaussianNoise
from archbuild.layers.shapes import channels_last
from archbuild.layers.shaping import Flatten, Reshape
from archbuild.spec.field import Field
from archbuild.spec.fields import entries
from archbuild.spec.plan import PlannedLayer, Shape, layer_name
from archbuild.spec.vocabulary import LayerType, ShapeError

if TYPE_CHECKING:
    import keras

NESTED: Final[Mapping[str, LayerType]] = {
    kind.name: kind
    for kind in (
        Conv2D(),
        DepthwiseConv2D(),
        pooling.MaxPool2D(),
        pooling.AveragePool2D(),
        pooling.GlobalAveragePool(),
        Dense(),
        Flatten(),
        Reshape(),
        Dropout(),
        GaussianNoise(),
        BatchNorm(),
        finishing.LayerNorm(),
        finishing.GroupNorm(),
        finishing.Activation(),
        finishing.PReLU(),
    )
}
"""The types that may be nested: those that read the layer below and nothing else."""


def nested_layers(name: str, doc: str) -> Field:
    """Declare a list of layers, each of a type in ``NESTED``."""
    return entries(name, NESTED.values(), doc, noun="layer")


def plan_nested(field: str, config: Mapping[str, Any], start: Shape) -> tuple[PlannedLayer, ...]:
    """Plan the layers that a field lists, one after another from the shape ``start``.

    Raises:
        ShapeError: a layer cannot take the shape that it is given; its ``path`` leads there.
    """
    planned: list[PlannedLayer] = []
    for index, entry in enumerate(config[field]):
        below = planned[-1].output_shape if planned else start
        try:
            planned.append(_planned(field, index, entry, below))
        except ShapeError as error:
            raise ShapeError(str(error), error.advice, (field, index)) from error
    return tuple(planned)


def _planned(field: str, index: int, entry: Mapping[str, Any], below: Shape) -> PlannedLayer:
    kind = NESTED[entry["type"]]
    config = _filled(entry)
    shape, batch_norm = kind.output_shape(config, below), config.get("batch_norm", False)
    parameters = kind.parameters(config, below)
    if batch_norm:
        parameters += kind.batch_norm_parameters(config, shape)
    return PlannedLayer(
        index=index,
        name=layer_name(field, index, kind.name),
        type=kind.name,
        config=config,
        input_shape=below,
        output_shape=shape,
        parameters=parameters,
        batch_norm=batch_norm,
        notation=_notation(kind, config),
    )


def _filled(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return every field of an entry, those that resolved specs leave out included."""
    fields = NESTED[entry["type"]].fields
    return {field.name: entry.get(field.name, field.default) for field in fields}


def parameters_of(layers: Sequence[PlannedLayer]) -> int:
    """Return the number of parameters of planned layers."""
    return sum(layer.parameters for layer in layers)


def notation_of(field: str, config: Mapping[str, Any]) -> str:
    """Return the notation of the layers that a field lists, in their order."""
    return " ".join(_notation(NESTED[entry["type"]], _filled(entry)) for entry in config[field])


def _notation(kind: LayerType, config: Mapping[str, Any]) -> str:
    word = kind.notation(config)
    return f"{word} {word}_bn" if config.get("batch_norm") else word


def build_nested(layer: PlannedLayer, context: BuildContext, start: Shape) -> keras.Model:
    """Build the nested layers of ``layer`` as a model of their own, from rows of shape ``start``.

    Their seeds follow from one seed of the network. The paths of their variables begin with the
    name of ``layer``: by its path PyTorch finds the gradient that a step begins without, and of two
    variables with one path it would forget one.
    """
    import keras

    inside = BuildContext(context.plan, context.next_seed())
    tensor = rows = keras.Input(channels_last(start))
    with keras.name_scope(layer.name):
        for each in layer.nested:
            tensor = inside.outputs[each.index] = NESTED[each.type].build(each, tensor, inside)
    return keras.Model(rows, tensor, name=f"{layer.name}_nested")
