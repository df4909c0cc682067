"""Labels reach a head through the spec's ``supervision`` alone, and every table says so."""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import FunctionType, ModuleType
from typing import ClassVar

import numpy as np
import pytest
from keras import ops

from archbuild.errors import RunError, SpecError
from archbuild.evaluation.scores import label_scores
from archbuild.evaluation.table import format_table
from archbuild.experiments.experiment import Experiment
from archbuild.experiments.request import ExperimentRequest
from archbuild.figures.drawing import draw
from archbuild.heads import HEADS, KLDHead
from archbuild.models.measuring import measure
from archbuild.models.run import open_run
from archbuild.report.writing import write_report

pytestmark = pytest.mark.graphs(False)
ROWS, CLASSES = 60, 3


class ProbeHead(KLDHead):
    """``kld``, telling which share of each batch has a label, and the labels' mean."""

    name = "probe"
    labels_used = "some"
    monitored_names: ClassVar = ("share", "mean_label")

    def loss_terms(self, batch):
        terms = super().loss_terms(batch)
        if batch.labels is None:
            return {**terms, "share": 0.0 * terms["divergence"], "mean_label": 0.0}
        known = ops.cast(batch.labels >= 0, "float32")
        label = ops.sum(known * ops.cast(batch.labels, "float32")) / ops.maximum(ops.sum(known), 1)
        return {**terms, "share": ops.mean(known), "mean_label": label}


class MuteHead(ProbeHead):
    """Learns, and assigns nothing."""

    name = "mute"
    labels_used = "never"
    answers = "nothing"
    fields = tuple(field for field in KLDHead.fields if field.name != "n_clusters")

    def initialise(self, codes):
        self.started = True

    def refresh(self, codes):
        return {"target": np.ones((len(codes), 0), "float32")}

    def assign(self, codes):
        raise AssertionError("a head that answers nothing was asked")


@pytest.fixture(autouse=True)
def heads(monkeypatch):
    monkeypatch.setattr(HEADS, "own", {**HEADS.own, "probe": ProbeHead, "mute": MuteHead})


def experiment(folder, head="probe", **keys):
    rng, classes = np.random.default_rng(0), np.arange(ROWS) % CLASSES
    rows = (rng.normal(size=(ROWS, 4)) + 4 * classes[:, np.newaxis]).astype("float32")
    np.savez(folder / "rows.npz", x=rows, y=classes)
    layers = [{"type": "Input", "output_shape": [4]}, {"type": "Dense", "num_units": 2}]
    spec = {
        "spec_version": 1,
        "name": "small",
        "batch_size": ROWS,
        "output_non_linearity": "linear",
        "layers": layers,
        "head": {"type": head},
        "pretrain": {"epochs": 1},
        "cluster": {"epochs": 1},
        **keys,
    }
    (folder / "spec.json").write_text(json.dumps(spec))
    request = ExperimentRequest(str(folder / "rows.npz"), str(folder / "spec.json"), out=folder)
    return Experiment(request)


def trained(folder, **keys):
    made = experiment(folder, **keys)
    made.pretrain()
    made.cluster()
    return open_run(made.folder.path)


def test_some_labels_reach_a_head_that_asks_and_every_table_says_so(tmp_path):
    run = trained(tmp_path, supervision={"labels": 6})
    stage = run.stage("cluster-probe")
    last = stage.history()[-1]
    assert last["share"] == pytest.approx(6 / ROWS)
    assert last["mean_label"] == pytest.approx(1.0)  # two of each of 0, 1, 2
    labels = np.load(stage.folder.file("supervised.npy"))
    assert np.bincount(labels[labels >= 0]).tolist() == [2, 2, 2]
    rows = measure(run)["rows"]
    assert [row.get("supervision") for row in rows] == [None, None, *["semi-supervised"] * 2]
    assert [row.get("labels_used") for row in rows] == [None, None, 6, 6]
    heading, raw, *_, last = format_table(rows).splitlines()
    place = slice(heading.index("labels"), heading.index("labels") + 6)
    assert "semi-supervised" in last
    assert (raw[place].strip(), last[place].strip()) == ("0", "6")
    again = experiment(tmp_path, supervision={"labels": 7})
    with pytest.raises(RunError, match="supervision"):
        again.cluster()


def test_labelled_rows_come_beside_each_batch_of_rows_without_labels(tmp_path):
    section = {"labels": 9, "batch_size": 5}
    run = trained(tmp_path, supervision=section, batch_size=20)
    last = run.stage("cluster-probe").history()[-1]
    assert last["share"] == pytest.approx(5 / 25)
    assert 0 < last["mean_label"] < CLASSES - 1
    (tmp_path / "again").mkdir()
    again = trained(tmp_path / "again", supervision=section, batch_size=20)
    assert again.stage("cluster-probe").history()[-1] == last


def test_the_manifest_says_whose_labels_were_read(tmp_path):
    run = trained(tmp_path, supervision={"labels": 6})
    stage = run.stage("cluster-probe")
    rows = stage.origin.labelled
    assert len(rows) == stage.labels_used == 6
    assert json.loads((stage.path / "manifest.json").read_text())["origin"]["labelled"] == [*rows]
    labels = np.load(stage.folder.file("supervised.npy"))
    np.testing.assert_array_equal(np.flatnonzero(labels >= 0), rows)
    np.testing.assert_array_equal(labels[[*rows]], run.dataset.labels[[*rows]])
    assert run.stage("pretrain").labels_used == 0
    assert run.stage("pretrain").origin.labelled == ()


def test_a_column_with_blanks_labels_the_other_rows(tmp_path):
    made = experiment(tmp_path)
    classes = [
        f"group {label}" if row >= 20 else "" for row, label in enumerate(made.dataset.labels)
    ]
    cells = [",".join(f"{value:.4f}" for value in row) for row in made.dataset.values]
    lines = [f"{row},{label}" for row, label in zip(cells, classes, strict=True)]
    (tmp_path / "table.csv").write_text("\n".join(["a,b,c,d,label", *lines]) + "\n")
    overrides = ("supervision.labels=all", "supervision.batch_size=20")
    paths = (str(tmp_path / "table.csv"), str(tmp_path / "spec.json"))
    table = Experiment(ExperimentRequest(*paths, overrides=overrides, out=tmp_path))
    assert "20 of 60 rows have no label" in " ".join(map(str, table.dataset.guesses))
    table.pretrain()
    table.cluster()
    run = open_run(table.folder.path)
    last = run.stage("cluster-probe").history()[-1]
    assert last["share"] == pytest.approx(20 / (ROWS + 20))
    rows = measure(run)["rows"]
    assert [row.get("labels_used") for row in rows] == [None, None, 40, 40]
    known = run.dataset.labels >= 0
    clusters = run.stage("cluster-probe").clusters
    scores = label_scores(run.dataset.labels[known], clusters[known])
    assert rows[-1]["acc"] == scores["acc"]
    assert {"confusion-probe.png", "scatter.png"} <= {path.name for path in draw(run)}
    assert "3; 20 rows have no label" in write_report(run).read_text()


def reaches(thing, wanted, seen=None):
    """Whether an array of these values can be had from a thing, by attributes and containers."""
    seen = set() if seen is None else seen
    if id(thing) in seen or isinstance(thing, ModuleType | FunctionType | type):
        return False
    seen.add(id(thing))
    if isinstance(thing, np.ndarray):
        return thing.shape == wanted.shape and np.array_equal(thing, wanted)
    if isinstance(thing, Mapping):
        parts = list(thing.values())
    elif isinstance(thing, list | tuple | set):
        parts = list(thing)
    else:
        bound = getattr(thing, "__self__", None)
        parts = [*getattr(thing, "__dict__", {}).values(), *([] if bound is None else [bound])]
    return any(reaches(part, wanted, seen) for part in parts)


@pytest.mark.parametrize("section", [None, {"labels": 6}])
def test_no_way_leads_from_a_head_to_labels_that_it_may_not_read(tmp_path, monkeypatch, section):
    found = []
    loss_terms = ProbeHead.loss_terms

    def spying(head, batch):
        found.append(batch.labels)
        assert not reaches([head, batch.forward, batch.targets], hidden)
        return loss_terms(head, batch)

    monkeypatch.setattr(ProbeHead, "loss_terms", spying)
    made = experiment(tmp_path, **({"supervision": section} if section else {}))
    hidden = made.dataset.labels
    assert reaches(made, hidden)  # there, it can be had
    made.pretrain()
    made.cluster()
    assert found
    assert all((labels is None) == (section is None) for labels in found)


def test_without_supervision_labels_cannot_be_had(tmp_path):
    run = trained(tmp_path)
    assert run.dataset.labels is not None
    assert run.stage("cluster-probe").history()[-1]["share"] == 0
    assert not any("supervision" in row for row in measure(run)["rows"])


def test_a_head_that_never_reads_labels_refuses_supervision(tmp_path):
    with pytest.raises(SpecError, match="does not use labels"):
        experiment(tmp_path, head="kld", supervision={"labels": "all"})


def test_a_head_that_needs_labels_asks_for_supervision(tmp_path, monkeypatch):
    monkeypatch.setattr(ProbeHead, "labels_used", "all")
    with pytest.raises(SpecError, match="add supervision"):
        experiment(tmp_path)


def test_a_head_that_answers_nothing_trains_and_is_reported_without_clusters(tmp_path):
    run = trained(tmp_path, head="mute")
    stage = run.stage("cluster-mute")
    assert stage.finished
    assert not stage.assigns
    assert [row["method"] for row in measure(run)["rows"]] == ["k-means"] * 3
    names = {path.name for path in draw(run)}
    assert "curves-cluster-mute.png" in names
    assert not names & {"clusters-mute.png", "confusion-mute.png", "occupancy-mute.png"}
    assert "<dt>clusters</dt>" not in write_report(run).read_text()
    with pytest.raises(RunError, match="assigns rows to no clusters"):
        next(stage.open().predict(run.dataset))
