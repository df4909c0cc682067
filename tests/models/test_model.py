"""A model opened from its folder: new rows, in any chunks, as in training."""

from __future__ import annotations

import json
import logging
import shutil

import numpy as np
import pytest

from archbuild.data import dataset_from_arrays, load_dataset
from archbuild.errors import DataError, RunError
from archbuild.experiments.experiment import Experiment
from archbuild.experiments.request import ExperimentRequest
from archbuild.io.atomic import save_npz, sha256
from archbuild.models.model import Model
from archbuild.models.stage import Stage
from archbuild.networks.rows import ROWS_AT_ONCE
from archbuild.runs import RunFolder

pytestmark = pytest.mark.graphs(False)
LAYERS = """
  - {type: Conv2D, num_filters: 4, filter_size: 3, non_linearity: rectify}
  - {type: Gaussian, num_units: 3}
"""
SPEC = """
spec_version: 1
name: small
batch_size: 100
use_batch_norm: true
scaling: standardise
output_non_linearity: linear
layers:
  - {type: Input, output_shape: [1, 8, 8]}
"""


ROWS = ROWS_AT_ONCE + 16  # a block and a part of another, in four whole batches


def train(out, head, *overrides):
    (out / "small.yaml").write_text(SPEC + LAYERS.strip("\n").replace("\n  -", "\n  -"))
    np.save(out / "some.npy", 1000 + 50 * load_dataset("DIGITS").rows(np.arange(ROWS)))
    common = ("head.n_clusters=4", "pretrain.epochs=1", "cluster.epochs=1", *overrides)
    experiment = Experiment(
        ExperimentRequest(str(out / "some.npy"), str(out / "small.yaml"), head, common, out=out)
    )
    experiment.pretrain()
    experiment.cluster()
    return experiment


@pytest.fixture(scope="module", params=["kld", "gmm"])
def experiment(request, tmp_path_factory):
    overrides = ["head.start=k-means", "head.start_epochs=0"] if request.param == "gmm" else []
    return train(tmp_path_factory.mktemp(request.param), request.param, *overrides)


@pytest.fixture(scope="module")
def model(experiment):
    return Model.open(experiment.folder.stage(experiment.head_stage))


def joined(model, dataset, **how):
    found = list(model.predict(dataset, **how))
    return (
        np.concatenate([part.probabilities for part in found]),
        np.concatenate([part.latents for part in found]),
    )


def test_the_training_rows_are_answered_as_in_training(experiment, model):
    probabilities, latents = joined(model, experiment.dataset)
    folder = experiment.folder.stage(experiment.head_stage)
    np.testing.assert_array_equal(probabilities, np.load(folder.file("assignments.npy")))
    np.testing.assert_array_equal(latents, np.load(folder.file("latents.npy")))


@pytest.mark.parametrize("chunk", [1, 333, ROWS_AT_ONCE, 10_000])
def test_chunks_leave_no_mark(experiment, model, chunk):
    for one, other in zip(
        joined(model, experiment.dataset),
        joined(model, experiment.dataset, chunk=chunk),
        strict=True,
    ):
        np.testing.assert_array_equal(one, other)


def test_a_shard_is_a_part_of_the_whole(experiment, model):
    probabilities, _ = joined(model, experiment.dataset)
    part = list(model.predict(experiment.dataset, 10, 390, chunk=150))
    assert [piece.start for piece in part] == [10, 160, 310]
    np.testing.assert_array_equal(
        np.concatenate([piece.probabilities for piece in part]), probabilities[10:390]
    )


def test_confidence_is_the_probability_of_the_cluster(experiment, model):
    (part,) = model.predict(experiment.dataset)
    rows = np.arange(len(part.clusters))
    np.testing.assert_array_equal(part.probabilities[rows, part.clusters], part.confidence)
    np.testing.assert_allclose(part.probabilities.sum(axis=1), 1, rtol=1e-5)


def test_it_needs_neither_the_spec_nor_the_data(experiment, model, tmp_path):
    copy = tmp_path / "moved"
    shutil.copytree(experiment.folder.path, copy)
    again = Model.open(type(experiment.folder)(copy).stage(experiment.head_stage))
    rows = dataset_from_arrays("new", experiment.dataset.values[:5])
    for one, other in zip(joined(again, rows), joined(model, rows), strict=True):
        np.testing.assert_array_equal(one, other)


def test_what_comes_out_is_in_the_units_of_the_data(experiment, model):
    _, latents = joined(model, experiment.dataset)
    rows = model.decode(latents)
    assert rows.shape == experiment.dataset.values.shape
    assert 900 < rows.mean() < 1100
    if experiment.spec.head.type == "gmm":
        assert 900 < model.generate(3, seed=0).mean() < 1100


def test_rows_of_another_shape_are_refused(model):
    with pytest.raises(DataError, match="rows of shape"):
        next(model.predict(dataset_from_arrays("new", np.zeros((3, 9, 9, 1), "float32"))))
    with pytest.raises(DataError, match=r"takes latents of shape \(n, 3\)"):
        model.decode(np.zeros((2, 4)))


def test_rows_in_other_units_are_answered_with_one_warning(experiment, model, caplog):
    rows = dataset_from_arrays("new", experiment.dataset.values[:9] * 1e4)
    with caplog.at_level(logging.WARNING):
        assert len(joined(model, rows, chunk=2)[0]) == 9
    assert [record.message.count("in the same units?") for record in caplog.records] == [1]


def test_a_run_without_an_origin_says_what_to_do(experiment, tmp_path):
    copy = tmp_path / "old"
    shutil.copytree(experiment.folder.path, copy)
    manifest = copy / experiment.head_stage / "manifest.json"
    document = json.loads(manifest.read_text())
    del document["origin"]
    manifest.write_text(json.dumps(document))
    with pytest.raises(RunError, match="--fresh"):
        Model.open(type(experiment.folder)(copy).stage(experiment.head_stage))


def test_a_pretrained_network_encodes_and_has_no_clusters(experiment):
    model = Model.open(experiment.folder.stage("pretrain"))
    latents = model.codes(model.feed(experiment.dataset))
    np.testing.assert_array_equal(
        latents, np.load(experiment.folder.stage("pretrain").file("latents.npy"))
    )
    with pytest.raises(RunError, match="no clusters"):
        list(model.predict(experiment.dataset))


@pytest.fixture
def copy(experiment, tmp_path):
    """A copy of the head's stage, with a way to change a file so that its digest is right."""
    shutil.copytree(experiment.folder.path, tmp_path / "0")
    folder = RunFolder(tmp_path / "0").stage(experiment.head_stage)

    def change(name, write):
        write(folder.path / name)
        manifest = json.loads((folder.path / "manifest.json").read_bytes())
        manifest["files"][name] = sha256(folder.path / name)
        (folder.path / "manifest.json").write_text(json.dumps(manifest))
        folder.verify()
        return folder

    return change


def break_weight(path):
    import h5py

    def broken(_, item):
        if isinstance(item, h5py.Dataset) and item.shape and item.dtype.kind == "f":
            item[...] = np.nan

    with h5py.File(path, "r+") as file:
        file.visititems(broken)


def break_head(change):
    def write(path):
        arrays = dict(np.load(path))
        save_npz(path, {name: change(array) for name, array in arrays.items()})

    return write


@pytest.mark.parametrize(
    ("name", "write", "said"),
    [
        ("model.weights.h5", break_weight, "expected finite numbers, got"),
        ("model.weights.h5", lambda path: path.write_bytes(b"rubbish"), "does not fit the network"),
        ("head.npz", break_head(lambda array: array * np.nan), "expected finite numbers, got"),
        ("head.npz", break_head(lambda array: array[:1]), "does not fit the .* head"),
        ("head.npz", lambda path: save_npz(path, {}), "does not fit the .*which is missing"),
    ],
)
def test_foreign_weights_and_heads_are_checked(copy, name, write, said):
    folder = copy(name, write)
    with pytest.raises(RunError, match=rf"{name}.*{said}"):
        Model.open(folder)


@pytest.mark.parametrize("name", ["latents.npy", "assignments.npy"])
def test_foreign_results_are_checked(copy, name):
    folder = copy(name, lambda path: np.save(path, np.full((700, 4), np.nan)))
    results = {"latents.npy": "latents", "assignments.npy": "assignments"}
    with pytest.raises(RunError, match=rf"{name} is damaged \(expected finite numbers"):
        getattr(Stage(folder), results[name])
    folder = copy(name, lambda path: np.save(path, np.zeros((700, 4, 2))))
    with pytest.raises(RunError, match=rf"{name} is damaged \(expected shape"):
        getattr(Stage(folder), results[name])
