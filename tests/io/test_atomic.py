from __future__ import annotations

import errno
import hashlib
import json
import os
import time

import numpy as np
import pytest

from archbuild.errors import RunError
from archbuild.io import atomic
from archbuild.io.containment import named_by_user
from archbuild.io.reading import read_json


def test_the_writer_sees_the_final_suffix_in_the_same_folder(tmp_path):
    seen = []

    def write(path):
        seen.append(path)
        path.write_text("x")

    folder = tmp_path / "new" / "newer"
    atomic.write_atomic(folder / "model.weights.h5", write)
    assert seen[0].name.endswith(".weights.h5")
    assert seen[0].parent == folder
    assert os.listdir(folder) == ["model.weights.h5"]


def test_a_failing_writer_leaves_the_old_file_and_no_litter(tmp_path):
    path = tmp_path / "file.txt"
    atomic.write_text(path, "old")

    def write(temporary):
        temporary.write_text("half of the ne")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        atomic.write_atomic(path, write)
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["file.txt"]


def test_the_content_is_flushed_before_the_rename_and_the_folder_after(tmp_path, monkeypatch):
    events = []
    fsync, replace = os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda fd: (events.append("fsync"), fsync(fd)))
    monkeypatch.setattr(os, "replace", lambda a, b: (events.append("replace"), replace(a, b)))
    atomic.write_text(tmp_path / "file.txt", "x")
    assert events == ["fsync", "replace", "fsync"]


@pytest.mark.skipif(not os.path.exists("/proc/self/fd"), reason="open files cannot be counted")
def test_nothing_stays_open(tmp_path):
    before = os.listdir("/proc/self/fd")
    atomic.write_text(tmp_path / "file.txt", "x")
    atomic.write_npz(tmp_path / "file.npz", {"x": np.zeros(3)})
    assert os.listdir("/proc/self/fd") == before


@pytest.mark.parametrize("call", ["replace", "fsync"])
@pytest.mark.parametrize(
    ("number", "advice"),
    [
        (errno.ENOSPC, "free some space"),
        (errno.EFBIG, "ulimit -f"),
        (errno.EROFS, "can be written to"),
        (errno.EACCES, "can be written to"),
        (errno.EIO, "check the folder"),
    ],
)
def test_what_the_system_refuses_becomes_one_sentence(tmp_path, monkeypatch, call, number, advice):
    path = tmp_path / "file.txt"
    atomic.write_text(path, "old")

    def refuse(*_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, call, refuse)
    with pytest.raises(RunError, match=advice) as caught:
        atomic.write_text(path, "new")
    message = str(caught.value)
    assert str(path) in message
    assert os.strerror(number).lower() in message
    assert "\n" not in message
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["file.txt"]


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_a_truly_full_device_is_reported(tmp_path):
    array = np.zeros(100_000)

    def write(temporary):
        os.symlink("/dev/full", temporary)
        atomic.save_npz(temporary, {"x": array})

    with pytest.raises(RunError, match="no space left on device"):
        atomic.write_atomic(tmp_path / "latents.npz", write)
    assert os.listdir(tmp_path) == []


def test_a_file_where_a_folder_should_be_is_reported(tmp_path):
    (tmp_path / "out").write_text("not a folder")
    with pytest.raises(RunError, match="cannot write"):
        atomic.write_text(tmp_path / "out" / "file.txt", "x")


def test_json_speaks_numpy_and_utf8(tmp_path):
    value = {"a": np.float32(0.5), "b": np.arange(3), "c": (1, 2), "name": "Käfer"}
    atomic.write_json(tmp_path / "x.json", value)
    text = (tmp_path / "x.json").read_text(encoding="utf-8")
    assert json.loads(text) == {"a": 0.5, "b": [0, 1, 2], "c": [1, 2], "name": "Käfer"}
    assert "Käfer" in text
    assert text.endswith("}\n")


def test_names_of_files_that_are_no_utf8_come_back(tmp_path):
    name = os.fsdecode(b"r\xffws.csv")
    atomic.write_json(tmp_path / "x.json", {"dataset": name})
    assert read_json(tmp_path / "x.json") == {"dataset": name}
    atomic.write_text(tmp_path / "x.html", f"<p>{name}</p>")
    assert (tmp_path / "x.html").read_bytes() == b"<p>r\\udcffws.csv</p>"


@pytest.mark.parametrize("value", [float("nan"), np.float32("inf"), {1, 2}, object()])
def test_json_refuses_what_it_cannot_hold(tmp_path, value):
    with pytest.raises(RunError, match=r"x\.json.*expected finite numbers"):
        atomic.write_json(tmp_path / "x.json", {"loss": value})
    assert not (tmp_path / "x.json").exists()


def test_json_lines_hold_one_object_each(tmp_path):
    atomic.write_json_lines(tmp_path / "x.jsonl", [{"loss": 1.0}, {"loss": 0.5}])
    assert (tmp_path / "x.jsonl").read_text() == '{"loss": 1.0}\n{"loss": 0.5}\n'


def test_npz_keeps_names_dtypes_and_shapes(tmp_path):
    arrays = {
        "file": np.arange(3, dtype=np.int64),
        "dense/kernel": np.ones((2, 3), np.float32),
        "step": np.array(7),
        "empty": np.zeros((0, 4), np.float16),
    }
    atomic.write_npz(tmp_path / "x.npz", arrays)
    with np.load(tmp_path / "x.npz", allow_pickle=False) as archive:
        assert archive.files == list(arrays)
        for name, array in arrays.items():
            assert archive[name].dtype == array.dtype
            np.testing.assert_array_equal(archive[name], array)


@pytest.mark.parametrize("suffix", ["npy", "npz"])
def test_equal_content_gives_equal_bytes_at_any_time(tmp_path, monkeypatch, suffix):
    def write(path):
        array = np.arange(12.0).reshape(3, 4)
        if suffix == "npy":
            atomic.write_npy(path, array)
        else:
            atomic.write_npz(path, {"a": array, "b": array[0]})

    write(tmp_path / f"now.{suffix}")
    later = time.localtime(2_000_000_000)
    monkeypatch.setattr(time, "time", lambda: 2_000_000_000.0)
    monkeypatch.setattr(time, "localtime", lambda *_: later)
    write(tmp_path / f"later.{suffix}")
    assert (tmp_path / f"now.{suffix}").read_bytes() == (tmp_path / f"later.{suffix}").read_bytes()


def test_pickles_are_never_written(tmp_path):
    objects = np.array([{}], dtype=object)
    with pytest.raises(ValueError, match="allow_pickle"):
        atomic.write_npy(tmp_path / "x.npy", objects)
    with pytest.raises(ValueError, match="allow_pickle"):
        atomic.write_npz(tmp_path / "x.npz", {"a": objects})
    assert os.listdir(tmp_path) == []


def test_sha256_is_that_of_the_bytes(tmp_path):
    (tmp_path / "x").write_bytes(b"archbuild")
    assert atomic.sha256(tmp_path / "x") == hashlib.sha256(b"archbuild").hexdigest()


def test_a_link_is_replaced_and_its_target_stays(tmp_path):
    target, link = tmp_path / "target.txt", tmp_path / "link.txt"
    target.write_text("mine")
    link.symlink_to(target)
    atomic.write_text(link, "words")
    assert not link.is_symlink()
    assert link.read_text() == "words"
    assert target.read_text() == "mine"


def test_of_a_link_that_the_user_named_the_target_is_written(tmp_path):
    target, link = tmp_path / "there" / "target.txt", tmp_path / "link.txt"
    target.parent.mkdir()
    link.symlink_to(target)
    atomic.write_text(named_by_user(link), "words")
    assert link.is_symlink()
    assert target.read_text() == "words"


def test_a_link_under_the_temporary_name_is_not_followed(tmp_path):
    target = tmp_path / "target.txt"
    target.write_text("mine")
    (tmp_path / f".tmp-{os.getpid()}-file.txt").symlink_to(target)
    atomic.write_text(tmp_path / "file.txt", "words")
    assert target.read_text() == "mine"


def test_what_is_no_file_is_not_replaced(tmp_path):
    for place in (tmp_path, os.devnull):
        with pytest.raises(RunError, match="is no file that could be replaced"):
            atomic.write_text(place, "words")
