"""Latents, losses and steps of training from saved weights, on whichever backend runs.

``python -m tests.training.elsewhere FOLDER`` makes the weights and measures in its own process.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from unittest.mock import patch

import keras
import numpy as np

from archbuild.heads import HEADS, GMMHead, GMVAEHead, MessagesHead
from archbuild.io.atomic import save_npz
from archbuild.networks.rows import by_rows, to_numpy
from archbuild.training.augmentation import Augmentation
from archbuild.training.model import StageModel, optimizer
from archbuild.training.pretraining import Reconstruct
from archbuild.training.progress import log_event
from tests.graphs import graphs
from tests.heads.contract import Case
from tests.heads.test_contract import TRAINED
from tests.objectives.tensors import tensor
from tests.training.conftest import STOCHASTIC, make_network, make_prior

# without Dropout, whose draws are each backend's own
NETWORK = {
    **STOCHASTIC,
    "augment": None,
    "layers": [STOCHASTIC["layers"][0], *STOCHASTIC["layers"][2:]],
}
LEARNED = [name for name, (head, *_) in TRAINED.items() if HEADS[head].learns]
"""Of these there are losses to compare."""
PRIORS = {
    "gmm": lambda: make_prior(GMMHead, start="k-means"),
    "gmvae": lambda: make_prior(GMVAEHead, mc_samples=2),
    "messages": lambda: make_prior(MessagesHead, modules=[{"type": "gmm", "inference": "gibbs"}]),
}
CHANGES = {"rotate": 20, "shift": 0.1, "scale": 0.1, "shear": 0.1, "flip": True, "noise": 0.1}
SGD = {
    "optimizer": "sgd",
    "learning_rate": 0.01,
    "momentum": 0.9,
    "nesterov": True,
    "clip_value": 0,
    "clip_norm": 1,
}


def prepare(folder: Path) -> None:
    """Save what every backend starts from, beside the rows."""
    rows = np.load(folder / "rows.npy")
    make_network(augment=None).save_weights(folder / "plain.weights.h5")
    network = make_network(**NETWORK)
    network.save_weights(folder / "stochastic.weights.h5")
    for name, make in PRIORS.items():
        head = make()
        head.initialise(by_rows(network.reader(head.code), rows))
        save_npz(folder / f"{name}.npz", head.arrays())
    for name in LEARNED:
        save_npz(folder / f"first-{name}.npz", trainer_of(name, folder / "first").state())


def measure(folder: Path) -> dict[str, dict[str, float]]:
    """Losses by what they are of; latents are saved beside the weights."""
    rows = np.load(folder / "rows.npy")
    network = make_network(augment=None)
    network.load_weights(folder / "plain.weights.h5")
    latents = by_rows(network.predict_latents, rows)
    np.save(folder / f"{keras.backend.backend()}.npy", latents)
    model = compiled(network, Reconstruct("squared_error"), 0.01)
    found = {"reconstruct": model.test_on_batch(rows, {"original": rows}, return_dict=True)}
    for name in PRIORS:
        found |= with_fixed_noise(name, rows, folder)
        found[f"{name}, shares"] = shares(name, rows, folder)
    found["own noise"] = with_own_noise("gmvae", rows, folder)
    found["augmented"] = augmented(network, rows)
    for name in LEARNED:
        found |= first_epochs(name, folder)
    return {of: {term: float(value) for term, value in each.items()} for of, each in found.items()}


def trainer_of(name, folder):
    """A head on a small network, whatever its first weights are."""
    head, keys, config = TRAINED[name]
    case = Case(HEADS[head], config, folder / keras.backend.backend(), keys)
    return case.trainer(name, log_event)


def first_epochs(name, folder):
    """The losses of two epochs from saved weights."""
    trainer = trainer_of(name, folder / "epochs")
    with np.load(folder / f"first-{name}.npz") as arrays:
        trainer.folder.save_checkpoint(0, dict(arrays), [], timing={"seconds": 0.0})
    with patch.object(keras.random, "normal", fixed_noise):
        trainer.train()
    terms = trainer.model.term_names
    rows = [{term: row[term] for term in terms} for row in trainer.history]
    return {f"{name}, epoch {epoch}": row for epoch, row in enumerate(rows, start=1)}


def with_fixed_noise(name, rows, folder):
    """The losses of two steps."""
    model, _ = model_of(name, folder)
    with patch.object(keras.random, "normal", fixed_noise):
        return {f"{name}, {which}": step(model, rows) for which in ("first", "second")}


def shares(name, rows, folder):
    """The mean probability of every cluster."""
    network, head = make_network(**NETWORK), PRIORS[name]()
    network.load_weights(folder / "stochastic.weights.h5")
    with np.load(folder / f"{name}.npz") as arrays:
        head.restore(dict(arrays))
    means = head.assignments(by_rows(network.reader(head.code), rows)).mean(axis=0)
    return {str(cluster): mean for cluster, mean in enumerate(means)}


def with_own_noise(name, rows, folder):
    """The losses of a step, and whether the state of the noise has moved on."""
    model, head = model_of(name, folder)
    before = to_numpy(head.noise.state)
    return step(model, rows) | {"moved": np.any(to_numpy(head.noise.state) != before)}


def augmented(network, rows):
    """What rows become by fixed draws, and whether a step of training draws."""
    change = Augmentation(CHANGES, network.plan, 0)
    with patch.multiple(keras.random, normal=fixed_noise, uniform=fixed_uniform):
        seen = to_numpy(change(rows).inputs)
    before = to_numpy(change.noise.state)
    step(compiled(network, Reconstruct("squared_error"), 0.0, change), rows)
    moved = np.any(to_numpy(change.noise.state) != before)
    places = seen[..., 0] @ np.arange(8) @ np.arange(8)
    return {"mean": seen.mean(), "deviation": seen.std(), "places": places.sum(), "moved": moved}


def model_of(name, folder):
    network, head = make_network(**NETWORK), PRIORS[name]()
    network.load_weights(folder / "stochastic.weights.h5")
    with np.load(folder / f"{name}.npz") as arrays:
        head.restore(dict(arrays))
    for weight, variable in head.scheduled.items():
        variable.assign(head.config[weight])
    return compiled(network, head, 0.0), head


def step(model, rows):
    return model.train_on_batch(rows, {"original": rows}, return_dict=True)


def compiled(network, objective, weight_decay, augmentation=None):
    model = StageModel(network, objective, weight_decay, augmentation)
    model.compile(optimizer=optimizer(SGD))
    return model


def fixed_noise(shape, seed=None):
    return tensor(np.random.default_rng(shape).normal(size=shape))


def fixed_uniform(shape, least, most, seed=None):
    return tensor(np.random.default_rng(shape).uniform(least, most, shape))


if __name__ == "__main__":
    place = Path(sys.argv[1])
    with graphs(False):
        prepare(place)
        found = measure(place)
    print(json.dumps(found))
