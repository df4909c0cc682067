"""The copy of a run from which new rows are answered, and what stays behind."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from archbuild.errors import RunError
from archbuild.runs import RunFolder
from archbuild.runs.slim import copy_model

ROWS = [
    {"space": "pretrain", "method": "k-means", "acc": 0.5},
    {"space": "kld", "method": "head", "acc": 0.75},
]
NEEDED = {"model.weights.h5": b"weights", "head.npz": b"head"}
GROWING = {"latents.npy": b"latents", "assignments.npy": b"answers", "labels.npy": b"clusters"}


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    """A finished run, with files of the names and sizes that count."""
    run = RunFolder.locate(tmp_path, "DIGITS", "tiny", 0)
    run.write_spec({"name": "tiny"})
    stage = run.stage("cluster-kld")
    stage.begin(
        {"spec": {}, "seed": 0},
        origin={
            "name": "DIGITS",
            "command": "archbuild -d DIGITS -a 0 --out /home/me/runs --seed 1",
            "location": {"dataset": "/home/me/x"},
            "columns": [],
            "scaling": {"kind": "none", "offset": [0.0], "factor": [1.0]},
            "range": [0, 1],
        },
    )
    writers = {
        name: lambda path, content=content: path.write_bytes(content)
        for name, content in (NEEDED | GROWING).items()
    }
    stage.finish(writers, summary={}, history=[{"epoch": 1}], timing={"seconds": 1.5})
    (run.path / "metrics.json").write_text(json.dumps({"rows": ROWS}))
    return run


def test_a_copy_holds_what_predictions_need_and_is_whole(run: RunFolder, tmp_path: Path) -> None:
    copy = copy_model(run, "cluster-kld", tmp_path / "copy")
    stage = copy.stage("cluster-kld")
    stage.verify()
    assert {path.name for path in stage.path.iterdir()} == {
        *NEEDED,
        "history.jsonl",
        "manifest.json",
    }
    assert stage.history() == [{"epoch": 1}]
    assert copy.read_spec() == {"name": "tiny"}


def test_only_the_stages_own_scores_come_along(run: RunFolder, tmp_path: Path) -> None:
    copy = copy_model(run, "cluster-kld", tmp_path / "copy")
    assert copy.read_metrics()["rows"] == ROWS[1:]


def test_no_place_of_the_machine_comes_along(run: RunFolder, tmp_path: Path) -> None:
    copy = copy_model(run, "cluster-kld", tmp_path / "copy")
    assert not [
        path for path in copy.path.rglob("*") if path.is_file() and b"/home/me" in path.read_bytes()
    ]


def test_the_command_comes_along_without_its_folder(run: RunFolder, tmp_path: Path) -> None:
    manifest = copy_model(run, "cluster-kld", tmp_path / "copy").stage("cluster-kld").manifest()
    assert manifest is not None
    assert manifest["origin"]["command"] == "archbuild -d DIGITS -a 0 --seed 1"


def test_altered_files_and_taken_places_are_refused(run: RunFolder, tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    with pytest.raises(RunError, match="already exists"):
        copy_model(run, "cluster-kld", tmp_path / "taken")
    with pytest.raises(RunError, match="is not finished"):
        copy_model(run, "pretrain", tmp_path / "copy")
    run.stage("cluster-kld").file("head.npz").write_bytes(b"other")
    with pytest.raises(RunError, match="damaged"):
        copy_model(run, "cluster-kld", tmp_path / "copy")
