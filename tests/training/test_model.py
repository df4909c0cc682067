"""The stage's model: its loss is the sum of its terms, and each is tracked by name."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from archbuild.heads.batch import Forward
from archbuild.networks.builder import build_network
from archbuild.registry import default_vocabulary
from archbuild.spec import make_plan, spec_from_tree
from archbuild.training.model import StageModel, optimizer
from archbuild.training.pretraining import Reconstruct


def compiled(network, objective, settings, weight_decay=0.0):
    model = StageModel(network, objective, weight_decay)
    model.compile(optimizer=optimizer(settings))
    return model


def test_loss_is_the_sum_of_the_terms(network, feed, settings):
    model = compiled(network, Reconstruct("squared_error"), settings, weight_decay=0.01)
    rows = feed.clean(np.arange(32))
    logs = model.train_on_batch(rows, {"original": rows}, return_dict=True)
    assert set(logs) == {"loss", "reconstruction", "weight_decay"}
    assert logs["loss"] == pytest.approx(logs["reconstruction"] + logs["weight_decay"], rel=1e-5)


def test_reconstruction_is_compared_with_the_original_not_with_what_was_seen(
    network, feed, settings
):
    model = compiled(network, Reconstruct("squared_error"), settings)
    rows = feed.clean(np.arange(32))
    far = model.test_on_batch(rows, {"original": rows + 10}, return_dict=True)
    near = model.test_on_batch(rows, {"original": rows}, return_dict=True)
    assert far["reconstruction"] > 50 > near["reconstruction"]


def test_gaps_are_no_part_of_the_reconstruction(network, feed, settings):
    model = compiled(network, Reconstruct("squared_error"), settings)
    rows = feed.clean(np.arange(8))
    present = (np.arange(8) < 6).astype("float32") * np.ones_like(rows[..., 0])
    present = present[..., np.newaxis]
    logs = [
        model.test_on_batch(rows, {"original": original, "present": present}, return_dict=True)
        for original in (rows, rows + 10 * (1 - present), rows + 10 * present)
    ]
    assert logs[0]["reconstruction"] == pytest.approx(logs[1]["reconstruction"])
    assert logs[2]["reconstruction"] > 50


def test_weight_decay_is_the_weighted_sum_of_squares(network, feed, settings):
    model = compiled(network, Reconstruct("squared_error"), settings, weight_decay=0.5)
    rows = feed.clean(np.arange(4))
    expected = 0.5 * sum(np.sum(np.square(w)) for w in network.trainable_variables)
    logs = model.test_on_batch(rows, {"original": rows}, return_dict=True)
    assert logs["weight_decay"] == pytest.approx(expected, rel=1e-4)


def test_regularisers_of_layers_are_a_term_of_the_loss(regularised, feed, settings):
    model = compiled(regularised, Reconstruct("squared_error"), settings)
    rows = feed.clean(np.arange(4))
    kernels = [w for w in regularised.trainable_variables if w.regularizer]
    assert len(kernels) == 3  # two of the encoder, and one that mirrors the first
    expected = 0.25 * sum(np.sum(np.square(w)) for w in kernels)
    logs = model.train_on_batch(rows, {"original": rows}, return_dict=True)
    assert logs["regularisation"] == pytest.approx(expected, rel=1e-3)
    assert logs["loss"] == pytest.approx(logs["reconstruction"] + expected, rel=1e-3)


@pytest.fixture
def regularised():
    dense = {"type": "Dense", "num_units": 4, "regulariser": {"l2": 0.25}}
    layers = [{"type": "Input", "output_shape": [1, 8, 8]}, dense, dense]
    tree = {"spec_version": 1, "name": "regularised", "layers": layers}
    vocabulary = default_vocabulary()
    plan = make_plan(spec_from_tree(tree, vocabulary), vocabulary)
    return build_network(plan, vocabulary, seed=0)


@pytest.mark.parametrize(
    ("name", "clip", "expected"), [("sgd", 0.0, None), ("adam", 0.5, 0.5), ("rmsprop", 5.0, 5.0)]
)
def test_optimizer_follows_the_settings(settings, name, clip, expected):
    made = optimizer({**settings, "optimizer": name, "clip_norm": clip, "momentum": 0.8})
    assert type(made).__name__.lower() == name
    assert made.global_clipnorm == expected
    if name == "sgd":
        assert (made.momentum, made.nesterov) == (0.8, True)


@pytest.mark.parametrize(("clip_norm", "scale"), [(0.0, 1.0), (0.5, 0.5 / np.sqrt(1.25))])
def test_gradients_are_clipped_by_value_and_then_by_norm(settings, clip_norm, scale):
    changes = {"optimizer": "sgd", "momentum": 0.0, "nesterov": False, "learning_rate": 1.0}
    made = optimizer({**settings, **changes, "clip_value": 1.0, "clip_norm": clip_norm})
    weights = keras.Variable(np.zeros(2, "float32"))
    made.apply([keras.ops.convert_to_tensor([3.0, -0.5])], [weights])
    expected = -scale * np.array([1.0, -0.5])
    np.testing.assert_allclose(keras.ops.convert_to_numpy(weights), expected, rtol=1e-5)


class Given(Reconstruct):
    """An objective whose terms are the targets: two as they came, one computed."""

    term_names = ("first", "second", "third")

    def loss_terms(self, batch):
        first, second, third = (batch.targets[name] for name in self.term_names)
        return {"first": first, "second": second, "third": 1.5 * third}


class Monitoring(Given):
    """An objective that only monitors its third value."""

    term_names = ("first", "second")
    monitored_names = ("third",)
    trains_decoder = False

    def loss_terms(self, batch):
        return {name: keras.ops.sum(of) for name, of in batch.targets.items()}


def test_what_is_monitored_is_no_part_of_the_loss(network, settings, rng):
    model = compiled(network, Monitoring("squared_error"), settings)
    rows = rng.random((2, 8, 8, 1)).astype("float32")
    values = {"first": 1.0, "second": 2.0, "third": 40.0}
    targets = {name: np.full(2, value / 2, "float32") for name, value in values.items()}
    found = model.test_on_batch(rows, {**targets, "original": rows}, return_dict=True)
    assert {name: float(value) for name, value in found.items()} == {"loss": 3.0, **values}


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="about TensorFlow's graphs")
def test_the_order_of_the_sum_does_not_depend_on_who_holds_a_term(network, settings):
    """TensorFlow sums a chain of additions in an order that depends on which buffers are free."""
    import tensorflow as tf

    model = compiled(network, Given("squared_error"), settings)
    outputs = Forward(None, None, None)
    loss = tf.function(lambda y: model.compute_loss(None, y, outputs))
    values = {"first": 1e8, "second": -1e8, "third": 1.0}  # 1.5 in this order, else 0
    assert float(loss({name: tf.constant(value) for name, value in values.items()})) == 1.5
