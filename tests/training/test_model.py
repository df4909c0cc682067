"""The stage's model: its loss is the sum of its terms, and each is tracked by name."""

from __future__ import annotations

import numpy as np
import pytest

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


def test_weight_decay_is_the_weighted_sum_of_squares(network, feed, settings):
    model = compiled(network, Reconstruct("squared_error"), settings, weight_decay=0.5)
    rows = feed.clean(np.arange(4))
    expected = 0.5 * sum(np.sum(np.square(w)) for w in network.trainable_variables)
    logs = model.test_on_batch(rows, {"original": rows}, return_dict=True)
    assert logs["weight_decay"] == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize(("name", "clip", "expected"), [("sgd", 0.0, None), ("adam", 0.5, 0.5)])
def test_optimizer_follows_the_settings(settings, name, clip, expected):
    made = optimizer({**settings, "optimizer": name, "clip_norm": clip, "momentum": 0.8})
    assert type(made).__name__.lower() == name
    assert made.global_clipnorm == expected
    if name == "sgd":
        assert (made.momentum, made.nesterov) == (0.8, True)
