from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from keras.ops import convert_to_numpy

from archbuild.errors import UsageError

IMAGE = {"type": "Input", "output_shape": [2, 9, 7]}
CONV = {"type": "Conv2D", "num_filters": 4, "filter_size": 3}
SWITCHED = {"type": "MaxPool2D*", "filter_size": 2}
DENSE = {"type": "Dense", "num_units": 3}
NetworkOf = Callable[..., Any]


def _rows(rng: np.random.Generator, count: int = 5) -> np.ndarray:
    return rng.normal(size=(count, 9, 7, 2)).astype("float32")


def test_encode_and_decode(network_of: NetworkOf, rng: np.random.Generator) -> None:
    network, rows = network_of(IMAGE, CONV, SWITCHED, DENSE), _rows(rng)
    encoding = network.encode(rows)
    assert encoding.mean.shape == (5, 3)
    assert encoding.log_variance is None
    assert [switch.shape for switch in encoding.switches] == [(5, 7, 5, 4)]
    assert set(np.unique(convert_to_numpy(encoding.switches[0]))) == {0.0, 1.0}
    reconstruction = network.decode(encoding.mean, encoding.switches)
    assert reconstruction.value.shape == rows.shape
    assert reconstruction.log_variance is None
    np.testing.assert_array_equal(
        convert_to_numpy(network(rows)), convert_to_numpy(reconstruction.value)
    )


def test_switches_go_to_the_pool_that_they_came_from(
    network_of: NetworkOf, rng: np.random.Generator
) -> None:
    switched = {"type": "MaxPool2D*", "filter_size": [1, 2]}
    repeated = {"type": "MaxPool2D", "filter_size": [2, 1]}
    network = network_of(IMAGE, switched, CONV, repeated, CONV | {"filter_size": 1})
    encoding = network.encode(_rows(rng))
    assert [switch.shape for switch in encoding.switches] == [(5, 9, 7, 2)]
    value = convert_to_numpy(network.decode(encoding.mean, encoding.switches).value)
    without = convert_to_numpy(network.decode(encoding.mean, [0.0 * encoding.switches[0]]).value)
    assert value.any()
    assert not without.any()


def test_latents_alone_do_not_decode_where_switches_are_needed(network_of: NetworkOf) -> None:
    network = network_of(IMAGE, CONV, SWITCHED, DENSE)
    with pytest.raises(UsageError, match=r"MaxPool2D\*"):
        network.decode(np.zeros((1, 3), "float32"))


def test_a_convolutional_bottleneck_is_flat_outside(
    network_of: NetworkOf, rng: np.random.Generator
) -> None:
    network, rows = network_of(IMAGE, CONV), _rows(rng)
    encoding = network.encode(rows)
    assert encoding.mean.shape == (5, 7 * 5 * 4)
    assert network.decode(encoding.mean).value.shape == rows.shape


def test_expected_is_in_the_space_of_the_data(
    network_of: NetworkOf, rng: np.random.Generator
) -> None:
    latent = rng.normal(size=(4, 3)).astype("float32")
    bernoulli = network_of(IMAGE, CONV, DENSE, reconstruction="bernoulli")
    logits = bernoulli.decode(latent)
    assert convert_to_numpy(logits.value).min() < 0.0
    np.testing.assert_allclose(
        convert_to_numpy(bernoulli.expected(logits)),
        1.0 / (1.0 + np.exp(-convert_to_numpy(logits.value))),
        rtol=1e-5,
    )
    plain = network_of(IMAGE, CONV, DENSE)
    value = plain.decode(latent)
    np.testing.assert_array_equal(
        convert_to_numpy(plain.expected(value)), convert_to_numpy(value.value)
    )


def test_predict_latents_uses_running_statistics(
    network_of: NetworkOf, rng: np.random.Generator
) -> None:
    network, rows = network_of(IMAGE, CONV, DENSE, use_batch_norm=True), _rows(rng)
    latents = network.predict_latents(rows)
    assert isinstance(latents, np.ndarray)
    np.testing.assert_allclose(latents, convert_to_numpy(network.encode(rows).mean), atol=1e-6)
    np.testing.assert_allclose(latents[:2], network.predict_latents(rows[:2]), atol=1e-6)
    assert np.any(latents != convert_to_numpy(network.encode(rows, training=True).mean))


def test_predict_latents_follows_the_weights(
    network_of: NetworkOf, rng: np.random.Generator
) -> None:
    network, rows = network_of(IMAGE, DENSE | {"non_linearity": "linear"}), _rows(rng)
    before = network.predict_latents(rows)
    network.set_weights([2.0 * weight for weight in network.get_weights()])
    np.testing.assert_allclose(network.predict_latents(rows), 2.0 * before, rtol=1e-5)


def test_weights_survive_a_file(
    network_of: NetworkOf, rng: np.random.Generator, tmp_path: Path
) -> None:
    layers = (IMAGE, CONV, {"type": "Dropout", "rate": 0.5}, DENSE)
    network, rows = network_of(*layers, use_batch_norm=True), _rows(rng)
    network.encode(rows, training=True)  # moves the running statistics
    network.save_weights(tmp_path / "model.weights.h5")
    other = network_of(*layers, use_batch_norm=True, seed=1)
    other.load_weights(tmp_path / "model.weights.h5")
    np.testing.assert_array_equal(other.predict_latents(rows), network.predict_latents(rows))
    np.testing.assert_array_equal(convert_to_numpy(other(rows)), convert_to_numpy(network(rows)))


def test_it_learns(network_of: NetworkOf, rng: np.random.Generator) -> None:
    network, rows = (
        network_of(IMAGE, CONV, SWITCHED, DENSE, output_non_linearity="linear"),
        _rows(rng),
    )
    network.compile(optimizer="adam", loss="mse")
    losses = [network.train_on_batch(rows, rows) for _ in range(30)]
    assert losses[-1] < losses[0]
    assert network.trainable_variables == [
        *network.encoder.trainable_variables,
        *network.decoder.trainable_variables,
    ]
