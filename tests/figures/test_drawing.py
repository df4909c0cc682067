"""Pictures of a run: which are drawn, what they are called, and of which epoch they are."""

from __future__ import annotations

import json
import os
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

from archbuild.experiments.experiment import Experiment
from archbuild.experiments.request import ExperimentRequest
from archbuild.figures.drawing import PICTURES, draw
from archbuild.runs import StageFolder
from tests.small_runs import GAMMA, MESSAGES, SPEC, experiment_from, make_experiment

pytestmark = [pytest.mark.graphs(False), pytest.mark.usefixtures("plain_maps")]
LAST = 6


@pytest.fixture
def stopped(gmm_runs, tmp_path):
    """An experiment whose training from scratch was stopped after an epoch."""
    return lambda epoch: experiment_from(tmp_path, gmm_runs / f"epoch-{epoch}")


def listen(monkeypatch, kept):
    """What is ``kept`` of the arguments and options of every picture, by the name of the file.

    No picture is drawn: that takes most of the time, and each has tests of its own.
    """
    found = {}

    def drawing(*arguments, **options):
        (path,) = [each for each in arguments if isinstance(each, Path)]
        found[path.name] = kept(arguments, options)
        return path

    for module in {type(picture).__module__ for picture in PICTURES.values()}:
        for name in vars(import_module(module)):
            if name.startswith("draw_"):
                monkeypatch.setattr(f"{module}.{name}", drawing)
    return found


@pytest.fixture
def drawn(monkeypatch):
    """The arguments and the options, by the name of the file."""
    return listen(monkeypatch, lambda arguments, options: (arguments, options))


@pytest.fixture
def titles(monkeypatch):
    """The titles that are drawn, by the name of the file."""

    def title_of(arguments, _):
        (title,) = [each for each in arguments if isinstance(each, str) and " · " in each]
        return title

    return listen(monkeypatch, title_of)


def test_every_stage_and_space_has_its_pictures(gmm_runs, tmp_path, titles):
    experiment = experiment_from(tmp_path, gmm_runs / "whole", gmm_runs / "clustered")
    make_experiment(tmp_path, head="kld").cluster()
    paths = draw(make_experiment(tmp_path).results())
    stages = ("pretrain", "cluster-gmm", "cluster-kld", "train-gmm")
    heads, priors = ("gmm", "kld", "train-gmm"), ("gmm", "train-gmm")
    assert {path.name for path in paths} == {
        "scatter.png",
        *(f"scatter-{space}.png" for space in ("raw", "pretrain", *heads)),
        *(f"{what}-{stage}.png" for what in ("curves", "reconstructions") for stage in stages),
        *(
            f"{what}-{head}.png"
            for what in ("occupancy", "clusters", "confusion")
            for head in heads
        ),
        *(f"{what}-{head}.png" for what in ("components", "generated") for head in priors),
    }
    assert {path.parent for path in paths} == {experiment.results().plots}
    assert set(titles) == {path.name for path in paths}
    assert all(title.startswith("some · small · ") for title in titles.values())
    assert not any("epoch" in title for title in titles.values())
    assert titles["components-gmm.png"].endswith("latents and prior of gmm (PCA)")


def test_the_pictures_are_files(gmm_runs, tmp_path):
    paths = draw(experiment_from(tmp_path, gmm_runs / "whole").results())
    assert paths
    assert all(path.stat().st_size > 5000 for path in paths)


def test_the_matrix_has_a_column_for_every_cluster(gmm_runs, tmp_path, drawn):
    seven = {"head": "kmeans", "overrides": ["head.n_clusters=7"]}
    experiment_from(tmp_path, gmm_runs / "pretrained", **seven).cluster()
    draw(make_experiment(tmp_path).results())
    assert drawn["confusion-kmeans.png"][1] == {"n_clusters": 7, "answer": "cluster"}


def test_of_a_stage_that_is_not_finished_the_titles_say_the_epoch(stopped, titles):
    draw(stopped(3).results())
    names = ("curves", "occupancy", "components", "generated")
    assert set(titles) == {f"{name}-train-gmm.png" for name in names}
    assert all(title.endswith(", epoch 3, not finished") for title in titles.values())


def test_before_a_prior_begins_it_is_not_drawn(stopped, titles):
    draw(stopped(GAMMA).results())
    assert set(titles) == {"curves-train-gmm.png", "occupancy-train-gmm.png"}


def test_a_finished_stage_is_drawn_whole_beside_one_in_training(gmm_runs, tmp_path, titles):
    draw(experiment_from(tmp_path, gmm_runs / "epoch-2", gmm_runs / "pretrained").results())
    assert {"scatter-pretrain.png", "reconstructions-pretrain.png"} <= set(titles)
    assert "scatter-train-gmm.png" not in titles
    assert "epoch" not in titles["curves-pretrain.png"]


def test_a_checkpoint_that_is_replaced_meanwhile_is_survived(stopped, titles, monkeypatch):
    experiment = stopped(2)
    folder = experiment.folder.stage("train-gmm")
    verify, replaced = StageFolder._verify_file, []

    def replacing(self, name, expected):
        if not replaced:
            replaced.append(name)
            next_epoch(folder)
        return verify(self, name, expected)

    monkeypatch.setattr(StageFolder, "_verify_file", replacing)
    draw(experiment.results())
    assert titles["generated-train-gmm.png"].endswith(", epoch 3, not finished")


def next_epoch(folder):
    """What another process does at the end of an epoch: a new checkpoint, and the old one goes."""
    manifest = folder.manifest()
    old, new = manifest["checkpoint"]["file"], "checkpoint-000003.npz"
    os.rename(folder.file(old), folder.file(new))
    manifest["checkpoint"]["file"], manifest["epoch"] = new, 3
    manifest["history"].append({**manifest["history"][-1], "epoch": 3})
    folder.file("manifest.json").write_text(json.dumps(manifest))


@pytest.mark.parametrize(
    ("epoch", "names"),
    [
        (3, ["after round 1, the network alone"]),
        (5, ["after round 1, the network alone", "after round 2"]),
        (LAST, ["after round 1, the network alone", "after round 3"]),
    ],
)
def test_messages_of_a_training_from_scratch_are_drawn_as_far_as_they_went(
    message_runs, tmp_path, drawn, epoch, names
):
    how_far = "whole" if epoch == LAST else f"epoch-{epoch}"
    draw(experiment_from(tmp_path, message_runs / how_far, **MESSAGES).results())
    (rounds, labels, _, title, *_), _ = drawn["exchange-train-messages.png"]
    assert [one.name for one in rounds] == names
    assert ("not finished" in title) == (epoch < LAST)
    assert ("before and after" in title) == (len(names) > 1)
    assert all(one.latents.shape == (len(labels), 3) for one in rounds)
    assert len({one.latents.tobytes() for one in rounds}) == len(rounds)
    assert drawn["curves-train-messages.png"][1]["rounds"] == [2, 4]


def test_before_modules_have_learned_there_is_no_exchange(message_runs, tmp_path, titles):
    draw(experiment_from(tmp_path, message_runs / "epoch-1", **MESSAGES).results())
    assert set(titles) == {"curves-train-messages.png", "occupancy-train-messages.png"}


def test_messages_of_a_pretrained_network_begin_with_pretraining(gmm_runs, tmp_path, drawn):
    experiment_from(tmp_path, gmm_runs / "pretrained", **MESSAGES).cluster()
    draw(make_experiment(tmp_path).results())  # whatever is asked for by now
    (rounds, *_), _ = drawn["exchange-messages.png"]
    assert [one.name for one in rounds] == ["after pretraining", "after round 3"]
    assert drawn["curves-cluster-messages.png"][1]["rounds"] == [1, 2]
    assert drawn["curves-pretrain.png"][1]["rounds"] == []


def test_points_are_drawn_by_the_hundred_in_the_units_of_the_data(tmp_path, monkeypatch):
    rng = np.random.default_rng(0)
    np.save(tmp_path / "plane.npy", rng.normal((500, -3), (20, 0.1), (200, 2)).astype("float32"))
    spec = tmp_path / "plane.json"
    layers = [{"type": "Input", "output_shape": [2]}, {"type": "Gaussian", "num_units": 2}]
    head = {"type": "gmvae", "n_clusters": 3, "style_size": 2, "prior_units": 5}
    rest = {"scaling": "standardise", "output_non_linearity": "linear"}
    spec.write_text(json.dumps({**SPEC, **rest, "layers": layers, "head": head}))
    experiment = Experiment(ExperimentRequest(str(tmp_path / "plane.npy"), str(spec), out=tmp_path))
    experiment.train()
    drawn = []

    def drawing(rows, title, path, **options):
        drawn.append(rows)
        return path

    monkeypatch.setattr("archbuild.figures.generated.draw_generated", drawing)
    draw(experiment.results())
    (rows,) = drawn
    assert rows.shape == (3, 200, 2)
    assert (np.abs(rows.mean(axis=(0, 1)) - (500, -3)) < (100, 0.5)).all()
