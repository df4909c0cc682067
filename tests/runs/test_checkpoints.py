"""Checkpoints with arrays that memory would not hold."""

from __future__ import annotations

import numpy as np
import pytest

from archbuild.data import spill
from archbuild.errors import RunError
from archbuild.runs import StageFolder

HISTORY = [{"epoch": 1, "loss": 0.5}]


def begun(path):
    stage = StageFolder(path)
    stage.begin({"seed": 0})
    return stage


@pytest.fixture
def rows(monkeypatch, rng):
    monkeypatch.setattr(spill, "IN_MEMORY", 100)
    return spill.joined([rng.random((40, 5))], 40, "x")


def names(path):
    return sorted(file.name for file in path.iterdir())


def test_a_large_array_has_a_file_of_its_own_and_is_written_once(tmp_path, rows):
    stage = begun(tmp_path)
    stage.save_checkpoint(1, {"step": np.array(1), "memory/a": rows}, HISTORY)
    assert names(tmp_path) == ["checkpoint-000001-0.npy", "checkpoint-000001.npz", "manifest.json"]
    stage.save_checkpoint(2, {"step": np.array(2), "memory/a": rows}, HISTORY)
    assert names(tmp_path) == ["checkpoint-000001-0.npy", "checkpoint-000002.npz", "manifest.json"]
    again = begun(tmp_path)
    arrays = again.load_checkpoint().arrays
    np.testing.assert_array_equal(arrays["memory/a"], rows)
    assert arrays["step"] == 2
    again.save_checkpoint(3, arrays, HISTORY)
    assert "checkpoint-000001-0.npy" in names(tmp_path)
    again.save_checkpoint(4, {"memory/a": spill.joined([rows + 1], 40, "x")}, HISTORY)
    assert names(tmp_path) == ["checkpoint-000004-0.npy", "checkpoint-000004.npz", "manifest.json"]
    again.finish({}, summary={}, history=HISTORY)
    assert names(tmp_path) == ["history.jsonl", "manifest.json"]


def test_a_changed_file_is_refused_by_name(tmp_path, rows):
    begun(tmp_path).save_checkpoint(1, {"a": rows}, HISTORY)
    place = tmp_path / "checkpoint-000001-0.npy"
    place.write_bytes(place.read_bytes()[:-1] + b"x")
    with pytest.raises(RunError, match=r"checkpoint-000001-0\.npy is damaged"):
        StageFolder(tmp_path).load_checkpoint()
    place.unlink()
    with pytest.raises(RunError, match=r"checkpoint-000001-0\.npy is missing"):
        StageFolder(tmp_path).verify()


def test_clearing_removes_the_files_of_a_running_stage(tmp_path, rows):
    stage = begun(tmp_path)
    stage.save_checkpoint(1, {"a": rows}, HISTORY)
    stage.clear()
    assert names(tmp_path) == []
