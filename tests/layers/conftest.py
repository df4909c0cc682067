"""The contract that every layer type passes, and plans to try layers in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest

from archbuild.layers import LAYERS
from archbuild.layers.shapes import channels_last
from archbuild.registry import default_vocabulary
from archbuild.spec import Plan, PlannedLayer, make_plan, spec_from_tree


def plan_of(*layers: Mapping[str, Any], **keys: Any) -> Plan:
    vocabulary = default_vocabulary()
    tree = {"spec_version": 1, "name": "test", "layers": list(layers), **keys}
    return make_plan(spec_from_tree(tree, vocabulary), vocabulary)


def run_layer_contract(plan: Plan, side: str, index: int) -> None:
    """What holds for every layer: it is what it declared, and comes back to the input."""
    from archbuild.networks.builder import build_network

    layer = getattr(plan, side)[index]
    assert LAYERS[layer.type].name == layer.type
    network = build_network(plan, default_vocabulary(), seed=3)
    parts = _parts(getattr(network, side), layer)
    assert sum(part.count_params() for part in parts) == layer.parameters
    _check_shapes(plan)
    assert plan.decoder[-1].output_shape == plan.input_shape
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
    names = (layer.name, f"{layer.name}_")
    return [part for part in half.layers if part.name == names[0] or part.name.startswith(names[1])]


def _check_shapes(plan: Plan) -> None:
    """Build the encoder, then the decoder, layer by layer, and compare what goes out."""
    import keras

    from archbuild.layers.context import BuildContext

    context, tensor = BuildContext(plan, 0), None
    for layer in plan.encoder + plan.decoder:
        if layer is plan.decoder[0]:
            tensor = keras.Input(channels_last(layer.input_shape))
        tensor = LAYERS[layer.type].build(layer, tensor, context)
        context.outputs.setdefault(layer.index, tensor)
        assert tuple(tensor.shape[1:]) == channels_last(layer.output_shape), layer


@pytest.fixture(name="plan_of", scope="session")
def plan_of_fixture() -> Callable[..., Plan]:
    """Plan a network from its encoder's layers and any other keys of a spec."""
    return plan_of


@pytest.fixture(name="run_layer_contract", scope="session")
def run_layer_contract_fixture() -> Callable[[Plan, str, int], None]:
    """Check one layer of a plan against its declaration."""
    return run_layer_contract
