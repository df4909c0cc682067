"""One seed of a run, and which of its rows count."""

from __future__ import annotations

import json

import pytest

from benchmarks.reproduce import running
from benchmarks.reproduce.declared import Run

ROWS = [
    {"space": "raw", "method": "k-means", "acc": 0.5},
    {"space": "train-a", "method": "k-means", "acc": 0.6},
    {"space": "train-a", "method": "head", "acc": 0.7, "error": None},
    {"space": "train-a", "method": "head, held out", "acc": 0.8, "labels_used": 6},
    {"space": "train-a", "method": "bound, held out", "nats": -2.0, "active_1": 3},
]


def test_held_out_rows_count_and_a_bound_comes_with_them():
    methods, scores = running.counted(ROWS, "train-a")
    assert methods == ["head, held out", "bound, held out"]
    assert scores == {"acc": 0.8, "labels_used": 6, "nats": -2.0, "active_1": 3}


def test_without_held_out_rows_the_head_counts_and_without_a_head_k_means():
    assert running.counted(ROWS[:3], "train-a") == (["head"], {"acc": 0.7})
    assert running.counted(ROWS[:2], "train-a") == (["k-means"], {"acc": 0.6})


def test_another_row_may_be_asked_for_and_must_be_there():
    assert running.counted(ROWS[:3], "train-a", "k-means")[1] == {"acc": 0.6}
    with pytest.raises(LookupError, match="of raw; got \\['k-means'\\]"):
        running.counted(ROWS, "raw", "head")


@pytest.mark.graphs(False)
@pytest.mark.usefixtures("few_rows")
def test_a_run_is_the_command_with_what_is_declared(tmp_path, processes):
    stages = {"pretrain": None, "cluster": 1}
    overrides = ("batch_size=150", "pretrain.epochs=1", "head.start=k-means")
    run = Run("a", "DIGITS", "0", stages, head="kmeans", overrides=overrides)
    found = running.execute(run, 3, tmp_path)
    ((*words,),) = processes
    assert words[: len(run.arguments)] == run.arguments
    assert words[words.index("--seed") + 1] == "3"
    assert found["methods"] == ["head"]
    assert 0 < found["scores"]["acc"] < 1
    pretrain, cluster = (found["stages"][name] for name in stages)
    assert (pretrain["epochs"], pretrain["length"]) == (1, {"epochs": 1})
    assert pretrain["of_spec"] == {"epochs": 50}
    assert (cluster["epochs"], cluster["of_spec"]) == (1, {"epochs": 20})
    assert found["backend"].startswith("tensorflow 2.")
    assert found["data"] == {"rows": 300}
    assert json.dumps(found)


def test_runs_of_other_settings_have_other_folders(tmp_path, monkeypatch):
    folders = []

    def archbuild(arguments):
        folders.append(arguments[arguments.index("--out") + 1])
        raise KeyboardInterrupt

    monkeypatch.setattr(running, "archbuild", archbuild)
    run = Run("a", "DIGITS", "0", {"pretrain": 1, "cluster": 2})
    for each in (run, run.changed(["batch_size=9"]), Run("b", "DIGITS", "0", {"pretrain": 2})):
        with pytest.raises(KeyboardInterrupt):
            running.execute(each, 0, tmp_path)
    assert len(set(folders)) == 3
