"""A table with a run or two, and results that stand for those of a process."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from archbuild.cli.main import main as archbuild_main
from benchmarks.reproduce import own_data, running
from benchmarks.reproduce.command import main
from benchmarks.reproduce.declared import Table, read_tables
from benchmarks.reproduce.records import Record, Records

DECLARED = """
tiny:
  title: A tiny table
  dataset: DIGITS
  columns: [acc, draws, active]
  paper:
    - {method: Old, acc: [0.7, 0.02], best: 0.75, tag: paper}
    - {method: Lucky, acc: 0.99, tag: unverified, note: chosen by labels, comparable: false}
  peers:
    - {method: Peer, acc: 0.8, tag: third party}
  runs:
    - {label: first, arch: vade-digits, train: 2, set: ["head.start=k-means"], seeds: 3}
    - {label: second, arch: vade-digits, pretrain: spec, cluster: 1}
other:
  title: Another
  dataset: HALFMOON
  columns: [error]
  paper:
    - {method: Better, error: 0.01, tag: paper}
    - {method: Worse, error: 0.02, tag: paper}
  runs:
    - {label: third, arch: sdgm-halfmoon, train: spec}
"""

STUDIES = """
timed:
  title: Times
  note: Of two commands.
  parts:
    - {command: python benchmarks/one.py, note: Before., remark: After.}
    - {command: python benchmarks/two.py --fast, title: The second}
"""

MEASURED = """
- label: by hand
  dataset: DIGITS
  command: archbuild -d DIGITS --seed S
  note: A remark.
  stages:
    gmm: {epochs: [4, 5, 4], minutes: [1.0, 2.0, 3.0]}
  rows:
    "gmm, head": {acc: [0.7, 0.9, 0.5], nmi: [0.6, 0.8, 0.4]}
- label: of others
  dataset: DIGITS
  seeds: 3
  rows:
    DEC: {acc: {median: 0.6, lowest: 0.5, highest: 0.65}}
"""

Ran = list[tuple[str, int]]


def result(acc: float, **changes: Any) -> Record:
    """What a run of some seed comes to."""
    stage = {"epochs": 2, "seconds": 90.0, "length": {"epochs": 2}, "of_spec": {"epochs": 100}}
    found = {
        "methods": ["head"],
        "scores": {"acc": acc, "error": 1 - acc, "draws": 50, "active_1": 2, "active_2": 1},
        "stages": {"train": stage},
        "backend": "tensorflow 2.21.0, Keras 3.15.1",
        "machine": "2 cores",
        "version": "0.1.0",
        "date": "2026-01-01",
    }
    return {**found, **changes}


@pytest.fixture
def declared(tmp_path: Path) -> Path:
    """The file that declares the tables above."""
    path = tmp_path / "tables.yaml"
    path.write_text(DECLARED)
    return path


@pytest.fixture
def measured(declared: Path) -> Path:
    """The same, with figures of the first table from before, and a page of commands."""
    (declared.parent / "measured").mkdir()
    (declared.parent / "measured" / "tiny.yaml").write_text(MEASURED)
    declared.with_name("studies.yaml").write_text(STUDIES)
    return declared


@pytest.fixture
def tiny(declared: Path) -> Table:
    """The first of them."""
    return read_tables(declared)["tiny"]


@pytest.fixture
def records(tmp_path: Path) -> Records:
    """Where the seeds of a table are recorded."""
    return Records(tmp_path / "results" / "tiny.json")


@pytest.fixture
def ran() -> Ran:
    """The label and the seed of each run that ``reproduce`` has started."""
    return []


@pytest.fixture
def reproduce(tmp_path: Path, declared: Path, ran: Ran) -> Callable[..., int]:
    """Call the command in a folder of its own; its runs have an accuracy of .80, .81, ..."""

    def run(asked, seed, out):
        ran.append((asked.label, seed))
        return result(round(0.8 + seed / 100, 2))

    def run_part(part, out):
        ran.append((part.command, 0))
        where = {"backend": "tensorflow", "machine": "2 cores", "version": "0.1", "date": "2026"}
        return {"output": f"| {part.command} |", **where}

    def call(*arguments: str, run=run, run_part=run_part) -> int:
        folders = ["--out", str(tmp_path / "runs"), "--results", str(tmp_path / "results")]
        return main([*arguments, *folders], "what the help says", declared, run, run_part)

    return call


@pytest.fixture
def processes(monkeypatch, capsys) -> list[list[str]]:
    """The commands that were run, each in this process in place of one of its own."""
    ran = []

    def archbuild(arguments):
        ran.append(arguments)
        monkeypatch.setattr(sys, "argv", ["archbuild", *arguments])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            archbuild_main()
        assert ended.value.code == 0
        return capsys.readouterr().out

    monkeypatch.setattr(running, "archbuild", archbuild)
    monkeypatch.setattr(own_data, "archbuild", archbuild)
    return ran
