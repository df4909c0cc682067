from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from keras.ops import convert_to_numpy

from archbuild.errors import SpecError

ROW = {"type": "Input", "output_shape": [12]}
IMAGE = {"type": "Input", "output_shape": [2, 9, 8]}
CONV = {"type": "Conv2D", "num_filters": 3, "filter_size": 3, "non_linearity": "linear"}


def _dense(units: int) -> dict[str, Any]:
    return {"type": "Dense", "num_units": units, "non_linearity": "linear"}


def _network(plan: Any) -> Any:
    from archbuild.networks.builder import build_network
    from archbuild.registry import default_vocabulary

    return build_network(plan, default_vocabulary(), seed=0)


def _ties(plan: Any) -> list[int | None]:
    return [layer.tied_to for layer in plan.decoder]


def test_each_dense_has_the_kernel_of_the_one_that_it_undoes(plan_of: Callable[..., Any]) -> None:
    plan = plan_of(ROW, _dense(7), _dense(5), _dense(2), decoder="tied")
    assert _ties(plan) == [3, 2, 1]
    assert [layer.parameters for layer in plan.decoder] == [5, 7, 12]
    network = _network(plan)
    assert network.count_params() == plan.parameters
    latents = np.random.default_rng(0).normal(size=(4, 2)).astype("float32")
    value = latents
    for index in (3, 2, 1):
        kernel = network.encoder.get_layer(f"encoder_{index}_dense").kernel
        value = value @ convert_to_numpy(kernel).T
    np.testing.assert_allclose(network.decode_rows(latents), value, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(
    "fields",
    [
        {"stride": [2, 3]},
        {"stride": 2, "conv_mode": "same", "filter_size": [3, 4]},
        {"stride": 2, "padding": [1, 2]},
    ],
)
def test_a_tied_deconvolution_is_the_adjoint(
    plan_of: Callable[..., Any], fields: dict[str, Any]
) -> None:
    plan = plan_of(IMAGE, {**CONV, **fields}, decoder="tied")
    assert _ties(plan) == [1]
    network = _network(plan)
    rng = np.random.default_rng(0)
    x = rng.normal(size=(2, 9, 8, 2)).astype("float32")
    above = convert_to_numpy(network.encode(x).mean)
    y = rng.normal(size=above.shape).astype("float32")
    returned = convert_to_numpy(network.decode(y).value)
    assert np.sum(above * y) == pytest.approx(np.sum(x * returned), rel=1e-3)


def test_convolutions_and_dense_layers_together(plan_of: Callable[..., Any]) -> None:
    plan = plan_of(IMAGE, CONV, {**CONV, "num_filters": 4}, _dense(6), _dense(3), decoder="tied")
    assert [layer.type for layer in plan.decoder] == [
        "Dense",
        "Dense",
        "Reshape",
        "Deconv2D",
        "Deconv2D",
    ]
    assert _ties(plan) == [4, 3, None, 2, 1]
    assert _network(plan).count_params() == plan.parameters


def test_what_has_no_partner_keeps_a_kernel_of_its_own(plan_of: Callable[..., Any]) -> None:
    plan = plan_of(IMAGE, CONV, {"type": "GlobalAveragePool"}, _dense(2), decoder="tied")
    assert [layer.type for layer in plan.decoder] == ["Dense", "Reshape", "Deconv2D"]
    assert _ties(plan) == [None, None, 1]


def test_weights_come_back_from_their_file(plan_of: Callable[..., Any], tmp_path: Path) -> None:
    plan = plan_of(ROW, _dense(7), _dense(2), decoder="tied")
    network, other = _network(plan), _network(plan)
    network.set_weights([weights + 1.0 for weights in network.get_weights()])
    network.save_weights(tmp_path / "model.weights.h5")
    other.load_weights(tmp_path / "model.weights.h5")
    latents = np.ones((3, 2), "float32")
    np.testing.assert_array_equal(other.decode_rows(latents), network.decode_rows(latents))


@pytest.mark.parametrize("fields", [{"stride": [2, 3]}, {"conv_mode": "same", "stride": 2}])
def test_untied_layers_compute_the_same(
    plan_of: Callable[..., Any], fields: dict[str, Any]
) -> None:
    network = _network(plan_of(IMAGE, {**CONV, **fields}, _dense(4), decoder="tied"))
    tied = [layer for layer in network.decoder.layers if hasattr(layer, "untied")]
    assert len(tied) == 2
    for layer in tied:
        layer.bias.assign(layer.bias + 0.5)
        rows = np.random.default_rng(0).normal(size=(2, *layer.input.shape[1:])).astype("float32")
        own = layer.untied()
        assert type(own).__module__.startswith("keras.")
        np.testing.assert_allclose(
            convert_to_numpy(own(rows)), convert_to_numpy(layer(rows)), rtol=1e-5, atol=1e-6
        )


def test_both_halves_train_the_kernel(plan_of: Callable[..., Any]) -> None:
    network = _network(plan_of(ROW, _dense(2), decoder="tied"))
    assert len(network.trainable_variables) == 3  # one kernel, two biases
    network.choose_trained(decoder=False, log_variance=False)
    assert len(network.trainable_variables) == 2


@pytest.mark.parametrize(
    ("layers", "keys", "words"),
    [
        ([ROW, _dense(2)], {"reconstruction": "gaussian"}, "two outputs"),
        (
            [{"type": "Input", "output_shape": [2, 6]}, {"type": "LSTM", "num_units": 3}],
            {},
            "no layer of the decoder finds a kernel",
        ),
    ],
)
def test_what_cannot_be_tied(
    plan_of: Callable[..., Any], layers: list[dict[str, Any]], keys: dict[str, Any], words: str
) -> None:
    with pytest.raises(SpecError, match=words):
        plan_of(*layers, decoder="tied", **keys)
