from __future__ import annotations

import errno
import json
import os

import numpy as np
import pytest

from archbuild.errors import RunError
from archbuild.io import atomic
from archbuild.runs import StageFolder

REQUEST = {"pretrain": {"epochs": 50, "optimizer": "adam"}, "seed": 0, "data": "abc"}
VERSIONS = {"archbuild": "0.1.0", "python": "3.11.0"}
ARRAYS = {"dense/kernel": np.arange(6, dtype=np.float32).reshape(2, 3), "step": np.array(4)}
HISTORY = [{"epoch": 1, "loss": 0.5, "label_change": None}, {"epoch": 2, "loss": 0.25}]


def begun(path, request=REQUEST, versions=VERSIONS):
    stage = StageFolder(path)
    stage.begin(request, versions=versions)
    return stage


def interrupted(path):
    stage = begun(path)
    stage.save_checkpoint(2, ARRAYS, HISTORY, timing={"seconds": 1.5})
    return StageFolder(path)


def finished(path):
    stage = begun(path)
    writers = {"latents.npy": lambda file: atomic.save_npy(file, np.ones((3, 2)))}
    stage.finish(writers, summary={"loss": 0.25}, history=HISTORY, timing={"seconds": 3.0})
    return StageFolder(path)


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "pretrain"


def test_status_goes_from_absent_to_running_to_finished(folder):
    stage = StageFolder(folder)
    assert (stage.status(), stage.manifest(), stage.load_checkpoint()) == ("absent", None, None)
    stage.begin(REQUEST)
    assert stage.status() == "absent"
    stage.save_checkpoint(1, ARRAYS, HISTORY[:1])
    assert stage.status() == "running"
    stage.finish({}, summary={}, history=HISTORY)
    assert (stage.status(), stage.load_checkpoint()) == ("finished", None)
    stage.clear()
    assert (stage.status(), os.listdir(folder)) == ("absent", [])


def test_a_checkpoint_comes_back_as_it_was_saved(folder):
    checkpoint = interrupted(folder).load_checkpoint()
    assert checkpoint.epoch == 2
    assert checkpoint.history == HISTORY
    assert checkpoint.timing["seconds"] == 1.5
    assert list(checkpoint.arrays) == list(ARRAYS)
    for name, array in ARRAYS.items():
        assert checkpoint.arrays[name].dtype == array.dtype
        np.testing.assert_array_equal(checkpoint.arrays[name], array)


def test_only_the_last_checkpoint_is_kept(folder):
    stage = begun(folder)
    for epoch in (1, 2, 3):
        stage.save_checkpoint(epoch, ARRAYS, HISTORY)
    assert sorted(os.listdir(folder)) == ["checkpoint-000003.npz", "manifest.json"]


def test_saving_an_epoch_again_never_touches_the_file_that_counts(folder, monkeypatch):
    stage = interrupted(folder)
    stage.begin(REQUEST, versions=VERSIONS)
    other = {"step": np.array(5)}

    def refuse(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(atomic, "write_json", refuse)  # the manifest does not move on
        with pytest.raises(OSError, match="No space"):
            stage.save_checkpoint(2, other, HISTORY)
    assert stage.load_checkpoint().arrays.keys() == ARRAYS.keys()
    for _ in range(2):
        stage.save_checkpoint(2, other, HISTORY)
        assert stage.load_checkpoint().arrays["step"] == 5
        assert len(os.listdir(folder)) == 2


def test_finish_leaves_the_named_files_and_a_manifest_that_vouches_for_them(folder):
    stage = finished(folder)
    assert sorted(os.listdir(folder)) == ["history.jsonl", "latents.npy", "manifest.json"]
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["state"] == "finished"
    assert manifest["stage"] == "pretrain"
    assert manifest["request"] == REQUEST
    assert manifest["versions"] == VERSIONS
    assert manifest["summary"] == {"loss": 0.25}
    assert manifest["files"] == {
        name: atomic.sha256(folder / name) for name in ("latents.npy", "history.jsonl")
    }
    assert manifest["timing"]["seconds"] == 3.0
    assert {"started", "finished"} <= manifest["timing"].keys()
    assert stage.history() == HISTORY
    stage.verify()


def test_history_is_readable_while_the_stage_runs(folder):
    assert interrupted(folder).history() == HISTORY


def test_a_number_that_is_not_finite_is_never_recorded(folder):
    stage = begun(folder)
    with pytest.raises(RunError, match="finite"):
        stage.finish({}, summary={"loss": float("nan")}, history=[])
    assert stage.status() == "absent"


def test_saving_needs_a_beginning(folder):
    stage = StageFolder(folder)
    with pytest.raises(RunError, match="begin"):
        stage.save_checkpoint(1, ARRAYS, HISTORY)
    with pytest.raises(RunError, match="begin"):
        stage.finish({}, summary={}, history=[])


# -- the request ---------------------------------------------------------------------------


def test_the_same_request_goes_on(folder):
    stage = interrupted(folder)
    stage.begin(REQUEST | {"seed": np.int64(0)}, versions=VERSIONS)
    assert stage.load_checkpoint().epoch == 2
    assert "earlier_versions" not in stage.manifest()


@pytest.mark.parametrize("make", [interrupted, finished])
def test_another_request_is_refused_with_every_difference(folder, make):
    stage = make(folder)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    request = {"pretrain": {"epochs": 100, "optimizer": "adam"}, "seed": 1, "data": "abc"}
    with pytest.raises(RunError, match="--fresh") as caught:
        stage.begin(request)
    assert "    pretrain.epochs: 50 -> 100\n    seed: 0 -> 1\n" in str(caught.value)
    assert [str(change) for change in stage.compare(request)] == [
        "pretrain.epochs: 50 -> 100",
        "seed: 0 -> 1",
    ]
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_tuples_and_numpy_numbers_compare_as_json(folder):
    stage = begun(folder, {"shape": (1, 8, 8), "rate": np.float64(0.5)})
    stage.save_checkpoint(1, ARRAYS, [])
    assert stage.compare({"shape": [1, 8, 8], "rate": 0.5}) == []


def test_nothing_there_is_no_difference(folder):
    assert StageFolder(folder).compare(REQUEST) == []


def test_other_versions_are_recorded_not_refused(folder):
    stage = interrupted(folder)
    for _ in range(2):  # resuming twice records them once
        stage.begin(REQUEST, versions={"archbuild": "0.2.0"})
        stage.save_checkpoint(3, ARRAYS, HISTORY)
    assert stage.manifest()["versions"] == {"archbuild": "0.2.0"}
    assert stage.manifest()["earlier_versions"] == [VERSIONS]


def test_the_start_time_survives_a_resume(folder, monkeypatch):
    stage = interrupted(folder)
    started = stage.manifest()["timing"]["started"]
    monkeypatch.setattr("archbuild.runs.manifest._now", lambda: "later")
    stage.begin(REQUEST, versions=VERSIONS)
    stage.finish({}, summary={}, history=HISTORY)
    assert stage.manifest()["timing"] == {"started": started, "finished": "later"}


def test_begin_clears_what_no_manifest_vouches_for(folder):
    folder.mkdir(parents=True)
    (folder / "checkpoint-000007.npz").write_text("left over")
    (folder / "model.weights.h5").write_text("left over")
    begun(folder)
    assert os.listdir(folder) == []


def test_begin_keeps_what_the_manifest_names(folder):
    interrupted(folder)
    (folder / "checkpoint-000001.npz").write_text("older")
    (folder / "checkpoint-000003.npz").write_text("never vouched for")
    (folder / ".tmp-1-model.weights.h5").write_text("half")
    begun(folder)
    assert sorted(os.listdir(folder)) == ["checkpoint-000002.npz", "manifest.json"]


# -- damage --------------------------------------------------------------------------------


def truncate(path):
    path.write_bytes(path.read_bytes()[:-20])


def flip(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))


@pytest.mark.parametrize("harm", [truncate, flip, os.remove], ids=["truncated", "flipped", "gone"])
def test_a_damaged_checkpoint_is_named(folder, harm):
    stage = interrupted(folder)
    harm(folder / "checkpoint-000002.npz")
    for use in (stage.load_checkpoint, stage.verify):
        with pytest.raises(RunError, match=r"checkpoint-000002\.npz is .*--fresh"):
            use()


@pytest.mark.parametrize("harm", [truncate, flip, os.remove], ids=["truncated", "flipped", "gone"])
@pytest.mark.parametrize("name", ["latents.npy", "history.jsonl"])
def test_verify_names_the_damaged_file(folder, harm, name):
    stage = finished(folder)
    harm(folder / name)
    assert stage.status() == "finished"
    with pytest.raises(RunError, match=rf"{name} is .*--fresh"):
        stage.verify()


def test_verify_needs_something_to_verify(folder):
    with pytest.raises(RunError, match="holds no stage"):
        StageFolder(folder).verify()


def test_damaged_history_is_not_returned(folder):
    stage = finished(folder)
    flip(folder / "history.jsonl")
    with pytest.raises(RunError, match=r"history\.jsonl is damaged"):
        stage.history()


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "{}", '{"manifest_version": 1, "state": "finished"}', "\xff\xfe"]
)
def test_a_damaged_manifest_is_named_and_can_be_cleared(folder, text):
    stage = finished(folder)
    (folder / "manifest.json").write_bytes(text.encode("latin-1"))
    for use in (stage.status, stage.verify, lambda: stage.begin(REQUEST)):
        with pytest.raises(RunError, match=r"manifest\.json is damaged .*--fresh"):
            use()
    stage.clear()
    assert os.listdir(folder) == []


def test_a_manifest_of_a_newer_archbuild_is_refused(folder):
    stage = finished(folder)
    newer = stage.manifest() | {"manifest_version": 2, "versions": {"archbuild": "7.1.0"}}
    atomic.write_json(folder / "manifest.json", newer)
    with pytest.raises(RunError, match=r"newer archbuild, 7\.1\.0; install that version"):
        stage.status()
    atomic.write_json(folder / "manifest.json", {"manifest_version": 2})
    with pytest.raises(RunError, match="a version that it does not name"):
        stage.status()


def test_a_manifest_cannot_name_files_outside_its_folder(folder):
    stage = interrupted(folder)
    secret = folder.parent / "secret.npz"
    atomic.write_npz(secret, ARRAYS)
    checkpoint = {"file": "../secret.npz", "sha256": atomic.sha256(secret)}
    atomic.write_json(folder / "manifest.json", stage.manifest() | {"checkpoint": checkpoint})
    with pytest.raises(RunError, match=r"is damaged \(checkpoint.file: '../secret.npz'"):
        stage.load_checkpoint()


def test_a_full_disk_leaves_the_last_checkpoint(folder, monkeypatch):
    stage = begun(folder)
    stage.save_checkpoint(2, ARRAYS, HISTORY)

    def refuse(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(RunError, match=r"no space left on device.*free some space"):
        stage.save_checkpoint(3, ARRAYS, HISTORY)
    assert stage.load_checkpoint().epoch == 2


# -- the digest ----------------------------------------------------------------------------


def test_the_digest_depends_on_request_and_files_only(tmp_path, monkeypatch):
    first = finished(tmp_path / "a" / "pretrain").digest
    monkeypatch.setattr("archbuild.runs.manifest._now", lambda: "later")
    again = begun(tmp_path / "b" / "pretrain", versions={"archbuild": "9"})
    writers = {"latents.npy": lambda file: atomic.save_npy(file, np.ones((3, 2)))}
    again.finish(writers, summary={"loss": 0.25}, history=HISTORY)
    assert again.digest == first

    other = begun(tmp_path / "c" / "pretrain")
    writers = {"latents.npy": lambda file: atomic.save_npy(file, np.zeros((3, 2)))}
    other.finish(writers, summary={"loss": 0.25}, history=HISTORY)
    assert other.digest != first

    asked = begun(tmp_path / "d" / "pretrain", REQUEST | {"seed": 1})
    writers = {"latents.npy": lambda file: atomic.save_npy(file, np.ones((3, 2)))}
    asked.finish(writers, summary={"loss": 0.25}, history=HISTORY)
    assert asked.digest != first


def test_only_a_finished_stage_has_a_digest(folder):
    with pytest.raises(RunError, match="not finished"):
        _ = interrupted(folder).digest


def test_what_somebody_else_put_there_stays(tmp_path):
    stage = StageFolder(tmp_path / "stage")
    stage.path.mkdir()
    (stage.path / "thesis").mkdir()
    foreign = [stage.path / "mine.txt", stage.path / "thesis" / "notes.md"]
    for path in foreign:
        path.write_text("mine")
    stage.begin({})
    stage.save_checkpoint(1, {"w": np.zeros(2)}, [{}])
    stage.finish({"own.npy": lambda path: np.save(path, np.zeros(2))}, summary={}, history=[{}])
    stage.clear()
    assert sorted(path for path in stage.path.rglob("*") if path.is_file()) == foreign
