from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from archbuild.runs.catalogue import StageState, files_below, find_runs, is_run, plots_of
from tests.runs.making import STAMP, make_run

ROOT = Path(__file__).parents[2]
HEAD = {"space": "kld", "method": "head", "acc": 0.8, "nmi": 0.7, "silhouette": 0.1}
K_MEANS = {"space": "kld", "method": "k-means", "acc": 0.6, "nmi": 0.9, "silhouette": 0.5}
OF_RAW = {"space": "raw", "method": "k-means", "acc": 0.95, "nmi": 0.95, "silhouette": 0.9}
HELD_OUT = {**HEAD, "method": "head, held out", "acc": 0.99}
STAGES = {"pretrain": "finished", "cluster-kld": "running"}


def test_runs_are_listed_newest_first_those_of_sweeps_too(tmp_path):
    make_run(tmp_path, "B", age=5)
    make_run(tmp_path / "sweeps" / "A" / "tiny" / "x=1", "A", seed=12, age=0)
    make_run(tmp_path, "A", "big", age=9)
    entries = find_runs(tmp_path)
    assert [(entry.dataset, entry.arch, entry.seed) for entry in entries] == [
        ("A", "tiny", 12),
        ("B", "tiny", 0),
        ("A", "big", 0),
    ]
    assert entries[0].out == tmp_path / "sweeps" / "A" / "tiny" / "x=1"
    assert entries[2].changed.timestamp() == STAMP - 9


def test_stages_say_how_far_they_are(tmp_path):
    run = make_run(tmp_path, stages={**STAGES, "train-gmm": "begun", "cluster-gmm": "finished"})
    run.stage("cluster-gmm").file("manifest.json").write_text("{")
    (entry,) = find_runs(tmp_path)
    assert entry.stages == {
        "pretrain": StageState("finished", 2, 3),
        "cluster-gmm": StageState("damaged"),
        "cluster-kld": StageState("stopped", 2, 3),
    }
    assert not entry.in_use


def test_a_stage_runs_only_while_a_process_holds_the_run(tmp_path):
    run = make_run(tmp_path, stages=STAGES)
    with run.lock():
        (entry,) = find_runs(tmp_path)
        assert entry.in_use
        assert entry.stages["cluster-kld"].state == "running"
        assert entry.stages["pretrain"].state == "finished"
    (run.path / ".lock-holder.json").write_text("{}")  # as a killed process leaves it
    (entry,) = find_runs(tmp_path)
    assert not entry.in_use
    assert (run.path / ".lock-holder.json").read_text() == "{}"  # a look leaves no trace


@pytest.mark.parametrize(
    ("rows", "best"),
    [
        ([OF_RAW, K_MEANS, HEAD, HELD_OUT], {"method": "head", "acc": 0.8, "nmi": 0.7}),
        (
            [{"space": "kld", "method": "head", "silhouette": value} for value in (None, 0.5, 0.2)],
            {"method": "head", "silhouette": 0.5},
        ),
        (
            [{**HEAD, "supervision": "semi-supervised", "labels_used": 9}],
            {
                "method": "head",
                "supervision": "semi-supervised",
                "labels_used": 9,
                "acc": 0.8,
                "nmi": 0.7,
            },
        ),
        ([OF_RAW], None),
        ([{**HEAD, "space": "gmm"}], None),  # of a stage that is gone
    ],
)
def test_the_best_row_is_of_a_stage_that_is_there(tmp_path, rows, best):
    make_run(tmp_path, stages=STAGES, rows=rows)
    (entry,) = find_runs(tmp_path)
    assert entry.best == (best and {"space": "kld", **best})


@pytest.mark.parametrize("text", ["{", "[]", '{"rows": [1]}', '{"rows": [{}]}'])
def test_damaged_metrics_are_none(tmp_path, text):
    make_run(tmp_path).metrics_path.write_text(text)
    (entry,) = find_runs(tmp_path)
    assert entry.best is None


def test_the_size_counts_pictures_and_follows_no_link(tmp_path):
    run = make_run(tmp_path)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "big").write_bytes(b"x" * 10**6)
    (run.path / "link").symlink_to(tmp_path / "elsewhere")
    (before,) = find_runs(tmp_path)
    assert 1000 < before.size < 10_000
    plots_of(run).mkdir(parents=True)
    (plots_of(run) / "scatter.png").write_bytes(b"x" * 500)
    (after,) = find_runs(tmp_path)
    assert after.size == before.size + 500
    assert run.path / "link" in files_below(run.path)


def test_looking_at_a_run_does_not_make_it_newer(tmp_path):
    run = make_run(tmp_path)
    with run.lock():
        pass
    os.utime(run.path, (STAMP + 50, STAMP + 50))
    (entry,) = find_runs(tmp_path)
    assert entry.changed.timestamp() == STAMP


@pytest.mark.parametrize("place", ["DIGITS/tiny/notes", "DIGITS/tiny/1", "DIGITS/tiny"])
def test_a_folder_without_a_runs_files_is_none(tmp_path, place):
    folder = tmp_path / "saved_params" / place
    folder.mkdir(parents=True)
    (folder / "spec.txt").touch()
    assert not is_run(folder)
    assert find_runs(tmp_path) == []


def test_a_link_is_no_run_nor_is_a_run_elsewhere(tmp_path):
    run = make_run(tmp_path / "there")
    link = tmp_path / "saved_params" / "DIGITS" / "tiny" / "0"
    link.parent.mkdir(parents=True)
    link.symlink_to(run.path)
    assert not is_run(link)
    assert is_run(run.path)
    run.path.rename(tmp_path / "7")
    assert not is_run(tmp_path / "7")


def test_a_stage_killed_in_its_first_epoch_makes_a_run(tmp_path):
    make_run(tmp_path, stages={"pretrain": "begun"})
    (entry,) = find_runs(tmp_path)
    assert entry.stages == {}


def test_nothing_heavy_is_imported(tmp_path):
    make_run(tmp_path)
    code = (
        "import sys; from pathlib import Path; from archbuild.runs.catalogue import find_runs\n"
        f"print(len(find_runs(Path({str(tmp_path)!r}))))\n"
        "print({'keras', 'tensorflow', 'sklearn', 'scipy'} & set(sys.modules))"
    )
    command = [sys.executable, "-c", code]
    ended = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    assert ended.stdout == "1\nset()\n"


@pytest.mark.parametrize("score", ['"high"', "[1]", "1" + "0" * 30])
def test_a_score_that_is_no_number_is_named_and_other_runs_are_listed(tmp_path, score):
    run = make_run(tmp_path, "A", rows=[K_MEANS], stages=STAGES)
    make_run(tmp_path, "B", rows=[K_MEANS], stages=STAGES)
    text = run.metrics_path.read_text()
    assert '"acc": 0.6' in text
    run.metrics_path.write_text(text.replace('"acc": 0.6', f'"acc": {score}'))
    damaged, whole = sorted(find_runs(tmp_path), key=lambda entry: entry.dataset)
    assert damaged.best is None
    assert "metrics.json is damaged" in damaged.problem
    assert damaged.document()["problem"] == damaged.problem
    assert whole.best["acc"] == 0.6
    assert whole.problem is None
