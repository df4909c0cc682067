"""Training by two processes on this machine: the numbers of one, and what happens to a survivor."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.cli.calling import ROOT, Archbuild

SPEC = {
    "spec_version": 1,
    "name": "tiny",
    "batch_size": 300,  # five batches, and one of 297 rows that two processes cannot share
    "layers": [
        {"type": "Input", "output_shape": [1, 8, 8]},
        {"type": "Dense", "num_units": 16},
        {"type": "BatchNorm"},
        {"type": "Gaussian", "num_units": 4},
    ],
    "head": {"type": "gmm", "n_clusters": 10, "start": "k-means"},
    # Adam would make much of the rounding in gradients that are 0, as before a normalisation
    "pretrain": {"optimizer": "sgd", "learning_rate": 0.01},
    "cluster": {"optimizer": "sgd", "learning_rate": 0.001},
}
EPOCHS = ("--pretrain", "1", "--cluster", "2")
MANY = ("--pretrain", "4000")
"""More epochs than a process lives."""


class Command:
    """A process of a training on JAX, and what it has said so far in a file."""

    def __init__(self, folder: Path, *arguments: str, said: str = "alone", **more: str) -> None:
        words = ["-d", "DIGITS", "-a", "tiny.json", "--backend", "jax", *arguments]
        self.said = folder / said
        with self.said.open("w") as file:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "archbuild", *words],
                cwd=folder,
                env=os.environ | compiled_once(folder.parent) | more,
                stdout=subprocess.PIPE,
                stderr=file,
                text=True,
            )

    def end(self, within: float) -> tuple[int, str, str]:
        """Wait for the end; return the status and what was written."""
        out, _ = self.process.communicate(timeout=within)
        return self.process.returncode, out, self.said.read_text()

    def wait_for(self, text: str, within: float) -> None:
        """Wait until the process has said it."""
        until = time.monotonic() + within
        while text not in self.said.read_text():
            assert time.monotonic() < until, self.said.read_text()
            assert self.process.poll() is None, self.said.read_text()
            time.sleep(0.05)


def compiled_once(folder: Path) -> dict[str, str]:
    """The variables by which a process finds what another one has compiled: most of the time."""
    return {
        "JAX_COMPILATION_CACHE_DIR": str(folder / "compiled"),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
    }


def folder_with_spec(parent: Path, name: str) -> Path:
    folder = parent / name
    folder.mkdir()
    (folder / "tiny.json").write_text(json.dumps(SPEC))
    return folder


def two(folder: Path, *arguments: str) -> list[Command]:
    """Start both processes of a training."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    named = ("--coordinator", f"127.0.0.1:{port}", "--num-processes", "2", "--process-id")
    return [Command(folder, *arguments, *named, str(i), said=f"process-{i}") for i in (0, 1)]


def losses(folder: Path) -> dict[str, list[dict[str, Any]]]:
    """The lines of the history of every stage."""
    found = folder.glob("saved_params/DIGITS/tiny/0/*/history.jsonl")
    return {
        path.parent.name: [json.loads(line) for line in path.read_text().splitlines()]
        for path in found
    }


@pytest.mark.distributed
def test_two_processes_and_two_devices_train_as_one(tmp_path: Path) -> None:
    alone, devices, together = (folder_with_spec(tmp_path, name) for name in ("a", "b", "c"))
    one = Command(alone, *EPOCHS)
    spread = Command(devices, *EPOCHS, "--devices", "2", JAX_NUM_CPU_DEVICES="2")
    assert (one.end(280)[0], spread.end(280)[0]) == (0, 0)
    first, second = (each.end(280) for each in two(together, *EPOCHS, "--json"))
    assert (first[0], second[0]) == (0, 0), first[2] + second[2]
    assert set(json.loads(first[1])["stages"]) == {"pretrain", "cluster-gmm"}
    assert second[1:] == ("", "")
    for folder in (devices, together):
        assert_same_training(folder, alone)


def assert_same_training(folder: Path, alone: Path) -> None:
    ours, theirs = losses(folder), losses(alone)
    assert {name: len(rows) for name, rows in ours.items()} == {"pretrain": 1, "cluster-gmm": 2}
    for stage, rows in ours.items():
        for row, expected in zip(rows, theirs[stage], strict=True):
            assert row.keys() == expected.keys()
            for name, value in row.items():
                exact = 1e-3 if name.endswith("_separation") else 1e-5  # a ratio of small numbers
                assert value == pytest.approx(expected[name], rel=exact, abs=1e-6), name
    labels = "saved_params/DIGITS/tiny/0/cluster-gmm/labels.npy"
    np.testing.assert_array_equal(np.load(folder / labels), np.load(alone / labels))


@pytest.mark.distributed
def test_the_two_terminals_of_the_page_train(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "howto" / "devices.md").read_text()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    lines = re.findall(r"^JAX_PLATFORMS=cpu archbuild .*$", page, re.MULTILINE)
    assert len(lines) == 2
    shorter = [
        re.sub(r"--(pretrain|cluster) \d+", r"--\1 1", line.replace("12345", str(port)))
        for line in lines
    ]
    started = []
    for number, line in enumerate(shorter):
        (tmp_path / str(number)).mkdir()
        words = [*line.replace("archbuild", f"exec {sys.executable} -m archbuild", 1).split()]
        started.append(
            subprocess.Popen(
                " ".join(words),
                shell=True,
                cwd=tmp_path / str(number),
                env=os.environ | compiled_once(tmp_path),
                stderr=-1,
            )
        )
    said = [process.communicate(timeout=280)[1].decode() for process in started]
    assert [process.returncode for process in started] == [0, 0], said
    assert (tmp_path / "0" / "saved_params").is_dir()
    assert not (tmp_path / "1" / "saved_params").exists()


@pytest.mark.distributed
def test_a_survivor_says_what_happened_and_the_same_commands_resume(tmp_path: Path) -> None:
    folder = folder_with_spec(tmp_path, "run")
    processes = two(folder, *MANY)
    processes[0].wait_for("pretrain 2/4000", 120)
    assert_survivor_ends(processes, killed=1)
    processes = two(folder, *MANY)
    processes[0].wait_for("resumed after epoch", 120)
    assert_survivor_ends(processes, killed=0)


def assert_survivor_ends(processes: list[Command], killed: int) -> None:
    processes[killed].process.send_signal(signal.SIGKILL)
    status, _, said = processes[1 - killed].end(60)
    assert status == 1
    assert "another process of this training has ended, or cannot be reached" in said
    assert "start the same commands again" in said
    assert "Traceback" not in said
    processes[killed].end(60)


def test_options_that_do_not_go_together_are_refused(
    archbuild: Archbuild, tiny: Path, elsewhere: Path
) -> None:
    which = ("-d", "DIGITS", "-a", tiny, "--pretrain", 1)
    for words, said in {
        ("--devices", 2, "--coordinator", "a:1"): "--devices counts devices of one host",
        ("--num-processes", 2): "belong together",
        ("--coordinator", "a:1", "--num-processes", 2, "--process-id", 2): "the last 1",
        ("--devices", 2): "need --backend jax",
    }.items():
        ended = archbuild(*which, *words)
        assert (ended.status, said in ended.err) == (2, True), ended.err
    ended = archbuild("-d", "DIGITS", "-a", tiny, "--metrics", "--devices", 2)
    assert (ended.status, "only training is spread" in ended.err) == (2, True)
