"""A table of which few rows say their class, from the command line to new rows."""

from __future__ import annotations

import csv
import json
import re
import sys

import numpy as np
import pytest

from archbuild.cli.main import main
from archbuild.errors import UsageError
from archbuild.estimator import DeepClustering
from archbuild.experiments.experiment import Experiment
from archbuild.experiments.request import ExperimentRequest
from archbuild.models.measuring import measure
from archbuild.models.run import open_run
from tests.heads.test_class_sum import SIZE, tree_of

pytestmark = pytest.mark.graphs(False)


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """A table of two far groups, of which each fifth row says its class, and a spec."""
    folder, rng = tmp_path_factory.mktemp("classes"), np.random.default_rng(0)
    classes = np.arange(60) % 2
    rows = rng.normal(size=(60, 3)) + 8 * classes[:, None]
    names = [("near", "far")[label] if row % 5 == 0 else "" for row, label in enumerate(classes)]
    lines = [f"{','.join(map(str, row))},{name}" for row, name in zip(rows, names, strict=True)]
    (folder / "table.csv").write_text("\n".join(["a,b,c,class", *lines]) + "\n")
    head = {"type": "auxiliary", "hidden_units": [8], "n_clusters": None, "bound_samples": 2}
    tree = tree_of(head, reconstruction="gaussian", output_non_linearity="linear", batch_size=60)
    tree["layers"][0]["output_shape"] = [3]
    tree |= {"supervision": {"labels": "all", "batch_size": 10}, "scaling": "standardise"}
    tree["train"] = {"epochs": 12, "learning_rate": 0.03}
    (folder / "spec.json").write_text(json.dumps(tree))
    return folder


@pytest.fixture(scope="module")
def run(table):
    paths = str(table / "table.csv"), str(table / "spec.json")
    made = Experiment(ExperimentRequest(*paths, out=table))
    with pytest.raises(UsageError, match="--train"):
        made.pretrain()
    with pytest.raises(UsageError, match="reads 'class' beside the latent"):
        made.cluster()
    made.train()
    return open_run(made.folder.path)


def test_new_rows_get_classes_by_name_with_their_probabilities(run, table, monkeypatch):
    output = table / "classes.csv"
    options = {"-d": table / "table.csv", "-a": table / "spec.json", "--output": output}
    words = [str(word) for option in {**options, "--out": table}.items() for word in option]
    monkeypatch.setattr(sys, "argv", ["archbuild", "predict", *words])
    with pytest.raises(SystemExit, match="0"):
        main()
    heading, *lines = csv.reader(output.read_text().splitlines())
    assert heading == ["id", "class", "confidence", "p_far", "p_near"]
    truth = [("near", "far")[row % 2] for row in range(60)]
    assert np.mean([line[1] == name for line, name in zip(lines, truth, strict=True)]) > 0.9
    assert run.latest().model.class_names == ("far", "near")
    with pytest.raises(UsageError, match="reads 'class' beside the latent"):
        run.latest().model.decode(np.zeros((1, SIZE), "float32"))


def test_errors_need_no_mapping_and_say_how_many_labels_were_used(run):
    rows = measure(run)["rows"]
    raw, _, head, bound = rows
    assert "error" not in raw
    assert head["labels_used"] == bound["labels_used"] == 12
    assert head["supervision"] == "supervised"
    known = run.dataset.labels >= 0
    wrong = run.latest().clusters[known] != run.dataset.labels[known]
    assert head["error"] == wrong.mean()
    assert bound["nats"] > bound["elbo"]


def test_fewer_clusters_than_classes_are_refused(table):
    paths = str(table / "table.csv"), str(table / "spec.json")
    request = ExperimentRequest(*paths, overrides=("head.n_clusters=1",), out=table)
    with pytest.raises(UsageError, match="name 2 classes"):
        Experiment(request)


def test_the_estimator_predicts_the_labels_that_it_was_given(table):
    tree = json.loads((table / "spec.json").read_text())
    rng, y = np.random.default_rng(0), np.where(np.arange(60) % 2, 7, 3)
    rows = rng.normal(size=(60, 3)) + 2 * y[:, None]
    given = np.where(np.arange(60) % 5 == 0, y, -1)
    fitted = DeepClustering(tree, train_epochs=12, random_state=0).fit(rows, given)
    assert fitted.classes_.tolist() == [3, 7]
    assert np.mean(fitted.predict(rows) == y) > 0.9
    assert np.mean(fitted.labels_ == y) > 0.9
    assert fitted.predict_proba(rows).shape == (60, 2)
    assert fitted.sample(2)[0].shape == (4, 3)
    with pytest.raises(UsageError, match="reads 'class'"):
        fitted.inverse_transform(fitted.transform(rows))


@pytest.mark.parametrize("head", ["auxiliary", "cluster_aware"])
def test_without_labels_the_estimator_finds_clusters(head):
    rows = np.random.default_rng(0).normal(size=(60, 3)) + 8 * (np.arange(60) % 2)[:, None]
    fitted = DeepClustering(head=head, n_clusters=2, train_epochs=1, random_state=0).fit(rows)
    assert fitted.predict_proba(rows).shape == (60, 2)
    assert not hasattr(fitted, "classes_")


def test_what_is_refused_leaves_a_finished_run_as_it_is(run, table):
    paths = str(table / "table.csv"), str(table / "spec.json")
    before = {path.name for path in (run.path / "train-auxiliary").iterdir()}
    for override in ("supervision.batch_size=40", "reconstruction=bernoulli"):
        request = ExperimentRequest(*paths, overrides=(override, "scaling=none"), out=table)
        with pytest.raises(UsageError):
            Experiment(request).train(fresh=True)
    assert {path.name for path in (run.path / "train-auxiliary").iterdir()} == before


def test_a_class_without_a_labelled_row_is_named(table, caplog):
    paths = str(table / "table.csv"), str(table / "spec.json")
    overrides = ("supervision.labels=1", "supervision.batch_size=1")
    assert Experiment(ExperimentRequest(*paths, overrides=overrides, out=table)).labels is not None
    assert re.search("is of the class '(near|far)', which cannot be learned", caplog.text)
