"""Every registered head keeps the contract, and so does one without centres from outside."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from archbuild.clustering.moments import means
from archbuild.clustering.starts import START, first_clusters
from archbuild.heads import HEADS, Head
from archbuild.heads.base import N_CLUSTERS, RECONSTRUCTION_WEIGHT
from archbuild.networks.rows import to_numpy
from tests.heads.contract import run_head_contract

pytestmark = pytest.mark.backends
CONFIGS = {
    "kld": {"start": "k-means", "tolerance": 0.0},
    "kmeans": {"start": "k-means", "tolerance": 0.0},
    "self_training": {"start": "k-means"},
    "manifold": {"start": "k-means", "neighbours": 3},
    "gmm": {"start": "k-means"},
    "ladder": {"mc_samples": 2, "importance_samples": 2},
    "gmvae": {"mc_samples": 2, "prior_units": 4, "style_size": 2},
    "auxiliary": {"skip": True, "mc_samples": 2, "hidden_units": [4]},
    "cluster_aware": {"hidden_units": [4]},
    "classifier": {},
    "messages": {"rounds": 2, "modules": [{"type": "gmm", "chains": 1, "sweeps": 5}]},
}
LIKELIHOOD = {"reconstruction": "gaussian"}
LEVELS = [
    {"type": "Input", "output_shape": [6]},
    {"type": "Dense", "num_units": 5},
    {"type": "Gaussian", "num_units": 3, "batch_norm": True},
    {"type": "Dense", "num_units": 4},
    {"type": "Gaussian", "num_units": 2},
]
KEYS = {
    **dict.fromkeys(["gmm", "gmvae", "auxiliary", "cluster_aware"], LIKELIHOOD),
    "ladder": {**LIKELIHOOD, "layers": LEVELS},
    "classifier": {"supervision": {"labels": "all"}, "decoder": "none"},
}
"""Keys of the spec that a head needs, or is better tried with."""
FIND = [{"type": "Dense", "num_units": 3}]
GLIMPSES = [
    {"type": "Input", "output_shape": [1, 2, 3]},
    {"type": "SpatialTransformer", "localisation": FIND},
    {"type": "RecurrentSpatialTransformer", "localisation": FIND, "steps": 2, "num_units": 3},
    {"type": "TimeDistributed", "layers": [{"type": "Dense", "num_units": 3}]},
    {"type": "Dense", "num_units": 2, "non_linearity": "linear"},
]
TRAINED = {name: (name, KEYS.get(name, {}), config) for name, config in CONFIGS.items()}
TRAINED["glimpses"] = ("classifier", {**KEYS["classifier"], "layers": GLIMPSES}, {})
"""The head, the keys and the fields of everything that trains, by a name for it."""


class Linear(Head):
    """A linear classifier of the latents that grows sure of itself; it has no centres."""

    name = "linear"
    summary = "a linear classifier"
    fields = (N_CLUSTERS, START, RECONSTRUCTION_WEIGHT)
    term_names = ("reconstruction", "uncertainty")

    def __init__(self, config, plan, seed=0):
        super().__init__(config, plan, seed)
        self.kernel = keras.Variable(np.zeros((self.latent_size, self.n_clusters), "float32"))

    @property
    def variables(self):
        return [self.kernel]

    def initialise(self, codes):
        clusters = first_clusters(codes, self.n_clusters, self.config["start"], self.seed)
        self.kernel.assign(means(codes, clusters, self.n_clusters).T)

    def loss_terms(self, batch):
        assigned = self.assign(batch.latent)
        entropy = -keras.ops.sum(assigned * keras.ops.log(assigned + 1e-6), axis=1)
        return {**self._reconstruction_term(batch), "uncertainty": keras.ops.mean(entropy)}

    def assign(self, codes):
        return keras.ops.softmax(keras.ops.matmul(codes, self.kernel), axis=1)

    def arrays(self):
        return {"kernel": to_numpy(self.kernel)}

    def restore(self, arrays):
        self.kernel.assign(arrays["kernel"])


@pytest.mark.parametrize("name", TRAINED)
def test_every_head_of_ours_keeps_the_contract(name, tmp_path):
    head, keys, config = TRAINED[name]
    run_head_contract(HEADS[head], tmp_path, keys, **config)


def test_no_head_of_ours_is_left_out():
    assert set(CONFIGS) == set(HEADS.own)


def test_levels_inferred_from_the_bottom_up_keep_the_contract(tmp_path):
    config = {"inference": "bottom_up", "kl_weight": {"end": 1, "ramp": 4}, "free_bits": 0.1}
    run_head_contract(HEADS["ladder"], tmp_path, KEYS["ladder"], **config)


@pytest.mark.parametrize(
    ("name", "config"),
    [
        ("auxiliary", {"reads": "rows", "kl_weight": {"end": 1, "ramp": 4}}),
        ("cluster_aware", {"skip": True, "class_prior": "uniform", "balance": 0}),
    ],
)
def test_sums_over_classes_keep_the_contract_with_labels(name, config, tmp_path):
    keys = {**LIKELIHOOD, "supervision": {"labels": 6, "batch_size": 6}}
    run_head_contract(HEADS[name], tmp_path, keys, hidden_units=[4], **config)


def test_a_head_without_centres_from_outside_keeps_it(tmp_path):
    run_head_contract(Linear, tmp_path, start="k-means")


def test_a_head_whose_answers_depend_on_chance_does_not(tmp_path):
    class Rolling(Linear):
        def assignments(self, codes):
            drawn = np.random.default_rng().random((len(codes), self.n_clusters))
            return drawn / drawn.sum(axis=1, keepdims=True)

    with pytest.raises(AssertionError):
        run_head_contract(Rolling, tmp_path, start="k-means")
