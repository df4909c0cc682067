"""A stage killed between any two file operations, resumed, ends as if nothing had happened."""

from __future__ import annotations

import os
import shutil
import signal
from functools import partial

import numpy as np
import pytest

from archbuild.io import atomic
from archbuild.runs import StageFolder
from tests.runs.kills import WRITING, Snapshots

EPOCHS = 3
REQUEST = {"epochs": EPOCHS, "seed": 0}

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="kills a forked process"),
    pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning"),
]


def train(path):
    """A stage in miniature: each epoch depends on all before it."""
    stage = StageFolder(path)
    stage.begin(REQUEST)
    if stage.status() == "finished":
        return
    state, history, first = np.arange(5.0), [], 0
    checkpoint = stage.load_checkpoint()
    if checkpoint:
        state, history, first = checkpoint.arrays["state"], checkpoint.history, checkpoint.epoch
    for epoch in range(first + 1, EPOCHS + 1):
        state = np.sin(state * 3 + epoch)
        history.append({"epoch": epoch, "loss": float(state.sum())})
        stage.save_checkpoint(epoch, {"state": state}, history)
    writers = {
        "model.npz": partial(atomic.save_npz, arrays={"state": state}),
        "latents.npy": partial(atomic.save_npy, array=state * 2),
    }
    stage.finish(writers, summary={"loss": history[-1]["loss"]}, history=history)


def restart(path):
    StageFolder(path).clear()
    train(path)


def counted(operation, tick):
    def wrapper(*arguments, **options):
        tick()
        return operation(*arguments, **options)

    return wrapper


def run_and_kill(task, path, at):
    """Fork, run ``task`` and kill it before its file operation number ``at``; None: only count."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        count = 0

        def tick():
            nonlocal count
            if count == at:
                os.kill(os.getpid(), signal.SIGKILL)
            count += 1

        for module, name in WRITING:
            setattr(module, name, counted(getattr(module, name), tick))
        try:
            task(path)
            os.write(writer, str(count).encode())
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as stream:
        answer = stream.read()
    _, status = os.waitpid(pid, 0)
    return int(answer) if answer else -os.WTERMSIG(status)


def files(path):
    """What must be identical: every byte but the manifest's, and its digest."""
    content = {file.name: file.read_bytes() for file in path.iterdir()}
    del content["manifest.json"]
    return content, StageFolder(path).digest


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    path = tmp_path_factory.mktemp("whole") / "pretrain"
    train(path)
    return path


def end_alike(copies, whole):
    """Check that each copy is sound, and that a stage that goes on from it ends as ``whole``."""
    for path in copies:
        if StageFolder(path).status() != "absent":
            StageFolder(path).verify()
        train(path)
        assert files(path) == files(whole), f"killed before operation {path.name}"


def test_killed_anywhere_and_resumed_it_ends_the_same(tmp_path, whole, monkeypatch):
    with monkeypatch.context() as patch:
        kills = Snapshots(patch, tmp_path / "train", tmp_path / "killed", WRITING)
        train(tmp_path / "train")
    assert len(kills.taken) > 4 * (EPOCHS + 1)
    end_alike(kills.taken, whole)


def test_a_copy_is_what_a_kill_leaves(tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        kills = Snapshots(patch, tmp_path / "train", tmp_path / "killed", WRITING)
        train(tmp_path / "train")
    assert run_and_kill(train, tmp_path / "count", at=None) == len(kills.taken)
    for at in range(0, len(kills.taken), 5):
        path = tmp_path / str(at)
        assert run_and_kill(train, path, at) == -signal.SIGKILL
        assert kinds(path) == kinds(kills.taken[at])


def kinds(path):
    """What is in a folder, by suffix and size; times make the size of JSON differ."""
    found = [each for each in path.rglob("*") if each.is_file()]
    return sorted((each.suffix, each.suffix != ".json" and each.stat().st_size) for each in found)


def test_killed_twice_it_still_ends_the_same(tmp_path, whole):
    for first, second in ((9, 3), (17, 5), (25, 8), (33, 2)):
        path = tmp_path / f"{first}-{second}"
        assert run_and_kill(train, path, first) == -signal.SIGKILL
        assert run_and_kill(train, path, second) == -signal.SIGKILL
        train(path)
        assert files(path) == files(whole)


def test_killed_while_starting_over_it_ends_the_same(tmp_path, whole, monkeypatch):
    path = shutil.copytree(whole, tmp_path / "restarted")
    with monkeypatch.context() as patch:
        kills = Snapshots(patch, path, tmp_path / "killed", WRITING)
        restart(path)
    assert len(kills.taken) > 4 * (EPOCHS + 1)
    end_alike(kills.taken, whole)
