"""A model opened from its folder: new rows, in any chunks, as the job itself would answer."""

from __future__ import annotations

import json
import logging
import shutil

import numpy as np
import pytest

from archbuild.data import dataset_from_arrays, load_dataset
from archbuild.errors import DataError, RunError
from archbuild.experiments.job import Job, JobRequest
from archbuild.models.model import Model

LAYERS = """
  - {type: Conv2D, num_filters: 4, filter_size: 3, non_linearity: rectify}
  - {type: Gaussian, num_units: 3}
"""
SPEC = """
spec_version: 1
name: small
batch_size: 60
use_batch_norm: true
scaling: standardise
output_non_linearity: linear
layers:
  - {type: Input, output_shape: [1, 8, 8]}
"""


def train(out, head, *overrides):
    (out / "small.yaml").write_text(SPEC + LAYERS.strip("\n").replace("\n  -", "\n  -"))
    np.save(out / "some.npy", 1000 + 50 * load_dataset("DIGITS").rows(np.arange(700)))
    common = ("head.n_clusters=4", "pretrain.epochs=1", "cluster.epochs=1", *overrides)
    job = Job(JobRequest(str(out / "some.npy"), str(out / "small.yaml"), head, common, out=out))
    job.pretrain()
    job.cluster()
    return job


@pytest.fixture(scope="module", params=["kld", "gmm"])
def job(request, tmp_path_factory):
    overrides = ["head.start=k-means", "head.start_epochs=0"] if request.param == "gmm" else []
    return train(tmp_path_factory.mktemp(request.param), request.param, *overrides)


@pytest.fixture(scope="module")
def model(job):
    return Model.open(job.run.stage(job.head_stage))


def joined(model, dataset, **how):
    found = list(model.predict(dataset, **how))
    return (
        np.concatenate([part.probabilities for part in found]),
        np.concatenate([part.latents for part in found]),
    )


def test_the_training_rows_are_answered_as_in_training(job, model):
    probabilities, latents = joined(model, job.dataset)
    folder = job.run.stage(job.head_stage)
    np.testing.assert_array_equal(probabilities, np.load(folder.file("assignments.npy")))
    np.testing.assert_array_equal(latents, np.load(folder.file("latents.npy")))


@pytest.mark.parametrize("chunk", [1, 333, 512, 10_000])
def test_chunks_leave_no_mark(job, model, chunk):
    for one, other in zip(
        joined(model, job.dataset), joined(model, job.dataset, chunk=chunk), strict=True
    ):
        np.testing.assert_array_equal(one, other)


def test_a_shard_is_a_part_of_the_whole(job, model):
    probabilities, _ = joined(model, job.dataset)
    part = list(model.predict(job.dataset, 100, 650, chunk=200))
    assert [piece.start for piece in part] == [100, 300, 500]
    np.testing.assert_array_equal(
        np.concatenate([piece.probabilities for piece in part]), probabilities[100:650]
    )


def test_confidence_is_the_probability_of_the_cluster(job, model):
    (part,) = model.predict(job.dataset)
    rows = np.arange(len(part.clusters))
    np.testing.assert_array_equal(part.probabilities[rows, part.clusters], part.confidence)
    np.testing.assert_allclose(part.probabilities.sum(axis=1), 1, rtol=1e-5)


def test_it_needs_neither_the_spec_nor_the_data(job, model, tmp_path):
    copy = tmp_path / "moved"
    shutil.copytree(job.run.path, copy)
    again = Model.open(type(job.run)(copy).stage(job.head_stage))
    rows = dataset_from_arrays("new", job.dataset.values[:5])
    for one, other in zip(joined(again, rows), joined(model, rows), strict=True):
        np.testing.assert_array_equal(one, other)


def test_what_comes_out_is_in_the_units_of_the_data(job, model):
    _, latents = joined(model, job.dataset)
    rows = model.decode(latents)
    assert rows.shape == job.dataset.values.shape
    assert 900 < rows.mean() < 1100
    if job.spec.head.type == "gmm":
        assert 900 < model.generate(3, seed=0).mean() < 1100


def test_rows_of_another_shape_are_refused(model):
    with pytest.raises(DataError, match="rows of shape"):
        next(model.predict(dataset_from_arrays("new", np.zeros((3, 9, 9, 1), "float32"))))
    with pytest.raises(DataError, match=r"takes latents of shape \(n, 3\)"):
        model.decode(np.zeros((2, 4)))


def test_rows_in_other_units_are_answered_with_one_warning(job, model, caplog):
    rows = dataset_from_arrays("new", job.dataset.values[:9] * 1e4)
    with caplog.at_level(logging.WARNING):
        assert len(joined(model, rows, chunk=2)[0]) == 9
    assert [record.message.count("in the same units?") for record in caplog.records] == [1]


def test_a_run_without_an_origin_says_what_to_do(job, tmp_path):
    copy = tmp_path / "old"
    shutil.copytree(job.run.path, copy)
    manifest = copy / job.head_stage / "manifest.json"
    document = json.loads(manifest.read_text())
    del document["origin"]
    manifest.write_text(json.dumps(document))
    with pytest.raises(RunError, match="--fresh"):
        Model.open(type(job.run)(copy).stage(job.head_stage))


def test_a_pretrained_network_encodes_and_has_no_clusters(job):
    model = Model.open(job.run.stage("pretrain"))
    latents = model.trained.codes(model.feed(job.dataset))
    np.testing.assert_array_equal(latents, np.load(job.run.stage("pretrain").file("latents.npy")))
    with pytest.raises(RunError, match="no clusters"):
        list(model.predict(job.dataset))
