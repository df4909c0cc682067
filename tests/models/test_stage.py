"""What a stage left, finished or not: restored, asked for codes and clusters, and generating."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
import pytest

from archbuild.data import load_dataset
from archbuild.errors import RunError, UsageError
from archbuild.evaluation.collapse import occupancy
from archbuild.experiments.experiment import Experiment
from archbuild.experiments.request import ExperimentRequest
from archbuild.heads import KLDHead
from archbuild.models.model import Model
from archbuild.runs import StageFolder
from archbuild.training.progress import log_event
from tests.training.conftest import StopAfter

pytestmark = pytest.mark.graphs(False)
SPEC = """
spec_version: 1
name: small
batch_size: 40
reconstruction: bernoulli
layers:
  - {type: Input, output_shape: [64]}
  - {type: Dense, num_units: 16}
  - {type: Gaussian, num_units: 3}
pretrain: {epochs: 0}
"""
GMM = ("head.start=k-means", "head.gamma_training={weight: 0.1, length: 1}")


def make_experiment(out, head, *overrides, emit=log_event):
    spec, rows = out / "small.yaml", out / "few.npy"
    spec.write_text(SPEC)
    np.save(rows, load_dataset("DIGITS").rows(np.arange(120)).reshape(120, 64))
    common = ("head.n_clusters=4", "train.epochs=3", *overrides)
    return Experiment(ExperimentRequest(str(rows), str(spec), head, common, out=out), emit)


def opened(experiment, stage):
    return experiment.results().stage(stage).open()


def stopped(out, epoch):
    """A gmm that was stopped: after epoch 1 its warm-up has ended, its mixture not begun."""
    experiment = make_experiment(out, "gmm", *GMM, emit=StopAfter(epoch))
    with pytest.raises(KeyboardInterrupt):
        experiment.train()
    return experiment


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """The folder of a gmvae that ran through."""
    out = tmp_path_factory.mktemp("finished")
    assert make_experiment(out, "gmvae").train()
    return out


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    """A experiment that was stopped after its mixture had begun."""
    return stopped(tmp_path_factory.mktemp("running"), epoch=2)


@pytest.fixture(scope="module")
def trained(finished):
    return opened(make_experiment(finished, "gmvae"), "train-gmvae")


def test_a_finished_stage_comes_back_as_it_was(finished, trained):
    experiment = make_experiment(finished, "gmvae")
    folder, codes = experiment.folder.stage("train-gmvae"), trained.codes(experiment.feed)
    assert (trained.epoch, trained.finished) == (3, True)
    np.testing.assert_array_equal(codes[:, :3], np.load(folder.file("latents.npy")))
    assignments = np.load(folder.file("assignments.npy"))
    np.testing.assert_array_equal(trained.head.assignments(codes), assignments)


def test_the_head_is_the_stages_not_that_of_the_spec_of_today(finished):
    changed = make_experiment(finished, "gmvae", "head.prior_units=5", "head.n_clusters=7")
    head = opened(changed, "train-gmvae").head
    assert (head.n_clusters, head.config["prior_units"]) == (4, 100)


def test_some_rows_can_be_chosen(finished, trained):
    feed = make_experiment(finished, "gmvae").feed
    some = trained.codes(feed, np.array([5, 2]))
    np.testing.assert_array_equal(some, trained.codes(feed)[[5, 2]])


def test_it_generates_rows_of_every_cluster(trained):
    rows = trained.generate(5, seed=0)
    assert rows.shape == (4, 5, 64)
    assert np.all((rows > 0) & (rows < 1))  # means of a Bernoulli, not logits
    np.testing.assert_array_equal(rows, trained.generate(5, seed=0))
    assert np.all(rows != trained.generate(5, seed=1))


def test_a_head_with_one_level_varies_none_alone(trained):
    with pytest.raises(UsageError, match=r"level is 1, and this gmvae head has one level"):
        trained.generate(5, seed=0, level=1)


def test_generated_images_have_their_channels_last(tmp_path):
    image = "layers[0].output_shape=[1, 8, 8]"
    experiment = make_experiment(tmp_path, "gmvae", "train.epochs=0", image)
    experiment.train()
    assert experiment.results().stage("train-gmvae").open().generate(2, seed=0).shape == (
        4,
        2,
        8,
        8,
        1,
    )


def test_a_running_stage_is_as_after_its_latest_epoch(running):
    trained = opened(make_experiment(running.request.out, "gmm", *GMM), "train-gmm")
    assert (trained.epoch, trained.finished) == (2, False)
    assert trained.head.is_initialised
    codes = trained.codes(running.feed)
    clusters = trained.head.assignments(codes).argmax(axis=1)
    found, row = (
        asdict(occupancy(clusters, 4, points=codes)),
        running.folder.stage("train-gmm").history()[-1],
    )
    assert {key: row[key] for key in found} == {**found, "label_change": row["label_change"]}
    assert trained.generate(2, seed=0).shape == (4, 2, 64)


def test_before_the_prior_has_begun_there_is_nothing_to_draw_from(tmp_path):
    stopped(tmp_path, epoch=1)
    trained = opened(make_experiment(tmp_path, "gmm", *GMM), "train-gmm")
    assert not trained.head.is_initialised
    with pytest.raises(RunError, match="gmm head has not begun after epoch 1"):
        trained.generate(2, seed=0)


def test_a_head_without_a_process_generates_nothing(trained):
    config = {"n_clusters": 4, "reconstruction_weight": 1.0}
    head = KLDHead(config, trained.plan)
    with pytest.raises(RunError, match="the kld head has no generative process"):
        Model(trained.plan, trained.network, head, trained.origin, epoch=1).generate(2, seed=0)


def test_a_stage_without_a_head_encodes_and_has_no_clusters(tmp_path):
    experiment = make_experiment(tmp_path, "gmm")
    experiment.pretrain()
    trained = experiment.results().stage("pretrain").open()
    stored = np.load(experiment.folder.stage("pretrain").file("latents.npy"))
    np.testing.assert_array_equal(trained.codes(experiment.feed), stored)
    for refused in (lambda: trained.assigning_head, lambda: trained.generate(1, 0)):
        with pytest.raises(RunError, match="train a head"):
            refused()


def test_an_unfinished_stage_without_a_head_is_refused(tmp_path):
    experiment = make_experiment(tmp_path, "gmm", "pretrain.epochs=2", emit=StopAfter(1))
    with pytest.raises(KeyboardInterrupt):
        experiment.pretrain()
    with pytest.raises(RunError, match="pretrain is not finished"):
        experiment.results().stage("pretrain").open()


def test_a_stage_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(RunError, match="holds no stage"):
        opened(make_experiment(tmp_path, "gmm"), "train-gmm")


def test_a_damaged_head_is_refused(tmp_path):
    experiment = make_experiment(tmp_path, "gmvae", "train.epochs=0")
    experiment.train()
    experiment.folder.stage("train-gmvae").file("head.npz").write_bytes(b"no archive")
    with pytest.raises(RunError, match=r"head\.npz is damaged"):
        experiment.results().stage("train-gmvae").open()


@pytest.mark.parametrize(("failures", "found"), [(4, True), (5, False)])
def test_a_checkpoint_that_is_being_replaced_is_looked_for_again(
    running, monkeypatch, failures, found
):
    load, left = StageFolder.load_checkpoint, [RunError("checkpoint is missing")] * failures

    def racing(folder):
        if left:
            raise left.pop()
        return load(folder)

    monkeypatch.setattr(StageFolder, "load_checkpoint", racing)
    if found:
        assert opened(running, "train-gmm").epoch == 2
    else:
        with pytest.raises(RunError, match="missing"):
            opened(running, "train-gmm")
