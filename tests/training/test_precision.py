"""Training in 16 bits: losses near those of float32, and stages that resume to the bit."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from archbuild.environment import BFLOAT16, FLOAT16, FLOAT32
from archbuild.heads import GMMHead, KLDHead
from archbuild.networks.builder import build_network
from archbuild.registry import default_vocabulary
from archbuild.spec.resolve import filled
from archbuild.training.encoding import encode
from archbuild.training.feed import generator
from archbuild.training.pretraining import Reconstruct
from tests.training.conftest import ROWS, STOCHASTIC, StopAfter, make_prior, plan_of

STILL = {"augment": None, "batch_size": ROWS, "clip_norm": 0}
LAYERS = {"layers": [layer for layer in STOCHASTIC["layers"] if layer["type"] != "Dropout"]}


def make_network(precision, **changes):
    return build_network(plan_of(**changes), default_vocabulary(), 0, precision)


def kld():
    return KLDHead(filled({"n_clusters": 10, "start": "k-means"}, KLDHead.fields), plan_of())


OBJECTIVES = {
    "reconstruct": lambda: Reconstruct("bernoulli"),
    "kld": kld,
    "gmm": lambda: make_prior(GMMHead, start="k-means"),
}


def first_losses(make_trainer, precision, name):
    """Return the losses of the first step, of a head that starts from the codes of float32."""
    network, objective = make_network(precision, **{**STOCHASTIC, **LAYERS}), OBJECTIVES[name]()
    trainer = make_trainer(network, objective, f"{precision} {name}", **STILL)
    if name != "reconstruct":
        exact = make_network(FLOAT32, **{**STOCHASTIC, **LAYERS})
        codes = encode(exact.reader(objective.code), trainer.feed)
        objective.initialise(codes)
        trainer.targets = objective.refresh(codes)
    return trainer.take([np.arange(ROWS)], 0, 0, generator(0, "test", 0))


@pytest.mark.graphs(False)
@pytest.mark.parametrize("name", OBJECTIVES)
def test_the_losses_of_a_step_are_float32_and_near_those_of_float32(make_trainer, name):
    exact, mixed = (first_losses(make_trainer, each, name) for each in (FLOAT32, BFLOAT16))
    for term, values in mixed.items():
        assert values.dtype == np.float32
        np.testing.assert_allclose(values, exact[term], rtol=2e-2, atol=1e-3, err_msg=term)


@pytest.mark.parametrize("precision", [BFLOAT16, FLOAT16])
def test_interrupted_and_resumed_is_bit_identical(make_trainer, precision):
    changes = {"epochs": 3, "learning_rate": 1e-2}
    whole = make_trainer(make_network(precision), Reconstruct("squared_error"), "whole", **changes)
    expected = whole.run()
    stopped = make_trainer(
        make_network(precision), Reconstruct("squared_error"), "part", StopAfter(1), **changes
    )
    with pytest.raises(KeyboardInterrupt):
        stopped.run()
    resumed = make_trainer(make_network(precision), Reconstruct("squared_error"), "part", **changes)
    assert resumed.run().history == expected.history
    for one, other in zip(resumed.network.get_weights(), whole.network.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.graphs(False)
def test_gradients_in_float16_are_scaled_and_the_schedule_sets_the_rate(make_trainer):
    changes = {"epochs": 1, "learning_rate": 0.25, "schedule": "constant", "warm_up": 0}
    network, objective = make_network(FLOAT16), Reconstruct("squared_error")
    trainer = make_trainer(network, objective, optimizer="sgd", **changes)
    optimizer = trainer.model.optimizer
    assert isinstance(optimizer, keras.optimizers.LossScaleOptimizer)
    trainer.train()
    assert float(optimizer.inner_optimizer.learning_rate) == 0.25
    assert trainer.history[0]["learning_rate"] == 0.25
    assert int(optimizer.inner_optimizer.iterations) > 0


@pytest.mark.parametrize("precision", [FLOAT32, BFLOAT16])
def test_gradients_of_the_range_of_float32_are_not_scaled(make_trainer, precision):
    trainer = make_trainer(make_network(precision), Reconstruct("squared_error"))
    assert type(trainer.model.optimizer) is keras.optimizers.Adam
