from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from keras.ops import convert_to_numpy


def test_mean_and_log_variance_are_linear_in_what_is_below(plan_of: Callable[..., Any]) -> None:
    from archbuild.networks.builder import build_network
    from archbuild.registry import default_vocabulary

    plan = plan_of({"type": "Input", "output_shape": [5]}, {"type": "Gaussian", "num_units": 2})
    network = build_network(plan, default_vocabulary(), seed=0)
    x = np.random.default_rng(0).normal(size=(4, 5)).astype("float32")
    encoding = network.encode(x)
    weights = {weight.path: convert_to_numpy(weight) for weight in network.weights}
    mean = x @ weights["encoder_1_gaussian_mean/kernel"]
    spread = x @ weights["encoder_1_gaussian_log_variance/kernel"]
    np.testing.assert_allclose(convert_to_numpy(encoding.mean), mean, rtol=1e-5, atol=1e-6)
    expected = 10.0 * np.tanh(spread / 10.0)
    np.testing.assert_allclose(
        convert_to_numpy(encoding.log_variance), expected, rtol=1e-5, atol=1e-6
    )
