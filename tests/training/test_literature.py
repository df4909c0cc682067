"""The published networks of ``archs/literature.yaml`` are drawn, and learn."""

from __future__ import annotations

from copy import deepcopy

import numpy as np
import pytest

from archbuild.layers.shapes import channels_last
from archbuild.networks.builder import build_network
from archbuild.registry import default_vocabulary
from archbuild.spec import load_spec, make_plan, spec_from_tree
from archbuild.spec.rendering import side_by_side
from archbuild.training.model import StageModel, optimizer
from archbuild.training.pretraining import Reconstruct

# name -> a small shape of its kind, and what its widths are divided by
LITERATURE = {
    "dec-da-mnist": ([1, 13, 13], 8),
    "resnet18-32": ([3, 9, 9], 32),
    "vgg-64": ([3, 16, 16], 32),
    "ecg-12-lead": ([12, 83], 8),
    "lstm-series": ([3, 11], 8),
    "tcn-series": ([3, 22], 8),
    "scdeepcluster": ([40], 4),
}


def small(name):
    """The spec with fewer channels, on a smaller input."""
    vocabulary = default_vocabulary()
    tree = deepcopy(load_spec(name, vocabulary).tree)
    shape, divisor = LITERATURE[name]
    tree["layers"][0]["output_shape"] = shape
    for layer in tree["layers"][1:]:
        for key in {"num_filters", "num_units"} & set(layer):
            layer[key] = max(layer[key] // divisor, 2)
    return make_plan(spec_from_tree(tree, vocabulary), vocabulary)


@pytest.mark.parametrize("name", LITERATURE)
def test_it_is_drawn_in_full(name):
    plan = make_plan(load_spec(name, default_vocabulary()), default_vocabulary())
    assert plan.decoder[-1].output_shape == plan.input_shape
    assert plan.notation in side_by_side(plan)


@pytest.mark.parametrize("name", LITERATURE)
def test_a_few_steps_lower_the_loss(name):
    plan = small(name)
    network = build_network(plan, default_vocabulary(), seed=0)
    settings = {**plan.spec.settings("pretrain"), "learning_rate": 0.01, "schedule": "constant"}
    model = StageModel(network, Reconstruct(plan.spec.reconstruction), weight_decay=0.0)
    # a few steps take less time than tracing a graph of them
    model.compile(optimizer=optimizer(settings), run_eagerly=True)
    rows = np.random.default_rng(0).normal(size=(1, *channels_last(plan.input_shape)))
    rows = np.repeat(rows, 16, axis=0).astype("float32")
    if plan.spec.reconstruction == "negative_binomial":
        rows = np.rint(np.abs(20 * rows))  # counts
    history = model.fit(rows, {"original": rows}, batch_size=16, epochs=6, verbose=0).history
    assert np.isfinite(history["loss"]).all()
    assert history["loss"][-1] < 0.97 * history["loss"][0]
