"""A stage with any head, killed before any file operation and resumed, ends as if it never was."""

from __future__ import annotations

import shutil
from functools import partial
from pathlib import Path

import pytest

from archbuild.experiments.outcome import summary, writers
from archbuild.registry import default_vocabulary
from archbuild.runs import StageFolder
from archbuild.spec.resolve import filled
from archbuild.training.head_stage import HeadTrainer
from archbuild.training.progress import log_event
from tests.runs.kills import Snapshots
from tests.training.conftest import STOCHASTIC, make_network

HEADS = default_vocabulary().heads
LIGHT = {"type": "gmm", "inference": "gibbs", "chains": 1, "sweeps": 3}
LIGHTER = {"messages": {"modules": [LIGHT, {"type": "markov"}], "rounds": 2}}
LIGHTER |= {name: {"hidden_units": [4]} for name in ("auxiliary", "cluster_aware")}
REQUEST = {"seed": 0}

pytestmark = pytest.mark.graphs(False)


@pytest.fixture
def train(feed, settings, tmp_path):
    """Train one head in a folder as far as its end, from where the folder says."""
    settings |= {"epochs": 1, "batch_size": 75}

    def run(name, path):
        network, folder = make_network(**STOCHASTIC), StageFolder(path)
        config = filled({"n_clusters": 10, **LIGHTER.get(name, {})}, HEADS[name].fields)
        head = HEADS[name](config, network.plan)
        folder.begin(REQUEST)
        settings["epochs"] = 1 if head.rounds else 2
        stage, labels = f"cluster-{name}", None
        if head.labels_used == "all":
            labels = feed.dataset.labels.astype("int32")
        outcome = HeadTrainer(
            stage, settings, network, head, feed, folder, 0, log_event, labels=labels
        ).run()
        files = once_each(writers(network, outcome.codes, head), tmp_path)
        return lambda into: finish(into, files, outcome)

    return run


def once_each(files, scratch):
    """Writers of the same bytes that work only once: Keras takes a quarter of a second."""
    contents = {}
    for name, write in files.items():
        write(scratch / name)
        contents[name] = (scratch / name).read_bytes()
    return {name: partial(Path.write_bytes, data=content) for name, content in contents.items()}


def finish(path, files, outcome):
    folder = StageFolder(path)
    folder.begin(REQUEST)
    folder.finish(files, summary=summary(outcome), history=outcome.history)


def state_of(path):
    """All that a resumed process starts from: the checkpoint that the manifest names."""
    manifest = StageFolder(path).manifest()
    return manifest and (manifest["state"], manifest["epoch"])


def left(path):
    """Every byte that must be identical, and the digest, which covers the summary."""
    files = {file.name: file.read_bytes() for file in path.iterdir()}
    del files["manifest.json"]
    return files, StageFolder(path).digest


@pytest.mark.parametrize("name", HEADS)
def test_a_head_killed_anywhere_and_resumed_ends_the_same(name, train, tmp_path, monkeypatch):
    whole, epochs = tmp_path / "whole", 2 if HEADS[name].learns else 0
    with monkeypatch.context() as patch:
        kills = Snapshots(patch, whole, tmp_path / "killed")
        end = train(name, whole)
        end(whole)
    ends = {None: end, ("finished", epochs): lambda path: StageFolder(path).begin(REQUEST)}
    for path in kills.taken:
        state = state_of(path)
        if state is not None:
            StageFolder(path).verify()
        if state not in ends:
            ends[state] = train(name, shutil.copytree(path, tmp_path / f"resumed-{len(ends)}"))
        ends[state](path)
        assert left(path) == left(whole), f"killed before operation {path.name}"
    running = {("running", epoch + 1) for epoch in range(epochs)}
    assert ends.keys() == {None, ("finished", epochs)} | running
    without_answers = HEADS[name].answers == "nothing"  # it leaves two files less
    assert len(kills.taken) >= 25 + 5 * epochs + (0 if without_answers else 5)
