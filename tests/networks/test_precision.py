"""A network whose layers compute in 16 bits: weights and what it gives are float32."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from archbuild.environment import BFLOAT16, FLOAT16, FLOAT32
from archbuild.networks.builder import build_network
from archbuild.networks.network import Network
from archbuild.networks.weights import load_weights
from archbuild.registry import default_vocabulary
from archbuild.spec import make_plan, spec_from_tree

pytestmark = pytest.mark.graphs(False)
IMAGE = {"type": "Input", "output_shape": [1, 8, 8]}
CONV = {"type": "Conv2D", "num_filters": 3, "filter_size": [3, 3]}
GAUSSIAN = {"type": "Gaussian", "num_units": 4}
SPECS = {
    "image": {"layers": [IMAGE, CONV, {"type": "MaxPool2D*", "filter_size": [2, 2]}, GAUSSIAN]},
    "variances": {"layers": [IMAGE, {"type": "Dense", "num_units": 9}, GAUSSIAN]}
    | {"reconstruction": "gaussian", "use_batch_norm": True},
    "levels": {"layers": [IMAGE, GAUSSIAN, {"type": "Dense", "num_units": 9}, GAUSSIAN]}
    | {"head": {"type": "ladder"}, "reconstruction": "bernoulli"},
    "counts": {
        "layers": [{"type": "Input", "output_shape": [6]}, {"type": "Dense", "num_units": 4}],
        "reconstruction": "zero_inflated_negative_binomial",
    },
}


def built(keys: dict, precision: str) -> Network:
    """Return a network of a spec in a precision, with the weights of seed 0."""
    vocabulary = default_vocabulary()
    tree = {"spec_version": 1, "name": "mixed", **keys}
    plan = make_plan(spec_from_tree(tree, vocabulary), vocabulary)
    return build_network(plan, vocabulary, 0, precision)


def dtypes(*tensors: object) -> set[str]:
    """Return the names of the tensors' dtypes."""
    return {np.dtype(np.asarray(tensor).dtype).name for tensor in tensors if tensor is not None}


def assert_near(found: object, expected: object) -> None:
    """Compare to some 16-bit roundings of the largest value."""
    largest = np.abs(np.asarray(expected)).max()
    np.testing.assert_allclose(found, expected, atol=0.02 * largest)


@pytest.mark.parametrize("precision", [BFLOAT16, FLOAT16])
@pytest.mark.parametrize("name", SPECS)
def test_weights_and_outputs_are_float32_and_near_those_of_float32(
    name: str, precision: str, rng: np.random.Generator
) -> None:
    mixed, exact = (built(SPECS[name], each) for each in (precision, FLOAT32))
    rows = rng.integers(0, 2, (5, *exact.encoder.input.shape[1:])).astype("float32")
    assert (mixed.precision, mixed.encoder.layers[-1].dtype) == (precision, "float32")
    computing = {layer.compute_dtype for layer in mixed.encoder.layers if layer.weights}
    assert computing == {precision.removeprefix("mixed_")}
    assert {variable.dtype for variable in mixed.trainable_variables} == {"float32"}
    found, expected = mixed.encode(rows), exact.encode(rows)
    levels = [tensor for level in found.levels for tensor in level]
    assert dtypes(found.mean, found.features, *found.switches, *levels) == {"float32"}
    assert_near(found.mean, expected.mean)
    decoded = mixed.decode(expected.mean, expected.switches)
    assert dtypes(*decoded) == {"float32"}
    assert_near(decoded.value, exact.decode(expected.mean, expected.switches).value)


def test_each_step_of_a_hierarchy_gives_float32(rng: np.random.Generator) -> None:
    mixed = built(SPECS["levels"], BFLOAT16)
    rows = rng.random((5, 8, 8, 1), dtype="float32")
    below = mixed.encode_above(0, rows)
    assert dtypes(*below, *mixed.encode_above(1, below[0])) == {"float32"}
    prior = mixed.prior(1, below[0])
    assert dtypes(*prior, mixed.decode_lowest(prior[0]).value) == {"float32"}


def test_weights_of_one_precision_are_those_of_another(tmp_path: Path) -> None:
    mixed, exact = (built(SPECS["image"], each) for each in (BFLOAT16, FLOAT32))
    for variable in mixed.trainable_variables:
        variable.assign(variable + 1)
    mixed.save_weights(tmp_path / "mixed.weights.h5")
    load_weights(exact, tmp_path / "mixed.weights.h5")
    for one, other in zip(mixed.get_weights(), exact.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_places_of_pixels_are_computed_in_float32() -> None:
    align = {"type": "SpatialTransformer", "localisation": [{"type": "Dense", "num_units": 4}]}
    mixed = built({"layers": [IMAGE, align, {"type": "Dense", "num_units": 4}]}, BFLOAT16)
    layer = mixed.encoder.get_layer("encoder_1_spatialtransformer")
    assert (layer.compute_dtype, layer.free.compute_dtype) == ("float32", "float32")
    assert layer.localisation.layers[-1].compute_dtype == "bfloat16"
