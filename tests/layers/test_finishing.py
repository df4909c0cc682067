from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from keras.ops import convert_to_numpy

from archbuild.errors import SpecError
from archbuild.layers import LAYERS
from archbuild.spec import ShapeError

IMAGE = {"type": "Input", "output_shape": [4, 5, 6]}
CONV = {"type": "Conv2D", "num_filters": 4, "filter_size": 3, "non_linearity": "linear"}
DENSE = {"type": "Dense", "num_units": 7, "non_linearity": "linear"}
NORM, ACT = {"type": "LayerNorm"}, {"type": "Activation", "non_linearity": "tanh"}


def _network(plan: Any) -> Any:
    from archbuild.networks.builder import build_network
    from archbuild.registry import default_vocabulary

    return build_network(plan, default_vocabulary(), seed=0)


def _latent(plan: Any, rows: np.ndarray) -> np.ndarray:
    return np.asarray(_network(plan).predict_latents(rows.astype("float32")))


def _types(plan: Any) -> list[str]:
    return [layer.type for layer in plan.decoder]


def test_layer_norm_normalises_the_channels_of_each_place(plan_of: Callable[..., Any]) -> None:
    rows = np.random.default_rng(0).normal(3.0, 5.0, size=(2, 5, 6, 4))
    found = _latent(plan_of(IMAGE, NORM, decoder=[DENSE_BACK, RESHAPE_BACK]), rows)
    channels = found.reshape(2, 5, 6, 4)
    np.testing.assert_allclose(channels.mean(axis=-1), 0.0, atol=1e-5)
    np.testing.assert_allclose(channels.std(axis=-1), 1.0, atol=0.05)


def test_group_norm_normalises_each_group_over_all_places(plan_of: Callable[..., Any]) -> None:
    rows = np.random.default_rng(0).normal(3.0, 5.0, size=(2, 5, 6, 4))
    norm = {"type": "GroupNorm", "groups": 2}
    found = _latent(plan_of(IMAGE, norm, decoder=[DENSE_BACK, RESHAPE_BACK]), rows)
    groups = found.reshape(2, 30, 2, 2)
    np.testing.assert_allclose(groups.mean(axis=(1, 3)), 0.0, atol=1e-5)
    np.testing.assert_allclose(groups.std(axis=(1, 3)), 1.0, atol=0.01)


DENSE_BACK = {"type": "Dense", "num_units": 120}
RESHAPE_BACK = {"type": "Reshape", "output_shape": [4, 5, 6]}


def test_prelu_begins_with_a_quarter_for_each_channel(plan_of: Callable[..., Any]) -> None:
    plan = plan_of(IMAGE, {"type": "PReLU"}, decoder=[DENSE_BACK, RESHAPE_BACK])
    assert plan.encoder[1].parameters == 4
    rows = np.random.default_rng(0).normal(size=(2, 5, 6, 4))
    expected = np.where(rows > 0, rows, rows / 4).reshape(2, -1)
    np.testing.assert_allclose(_latent(plan, rows), expected, rtol=1e-5)


def test_groups_must_divide_the_channels() -> None:
    with pytest.raises(ShapeError, match="3 groups do not divide the 4 channels"):
        LAYERS["GroupNorm"].output_shape({"groups": 3}, (4, 5))


def test_the_mirror_finishes_what_it_has_rebuilt_in_the_encoders_order(
    plan_of: Callable[..., Any],
) -> None:
    plan = plan_of(IMAGE, CONV, CONV, {"type": "BatchNorm"}, ACT, DENSE)
    assert _types(plan) == ["Dense", "Reshape", "BatchNorm", "Activation", "Deconv2D", "Deconv2D"]
    assert plan.decoder[0].config["non_linearity"] == "linear"


def test_the_mirror_rebuilds_a_dense_once(plan_of: Callable[..., Any]) -> None:
    plan = plan_of({"type": "Input", "output_shape": [20]}, DENSE, NORM, ACT, DENSE)
    assert _types(plan) == ["Dense", "LayerNorm", "Activation", "Dense"]
    assert [layer.output_shape for layer in plan.decoder] == [(7,), (7,), (7,), (20,)]


def test_nothing_finishes_the_output(plan_of: Callable[..., Any]) -> None:
    plan = plan_of(IMAGE, NORM, ACT, CONV, DENSE)
    assert _types(plan) == ["Dense", "Reshape", "Deconv2D"]


def test_noise_is_added_in_training_and_not_compared_with(plan_of: Callable[..., Any]) -> None:
    row = {"type": "Input", "output_shape": [500]}
    noise = {"type": "GaussianNoise", "stddev": 2.5}
    network = _network(plan_of(row, noise, decoder=[{"type": "Dense", "num_units": 500}]))
    rows = np.zeros((20, 500), "float32")
    np.testing.assert_array_equal(convert_to_numpy(network.encode(rows).mean), rows)
    noisy = convert_to_numpy(network.encode(rows, training=True).mean)
    assert noisy.std() == pytest.approx(2.5, rel=0.05)


def test_a_decoder_cannot_end_with_a_bare_activation(plan_of: Callable[..., Any]) -> None:
    row = {"type": "Input", "output_shape": [5]}
    with pytest.raises(SpecError, match="output is a Activation, which has no weights"):
        plan_of(row, DENSE, decoder=[{**DENSE, "num_units": 5}, ACT])
