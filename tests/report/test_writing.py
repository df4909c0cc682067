"""The report of a run: what is in it for every kind of data, and for runs that are half done."""

from __future__ import annotations

import json
import re
from html import unescape

import numpy as np
import pytest

from archbuild.errors import RunError
from archbuild.experiments.experiment import Experiment
from archbuild.experiments.request import ExperimentRequest
from archbuild.models.measuring import measure
from archbuild.report.writing import write_report
from tests.small_runs import MESSAGES, experiment_from, make_experiment

pytestmark = [pytest.mark.graphs(False), pytest.mark.usefixtures("plain_maps")]
HOSTILE = "</script><img src=x onerror=alert(1)>"
FILE = "<img src=x onerror=alert(1)>"


def make_table_job(folder, arrays, layers, stem="arrays", **spec):
    """A experiment on arrays in which two clusters are looked for."""
    data, path = folder / f"{stem}.npz", folder / "spec.json"
    np.savez(data, **arrays)
    head = {"type": "kmeans", "n_clusters": 2}
    stages = {"pretrain": {"epochs": 1}, "cluster": {"epochs": 1}}
    tree = {"spec_version": 1, "name": "mine", "batch_size": 4096, "layers": layers, "head": head}
    scaled = {"scaling": "standardise", "output_non_linearity": "linear"}
    path.write_text(json.dumps({**tree, **scaled, **stages, **spec}))
    return Experiment(ExperimentRequest(str(data), str(path), out=folder))


def written(experiment):
    """The page, and the data of its map."""
    path = write_report(experiment.results())
    assert path == experiment.results().plots / "report.html"
    page = path.read_text("utf-8")
    assert len(page.encode()) < 15e6
    data = re.search(r'id="map-data">(.*?)</script>', page)[1]
    return page, json.loads(data) if data else None


def summary_of(page):
    return unescape(page[page.index('id="summary"') : page.index('<section id="map"')])


def sections_of(page):
    return re.findall(r'<section id="([\w-]+)"', page)


def pictures_of(page):
    return set(re.findall(r'<img src="data:image/png;base64,[^"]+" alt="([^"]*)"', page))


def test_a_run_with_several_heads(gmm_runs, tmp_path):
    experiment = experiment_from(tmp_path, gmm_runs / "clustered")
    make_experiment(tmp_path, head="kmeans").cluster()
    page, data = written(make_experiment(tmp_path))
    heads = ("gmm", "kmeans")
    assert sections_of(page) == [
        *("summary", "map", "clusters", "reconstructions", "training"),
        *("network", "spec", "environment"),
    ]
    assert pictures_of(page) == {
        *(f"{kind} of {head}" for kind in ("clusters", "confusion", "occupancy") for head in heads),
        *("components of gmm", "generated of gmm"),
        *(f"reconstructions of {stage}" for stage in experiment.folder.stages()),
        *(f"curves of {stage}" for stage in experiment.folder.stages()),
    }
    assert [space["name"] for space in data["spaces"]] == ["raw", "pretrain", *heads]
    names = [colouring["name"] for colouring in data["colourings"]]
    of_heads = [f"{what} of {head}" for head in heads for what in ("cluster", "confidence")]
    assert names == ["class", *of_heads]
    assert names[data["colouring"]] == "cluster of kmeans"
    assert data["hover"]["kind"] == "images"
    assert len(data["rows"]) == 150


def test_clusters_wear_the_colour_of_the_class_that_they_are_matched_to(gmm_runs, tmp_path):
    experiment = experiment_from(tmp_path, gmm_runs / "clustered")
    clusters = written(experiment)[1]["colourings"][1]
    matched = [int(re.search(r"\(class (\d)\)", name)[1]) for name in clusters["names"]]
    assert clusters["shades"] == matched
    assert len(set(matched)) == 4


def test_scores_are_shown_once_they_are_measured(gmm_runs, tmp_path):
    experiment = experiment_from(tmp_path, gmm_runs / "pretrained")
    page, _ = written(experiment)
    assert "--metrics adds a table" in summary_of(page)
    assert "No head has clustered these latents yet" in summary_of(page)
    assert "ACC of" not in page
    rows = measure(experiment_from(tmp_path, gmm_runs / "clustered").results())["rows"]
    summary = summary_of(written(make_experiment(tmp_path))[0])
    raw, head = rows[0], rows[-1]
    assert f"{raw['acc']:.1%} on the raw data" in summary
    assert f"<td>{head['silhouette']:.4f}</td>" in summary
    assert f"ACC of gmm</dt><dd>{head['acc']:.1%}" in summary


def test_of_a_run_in_training_there_is_no_map_yet(gmm_runs, tmp_path):
    experiment = experiment_from(tmp_path, gmm_runs / "epoch-3")
    page, data = written(experiment)
    assert data is None
    assert "Stage train-gmm is not finished: it is at epoch 3." in page
    assert "generated of train-gmm" in pictures_of(page)
    page, data = written(experiment_from(tmp_path, gmm_runs / "whole"))
    assert [space["name"] for space in data["spaces"]] == ["raw", "train-gmm"]
    assert "not finished" not in page


def test_what_modules_exchanged_stands_by_the_clusters(message_runs, tmp_path):
    page, _ = written(experiment_from(tmp_path, message_runs / "epoch-5", **MESSAGES))
    assert "exchange of train-messages" in pictures_of(page[: page.index('id="training"')])


def test_names_from_outside_are_never_markup(tmp_path):
    labels = np.where(np.arange(60) < 30, HOSTILE, "plain")
    values = np.random.default_rng(0).normal(labels[:, None] == "plain", 0.1, (60, 3))
    layers = [{"type": "Input", "output_shape": [3]}, {"type": "Dense", "num_units": 2}]
    experiment = make_table_job(tmp_path, {"x": values, "y": labels}, layers, stem=FILE)
    experiment.pretrain()
    experiment.cluster()
    page, data = written(experiment)
    assert "<img src=x" not in page
    assert HOSTILE in data["colourings"][0]["names"]
    assert "&lt;img src=x onerror=alert(1)&gt;.npz" in page


def test_of_seventy_thousand_rows_a_sample_is_shown(tmp_path, monkeypatch):
    values = np.random.default_rng(0).normal(size=(70_000, 2))
    layers = [{"type": "Input", "output_shape": [2]}, {"type": "Dense", "num_units": 2}]
    experiment = make_table_job(tmp_path, {"x": values}, layers)
    experiment.pretrain()
    page, data = written(experiment)
    assert len(data["rows"]) == len(data["spaces"][1]["x"]) == 3000
    assert data["note"] == "3,000 of 70,000 rows are shown, drawn by chance."
    assert data["colourings"] == []
    row = int(data["rows"][7].removeprefix("row ").replace(",", ""))
    assert data["hover"]["values"][7] == pytest.approx(values[row], rel=1e-3)
    assert "no labels" in summary_of(page)


def test_series(tmp_path):
    values = np.random.default_rng(0).normal(size=(60, 16, 2)).astype("float32")
    layers = [{"type": "Input", "output_shape": [2, 16]}, {"type": "Dense", "num_units": 2}]
    experiment = make_table_job(tmp_path, {"x": values}, layers)
    experiment.pretrain()
    experiment.cluster()
    page, data = written(experiment)
    assert (data["hover"]["kind"], data["hover"]["steps"]) == ("series", 16)
    assert "clusters of kmeans" in pictures_of(page)


def test_columns_go_by_their_names(tmp_path):
    lines = ["age,<b>height", *(f"{i % 7},{i * 1.5}" for i in range(40))]
    (tmp_path / "people.csv").write_text("\n".join(lines))
    layers = [{"type": "Input", "output_shape": [2]}, {"type": "Dense", "num_units": 2}]
    spec = tmp_path / "spec.json"
    make_table_job(tmp_path, {"x": np.eye(4, 2)}, layers)
    experiment = Experiment(
        ExperimentRequest(str(tmp_path / "people.csv"), str(spec), out=tmp_path)
    )
    experiment.pretrain()
    experiment.cluster()
    page, data = written(experiment)
    assert data["hover"]["names"] == ["age", "<b>height"]
    assert "surface of kmeans" in pictures_of(page)


def test_before_the_first_epoch_there_is_nothing_to_report(tmp_path):
    with pytest.raises(RunError, match=r"no epoch of any stage yet.*--pretrain"):
        write_report(make_experiment(tmp_path).results())
