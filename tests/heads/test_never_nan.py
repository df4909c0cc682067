"""Harsh training of every generative head ends finite, or says which term broke, not in silence.

Short runs; ``benchmarks/never_nan.py`` has the long ones.
"""

from __future__ import annotations

import numpy as np
import pytest

from archbuild.data import dataset_from_arrays, load_dataset
from archbuild.data.scaling import Scaler
from archbuild.errors import DivergenceError
from archbuild.networks.builder import build_network
from archbuild.registry import default_vocabulary
from archbuild.runs import StageFolder
from archbuild.spec import make_plan, spec_from_tree
from archbuild.training.feed import Feed
from archbuild.training.head_stage import HeadTrainer
from archbuild.training.progress import log_event

pytestmark = pytest.mark.graphs(False)
S3VDC = {
    "type": "gmm",
    "start": "k-means",
    "responsibilities": "inverse_min_max",
    "gamma_training": {"weight": 5e-4, "length": 1},
    "start_sample": 100,
    "kl_weight": {"start": 5e-4, "end": 1, "ramp": 4, "power": 3, "repeat": True, "unit": "steps"},
}
VADE = {"type": "gmm", "start": "k-means"}
BAYES = {"type": "gmvae", "posterior": "bayes", "minimum_information": 0.5}
CASES = {
    "vade": (VADE, "adam"),
    "vade, sgd": (VADE, "sgd"),  # which does break
    "tightest": ({**VADE, "responsibilities": "tightest"}, "adam"),
    "s3vdc": (S3VDC, "adam"),
    "gmvae": ({"type": "gmvae", "mc_samples": 2}, "adam"),
    "gmvae, bayes": (BAYES, "adam"),
    "ladder": ({"type": "ladder", "importance_samples": 2}, "adam"),
    "ladder, bottom up": ({"type": "ladder", "inference": "bottom_up", "free_bits": 1}, "adam"),
    "adgm": ({"type": "auxiliary", "hidden_units": [20]}, "adam"),
    "sdgm": ({"type": "auxiliary", "hidden_units": [20], "skip": True}, "adam"),
    "cagem": ({"type": "cluster_aware", "hidden_units": [20]}, "adam"),
}
HARSH = {"epochs": 2, "learning_rate": 0.05, "clip_norm": 0}
TREE = {
    "spec_version": 1,
    "name": "harsh",
    "batch_size": 75,
    "reconstruction": "bernoulli",
    "layers": [
        {"type": "Input", "output_shape": [64]},
        {"type": "Dense", "num_units": 20},
        {"type": "Gaussian", "num_units": 4},
    ],
}

LEVELS = [
    {"type": "Input", "output_shape": [64]},
    {"type": "Dense", "num_units": 20, "batch_norm": True},
    {"type": "Gaussian", "num_units": 8, "batch_norm": True},
    {"type": "Dense", "num_units": 10, "batch_norm": True},
    {"type": "Gaussian", "num_units": 4, "batch_norm": True},
]


@pytest.fixture(scope="module")
def feed():
    rows = load_dataset("DIGITS").rows(np.arange(150)).reshape(150, 64)
    digits = dataset_from_arrays("few", rows, None)
    return Feed(digits, Scaler.fit(digits, "none"))


def trainer_of(case, seed, feed, folder):
    """From scratch, without a pretrained network to lean on."""
    head, optimizer = CASES[case]
    clusters = {} if head["type"] == "ladder" else {"n_clusters": 10}
    own = {"head": {**head, **clusters}, "train": {**HARSH, "optimizer": optimizer}}
    if not clusters:
        own["layers"] = LEVELS
    spec = spec_from_tree({**TREE, **own}, default_vocabulary())
    plan = make_plan(spec, default_vocabulary())
    network = build_network(plan, default_vocabulary(), seed)
    made = default_vocabulary().heads[head["type"]](spec.head.config, plan, seed)
    stage = StageFolder(folder)
    stage.begin({})
    settings = spec.settings("train")
    return HeadTrainer("train", settings, network, made, feed, stage, seed, log_event, True)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("case", CASES)
def test_it_ends_finite_or_names_what_broke(case, seed, feed, tmp_path):
    trainer = trainer_of(case, seed, feed, tmp_path)
    try:
        outcome = trainer.run()
    except DivergenceError as error:
        if "the weight" in error.what or "assignment" in error.what:
            return
        _, _, named = error.what.partition("the loss term")
        assert set(named.lstrip("s ").split(", ")) <= set(trainer.model.term_names[1:])
        return
    losses = [row[term] for row in outcome.history for term in trainer.model.term_names]
    assert np.all(np.isfinite(losses))
    assert np.all(np.isfinite(outcome.codes))
    if trainer.head.answers != "nothing":
        assert np.all(np.isfinite(trainer.head.assignments(outcome.codes)))
    assert all(np.all(np.isfinite(values)) for values in trainer.head.arrays().values())
