"""The VAE module: what it sends up and down, and that it listens."""

from __future__ import annotations

import numpy as np
import pytest

from archbuild.data import load_dataset
from archbuild.errors import DataError, UsageError
from archbuild.serket import GMM, VAE, Observation, exchange, recognise

pytestmark = pytest.mark.graphs(False)
SPEC = {
    "spec_version": 1,
    "name": "small",
    "batch_size": 30,  # five whole batches
    "reconstruction": "bernoulli",
    "layers": [
        {"type": "Input", "output_shape": [1, 8, 8]},
        {"type": "Dense", "num_units": 20},
        {"type": "Gaussian", "num_units": 4},
    ],
}

FAST = ["train.learning_rate=0.02"]


@pytest.fixture(scope="module")
def rows():
    return load_dataset("DIGITS").rows(np.arange(150))


def vae(rows, **changes):
    module = VAE(SPEC, **{"epochs": 2, **changes})
    module.connect(Observation(rows))
    return module


@pytest.fixture(scope="module")
def of_message(rows):
    """Modules that have learned, by the message that they send up."""
    modules = {message: vae(rows, message=message) for message in ("sample", "mean")}
    for module in modules.values():
        module.update()
    return modules


@pytest.mark.graphs(True)
def test_up_goes_a_latent_and_down_a_reconstruction(rows):
    module = vae(rows, epochs=40, overrides=FAST)
    module.update()
    assert module.forward_message.shape == (150, 4)
    assert module.learned.backward.shape == rows.shape
    error = np.mean((module.learned.backward - rows) ** 2)
    assert error < 0.8 * np.mean((rows.mean(axis=0) - rows) ** 2)
    assert len(module.losses) == 40
    assert module.losses[-1] < module.losses[0]
    np.testing.assert_array_equal(module.parameters()["loss"], module.losses)


@pytest.mark.graphs(True)
def test_a_message_from_above_is_where_the_latents_go(rows):
    module = vae(rows, message="mean", alpha=10.0, epochs=30, overrides=FAST)
    module.update()
    assert np.abs(module.forward_message).mean() < 0.5
    module.receive(GMM(2), np.full((150, 4), 3.0))
    module.update()
    assert np.abs(module.forward_message - 3.0).mean() < 0.5


@pytest.mark.parametrize("message", ["sample", "mean"])
def test_new_rows_are_recognised_at_the_mean_and_alike(rows, message, of_message):
    module = of_message[message]
    found = module.recognise(rows)
    np.testing.assert_array_equal(found.forward, module.recognise(rows).forward)
    np.testing.assert_array_equal(found.forward[3:4], module.recognise(rows[3:4]).forward)
    same = np.array_equal(found.forward, module.forward_message)
    assert same == (message == "mean")
    assert found.backward is None
    assert found.texts["x_hat"].shape == rows.shape


def test_the_same_seed_gives_the_same_messages_and_another_others(rows, of_message):
    first, same, other = of_message["sample"], *(vae(rows, seed=seed) for seed in (0, 1))
    for module in (same, other):
        module.update()
    np.testing.assert_array_equal(first.forward_message, same.forward_message)
    assert not np.allclose(first.forward_message, other.forward_message)


def test_an_update_goes_on_from_the_weights_of_the_one_before_unless_told_not_to(rows):
    warm, cold = (vae(rows, warm_start=warm, message="mean") for warm in (True, False))
    for module in (warm, cold):
        module.update()
        module.update()
    assert warm.losses[2] < warm.losses[1]
    assert cold.losses[2:] == cold.losses[:2]


def test_flat_rows_are_taken_and_answered_in_their_shape(rows):
    module = vae(rows.reshape(150, 64))
    module.update()
    assert module.learned.backward.shape == (150, 64)


def test_a_graph_learns_and_recognises(rows):
    observation, module, mixture = Observation(rows), VAE(SPEC, epochs=2), GMM(3, chains=2)
    module.connect(observation)
    mixture.connect(module)
    exchange(mixture, rounds=2)
    assert module.backward_message.shape == (150, 4)
    found = recognise(mixture, {observation: rows[:5]})
    assert found[mixture].forward.shape == (5, 3)
    np.testing.assert_allclose(found[mixture].forward.sum(axis=1), 1, rtol=1e-5)


# what is refused


def test_a_bottleneck_without_variance_is_refused():
    layers = [*SPEC["layers"][:-1], {"type": "Dense", "num_units": 4}]
    with pytest.raises(UsageError, match=r"small has none.*\{type: Gaussian, num_units: 4\}"):
        VAE({**SPEC, "layers": layers})


def test_another_message_is_refused():
    with pytest.raises(UsageError, match="message is 'median'; expected one of sample, mean"):
        VAE(SPEC, message="median")


def test_rows_of_another_shape_or_number_are_refused(rows):
    with pytest.raises(DataError, match="rows of shape"):
        vae(rows[:, :5]).update()
    module = vae(rows)
    module.update()
    module.parents[0].observe(rows[:20])
    with pytest.raises(UsageError, match="learned from 150 rows before, and now there are 20"):
        module.update()


def test_what_has_not_learned_recognises_nothing(rows):
    with pytest.raises(UsageError, match="learned nothing yet"):
        vae(rows).recognise(rows)
