"""What a run with messages leaves as text: of its training rows, and of new ones."""

from __future__ import annotations

import json
from dataclasses import replace
from unittest.mock import Mock

import numpy as np
import pytest
from sklearn.base import clone

from archbuild import DeepClustering
from archbuild.data import dataset_from_arrays, load_dataset
from archbuild.errors import UsageError
from archbuild.evaluation.accuracy import swap_accuracy
from archbuild.experiments.experiment import Experiment
from archbuild.experiments.request import ExperimentRequest
from archbuild.heads import KLDHead
from archbuild.models.model import Model
from archbuild.models.row_files import write_new_rows
from archbuild.runs.texts import messages_of
from archbuild.spec.resolve import filled

pytestmark = pytest.mark.graphs(False)
ROWS = 120
SPEC = {
    "spec_version": 1,
    "name": "small",
    "batch_size": 60,
    "reconstruction": "bernoulli",
    "layers": [
        {"type": "Input", "output_shape": [1, 8, 8]},
        {"type": "Dense", "num_units": 20},
        {"type": "Gaussian", "num_units": 3},
    ],
    "head": {
        "type": "messages",
        "modules": [{"type": "gmm", "chains": 1, "sweeps": 5}, {"type": "multinomial"}],
        "text_files": True,
    },
    "train": {"epochs": 1},
}
LEARNED = {
    "module001_vae": {"z_learn", "x_hat_learn", "loss"},
    "module002_gmm": {"class_learn", "acc_learn", "mu_learn", "Pdz_learn"},
    "module003_multinomial": {"class_learn", "acc_learn", "Pdz_learn", "phi_learn"},
}


def train(out, lengths):
    out.mkdir(exist_ok=True)
    (out / "small.json").write_text(json.dumps(SPEC))
    digits = load_dataset("DIGITS")
    np.savez(out / "few.npz", x=digits.rows(np.arange(ROWS)), y=digits.labels[:ROWS])
    data, spec = str(out / "few.npz"), str(out / "small.json")
    experiment = Experiment(ExperimentRequest(data, spec, out=out, lengths=lengths))
    experiment.train()
    return experiment


@pytest.fixture(scope="module")
def experiment(tmp_path_factory):
    return train(tmp_path_factory.mktemp("run"), lengths={"train": 2})


@pytest.fixture(scope="module")
def texts(experiment):
    return messages_of(experiment.folder) / "train-messages"


@pytest.fixture(scope="module")
def model(experiment):
    return Model.open(experiment.folder.stage("train-messages"))


def there(folder):
    return {
        module.name: {path.stem for path in module.iterdir()} for module in sorted(folder.iterdir())
    }


def test_every_module_leaves_its_files(texts):
    assert there(texts) == LEARNED


def test_they_hold_what_the_run_holds(experiment, texts):
    folder = experiment.folder.stage("train-messages")
    with np.load(folder.file("head.npz")) as arrays:
        message, means, classes = arrays["message"], arrays["0.means"], arrays["classes"]
    latents = np.loadtxt(texts / "module001_vae/z_learn.txt", dtype="float32")
    np.testing.assert_array_equal(latents, message)
    np.testing.assert_allclose(np.loadtxt(texts / "module002_gmm/mu_learn.txt"), means, rtol=1e-8)
    found = np.loadtxt(texts / "module002_gmm/class_learn.txt", dtype=int)
    np.testing.assert_array_equal(found, classes[-1])
    accuracy = float((texts / "module002_gmm/acc_learn.txt").read_text())
    assert accuracy == pytest.approx(swap_accuracy(experiment.dataset.labels, found), abs=1e-8)
    losses = [row["loss"] for row in folder.history()]
    assert len(losses) == 2
    np.testing.assert_allclose(np.loadtxt(texts / "module001_vae/loss.txt"), losses, rtol=1e-8)


def test_the_reconstruction_is_in_the_units_of_the_data(model, texts):
    decoded = np.loadtxt(texts / "module001_vae/x_hat_learn.txt")
    assert decoded.shape == (ROWS, 64)
    latents = np.loadtxt(texts / "module001_vae/z_learn.txt", dtype="float32")
    expected = model.decode(latents[:10]).reshape(10, 64)
    np.testing.assert_allclose(decoded[:10], expected, atol=1e-5)


def test_new_rows_are_recognised_as_predict_answers(model, tmp_path):
    whole = load_dataset("DIGITS")
    rows = dataset_from_arrays("more", whole.rows(np.arange(50)), whole.labels[:50])
    write_new_rows(model, rows, tmp_path)
    assert there(tmp_path) == {
        "module001_vae": {"z_recog", "x_hat_recog"},
        "module002_gmm": {"class_recog", "acc_recog", "Pdz_recog"},
        "module003_multinomial": {"class_recog", "acc_recog", "Pdz_recog"},
    }
    expected = np.concatenate([part.probabilities for part in model.predict(rows)])
    found = np.loadtxt(tmp_path / "module002_gmm/Pdz_recog.txt", dtype="float32")
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_another_training_takes_the_files_of_the_one_before_away(tmp_path):
    experiment = train(tmp_path, lengths={"train": 1})
    folder = messages_of(experiment.folder)
    assert there(folder / "train-messages") == LEARNED
    request = replace(experiment.request, overrides=("head.modules=[{type: gmm, chains: 1}]",))
    Experiment(request).train(fresh=True)
    assert set(there(folder / "train-messages")) == {"module001_vae", "module002_gmm"}
    Experiment(replace(experiment.request, overrides=("head.text_files=false",))).train(fresh=True)
    assert not folder.exists()


class CutOff(Exception):
    """A full disk, for instance."""


def test_a_stage_that_was_cut_off_while_they_were_written_goes_on(tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr("archbuild.experiments.experiment.write_head_files", Mock(side_effect=CutOff))
        with pytest.raises(CutOff):
            train(tmp_path / "cut", lengths={"train": 2})
    half = tmp_path / "cut/messages/few/small/0/train-messages/module001_vae/.tmp-1-z_learn.txt"
    half.parent.mkdir(parents=True)
    half.touch()  # as a process leaves it that is killed
    cut, whole = (train(tmp_path / name, lengths={"train": 2}) for name in ("cut", "whole"))
    for path in messages_of(whole.folder).rglob("*.txt"):
        other = messages_of(cut.folder) / path.relative_to(messages_of(whole.folder))
        assert other.read_bytes() == path.read_bytes()
    assert not half.exists()


def test_a_clone_of_the_run_counts_rounds(experiment):
    model = DeepClustering.from_run(experiment.folder.path)
    assert model.train_epochs == 2
    assert model.n_iter_ == 2
    assert clone(model).arch["train"]["epochs"] == 1


def test_a_head_without_messages_is_refused(model, tmp_path):
    head = KLDHead(filled({"n_clusters": 10}, KLDHead.fields), model.plan)
    other = Model(model.plan, model.network, head, model.origin, epoch=1)
    with pytest.raises(UsageError, match="the kld head exchanges no messages"):
        write_new_rows(other, load_dataset("DIGITS"), tmp_path)
    assert list(tmp_path.iterdir()) == []
