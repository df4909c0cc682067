"""A contender in a process of its own: ``python contenders.py NETWORK CONTENDER``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from benchmarks.speed.serving import Round


def contender(name: str, kind: str) -> Round:
    """Return the round of a contender: ``pretrain``, ``kld``, ``gmm``, ``encode``, ``keras``."""
    from archbuild.environment import start_keras

    start_keras()
    from archbuild.registry import default_vocabulary
    from archbuild.spec import make_plan, spec_from_tree
    from benchmarks.speed.networks import NETWORKS

    timed = next(network for network in NETWORKS if network.name == name)
    tree = timed.tree
    if kind == "gmm":  # needs a latent that is drawn
        tree["layers"][-1] = {"type": "Gaussian", "num_units": tree["layers"][-1]["num_units"]}
        tree["head"] = {"type": "gmm", "n_clusters": 10}
    vocabulary = default_vocabulary()
    plan = make_plan(spec_from_tree(tree, vocabulary), vocabulary)
    rng = np.random.default_rng(0)
    rows = rng.random((timed.rows, *plan.input_shape), dtype="float32")
    if kind == "keras":
        return _keras_round(plan, vocabulary, rows, timed.batch_size)
    return _own_round(plan, vocabulary, rows, kind)


def _keras_round(plan: Any, vocabulary: Any, rows: np.ndarray, batch_size: int) -> Round:
    """``keras.Model.fit`` of the same network, with the same loss and clipping."""
    import keras

    from archbuild.networks.builder import build_network

    network = build_network(plan, vocabulary, 0)
    network.compile(keras.optimizers.Adam(1e-3, global_clipnorm=1.0), "mse")
    rows = np.moveaxis(rows, 1, -1) if rows.ndim > 2 else rows
    return lambda: network.fit(rows, rows, batch_size=batch_size, epochs=1, verbose=0)


def _own_round(plan: Any, vocabulary: Any, rows: np.ndarray, kind: str) -> Round:
    from archbuild.data import dataset_from_arrays
    from archbuild.networks.builder import build_network
    from archbuild.training.encoding import encode
    from archbuild.training.feed import Feed
    from archbuild.training.head_stage import HeadTrainer
    from archbuild.training.pretraining import Reconstruct
    from archbuild.training.stage import StageTrainer

    spec = plan.spec
    dataset = dataset_from_arrays("rows", rows, input_shape=plan.input_shape)
    feed = Feed.of(dataset.fitted_to(plan.input_shape), spec)
    network = build_network(plan, vocabulary, 0)
    if kind == "encode":
        return lambda: encode(network.predict_latents, feed)

    def silent(event: Any) -> None:
        pass

    if kind == "pretrain":
        objective = Reconstruct(spec.reconstruction)
        settings = spec.settings("pretrain")
        trainer = StageTrainer("pretrain", settings, network, objective, feed, None, 0, silent)
    else:
        head = vocabulary.heads[kind](spec.head.config, plan, 0)
        # 50 epochs decide, as of pretraining, whether the stage is compiled
        settings = {**spec.settings("cluster"), "epochs": 50, "tolerance": 0}
        trainer = HeadTrainer(f"cluster-{kind}", settings, network, head, feed, None, 0, silent)
        head.config = {**head.config, "tolerance": 0}  # it never settles
    trainer.epochs = 0

    def play() -> None:
        trainer.epochs += 1
        trainer.train()

    return play


if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parents[2])
    from benchmarks.speed.serving import serve

    serve(contender(*sys.argv[1:]))
