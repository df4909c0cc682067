from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest

from archbuild.errors import SpecError, UsageError
from archbuild.experiments.sweeps import plan_sweep, read_grid
from archbuild.experiments.sweeps.plan import setting_name
from archbuild.heads import KLDHead
from tests.experiments.sweeps.conftest import finish, measure


@pytest.mark.parametrize(
    ("text", "key", "values"),
    [
        ("a.b=1,2", "a.b", ["1", "2"]),
        ("a=1e-3, 0.1,1e-3", "a", ["0.001", "0.1"]),
        ("a=adam,sgd,null,true", "a", ["adam", "sgd", "null", "true"]),
        ("a={weight: 1, length: 2},null", "a", ['{"weight": 1, "length": 2}', "null"]),
        ('a="true","x, y"', "a", ['"true"', '"x, y"']),
    ],
)
def test_values_are_read_as_those_of_set(text, key, values):
    assert read_grid([text]) == {key: values}


@pytest.mark.parametrize("text", ["a", "a=", "=1", "a= "])
def test_a_grid_needs_keys_and_values(text):
    with pytest.raises(UsageError, match=r"expected KEY=VALUE,VALUE"):
        read_grid([text])


def test_a_key_comes_once_and_values_can_be_read():
    with pytest.raises(UsageError, match="is given twice"):
        read_grid(["a=1", "a=2"])
    with pytest.raises(SpecError, match="--grid a="):
        read_grid(["a={1"])


def test_names_of_settings_are_safe_and_apart():
    assert setting_name(("head.alpha=0.1", "batch_size=64")) == "head.alpha=0.1,batch_size=64"
    odd = [("a=-1",), ("a=1/2",), ("a=1\\2",), ("a=Relu",), ("a=relu",), ("a=x" + "y" * 200,)]
    names = [setting_name(setting) for setting in odd]
    assert len({name.lower() for name in names}) == len(odd)
    assert all(set(name) <= set("abcdefghijklmnopqrstuvwxyzR0123456789=.,_-") for name in names)
    assert max(map(len, names)) < 120


def test_every_setting_has_every_seed_and_every_head(planned, tmp_path):
    plan = planned(heads=["kld", "kmeans"], grid={"batch_size": ["64", "128"]})
    assert [run.label for run in plan.runs] == [
        f"batch_size={size} seed {seed}" for size in (64, 128) for seed in (0, 1)
    ]
    assert [part.head for part in plan.runs[0].parts] == ["kld", "kmeans"]
    assert {part.folder.path for part in plan.runs[0].parts} == {plan.runs[0].folder.path}
    place = "sweeps/DIGITS/tiny/batch_size=64/saved_params/DIGITS/tiny/0"
    assert plan.runs[0].folder.path == tmp_path / "out" / place


def test_without_a_grid_runs_go_where_single_jobs_put_them(planned, tmp_path):
    (first, _) = planned().runs
    assert first.folder.path == tmp_path / "out" / "saved_params/DIGITS/tiny/0"


def test_a_process_is_asked_for_all_that_its_part_is(planned, tmp_path):
    plan = planned(heads=["kmeans"], grid={"batch_size": ["64"]}, stages={"pretrain": 3})
    _, (_, part) = plan.parts
    assert part.arguments == [
        *("-d", "DIGITS", "-a", str(tmp_path / "tiny.json"), "--seed", "1", "--head", "kmeans"),
        *("--set", "batch_size=64"),
        *("--out", str(tmp_path / "out" / "sweeps/DIGITS/tiny/batch_size=64")),
        *("--pretrain", "3", "--metrics", "--json"),
    ]


def test_a_precision_is_that_of_every_part(requested):
    request = requested()
    mixed = replace(request.experiment, precision="mixed_bfloat16")
    for _, part in plan_sweep(replace(request, experiment=mixed)).parts:
        place = part.arguments.index("--precision")
        assert part.arguments[place + 1] == "mixed_bfloat16"
        assert {each["precision"] for each in part.requests.values()} == {"mixed_bfloat16"}


def test_the_specs_own_epochs_can_be_swept_over(planned):
    plan = planned(stages={"pretrain": None}, grid={"pretrain.epochs": ["1", "2"]})
    assert [part.tree["pretrain"]["epochs"] for _, part in plan.parts] == [1, 1, 2, 2]
    with pytest.raises(UsageError, match="leave the number of --pretrain out"):
        planned(stages={"pretrain": 5}, grid={"pretrain.epochs": ["1", "2"]})


def test_a_sweep_needs_a_stage(requested):
    with pytest.raises(UsageError, match="add --pretrain and --cluster, or --train"):
        requested(stages={})


def test_a_setting_that_no_spec_can_have_is_refused_before_anything_is_run(planned):
    with pytest.raises(SpecError, match="batch_size"):
        planned(grid={"batch_size": ["64", "none"]})


def test_a_table_has_a_name_of_its_own_for_what_is_swept_over(planned, tmp_path):
    names = [
        planned(**changes).table_path.name
        for changes in (
            {},
            {"heads": ["kld", "kmeans"]},
            {"grid": {"batch_size": ["64", "128"]}},
            {"name": "my sweep"},
        )
    ]
    assert names[:2] == ["DIGITS-tiny.json", "DIGITS-tiny-kld-kmeans.json"]
    assert re.fullmatch(r"DIGITS-tiny-batch_size-64-128-[0-9a-f]{8}\.json", names[2])
    assert re.fullmatch(r"my-sweep-[0-9a-f]{8}\.json", names[3])
    rates = [["1e-3", "1e30"], ["1e-3", "1e-30"]]
    grids = [planned(grid={"cluster.learning_rate": values}).table_path for values in rates]
    assert grids[0] != grids[1]


def test_a_part_is_done_when_all_of_it_is_there_measured_and_asked_for(planned):
    part = planned().runs[0].parts[0]
    assert not part.is_done()
    finish(part)
    assert part.is_done()
    assert not asked(part, "pretrain", data="other").is_done()
    assert not asked(part, "cluster", seed=1).is_done()
    assert not asked(part, "cluster", spec={**part.tree, "head": {"type": "kmeans"}}).is_done()
    assert asked(part, "train", seed=1).is_done()  # it is none of its stages


def asked(part, section, **changes):
    """A part of which something else is asked in a section."""
    return replace(part, requests={**part.requests, section: part.requests[section] | changes})


@pytest.mark.parametrize("grid", [{"binarise": ["sample"]}, {"supervision.labels": ["20"]}])
def test_a_part_is_not_done_once_its_spec_has_a_key_more(planned, monkeypatch, grid):
    monkeypatch.setattr(KLDHead, "labels_used", "some")
    before, after = planned(), planned(grid=grid)
    part = before.runs[0].parts[0]
    finish(part)
    assert part.is_done()
    there = replace(after.runs[0].parts[0], folder=part.folder)
    assert not there.is_done()
    for name in part.stages.values():
        there.folder.stage(name).clear()
    finish(there)
    assert there.is_done()
    assert not part.is_done()


def test_metrics_of_a_stage_that_was_trained_again_do_not_count(planned):
    part = planned().runs[0].parts[0]
    finish(part)
    part.folder.stage("cluster-kld").clear()
    assert not part.is_done()
    metrics = part.folder.metrics_path.read_bytes()
    again = asked(part, "cluster", data="other")
    finish(again)
    part.folder.metrics_path.write_bytes(metrics)
    finished = replace(again, stages={"cluster": "cluster-kld"})
    assert not finished.is_done()
    measure(part)
    assert finished.is_done()


@pytest.mark.parametrize("text", ["{", json.dumps({"rows": []})])
def test_damage_is_not_done(planned, text):
    part = planned().runs[0].parts[0]
    finish(part)
    part.folder.metrics_path.write_text(text)
    assert not part.is_done()
    measure(part)
    part.folder.stage("pretrain").file("manifest.json").write_text(text)
    assert not part.is_done()
