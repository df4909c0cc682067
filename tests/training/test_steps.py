"""Several steps in one call are the same steps one by one."""

from __future__ import annotations

import numpy as np
import pytest

from archbuild.networks.builder import build_network
from archbuild.networks.rows import to_numpy
from archbuild.registry import default_vocabulary
from archbuild.spec import make_plan, spec_from_tree
from archbuild.training.augmentation import Augmentation
from archbuild.training.model import StageModel, Step, optimizer
from archbuild.training.pretraining import Reconstruct
from archbuild.training.steps import Steps, together
from tests.training.conftest import SPEC, make_network

VOCABULARY = default_vocabulary()


def built(settings, compiled, noise):
    """Return a model with batch normalisation, and its one scheduled variable."""
    layers = [layer for layer in SPEC["layers"] if noise or layer["type"] != "Dropout"]
    tree = {**SPEC, "layers": layers, "augment": SPEC["augment"] if noise else None}
    plan = make_plan(spec_from_tree(tree, VOCABULARY), VOCABULARY)
    network = build_network(plan, VOCABULARY, seed=0)
    augmentation = Augmentation.of(plan.spec.augmentation, plan, 5)
    model = StageModel(network, Reconstruct("squared_error"), 0.01, augmentation)
    # Adam would make much of the rounding in gradients that are 0
    model.compile(optimizer=optimizer({**settings, "optimizer": "sgd"}), jit_compile=compiled)
    model(np.zeros((2, 8, 8, 1), "float32"))
    model.optimizer.build(model.trainable_variables)
    return model, [model.optimizer.learning_rate]


def some_steps(sizes, rates):
    rng = np.random.default_rng(0)
    for size, rate in zip(sizes, rates, strict=True):
        rows = rng.random((size, 8, 8, 1), dtype="float32")
        yield Step(rows, {"original": rows}, np.array([rate], "float32"))


@pytest.mark.parametrize(("compiled", "noise"), [(False, True), (True, False)])
def test_many_steps_at_once_are_those_steps_one_by_one(settings, compiled, noise):
    steps = list(some_steps([8, 8, 8, 5], [1e-2, 1e-3, 1e-4, 1e-3]))
    model, scheduled = built(settings, compiled, noise)
    take = Steps(model, scheduled)
    losses = [take(steps[:2], 8), take(steps[2:3], 8), take(steps[3:], 5)]
    other, (rate,) = built(settings, False, noise)
    expected = []
    for step in steps:
        rate.assign(step.values[0])
        expected.append(other.train_on_batch(step.inputs, step.targets, return_dict=True))
    assert list(losses[0]) == model.term_names
    for name in model.term_names:
        found = np.concatenate([each[name] for each in losses])
        np.testing.assert_allclose(found, [row[name] for row in expected], rtol=1e-5)
    for ours, theirs in zip(model.variables, other.variables, strict=True):
        np.testing.assert_allclose(to_numpy(ours), to_numpy(theirs), rtol=1e-4, atol=1e-6)


def test_a_group_holds_batches_of_one_size_that_fit():
    batches = [np.arange(10)] * 40 + [np.arange(4)]
    assert [len(group) for group in together(batches, row_bytes=4)] == [32, 8, 1]
    assert [len(group) for group in together(batches[:4], row_bytes=2**19)] == [3, 1]
    assert [len(group) for group in together(batches[:2], row_bytes=2**30)] == [1, 1]
    assert not list(together([], row_bytes=4))


def test_a_long_stage_of_matrix_products_is_compiled(make_trainer, monkeypatch):
    monkeypatch.setattr("archbuild.training.stage._STEPS_WORTH_COMPILING", 8)
    reconstruct = Reconstruct("squared_error")
    assert make_trainer(make_network(), reconstruct, epochs=4).model.jit_compile  # of two steps
    assert not make_trainer(make_network(), reconstruct, epochs=3).model.jit_compile
    reconstruct.compiles = False
    assert not make_trainer(make_network(), reconstruct, epochs=4).model.jit_compile
    convolution = {"type": "Conv2D", "num_filters": 2, "filter_size": 3}
    layers = [SPEC["layers"][0], convolution, SPEC["layers"][-1]]
    pictures = make_network(layers=layers)
    assert not make_trainer(pictures, Reconstruct("squared_error"), epochs=4).model.jit_compile
