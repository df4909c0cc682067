"""The contract that every layer type passes, archbuild's own and those of plugins."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from jsonschema import Draft7Validator

from archbuild.layers import LAYERS
from archbuild.layers.shapes import channels_last
from archbuild.registry import default_vocabulary
from archbuild.spec import Plan, PlannedLayer, build_schema, make_plan, spec_from_tree


def plan_of(*layers: Mapping[str, Any], **keys: Any) -> Plan:
    """Plan a network from its encoder's layers and any other keys of a spec."""
    vocabulary = default_vocabulary()
    tree = {"spec_version": 1, "name": "test", "layers": list(layers), **keys}
    return make_plan(spec_from_tree(tree, vocabulary), vocabulary)


def run_layer_contract(plan: Plan, side: str, index: int) -> None:
    """Check that a layer is what it declared, in the plan of a network that it stands in.

    Shapes and parameters are those that Keras builds, the decoder comes back to the input, the same
    seed gives the same weights under the same names, and the type is documented and in the schema.

    Args:
        plan: of the network.
        side: ``encoder`` or ``decoder``.
        index: of the layer on that side.
    """
    layer = getattr(plan, side)[index]
    _check_declaration(layer.type, side)
    assert Draft7Validator(build_schema(default_vocabulary())).is_valid(dict(plan.spec.tree))
    _check_shapes(plan)
    assert plan.decoder[-1].output_shape == plan.input_shape
    _check_network(plan, side, layer)


def _check_declaration(name: str, side: str) -> None:
    """The type says what it is called, what it does, where it stands, and what each field means."""
    kind = LAYERS[name]
    assert kind.name == name
    assert kind.summary.endswith(".")
    assert side in kind.sides <= {"encoder", "decoder"}
    assert all(field.doc for field in kind.fields)


def _check_shapes(plan: Plan) -> None:
    """Build the encoder, then the decoder, layer by layer, and compare what goes out."""
    import keras

    from archbuild.layers.context import BuildContext

    context, tensor = BuildContext(plan, 0), None
    for layer in plan.encoder + plan.decoder:
        if layer is plan.decoder[0]:
            tensor = keras.Input(channels_last(layer.input_shape))
            context.outputs = {}
        tensor = LAYERS[layer.type].build(layer, tensor, context)
        context.outputs[layer.index] = tensor
        assert tuple(tensor.shape[1:]) == channels_last(layer.output_shape), layer


def _check_network(plan: Plan, side: str, layer: PlannedLayer) -> None:
    """The network has the parameters that were planned, and is the same when built again."""
    from archbuild.networks.builder import build_network

    network = build_network(plan, default_vocabulary(), seed=3)
    parts = _parts(getattr(network, side), layer)
    assert sum(part.count_params() for part in parts) == layer.parameters
    assert network.count_params() == plan.parameters
    rows = np.random.default_rng(0).normal(size=(2, *channels_last(plan.input_shape)))
    assert network(rows.astype("float32")).shape == rows.shape
    twin = build_network(plan, default_vocabulary(), seed=3)
    for one, other in zip(network.get_weights(), twin.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    paths = [weight.path for weight in network.weights]
    assert len(set(paths)) == len(paths)
    assert paths == [weight.path for weight in twin.weights]


def _parts(half: Any, layer: PlannedLayer) -> list[Any]:
    """The Keras layers that a planned layer was built from: they bear its name."""
    names = (layer.name, f"{layer.name}_")
    return [part for part in half.layers if part.name == names[0] or part.name.startswith(names[1])]
