"""Bounds from any number of draws, block by block."""

from __future__ import annotations

import numpy as np
import pytest
from keras import ops
from scipy import special

from archbuild.data import dataset_from_arrays
from archbuild.data.scaling import Scaler
from archbuild.heads.records import Evidence
from archbuild.networks.builder import build_network
from archbuild.registry import default_vocabulary
from archbuild.spec import make_plan, spec_from_tree
from archbuild.training import bounds
from archbuild.training.bounds import bound_of
from archbuild.training.feed import Feed

pytestmark = pytest.mark.graphs(False)


class Counting:
    """Stands for a head: the log-weight of a row's draw is known, and grows with each block."""

    variables = ()

    def __init__(self):
        self.blocks = []

    def evidence(self, network, inputs, draws, present=None):
        first = sum(self.blocks)
        self.blocks.append(draws)
        weights = first + np.arange(draws)[:, None] + 10.0 * ops.convert_to_numpy(inputs)[:, 0]
        unit = np.stack([0 * weights[0], weights[0]], axis=1)
        return Evidence(ops.convert_to_tensor(weights), (ops.convert_to_tensor(unit),))


@pytest.fixture
def network():
    layers = [{"type": "Input", "output_shape": [2]}, {"type": "Dense", "num_units": 1}]
    tree = {"spec_version": 1, "name": "small", "layers": layers}
    vocabulary = default_vocabulary()
    return build_network(make_plan(spec_from_tree(tree, vocabulary), vocabulary), vocabulary, 0)


def feed_of(values, gaps=None):
    dataset = dataset_from_arrays("rows", np.asarray(values, "float32"))
    return Feed(dataset, Scaler.fit(dataset, "none"))


@pytest.mark.parametrize("samples", [1, 5, 64, 65, 100, 130])
def test_each_row_gets_as_many_draws_as_were_asked_for(network, samples, monkeypatch):
    monkeypatch.setattr(bounds._Reader, "predict_on_batch", _eagerly, raising=False)
    head, values = Counting(), [[0.0, 0.0], [1.0, 0.0]]
    found = bound_of(network, head, feed_of(values), samples, 0)
    assert (found.samples, found.rows) == (samples, 2)
    assert max(head.blocks) <= 64
    assert sum(head.blocks) - samples < len(head.blocks)
    weights = np.arange(samples)
    assert found.elbo == pytest.approx(weights.mean() + 5, rel=1e-6)
    expected = special.logsumexp(weights) - np.log(samples) + 5
    assert found.nats == pytest.approx(expected, rel=1e-6)
    assert found.divergences[0][0] == 0
    assert found.scores()["active_1"] == 1


def _eagerly(self, inputs):
    return [ops.convert_to_numpy(each) for each in self.call(inputs)]


def test_of_many_rows_the_seed_chooses_some(network, monkeypatch):
    monkeypatch.setattr(bounds._Reader, "predict_on_batch", _eagerly, raising=False)
    monkeypatch.setattr(bounds, "MOST_ROWS", 20)
    feed = feed_of(np.random.default_rng(0).normal(size=(90, 2)))
    first, again, other = (bound_of(network, Counting(), feed, 3, seed) for seed in (1, 1, 2))
    assert first.rows == 20
    assert first.nats == again.nats != other.nats
