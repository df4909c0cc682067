"""Manifests, metrics and suggestions are checked against their schemas."""

from __future__ import annotations

import json

import pytest

from archbuild.errors import RunError
from archbuild.runs.catalogue import find_runs
from archbuild.runs.manifest import digest_of
from archbuild.runs.removal import removals
from tests.runs.making import make_run

ROW = {"space": "raw", "method": "k-means", "acc": 0.5}


def alter(path, *keys, value):
    """Set one value of a JSON document, by the keys that lead to it."""
    document = part = json.loads(path.read_text())
    for key in keys[:-1]:
        part = part[key]
    part[keys[-1]] = value
    path.write_text(json.dumps(document))


@pytest.mark.parametrize(
    ("keys", "value", "said"),
    [
        (["request"], [], r"request: \[\] is not of type 'object'"),
        (["request", "seed"], "0", "request.seed: '0' is not of type 'integer'"),
        (["state"], "done", "state: 'done' is not one of"),
        (["timing", "seconds"], float("nan"), "not JSON: NaN is not a finite number"),
        (["files", "../../spec.json"], "0" * 64, "files: '../../spec.json' does not match"),
        (["files", "latents.npy"], "", r"files\W+latents\.npy\W+'' does not match"),
        (["origin"], {"name": "D"}, "origin: '.*' is a required property"),
        (["epoch"], -1, "epoch: -1 is less than the minimum"),
    ],
)
def test_an_invalid_manifest_is_refused_in_words(tmp_path, keys, value, said):
    stage = make_run(tmp_path).stage("pretrain")
    alter(stage.path / "manifest.json", *keys, value=value)
    with pytest.raises(RunError, match=rf"manifest\.json is damaged \({said}"):
        stage.manifest()


def test_the_digest_is_of_what_a_stage_holds_not_of_the_order_of_its_keys():
    manifest = {"request": {"seed": 0, "stage": "x"}, "summary": {}, "files": {"a": "0", "b": "1"}}
    turned = {**manifest, "files": {"b": "1", "a": "0"}, "timing": {}}
    assert digest_of(turned) == digest_of(manifest)
    assert digest_of({**manifest, "files": {"a": "1", "b": "0"}}) != digest_of(manifest)


@pytest.mark.parametrize(
    ("keys", "value"),
    [(["rows"], {}), (["rows", 0, "acc"], float("inf")), (["rows", 0, "space"], 3)],
)
def test_invalid_metrics_are_refused_and_do_not_stop_a_listing(tmp_path, keys, value):
    run = make_run(tmp_path, rows=[ROW])
    alter(run.metrics_path, *keys, value=value)
    with pytest.raises(RunError, match=r"metrics\.json is damaged"):
        run.read_metrics()
    (entry,) = find_runs(tmp_path)
    assert entry.best is None


def test_an_invalid_suggestion_is_refused(tmp_path):
    run = make_run(tmp_path)
    run.n_clusters_path.write_text('{"source": {}, "n_clusters": 3}')
    with pytest.raises(RunError, match=r"n_clusters\.json is damaged"):
        run.read_n_clusters()


def test_a_history_that_is_not_finite_is_refused(tmp_path):
    from archbuild.io.atomic import sha256

    stage = make_run(tmp_path).stage("pretrain")
    (stage.path / "history.jsonl").write_text('{"epoch": 1, "loss": NaN}\n')
    digest = sha256(stage.path / "history.jsonl")
    alter(stage.path / "manifest.json", "files", "history.jsonl", value=digest)
    with pytest.raises(RunError, match=r"history\.jsonl is damaged \(not JSON"):
        stage.history()


@pytest.mark.parametrize("name", ["cluster-", "train-", "cluster-ä", "notes"])
def test_a_folder_that_no_stage_can_have_is_left_alone(tmp_path, name):
    run = make_run(tmp_path)
    (run.path / name).mkdir()
    (run.path / name / "manifest.json").write_text("{}")
    assert run.stages() == ("pretrain",)
    (entry,) = find_runs(tmp_path)
    assert entry.stages.keys() == {"pretrain"}
    (removal,) = removals(tmp_path)
    assert removal.carry_out() == [run.path / name / "manifest.json"]
