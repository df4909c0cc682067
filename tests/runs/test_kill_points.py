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

        for name in ("replace", "fsync", "unlink", "mkdir", "rmdir"):
            setattr(os, name, counted(getattr(os, name), tick))
        np.lib.format.write_array = counted(np.lib.format.write_array, tick)
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


def test_killed_anywhere_and_resumed_it_ends_the_same(tmp_path, whole):
    operations = run_and_kill(train, tmp_path / "count", at=None)
    assert operations > 4 * (EPOCHS + 1)
    for at in range(operations):
        path = tmp_path / str(at)
        assert run_and_kill(train, path, at) == -signal.SIGKILL
        if StageFolder(path).status() != "absent":
            StageFolder(path).verify()
        train(path)
        assert files(path) == files(whole), f"killed before operation {at}"


def test_killed_twice_it_still_ends_the_same(tmp_path, whole):
    for first, second in ((9, 3), (17, 5), (25, 8), (33, 2)):
        path = tmp_path / f"{first}-{second}"
        assert run_and_kill(train, path, first) == -signal.SIGKILL
        assert run_and_kill(train, path, second) == -signal.SIGKILL
        train(path)
        assert files(path) == files(whole)


def test_killed_while_starting_over_it_ends_the_same(tmp_path, whole):
    source = tmp_path / "source"
    shutil.copytree(whole, source)
    operations = run_and_kill(restart, source, at=None)
    for at in range(operations):
        path = tmp_path / str(at)
        shutil.copytree(whole, path)
        assert run_and_kill(restart, path, at) == -signal.SIGKILL
        if StageFolder(path).status() != "absent":
            StageFolder(path).verify()
        train(path)
        assert files(path) == files(whole), f"killed before operation {at}"
