"""Runs of one small network on 150 digits, which several rooms look at, each trained once."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
from filelock import FileLock
from sklearn.datasets import load_digits

from archbuild.experiments.experiment import Experiment
from archbuild.experiments.request import ExperimentRequest
from archbuild.training.progress import log_event
from tests.graphs import graphs
from tests.training.conftest import CopyEachEpoch

GAMMA = 1
"""Epochs before the prior begins."""
SPEC = {
    "spec_version": 1,
    "name": "small",
    "batch_size": 50,
    "layers": [
        {"type": "Input", "output_shape": [1, 8, 8]},
        {"type": "Dense", "num_units": 16},
        {"type": "Gaussian", "num_units": 3},
    ],
    "head": {
        "type": "gmm",
        "n_clusters": 4,
        "start": "k-means",
        "gamma_training": {"weight": 5e-4, "length": GAMMA},
    },
    "pretrain": {"epochs": 1},
    "cluster": {"epochs": 1},
    "train": {"epochs": 4},
}
MESSAGES = {"head": "messages", "overrides": ("head.rounds=3", "train.epochs=2")}
"""What of the spec differs for modules that exchange messages: six epochs in all."""


def make_experiment(folder, emit=log_event, head=None, overrides=(), **changes):
    """An experiment on 150 digits."""
    digits = load_digits()
    data, spec = folder / "some.npz", folder / "small.json"
    images = digits.images[:150, ..., np.newaxis].astype("float32") / 16
    np.savez(data, x=images, y=digits.target[:150])
    spec.write_text(json.dumps({**SPEC, **changes}))
    return Experiment(ExperimentRequest(str(data), str(spec), head, overrides, out=folder), emit)


def experiment_from(folder, *sources, **changes):
    """An experiment that goes on from copies of what is in other folders."""
    for source in sources:
        shutil.copytree(source, folder, dirs_exist_ok=True)
    return make_experiment(folder, **changes)


def train(folder, **changes):
    """Train from scratch in ``whole``; what was there after each epoch is in ``epoch-1`` and on."""
    whole = folder / "whole"
    whole.mkdir(parents=True)
    make_experiment(whole, CopyEachEpoch(whole), **changes).train()


def train_gmm(folder):
    """Train from scratch; in ``pretrained`` and ``clustered``, the other two stages."""
    train(folder)
    (folder / "pretrained").mkdir()
    make_experiment(folder / "pretrained").pretrain()
    experiment_from(folder / "clustered", folder / "pretrained").cluster()


def train_messages(folder):
    """Train modules from scratch."""
    train(folder, **MESSAGES)


def once(place: Path, make: Callable[[Path], None]) -> Path:
    """Return a folder that ``make`` has filled, in whichever process of the suite came first."""
    folder = place / make.__name__
    done = folder.with_suffix(".done")
    with FileLock(folder.with_suffix(".lock")):
        if not done.exists():
            with graphs(False):  # whichever test asked first
                make(folder)
            done.touch()
    return folder
