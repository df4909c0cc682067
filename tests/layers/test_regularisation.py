from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from keras.ops import convert_to_numpy


def _network(plan: Any, seed: int = 0) -> Any:
    from archbuild.networks.builder import build_network
    from archbuild.registry import default_vocabulary

    return build_network(plan, default_vocabulary(), seed)


def test_dropout_acts_in_training_only_and_by_the_network_s_seed(
    plan_of: Callable[..., Any],
) -> None:
    layers = [{"type": "Input", "output_shape": [100]}, {"type": "Dropout", "rate": 0.25}]
    plan = plan_of(*layers, decoder=[{"type": "Dense", "num_units": 100}])
    ones = np.ones((50, 100), "float32")
    network = _network(plan)
    np.testing.assert_array_equal(convert_to_numpy(network.encode(ones).mean), ones)
    dropped = convert_to_numpy(network.encode(ones, training=True).mean)
    np.testing.assert_allclose(np.unique(dropped), [0.0, 1 / 0.75], rtol=1e-6)
    assert abs(np.mean(dropped == 0.0) - 0.25) < 0.03
    np.testing.assert_array_equal(dropped, convert_to_numpy(_network(plan).encode(ones, True).mean))
    assert np.any(dropped != convert_to_numpy(_network(plan, 1).encode(ones, True).mean))


def test_batch_norm_normalises_every_channel(plan_of: Callable[..., Any]) -> None:
    layers = [{"type": "Input", "output_shape": [2, 30]}, {"type": "BatchNorm"}]
    plan = plan_of(*layers, decoder=[{"type": "BatchNorm"}])
    x = np.random.default_rng(0).normal([3.0, -5.0], [2.0, 7.0], size=(40, 30, 2))
    latent = convert_to_numpy(_network(plan).encode(x.astype("float32"), training=True).mean)
    normal = latent.reshape(-1, 2)
    np.testing.assert_allclose(normal.mean(axis=0), 0.0, atol=1e-4)
    np.testing.assert_allclose(normal.std(axis=0), 1.0, atol=1e-3)


def test_batch_norm_on_the_input_is_not_mirrored_on_the_output(plan_of: Callable[..., Any]) -> None:
    plan = plan_of(
        {"type": "Input", "output_shape": [6]},
        {"type": "BatchNorm"},
        {"type": "Dense", "num_units": 4},
        {"type": "BatchNorm"},
        {"type": "Dense", "num_units": 2},
    )
    kinds = [layer.type for layer in plan.decoder]
    assert kinds == ["Dense", "BatchNorm", "Dense", "Dense"]
