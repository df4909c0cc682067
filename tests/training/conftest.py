"""A small network on a slice of the digits, for the tests of this room."""

from __future__ import annotations

import shutil
from dataclasses import replace

import numpy as np
import pytest

from archbuild.data import dataset_from_arrays, load_dataset
from archbuild.data.scaling import Scaler
from archbuild.heads import Head
from archbuild.networks.builder import build_network
from archbuild.registry import default_vocabulary
from archbuild.runs import StageFolder
from archbuild.spec import make_plan, spec_from_tree
from archbuild.spec.resolve import filled
from archbuild.spec.stages import CLUSTER_DEFAULTS, STAGE_FIELDS
from archbuild.training.feed import Feed
from archbuild.training.head_stage import HeadTrainer
from archbuild.training.progress import EpochDone, log_event
from archbuild.training.stage import StageTrainer

SPEC = {
    "spec_version": 1,
    "name": "small",
    "batch_size": 32,
    "output_non_linearity": "linear",
    "layers": [
        {"type": "Input", "output_shape": [1, 8, 8]},
        {"type": "Dropout", "rate": 0.1},
        {"type": "Dense", "num_units": 20, "non_linearity": "rectify"},
        {"type": "BatchNorm"},
        {"type": "Dense", "num_units": 4, "non_linearity": "linear"},
    ],
    "augment": {"rotate": 5, "shift": 0.1},
    "head": {"type": "kld", "n_clusters": 10},
}
ROWS = 60
STOCHASTIC = {
    "layers": [*SPEC["layers"][:-1], {"type": "Gaussian", "num_units": 4}],
    "reconstruction": "bernoulli",
}
"""What of ``SPEC`` differs for a head with a prior."""


class StopAfter:
    """Ends the process's work after an epoch, as Ctrl-C would."""

    def __init__(self, epoch):
        self.epoch = epoch

    def __call__(self, event):
        if isinstance(event, EpochDone) and event.row["epoch"] == self.epoch:
            raise KeyboardInterrupt


class CopyEachEpoch:
    """Copies a folder beside itself after every epoch: what is left where the process ends there.

    The copy after the third epoch is called ``epoch-3``.
    """

    def __init__(self, folder):
        self.folder = folder

    def __call__(self, event):
        if isinstance(event, EpochDone):
            name = f"epoch-{event.row['epoch']}"
            shutil.copytree(self.folder, self.folder.with_name(name))


@pytest.fixture(scope="session")
def digits():
    """The first digits."""
    whole = load_dataset("DIGITS")
    return dataset_from_arrays("few", whole.rows(np.arange(ROWS)), whole.labels[:ROWS])


@pytest.fixture
def feed(digits):
    return Feed(digits, Scaler.fit(digits, "none"), SPEC["augment"])


@pytest.fixture
def network():
    return make_network()


def plan_of(**changes):
    spec = spec_from_tree({**SPEC, **changes}, default_vocabulary())
    return make_plan(spec, default_vocabulary())


def make_network(seed: int = 0, **changes):
    return build_network(plan_of(**changes), default_vocabulary(), seed)


def make_prior(kind, **config):
    """A head of ten clusters for the stochastic network, otherwise as a spec's defaults."""
    return kind(filled({"n_clusters": 10, **config}, kind.fields), plan_of(**STOCHASTIC))


@pytest.fixture
def settings():
    defaults = {field.name: field.default for field in STAGE_FIELDS}
    # whole batches: TensorFlow traces a graph of its own for a smaller one
    return {**defaults, **CLUSTER_DEFAULTS, "epochs": 4, "batch_size": ROWS // 2}


@pytest.fixture
def make_trainer(feed, settings, tmp_path):
    """A trainer in a folder of its own; keywords change the settings."""

    def make(
        network,
        objective,
        folder="stage",
        emit=log_event,
        seed=0,
        augment=SPEC["augment"],
        from_scratch=False,
        **changes,
    ):
        rows = replace(feed, augmentation=augment)
        stage = StageFolder(tmp_path / folder)
        stage.begin({"test": "training"})
        changed = {**settings, **changes}
        given = ("cluster-kld", changed, network, objective, rows, stage, seed, emit)
        if isinstance(objective, Head):
            return HeadTrainer(*given, from_scratch)
        return StageTrainer(*given)

    return make


@pytest.fixture
def copies(tmp_path):
    """Copies the stage in ``whole`` after every epoch, to go on from as from one that stopped."""
    return CopyEachEpoch(tmp_path / "whole")
