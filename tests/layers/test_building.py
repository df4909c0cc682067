from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from keras.ops import convert_to_numpy


def test_batch_norm_stands_between_the_linear_part_and_the_non_linearity(
    plan_of: Callable[..., Any],
) -> None:
    from archbuild.networks.builder import build_network
    from archbuild.registry import default_vocabulary

    plan = plan_of(
        {"type": "Input", "output_shape": [1, 6, 6]},
        {"type": "Conv2D", "num_filters": 4, "filter_size": 3},
        use_batch_norm=True,
    )
    network = build_network(plan, default_vocabulary(), seed=0)
    names = [layer.name for layer in network.encoder.layers]
    place = names.index("encoder_1_conv2d")
    assert names[place : place + 3] == [
        "encoder_1_conv2d",
        "encoder_1_conv2d_batch_norm",
        "encoder_1_conv2d_relu",
    ]
    assert not network.encoder.get_layer("encoder_1_conv2d").use_bias
    x = np.random.default_rng(0).normal(size=(64, 6, 6, 1)).astype("float32")
    trained = convert_to_numpy(network.encode(x, training=True).mean)
    # Unit variance around zero, cut at zero by the rectifier: E[max(z, 0)^2] = 1/2.
    assert trained.min() == 0.0
    np.testing.assert_allclose(np.mean(trained**2), 0.5, atol=0.05)


def test_the_output_has_no_batch_norm(plan_of: Callable[..., Any]) -> None:
    layers = [
        {"type": "Input", "output_shape": [1, 9]},
        {"type": "Conv1D", "num_filters": 4, "filter_size": 3},
        {"type": "Conv1D", "num_filters": 5, "filter_size": 3},
    ]
    plan = plan_of(*layers, use_batch_norm=True)
    assert [layer.batch_norm for layer in plan.encoder] == [False, True, True]
    assert [layer.batch_norm for layer in plan.decoder] == [True, False]
