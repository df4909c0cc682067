from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras.ops import convert_to_numpy

from archbuild.layers.context import BuildContext

IMAGE = {"type": "Input", "output_shape": [1, 8, 8]}
CONV = {"type": "Conv2D", "num_filters": 3, "filter_size": 3}
DENSE = {"type": "Dense", "num_units": 4}
NetworkOf = Callable[..., Any]


def test_seeds_are_a_stream_of_the_network_s_seed(plan_of: Callable[..., Any]) -> None:
    plan = plan_of(IMAGE, DENSE)
    streams = [
        [context.next_seed() for _ in range(20)]
        for context in (BuildContext(plan, 1), BuildContext(plan, 1), BuildContext(plan, 2))
    ]
    assert streams[0] == streams[1]
    assert not set(streams[0]) & set(streams[2])
    assert len(set(streams[0])) == 20


def test_weights_depend_on_the_seed_alone(network_of: NetworkOf) -> None:
    first = network_of(IMAGE, CONV, DENSE, seed=5).get_weights()
    keras.utils.set_random_seed(99)
    keras.random.normal((3,))
    second = network_of(IMAGE, CONV, DENSE, seed=5).get_weights()
    other = network_of(IMAGE, CONV, DENSE, seed=6).get_weights()
    for one, same in zip(first, second, strict=True):
        np.testing.assert_array_equal(one, same)
    assert np.any(first[0] != other[0])


def test_kernels_start_as_glorot_says(network_of: NetworkOf) -> None:
    """Uniform within sqrt(6 / (fan in + fan out)), Glorot and Bengio 2010, equation 16."""
    kernel = network_of(IMAGE, {"type": "Dense", "num_units": 500}).encoder.weights[0]
    limit = np.sqrt(6.0 / (64 + 500))
    values = convert_to_numpy(kernel)
    assert np.abs(values).max() <= limit
    np.testing.assert_allclose(values.std(), limit / np.sqrt(3.0), rtol=0.02)


def test_layers_of_one_network_do_not_share_their_draw(network_of: NetworkOf) -> None:
    twin = {"type": "Dense", "num_units": 64}
    network = network_of({"type": "Input", "output_shape": [64]}, twin, twin)
    kernels = [
        convert_to_numpy(weight) for weight in network.weights if weight.path.endswith("kernel")
    ]
    assert len(kernels) == 3
    assert np.any(kernels[0] != kernels[1])
    assert np.any(kernels[1] != kernels[2])


def test_weight_paths_are_stable(network_of: NetworkOf) -> None:
    network = network_of(IMAGE, CONV, DENSE, use_batch_norm=True)
    assert [weight.path for weight in network.weights] == [
        "encoder_1_conv2d/kernel",
        "encoder_1_conv2d_batch_norm/gamma",
        "encoder_1_conv2d_batch_norm/beta",
        "encoder_1_conv2d_batch_norm/moving_mean",
        "encoder_1_conv2d_batch_norm/moving_variance",
        "encoder_2_dense/kernel",
        "encoder_2_dense/bias",
        "decoder_0_dense/kernel",
        "decoder_0_dense/bias",
        "decoder_2_deconv2d/kernel",
        "decoder_2_deconv2d/bias",
    ]


def test_gaussian_reconstruction_has_two_output_layers(network_of: NetworkOf) -> None:
    network = network_of(IMAGE, CONV, {"type": "MaxPool2D", "filter_size": 2}, DENSE)
    twin = network_of(
        IMAGE,
        {"type": "MaxPool2D", "filter_size": 2},
        CONV,
        DENSE,
        reconstruction="gaussian",
        output_non_linearity="sigmoid",
    )
    names = {layer.name for layer in twin.decoder.layers}
    assert {"decoder_2_deconv2d", "decoder_2_deconv2d_log_variance"} <= names
    assert not any("log_variance" in layer.name for layer in network.decoder.layers)
    reconstruction = twin.decode(np.full((2, 4), 9.0, "float32"))
    assert reconstruction.value.shape == reconstruction.log_variance.shape == (2, 8, 8, 1)
    assert convert_to_numpy(reconstruction.value).min() >= 0.0
    assert convert_to_numpy(reconstruction.log_variance).min() < 0.0


def test_counts_are_read_by_their_shares_and_expected_with_their_sum(
    network_of: NetworkOf,
) -> None:
    row = {"type": "Input", "output_shape": [6]}
    network = network_of(row, DENSE, reconstruction="negative_binomial")
    counts = np.random.default_rng(0).poisson(3, (5, 6)).astype("float32") + 1
    encoding = network.encode(counts)
    np.testing.assert_allclose(
        convert_to_numpy(encoding.mean),
        convert_to_numpy(network.encode(7 * counts).mean),
        rtol=1e-4,
    )
    found = network.decode(encoding.mean)
    assert found.log_variance is None
    assert convert_to_numpy(found.log_dispersion).tolist() == np.zeros((5, 6)).tolist()
    expected = convert_to_numpy(network.expected(found, counts))
    np.testing.assert_allclose(expected.sum(axis=1), counts.sum(axis=1), rtol=1e-5)
    alone = network.decode_rows(convert_to_numpy(encoding.mean))
    np.testing.assert_allclose(alone.sum(axis=1), 10_000, rtol=1e-5)


def test_counts_that_may_be_lost_are_expected_less_often(network_of: NetworkOf) -> None:
    row = {"type": "Input", "output_shape": [6]}
    network = network_of(row, DENSE, reconstruction="zero_inflated_negative_binomial")
    counts = np.random.default_rng(0).poisson(3, (5, 6)).astype("float32") + 1
    found = network.decode(network.encode(counts).mean)
    assert found.log_variance is None
    lost = 1 / (1 + np.exp(-convert_to_numpy(found.dropout_logits)))
    kept = convert_to_numpy(network.expected(found._replace(dropout_logits=None), counts))
    expected = convert_to_numpy(network.expected(found, counts))
    np.testing.assert_allclose(expected, (1 - lost) * kept, rtol=1e-5, atol=1e-6)
    assert len(np.unique(lost.round(6))) > 6  # of each row and feature
