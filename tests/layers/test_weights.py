from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from keras.ops import convert_to_numpy

ROW = {"type": "Input", "output_shape": [50]}
DENSE = {"type": "Dense", "num_units": 400, "non_linearity": "linear"}


def _network(plan: Any) -> Any:
    from archbuild.networks.builder import build_network
    from archbuild.registry import default_vocabulary

    return build_network(plan, default_vocabulary(), seed=0)


@pytest.mark.parametrize(
    ("name", "deviation"),
    [
        ("glorot_uniform", (2 / 450) ** 0.5),
        ("he_normal", (2 / 50) ** 0.5),
        ("lecun_uniform", (1 / 50) ** 0.5),
    ],
)
def test_the_initialiser_sets_the_kernels_spread(
    plan_of: Callable[..., Any], name: str, deviation: float
) -> None:
    network = _network(plan_of(ROW, {**DENSE, "initialiser": name}))
    kernel = convert_to_numpy(network.encoder.get_layer("encoder_1_dense").kernel)
    assert kernel.std() == pytest.approx(deviation, rel=0.05)


def test_a_layer_without_bias_gives_0_for_0(plan_of: Callable[..., Any]) -> None:
    network = _network(plan_of(ROW, {**DENSE, "use_bias": False}, DENSE))
    assert network.encoder.get_layer("encoder_1_dense").bias is None
    assert network.decoder.get_layer("decoder_0_dense").bias is None
    assert network.decoder.get_layer("decoder_1_dense").bias is not None


def test_the_output_has_a_bias_though_the_first_layer_has_none(
    plan_of: Callable[..., Any],
) -> None:
    image = {"type": "Input", "output_shape": [1, 6, 6]}
    conv = {"type": "Conv2D", "num_filters": 2, "filter_size": 3, "use_bias": False}
    plan = plan_of(image, conv, {"type": "Dense", "num_units": 2})
    assert plan.decoder[-1].type == "Deconv2D"
    assert plan.decoder[-1].config["use_bias"]


def test_the_regulariser_is_a_loss_of_the_network(plan_of: Callable[..., Any]) -> None:
    network = _network(plan_of(ROW, {**DENSE, "regulariser": {"l1": 0.5, "l2": 2}}))
    kernel = convert_to_numpy(network.encoder.get_layer("encoder_1_dense").kernel)
    (penalty,) = network.losses
    expected = 0.5 * np.abs(kernel).sum() + 2.0 * np.square(kernel).sum()
    assert float(convert_to_numpy(penalty)) == pytest.approx(expected, rel=1e-4)


def test_the_resolved_spec_names_only_what_differs(plan_of: Callable[..., Any]) -> None:
    tree = plan_of(ROW, DENSE, {**DENSE, "use_bias": False}).spec.tree
    assert tree["layers"][1] == DENSE
    assert tree["layers"][2] == {**DENSE, "use_bias": False}


def test_a_slope_of_ones_own(plan_of: Callable[..., Any]) -> None:
    leaky = {"type": "leaky_rectify", "slope": 0.3}
    plan = plan_of(ROW, {**DENSE, "num_units": 2, "non_linearity": leaky})
    assert plan.spec.output_non_linearity == leaky
    network = _network(plan)
    dense = network.encoder.get_layer("encoder_1_dense")
    rows = np.random.default_rng(0).normal(size=(9, 50)).astype("float32")
    below = convert_to_numpy(dense(rows))
    expected = np.where(below > 0, below, 0.3 * below)
    np.testing.assert_allclose(network.predict_latents(rows), expected, rtol=1e-4, atol=1e-6)
