"""Rows of metrics: which there are, what they hold, and when they are measured again."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from archbuild.data import registry, sample, spill
from archbuild.data.sets.digits import SOURCE
from archbuild.errors import DataError, RunError, UsageError
from archbuild.experiments.experiment import Experiment
from archbuild.experiments.request import ExperimentRequest
from archbuild.figures.drawing import draw
from archbuild.models import measuring
from archbuild.models.measuring import (
    measure,
    measures_bounds,
    measures_held_out,
    recorded_rows,
)

pytestmark = pytest.mark.graphs(False)
NEVER_MISSING = {"acc", "nmi", "ari", "purity", "simplified_silhouette", "centre_separation"}
OVERRIDES = ("head.n_clusters=5", "pretrain.epochs=0", "cluster.epochs=0")


def part_of_digits(rows, data, input_shape=None):
    whole = SOURCE.load(data, input_shape)
    return replace(whole, name="HALF", values=whole.values[rows], labels=whole.labels[rows])


def not_there(data, input_shape=None):
    raise DataError(f"half-test.npz is missing; put it into {data}")


def register(patch, held_out):
    """Have HALF known, and its held-out half."""
    seen = replace(SOURCE, name="HALF", load=partial(part_of_digits, slice(0, 300)))
    added = {"HALF": replace(seen, held_out="HALF-TEST" if held_out else None)}
    if held_out:
        added["HALF-TEST"] = replace(SOURCE, name="HALF-TEST", load=held_out)
    patch.setattr(registry, "DATASETS", {**registry.DATASETS, **added})


@pytest.fixture
def halves(monkeypatch):
    """Registers HALF, whose held-out half the test gives."""
    return partial(register, monkeypatch)


def experiment_in(folder, head="kmeans"):
    """A experiment on HALF with a head that has started and not one epoch of training."""
    layers = "[{type: Input, output_shape: [1, 8, 8]}, {type: Dense, num_units: 4}]"
    spec = folder / "spec.yaml"
    spec.write_text(f"{{spec_version: 1, name: small, layers: {layers}}}")
    experiment = Experiment(ExperimentRequest("HALF", str(spec), head, OVERRIDES, out=folder))
    experiment.pretrain()
    experiment.cluster()
    return experiment


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    """The folder of one."""
    folder = tmp_path_factory.mktemp("original")
    with pytest.MonkeyPatch.context() as patch:
        register(patch, None)
        experiment_in(folder)
    return folder


@pytest.fixture
def make_experiment(original, tmp_path):
    """One in a folder of its own, a copy."""
    shutil.copytree(original, tmp_path, dirs_exist_ok=True)
    return lambda: experiment_in(tmp_path)


@pytest.fixture(scope="module")
def measured(original, tmp_path_factory):
    """The folder of one that is measured."""
    folder = tmp_path_factory.mktemp("measured")
    shutil.copytree(original, folder, dirs_exist_ok=True)
    with pytest.MonkeyPatch.context() as patch:
        register(patch, None)
        measure(experiment_in(folder).results())
    return folder


@pytest.fixture
def copy_measured(measured, tmp_path):
    """As ``make_experiment``, and measured."""
    shutil.copytree(measured, tmp_path, dirs_exist_ok=True)
    return lambda: experiment_in(tmp_path)


def names(document):
    return [(row["space"], row["method"]) for row in document["rows"]]


SEEN = [("raw", "k-means"), ("pretrain", "k-means"), ("kmeans", "k-means"), ("kmeans", "head")]


def test_every_row_has_its_scores(halves, make_experiment):
    halves(None)
    experiment = make_experiment()
    document = measure(experiment.results())
    assert names(document) == SEEN
    assert not measures_held_out(experiment.results())
    for row in document["rows"]:
        assert set(row) >= NEVER_MISSING
        assert ("acc_aae" in row) == (row["method"] == "head")


def test_spaces_of_many_rows_are_measured_on_a_sample(halves, make_experiment, monkeypatch):
    halves(None)
    experiment = make_experiment()
    whole = measure(experiment.results())["rows"]
    experiment.folder.metrics_path.unlink()
    monkeypatch.setattr(sample, "MOST_ROWS", 200)
    rows = measure(experiment.results())["rows"]
    assert [row["rows"] for row in rows] == [200] * 4
    assert [row["acc"] == one["acc"] for row, one in zip(rows, whole, strict=True)][-1]
    assert rows[-1]["silhouette"] != whole[-1]["silhouette"]


def test_pictures_and_arrays_of_files_in_maps_are_those_in_memory(
    halves, make_experiment, monkeypatch
):
    halves(None)
    run = make_experiment().results()
    stage = run.stage("cluster-kmeans")
    latents, assignments = stage.latents, stage.assignments
    chosen = np.array([5, 1, 200])
    expected = run.values("kmeans", chosen)
    monkeypatch.setattr(spill, "IN_MEMORY", 100)
    assert spill.is_mapped(stage.latents)
    assert spill.is_mapped(stage.assignments)
    np.testing.assert_array_equal(stage.latents, latents)
    np.testing.assert_array_equal(stage.assignments, assignments)
    np.testing.assert_array_equal(run.values("kmeans", chosen), expected)
    assert {"clusters-kmeans.png", "confusion-kmeans.png", "scatter.png"} <= {
        path.name for path in draw(run)
    }


def test_rows_that_the_head_has_not_seen_get_a_row(halves, make_experiment):
    halves(partial(part_of_digits, slice(300, 500)))
    experiment = make_experiment()
    document = measure(experiment.results())
    assert names(document) == [*SEEN, ("kmeans", "head, held out")]
    seen, unseen = document["rows"][-2:]
    assert set(unseen) == set(seen)
    assert unseen["acc"] != seen["acc"]
    assert len(experiment.results().held_out) == 200
    assert measures_held_out(experiment.results())


def test_held_out_rows_are_scaled_as_the_others_are(halves, make_experiment):
    halves(partial(part_of_digits, slice(300, 500)))
    run = make_experiment().results()
    assert run.held_out.scaler is run.feed.scaler


def test_a_held_out_half_that_is_missing_is_warned_of_once(halves, make_experiment, caplog):
    halves(not_there)
    run = make_experiment().results()
    assert names(measure(run)) == SEEN
    measure(run)
    (warning,) = warnings_of(caplog)
    assert warning.startswith("nothing is measured on held-out rows: half-test.npz is missing")


def warnings_of(caplog):
    return [record.getMessage() for record in caplog.records if record.name == "archbuild"]


def test_without_a_head_the_held_out_half_is_not_looked_for(halves, make_experiment, caplog):
    halves(not_there)
    experiment = make_experiment()
    experiment.folder.stage("cluster-kmeans").clear()
    assert not measures_held_out(experiment.results())
    assert names(measure(experiment.results())) == SEEN[:2]
    assert not warnings_of(caplog)


def test_what_was_measured_is_kept(halves, make_experiment, monkeypatch):
    halves(None)
    document = measure(make_experiment().results())
    monkeypatch.setattr(measuring, "evaluate_space", None)
    assert measure(make_experiment().results()) == document


@pytest.mark.parametrize("name", ["latents.npy", "assignments.npy", "head.npz"])
@pytest.mark.parametrize("damage", [Path.unlink, lambda path: path.write_bytes(b"other")])
def test_what_was_measured_is_not_kept_when_a_file_is_damaged(halves, copy_measured, name, damage):
    halves(None)
    run = copy_measured().results()
    assert run.folder.metrics_path.exists()
    damage(run.stage("cluster-kmeans").path / name)
    for again in (measure, recorded_rows):
        with pytest.raises(RunError, match=rf"{name} is (missing|damaged)"):
            again(run)


def test_rows_and_labels_are_read_once_for_all_spaces(halves, make_experiment, monkeypatch):
    halves(partial(part_of_digits, slice(300, 500)))
    run, read = make_experiment().results(), []
    digest = measuring._data_digest
    monkeypatch.setattr(measuring, "_data_digest", lambda data: read.append(data) or digest(data))
    measure(run)
    assert read == [run.dataset, run.held_out.dataset]


def test_a_held_out_half_that_comes_later_is_measured_with_the_heads(
    halves, make_experiment, monkeypatch
):
    halves(not_there)
    before = measure(make_experiment().results())
    halves(partial(part_of_digits, slice(300, 500)))
    spaces, evaluate = [], measuring.evaluate_space

    def evaluating(space, *rest):
        spaces.append(space)
        return evaluate(space, *rest)

    monkeypatch.setattr(measuring, "evaluate_space", evaluating)
    after = measure(make_experiment().results())
    assert names(after) == [*SEEN, ("kmeans", "head, held out")]
    assert spaces == ["kmeans"]
    assert after["rows"][:4] == before["rows"]


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"sources": 3, "rows": 4}'])
def test_a_file_that_cannot_be_read_is_measured_anew(halves, copy_measured, text):
    halves(None)
    experiment = copy_measured()
    document = json.loads(experiment.folder.metrics_path.read_text())
    experiment.folder.metrics_path.write_text(text)
    assert (
        measure(experiment.results())
        == document
        == json.loads(experiment.folder.metrics_path.read_text())
    )


def test_classes_of_held_out_rows_have_the_numbers_of_the_others(halves, make_experiment):
    def threes_and_more(data, input_shape=None):
        whole = SOURCE.load(data, input_shape)
        rows = np.flatnonzero(whole.labels >= 3)[:50]
        labels, names = whole.labels[rows] - 3, whole.class_names[3:]
        return replace(whole, values=whole.values[rows], labels=labels, class_names=names)

    halves(threes_and_more)
    run = make_experiment().results()
    held_out = run.held_out.dataset
    assert held_out.class_names == run.dataset.class_names
    np.testing.assert_array_equal(held_out.labels, threes_and_more(None).labels + 3)


# bounds


def hierarchy_in(folder, samples=3, head="ladder"):
    """A trained experiment on HALF with two levels; its spec asks for ``samples`` draws."""
    layers = [
        {"type": "Input", "output_shape": [1, 8, 8]},
        {"type": "Gaussian", "num_units": 4},
        {"type": "Gaussian", "num_units": 2},
    ]
    tree = {
        "spec_version": 1,
        "name": "small",
        "batch_size": 100,
        "reconstruction": "bernoulli",
        "layers": layers if head == "ladder" else [*layers[:1], layers[2]],
        "head": {"type": head, "bound_samples": samples},
        "train": {"epochs": 1},
    }
    (folder / "spec.json").write_text(json.dumps(tree))
    experiment = Experiment(ExperimentRequest("HALF", str(folder / "spec.json"), out=folder))
    experiment.train()
    return experiment.results()


def bound_rows(document):
    return [row for row in document["rows"] if row["method"].startswith("bound")]


def test_a_hierarchy_has_its_bounds_and_no_clusters(halves, tmp_path):
    halves(None)
    run = hierarchy_in(tmp_path)
    assert measures_bounds(run)
    document = measure(run)
    assert names(document) == [
        ("raw", "k-means"),
        ("train-ladder", "k-means"),
        ("train-ladder", "bound"),
    ]
    (row,) = bound_rows(document)
    assert list(row)[2:] == [
        *("elbo", "nats", "draws", "rows"),
        *("kl_1", "active_1", "kl_2", "active_2"),
    ]
    assert (row["draws"], row["rows"]) == (3, 300)
    assert row["elbo"] < row["nats"] < 0
    assert measure(hierarchy_in(tmp_path)) == document


def test_bounds_are_of_the_held_out_rows_where_there_are_any(halves, tmp_path):
    halves(partial(part_of_digits, slice(300, 500)))
    (row,) = bound_rows(measure(hierarchy_in(tmp_path)))
    assert (row["method"], row["rows"]) == ("bound, held out", 200)


def test_more_draws_are_measured_without_training_again(halves, tmp_path):
    halves(None)
    run = hierarchy_in(tmp_path)
    (first,) = bound_rows(measure(run))
    digest = run.stage("train-ladder").digest
    more = hierarchy_in(tmp_path, samples=70)
    assert recorded_rows(more) == [row for row in measure(run)["rows"] if row["space"] == "raw"]
    (second,) = bound_rows(measure(more))
    assert more.stage("train-ladder").digest == digest
    assert second["draws"] == 70
    assert second["nats"] > first["nats"]
    assert bound_rows(measure(hierarchy_in(tmp_path, samples=0))) == []


def test_a_mixture_prior_has_bounds_where_they_are_asked_for(halves, tmp_path):
    halves(None)
    (row,) = bound_rows(measure(hierarchy_in(tmp_path, head="gmvae")))
    assert row["elbo"] < row["nats"] < 0
    assert not any(key.startswith("kl_") for key in row)


def test_a_hierarchy_reconstructs_and_generates(halves, tmp_path):
    halves(None)
    model = hierarchy_in(tmp_path).stage("train-ladder").open()
    assert model.generate(5, seed=0).shape == (1, 5, 8, 8, 1)
    levels = [model.generate(5, seed=0, level=level) for level in (1, 2)]
    assert all(rows.shape == (1, 5, 8, 8, 1) for rows in levels)
    assert not np.array_equal(*levels)
    with pytest.raises(
        UsageError, match=r"level is 3, .*, the levels 1 \(z_1\), 2 \(z_2\); choose"
    ):
        model.generate(5, seed=0, level=3)
    rows = model.feed(part_of_digits(slice(0, 7), None)).clean(range(7))
    assert model.reconstruct(rows).shape == (7, 8, 8, 1)
    assert model.decode(model.codes_of(rows)).shape == (7, 8, 8, 1)
    with pytest.raises(RunError, match="assigns rows to no clusters"):
        _ = model.n_clusters


def test_what_is_drawn_of_a_hierarchy_shows_no_clusters(halves, tmp_path):
    halves(None)
    run = hierarchy_in(tmp_path)
    found = {path.name for path in draw(run)}
    assert {"generated-train-ladder.png", "reconstructions-train-ladder.png"} <= found
    assert "occupancy-train-ladder.png" not in found
