"""Spatial transformers as layers of specs, and as Keras layers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras.ops import convert_to_numpy

from archbuild import layers
from archbuild.errors import SpecError
from archbuild.layers.affine import IDENTITY
from archbuild.layers.sampling import sample
from archbuild.registry import default_vocabulary

IMAGE = {"type": "Input", "output_shape": [1, 8, 10]}
CODE = {"type": "Dense", "num_units": 3}
FIND = [{"type": "Conv2D", "num_filters": 2, "filter_size": 3}, CODE]
ALIGN = {"type": "SpatialTransformer", "localisation": FIND}


def _network(plan: Any) -> Any:
    from archbuild.networks.builder import build_network

    return build_network(plan, default_vocabulary(), seed=0)


def _turned(network: Any, rng: np.random.Generator) -> None:
    """Give the maps weights, so that they are no longer the identity."""
    free = network.encoder.get_layer("encoder_1_spatialtransformer").free
    free.set_weights([0.3 * rng.normal(size=each.shape) for each in free.get_weights()])


def _rows(rng: np.random.Generator) -> np.ndarray:
    return rng.normal(size=(4, 8, 10, 1)).astype("float32")


@pytest.mark.parametrize("transform", ["affine", "attention", "translation"])
def test_the_map_is_the_identity_at_first(plan_of, rng: np.random.Generator, transform) -> None:
    network = _network(plan_of(IMAGE, {**ALIGN, "transform": transform}, CODE))
    (theta,) = network.encode(_rows(rng)).switches
    np.testing.assert_array_equal(convert_to_numpy(theta), [IDENTITY] * 4)


@pytest.mark.parametrize(
    ("transform", "expected"),
    [("attention", [1.5, 0, 2, 0, 1.5, 3]), ("translation", [1, 0, 0.5, 0, 1, 2])],
)
def test_fewer_numbers_make_simpler_maps(plan_of, rng, transform, expected) -> None:
    network = _network(plan_of(IMAGE, {**ALIGN, "transform": transform}, CODE))
    free = network.encoder.get_layer("encoder_1_spatialtransformer").free
    kernel, bias = free.get_weights()
    free.set_weights([kernel, np.array([0.5, 2, 3][: len(bias)])])
    (theta,) = network.encode(_rows(rng)).switches
    np.testing.assert_array_equal(convert_to_numpy(theta), [expected] * 4)


def test_the_mirror_puts_the_glimpse_back_into_its_place(plan_of, rng) -> None:
    """What the decoder makes for a glimpse comes out under the inverse of the encoder's map."""
    network = _network(plan_of(IMAGE, ALIGN, CODE))
    _turned(network, rng)
    encoding = network.encode(_rows(rng))
    glimpse = network.decode(encoding.mean).value  # without maps: the identity
    theta = convert_to_numpy(encoding.switches[0]).reshape(4, 2, 3)
    square = np.concatenate([theta, np.tile([[[0, 0, 1]]], (4, 1, 1))], axis=1)
    back = np.linalg.inv(square)[:, :2].reshape(4, 6).astype("float32")
    expected = sample(glimpse, back, (8, 10), "border")
    found = network.decode(encoding.mean, encoding.switches).value
    np.testing.assert_allclose(convert_to_numpy(found), convert_to_numpy(expected), atol=1e-4)
    assert not np.allclose(convert_to_numpy(found), convert_to_numpy(glimpse), atol=1e-2)


def test_a_prior_may_be_decoded_without_a_row(plan_of) -> None:
    """The default of the maps is the identity, so a generative head takes such an encoder."""
    gauss = {"type": "Gaussian", "num_units": 3}
    plan = plan_of(IMAGE, ALIGN, gauss, head={"type": "gmm", "n_clusters": 2})
    assert not plan.needs_switches
    assert _network(plan).decode(np.zeros((2, 3), "float32")).value.shape == (2, 8, 10, 1)


def test_glimpses_and_steps_pass_through_shared_layers(plan_of, rng) -> None:
    """The recurrent form gives as many glimpses as steps, and each passes through one network."""
    recurrent = {"type": "RecurrentSpatialTransformer", "localisation": FIND, "steps": 3}
    each = {"type": "TimeDistributed", "layers": [{**FIND[0], "filter_size": 2}, CODE]}
    plan = plan_of(IMAGE, {**recurrent, "downsample": 2.5, "num_units": 4}, each, CODE)
    assert [layer.output_shape for layer in plan.encoder[1:3]] == [(1, 3, 3, 4), (3, 3)]
    encoder = _network(plan).encoder
    places = [encoder.get_layer(name).output for name in (plan.encoder[1].name, each_name(plan))]
    (glimpses, theta), codes = keras.Model(encoder.input, places)(_rows(rng))
    assert theta.shape == (4, 3, 6)
    shared = encoder.get_layer(each_name(plan)).layer
    for step in range(3):
        alone = convert_to_numpy(shared(glimpses[:, step]))
        np.testing.assert_allclose(convert_to_numpy(codes[:, step]), alone, atol=1e-6)


def each_name(plan: Any) -> str:
    return str(plan.encoder[2].name)


@pytest.mark.parametrize(
    ("changed", "at", "message"),
    [
        ({"localisation": [{**FIND[0], "filter_size": 9}]}, "layers[1].localisation[0]", "kernel"),
        ({"localisation": [{"type": "Dens"}]}, "layers[1].localisation[0].type", "no such layer"),
        ({"localisation": [{"type": "LSTM"}]}, "layers[1].localisation[0].type", "no such layer"),
        ({"localisation": [{"type": "Dense"}]}, "localisation[0].num_units", "missing"),
        ({"localisation": []}, "layers[1].localisation", "too few"),
        ({"downsample": 9}, "layers[1]", "nothing is left"),
        ({"downsample": 0.5}, "layers[1].downsample", "too small"),
        ({"transform": "shear"}, "layers[1].transform", "not on offer"),
    ],
)
def test_a_wrong_field_is_named(plan_of, changed, at, message) -> None:
    with pytest.raises(SpecError) as caught:
        plan_of(IMAGE, {**ALIGN, **changed}, CODE)
    (problem,) = caught.value.problems
    assert at in problem.dotted_path
    assert message in problem.message


def test_only_an_image_has_glimpses(plan_of) -> None:
    row = {"type": "Input", "output_shape": [6]}
    with pytest.raises(SpecError, match="works on"):
        plan_of(row, {**ALIGN, "localisation": [CODE]}, CODE)
    with pytest.raises(SpecError, match="put it behind a RecurrentSpatialTransformer"):
        plan_of(row, {"type": "TimeDistributed", "layers": [CODE]}, CODE)


def test_what_is_undone_must_be_a_transformer_and_have_its_shape(plan_of) -> None:
    back = {"type": "InverseSpatialTransformer", "inverse_of": 1}
    full = [{"type": "Dense", "num_units": 80}, {"type": "Reshape", "output_shape": [1, 8, 10]}]
    with pytest.raises(SpecError, match="layer 1 is no SpatialTransformer"):
        plan_of(IMAGE, CODE, decoder=[*full, back])
    with pytest.raises(SpecError, match=r"gave \[1, 4, 5\]"):
        plan_of(IMAGE, {**ALIGN, "downsample": 2}, CODE, decoder=[*full, back])


def test_resolved_specs_come_back_equal(plan_of) -> None:
    plan = plan_of(IMAGE, ALIGN, CODE)
    again = {key: plan.spec.tree[key] for key in ("layers", "decoder")}
    assert plan_of(*again["layers"], decoder=again["decoder"]).encoder == plan.encoder


def _localisation() -> keras.Sequential:
    return keras.Sequential([keras.layers.Conv2D(2, 3), keras.layers.GlobalMaxPooling2D()])


def _one() -> keras.Model:
    rows = keras.Input((8, 10, 2))
    glimpses, theta = layers.SpatialTransformer(_localisation(), 2, "attention")(rows)
    back = layers.InverseSpatialTransformer((8, 10))([glimpses, theta])
    return keras.Model(rows, [glimpses, theta, back])


def _several() -> keras.Model:
    rows = keras.Input((8, 10, 2))
    gru = keras.layers.GRU(4, return_sequences=True)
    take = layers.RecurrentSpatialTransformer(_localisation(), gru, 3, downsample=2)
    glimpses, theta = take(rows)
    each = layers.EachStep(keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(5)]))
    return keras.Model(rows, [each(glimpses), theta])


@pytest.mark.parametrize("make", [_one, _several])
def test_a_model_of_them_comes_back_from_its_file(make, rng, tmp_path: Path) -> None:
    model = make()
    model.set_weights([rng.normal(size=each.shape) * 0.2 for each in model.get_weights()])
    rows = rng.normal(size=(3, 8, 10, 2))
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    for found, expected in zip(again.predict(rows), model.predict(rows), strict=True):
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("wrong", [(0.5, "affine"), (1.0, "shear")])
def test_a_keras_layer_refuses_what_makes_no_map(wrong) -> None:
    with pytest.raises(ValueError, match="expected downsample of at least 1"):
        layers.SpatialTransformer(_localisation(), *wrong)


def test_a_transformer_learns_to_centre(rng: np.random.Generator) -> None:
    """Trained to show a spot in the middle of a glimpse, it finds where the spot lies."""
    keras.utils.set_random_seed(0)
    spot = np.array([[0.5, 0.5, 0.5], [0.5, 1, 0.5], [0.5, 0.5, 0.5]])[..., None]
    images, middle = np.zeros((2, 64, 9, 9, 1), "float32")
    middle[:, 3:6, 3:6] = spot
    for image, (row, column) in zip(images, rng.integers(1, 6, size=(64, 2)), strict=True):
        image[row : row + 3, column : column + 3] = spot
    find = keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(32, "relu")])
    rows = keras.Input((9, 9, 1))
    glimpses, _ = layers.SpatialTransformer(find, transform="translation")(rows)
    model = keras.Model(rows, glimpses)
    model.compile(keras.optimizers.Adam(0.01), "mse")
    before = model.evaluate(images, middle, verbose=0)
    model.fit(images, middle, epochs=60, batch_size=16, verbose=0)
    assert model.evaluate(images, middle, verbose=0) < 0.2 * before
