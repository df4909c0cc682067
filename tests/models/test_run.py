"""A run: which of its stages is the latest, and how often its files are read."""

from __future__ import annotations

import json

import pytest

from archbuild.models.run import Run
from archbuild.registry import default_vocabulary
from archbuild.runs import StageFolder
from archbuild.spec import spec_from_tree
from tests.runs.making import make_run
from tests.training.conftest import SPEC


@pytest.fixture
def make(tmp_path):
    """A run with stages that are ``finished`` or ``running``, written one after the other."""

    def made(**stages):
        names = {name.replace("_", "-"): state for name, state in stages.items()}
        folder = make_run(tmp_path, stages=names)
        for year, name in enumerate(names, 2001):
            path = folder.stage(name).file("manifest.json")
            document = json.loads(path.read_text())
            event = "finished" if names[name] == "finished" else "saved"
            document["timing"][event] = f"{year}-01-01T00:00:00+00:00"
            path.write_text(json.dumps(document))
        return Run(folder, spec=spec_from_tree(SPEC, default_vocabulary()))

    return made


def test_the_stage_with_a_head_that_was_written_last_is_the_latest(make):
    run = make(pretrain="finished", train_gmm="finished", cluster_kld="finished")
    assert run.latest().name == "cluster-kld"
    assert run.latest("gmm").name == "train-gmm"
    assert run.latest("kmeans") is None


def test_the_latest_stage_is_the_one_trained_last_though_the_clock_went_back(make):
    run = make(pretrain="finished", cluster_kld="finished", train_gmm="finished")
    manifest = run.folder.stage("train-gmm").file("manifest.json")
    document = json.loads(manifest.read_text())
    document["timing"]["finished"] = "1999-01-01T00:00:00+00:00"
    manifest.write_text(json.dumps(document))
    assert Run(run.folder, spec=run.spec).latest().name == "train-gmm"


def test_stages_of_early_versions_go_by_their_times(make):
    run = make(pretrain="finished", cluster_kld="finished", train_gmm="finished")
    for stage in run.stages:
        path = stage.folder.file("manifest.json")
        document = json.loads(path.read_text())
        del document["sequence"]
        document["timing"]["finished"] = f"20{len(stage.name):02}-01-01T00:00:00+00:00"
        path.write_text(json.dumps(document))
    assert Run(run.folder, spec=run.spec).latest().name == "cluster-kld"


def test_without_a_head_there_is_no_latest_stage(make):
    assert make(pretrain="finished").latest() is None


def test_a_finished_stage_goes_before_one_in_training(make):
    run = make(cluster_gmm="finished", train_gmm="running", train_gmvae="running")
    assert run.latest().name == run.latest("gmm").name == "cluster-gmm"
    assert run.latest("gmvae").name == "train-gmvae"  # there is no other


def test_the_manifest_of_a_finished_stage_is_read_once(make, monkeypatch):
    run, read = make(pretrain="finished", cluster_kld="finished"), []
    manifest = StageFolder.manifest
    monkeypatch.setattr(StageFolder, "manifest", lambda f: read.append(f.name) or manifest(f))
    for _ in range(2):
        assert [stage.name for stage in run.finished_heads] == ["cluster-kld"]
        assert run.spaces == ("raw", "pretrain", "kld")
        assert run.latest("kld").digest
    assert read == ["pretrain", "cluster-kld"]


def test_a_stage_in_training_is_as_it_is_now(make):
    run = make(cluster_kld="running")
    (stage,) = run.stages
    assert not stage.finished
    stage.folder.begin({"spec": {"cluster": {"epochs": 3}}, "seed": 0})
    stage.folder.finish({}, summary={}, history=[])
    assert stage.finished
