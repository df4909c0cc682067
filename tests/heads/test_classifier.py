"""The classifier: its loss, its answers of sequences, and a stage that validates."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from archbuild.data import dataset_from_arrays
from archbuild.errors import SpecError, UsageError
from archbuild.experiments.experiment import Experiment
from archbuild.experiments.request import ExperimentRequest
from archbuild.figures.drawing import draw
from archbuild.heads.batch import Batch, Forward
from archbuild.heads.classifier import ClassifierHead
from archbuild.models.measuring import measure
from archbuild.models.predictions import Layout, csv_lines, json_lines, save_arrays
from archbuild.models.run import open_run
from archbuild.networks.network import Encoding
from archbuild.registry import default_vocabulary
from archbuild.report.writing import write_report
from archbuild.spec import make_plan, spec_from_tree

pytestmark = pytest.mark.graphs(False)
ROWS, STEPS, CLASSES = 80, 3, 4

STEPWISE = [
    {"type": "Input", "output_shape": [2, STEPS]},
    {"type": "TimeDistributed", "layers": [{"type": "Dense", "num_units": 8}]},
]
TREE = {
    "spec_version": 1,
    "name": "sequences",
    "batch_size": 20,
    "decoder": "none",
    "layers": STEPWISE,
    "supervision": {"labels": "all"},
    "head": {"type": "classifier", "n_labels": STEPS, "reads": "step"},
    "train": {"epochs": 8, "learning_rate": 0.03, "validation": 0.25},
}


def sequences(rows=ROWS):
    """Rows of three steps, each near one of the corners of a square: the label of the step."""
    rng = np.random.default_rng(0)
    labels = rng.integers(CLASSES, size=(rows, STEPS))
    corners = 3.0 * np.array([[1, 1], [1, -1], [-1, 1], [-1, -1]])
    values = (corners[labels] + rng.normal(size=(rows, STEPS, 2))).astype("float32")
    made = dataset_from_arrays("sequences", values)
    return replace(made, labels=labels, class_names=("a", "b", "c", "d"))


def experiment(folder, dataset=None, **changes):
    path = folder / "spec.json"
    path.write_text(json.dumps({**TREE, **changes}))
    request = ExperimentRequest("sequences.npy", str(path), out=folder)
    return Experiment(request, dataset=dataset or sequences())


def head_of(**config):
    changes = {"head": {**TREE["head"], "n_clusters": CLASSES, **config}}
    spec = spec_from_tree({**TREE, **changes}, default_vocabulary())
    return ClassifierHead(spec.head.config, make_plan(spec, default_vocabulary()), 0)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    made = experiment(tmp_path_factory.mktemp("classifier"))
    made.train()
    return made


@pytest.mark.parametrize("reads", ["row", "step"])
def test_the_loss_is_the_mean_over_the_known_labels(reads, rng):
    head = head_of(reads=reads)
    latent = rng.normal(size=(6, 8 * STEPS)).astype("float32")
    labels = rng.integers(CLASSES, size=(6, STEPS))
    labels[0], labels[3, 1] = -1, -1
    kernel, bias = head.arrays().values()
    if reads == "step":
        logits = latent.reshape(6, STEPS, 8) @ kernel + bias
    else:
        logits = (latent @ kernel + bias).reshape(6, STEPS, CLASSES)
    log_p = logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))
    known = labels >= 0
    expected = -np.mean(np.take_along_axis(log_p, labels[..., None], -1)[..., 0][known])
    encoding = Encoding(latent, None, None, ())
    found = head.loss_terms(Batch(None, Forward(encoding, latent, None), {}, labels))
    assert float(found["cross_entropy"]) == pytest.approx(expected, rel=1e-5)
    missed = np.mean((logits.argmax(axis=-1) != labels)[known])
    assert float(found["batch_error"]) == pytest.approx(missed)
    np.testing.assert_allclose(head.assignments(latent), np.exp(log_p), rtol=1e-4, atol=1e-6)


def test_steps_share_their_weights_and_rows_do_not():
    shapes = [head_of(reads=reads).arrays()["kernel"].shape for reads in ("step", "row")]
    assert shapes == [(8, CLASSES), (8 * STEPS, STEPS * CLASSES)]


def test_a_step_is_read_where_there_is_one_for_each_label():
    dense = [*STEPWISE, {"type": "Dense", "num_units": 6}]
    with pytest.raises(SpecError, match="reads a step, and the bottleneck gives"):
        spec_from_tree({**TREE, "layers": dense}, default_vocabulary())


def test_sequences_are_learned_and_measured_label_by_label_and_whole(trained):
    rows = measure(trained.results())["rows"]
    assert [row["method"] for row in rows] == ["head"]  # sequences are no clusters of rows
    assert set(rows[0]) == {
        "space",
        "method",
        "supervision",
        "labels_used",
        "error",
        "sequence_error",
    }
    assert rows[0]["labels_used"] == ROWS
    stage = open_run(trained.folder.path).stage("train-classifier")
    assert stage.assignments.shape == (ROWS, STEPS, CLASSES)
    wrong = stage.clusters != trained.dataset.labels
    assert rows[0]["error"] == pytest.approx(wrong.mean())
    assert rows[0]["sequence_error"] == pytest.approx(wrong.any(axis=1).mean())
    assert rows[0]["error"] < 0.1


def test_the_weights_of_the_best_epoch_are_kept(trained):
    """Of the rows that were not trained on, which the head's answers at the end show."""
    from archbuild.training.validation import Validation

    stage = trained.results().stage("train-classifier")
    errors = [row["validation_error"] for row in stage.history()]
    rows = Validation(trained.labels, 0.25, 0, 0).rows
    assert len(rows) == ROWS / 4
    left_out = np.mean(stage.clusters[rows] != trained.dataset.labels[rows])
    assert left_out == pytest.approx(min(errors))


def test_a_stage_ends_when_the_error_sinks_no_further(tmp_path):
    train = {**TREE["train"], "patience": 2, "learning_rate": 1e-9, "epochs": 50}
    made = experiment(tmp_path, train=train)
    made.train()
    stage = made.results().stage("train-classifier")
    assert len(stage.history()) == 3
    assert stage.summary["converged"]


def test_an_interrupted_stage_ends_as_one_that_was_not(trained, tmp_path):
    from tests.training.conftest import StopAfter

    made = experiment(tmp_path)
    made.emit = StopAfter(4)
    with pytest.raises(KeyboardInterrupt):
        made.train()
    made = experiment(tmp_path)
    made.train()
    one, other = (of.results().stage("train-classifier") for of in (trained, made))
    assert one.history() == other.history()
    np.testing.assert_array_equal(one.assignments, other.assignments)


def test_new_rows_get_their_labels_by_name(trained, tmp_path):
    dataset = sequences()
    model = trained.results().stage("train-classifier").open()
    (found,) = model.predict(dataset)
    layout = Layout(ROWS, CLASSES, 0, False, None, model.class_names, STEPS)
    parts = [(range(ROWS), found)]
    names = [" ".join("abcd"[code] for code in codes) for codes in found.clusters]
    header, *lines = "".join(csv_lines(parts, layout)).splitlines()
    assert header.startswith("id,class,confidence,p1_a,p1_b,p1_c,p1_d,p2_a")
    assert [line.split(",")[1] for line in lines] == names
    document = json.loads("".join(json_lines(parts, layout)))[0]
    assert document["class"] == names[0]
    np.testing.assert_allclose(document["probabilities"], found.probabilities[0], rtol=1e-5)
    assert document["confidence"] == pytest.approx(np.prod(found.probabilities[0].max(axis=1)))
    save_arrays(parts, layout, tmp_path / "found.npz")
    with np.load(tmp_path / "found.npz") as arrays:
        assert arrays["class"].tolist() == names
        np.testing.assert_array_equal(arrays["probabilities"], found.probabilities)


def test_pictures_and_the_report_show_labels_and_no_clusters_of_rows(trained):
    run = open_run(trained.folder.path, dataset=trained.dataset)
    names = {path.name for path in draw(run)}
    assert {"confusion-train-classifier.png", "curves-train-classifier.png"} <= names
    wrong = ("reconstructions", "occupancy", "clusters")
    assert not [name for name in names if name.startswith(wrong)]
    assert "sequences" in write_report(run).read_text()


def test_without_a_decoder_nothing_is_pretrained_or_decoded(trained):
    with pytest.raises(UsageError, match="has no decoder"):
        trained.pretrain()
    model = trained.results().stage("train-classifier").open()
    with pytest.raises(UsageError, match="no decoder"):
        model.decode(np.zeros((1, 8 * STEPS), "float32"))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"head": {"type": "kld", "n_clusters": 3}, "supervision": None}, "needs a decoder"),
        ({"supervision": None}, "add supervision"),
        ({"pretrain": {"validation": 0.1}}, "only heads that learn classes"),
        ({"train": {"patience": 3}}, "patience counts epochs"),
    ],
)
def test_what_a_classifier_needs_is_said(changes, message):
    with pytest.raises(SpecError, match=message):
        spec_from_tree({**TREE, **changes}, default_vocabulary())


@pytest.mark.parametrize(("head", "advice"), [({"n_labels": 2, "reads": "row"}, "n_labels: 3")])
def test_rows_have_as_many_labels_as_the_head_reads(tmp_path, head, advice):
    made = experiment(tmp_path, head={"type": "classifier", **head})
    with pytest.raises(UsageError, match=advice):
        made.train()


def test_an_autoencoder_may_be_pretrained_and_then_classify(tmp_path):
    dataset = replace(sequences(), labels=sequences().labels[:, 0])
    layers = [{"type": "Input", "output_shape": [6]}, {"type": "Dense", "num_units": 8}]
    stage = {"epochs": 3, "learning_rate": 0.03}
    changes = {"decoder": "mirror", "layers": layers, "head": {"type": "classifier"}}
    made = experiment(tmp_path, dataset, **changes, pretrain=stage, cluster=stage)
    made.pretrain()
    made.cluster()
    rows = measure(made.results())["rows"]
    assert [row["method"] for row in rows] == ["k-means", "k-means", "k-means", "head"]
    assert rows[-1]["error"] == pytest.approx(1 - rows[-1]["acc"])
