"""A network cut at its levels: the steps together are the whole, and each can be given a draw."""

from __future__ import annotations

import numpy as np
import pytest

from archbuild.networks.rows import to_numpy

INPUT = {"type": "Input", "output_shape": [1, 4, 4]}
LADDER = {"head": {"type": "ladder"}, "reconstruction": "gaussian"}


def dense(units):
    return {"type": "Dense", "num_units": units, "batch_norm": True}


def gaussian(units, **fields):
    return {"type": "Gaussian", "num_units": units, **fields}


LAYERS = {
    "dense": [dense(9), gaussian(4, batch_norm=True), dense(7), dense(6), gaussian(3), gaussian(2)],
    "bare": [gaussian(16), gaussian(3), gaussian(2)],
    "convolutional": [
        {"type": "Conv2D", "num_filters": 3, "filter_size": 3},
        gaussian(4),
        dense(5),
        gaussian(3),
        dense(3),
        gaussian(2),
    ],
}


@pytest.fixture(params=LAYERS)
def network(request, network_of):
    return network_of(INPUT, *LAYERS[request.param], **LADDER)


@pytest.fixture
def rows(rng):
    return rng.normal(size=(5, 4, 4, 1)).astype("float32")


def close(found, expected):
    np.testing.assert_allclose(to_numpy(found), to_numpy(expected), rtol=1e-5, atol=1e-6)


def test_the_encoder_is_its_steps_at_the_means(network, rows):
    latent = rows
    for number, level in enumerate(network.encode(rows).levels):
        mean, log_variance = network.encode_above(number, latent)
        close(mean, level.mean)
        close(log_variance, level.log_variance)
        latent = mean


def test_the_decoder_is_its_steps_at_the_means(network, rows):
    latent = network.encode(rows).mean
    whole = network.decode(latent)
    for number in (2, 1):
        latent, log_variance = network.prior(number, latent)
        assert log_variance.shape == latent.shape == (5, network.plan.level_sizes[number - 1])
    decoded = network.decode_lowest(latent)
    close(decoded.value, whole.value)
    close(decoded.log_variance, whole.log_variance)


def test_a_step_goes_on_from_what_it_is_given(network, rows, rng):
    other = rng.normal(size=(5, network.plan.level_sizes[0])).astype("float32")
    assert np.any(network.encode_above(1, other)[0] != network.encode(rows).levels[1].mean)
    assert np.any(network.decode_lowest(other).value != network(rows))


def test_steps_have_the_weights_of_the_network_and_none_beside(network, rows, tmp_path):
    before = len(network.variables)
    network.encode_above(1, network.encode_above(0, rows)[0])
    network.decode_lowest(network.prior(1, network.prior(2, network.encode(rows).mean)[0])[0])
    assert len(network.variables) == before
    planned = sum(int(np.prod(variable.shape)) for variable in network.variables)
    assert planned == network.plan.parameters
    expected = to_numpy(network.encode_above(1, rows[:, 0, 0, :1] + np.zeros(_size(network)))[0])
    network.save_weights(tmp_path / "model.weights.h5")
    for variable in network.variables:
        variable.assign(0 * variable)
    network.load_weights(tmp_path / "model.weights.h5")
    found = to_numpy(network.encode_above(1, rows[:, 0, 0, :1] + np.zeros(_size(network)))[0])
    np.testing.assert_array_equal(found, expected)


def _size(network):
    return (5, network.plan.level_sizes[0])


def test_what_no_loss_reaches_is_not_trained(network):
    network.choose_trained(decoder=True, log_variance=True)
    everything = {variable.path for variable in network.trainable_variables}
    network.choose_trained(decoder=True, log_variance=False)
    means = {variable.path for variable in network.trainable_variables}
    left = {path for path in everything - means}
    assert left == {path for path in everything if "gaussian_log_variance" in path}
    assert any(path.startswith("decoder") for path in left)
    network.choose_trained(decoder=False, log_variance=True)
    assert not any("decoder" in variable.path for variable in network.trainable_variables)


def test_a_network_of_one_level_is_one_step(network_of, rows):
    network = network_of(INPUT, dense(5), gaussian(2), **LADDER)
    mean, _ = network.encode_above(0, rows)
    close(mean, network.encode(rows).mean)
    close(network.decode_lowest(mean).value, network.decode(mean).value)
