"""The command line of ``benchmarks/reproduce``."""

from __future__ import annotations

import json
import runpy
import shutil
import sys
from subprocess import CalledProcessError

import pytest

from benchmarks.attack.page import write_page
from benchmarks.peers.command import main as peers_main
from benchmarks.reproduce import command
from benchmarks.reproduce.records import Records
from tests.benchmarks.conftest import result
from tests.cli.calling import ROOT


def test_a_table_is_run_recorded_and_written(reproduce, ran, tmp_path):
    assert reproduce("tiny") == 0
    assert ran == [("first", 0), ("first", 1), ("first", 2), ("second", 0)]
    recorded = json.loads((tmp_path / "results" / "tiny.json").read_text())["seeds"]
    assert [record["scores"]["acc"] for record in recorded] == [0.8, 0.81, 0.82, 0.8]
    assert "0.810 ± 0.010" in (tmp_path / "results" / "tiny.md").read_text()
    assert "4 of 4" in (tmp_path / "results" / "README.md").read_text()


def test_a_recorded_seed_is_not_run_again(reproduce, ran):
    reproduce("tiny", "--seeds", "2", "--only", "first")
    reproduce("tiny", "--only", "first")
    assert ran == [("first", 0), ("first", 1), ("first", 2)]


def test_what_has_ended_is_recorded_when_the_next_is_interrupted(reproduce, tmp_path):
    def run(asked, seed, out):
        if seed == 1:
            raise KeyboardInterrupt
        return result(0.8)

    assert reproduce("tiny", run=run) == 130
    assert len(Records(tmp_path / "results" / "tiny.json").all) == 1
    assert "1 of 3" in (tmp_path / "results" / "tiny.md").read_text()


def test_a_failed_seed_is_named_and_the_others_run(reproduce, ran, capsys):
    def run(asked, seed, out):
        if seed == 1:
            raise CalledProcessError(1, "archbuild")
        return result(0.8)

    assert reproduce("tiny", "--only", "first", run=run) == 1
    assert "tiny, first, seed 1: the process ended with status 1" in capsys.readouterr().err
    reproduce("tiny", "--only", "first")
    assert ran == [("first", 1)]


def test_changed_settings_are_run_beside_the_declared_ones(reproduce, ran, tmp_path):
    for changes in ((), ("--set", "train.epochs=1")):
        reproduce("tiny", "--only", "first", "--seeds", "1", *changes)
    assert ran == [("first", 0)] * 2
    assert "first (train.epochs=1)" in (tmp_path / "results" / "tiny.md").read_text()


def test_all_tables_can_be_written_without_a_run(reproduce, ran, tmp_path):
    assert reproduce("all", "--table-only") == 0
    assert not ran
    written = {path.name for path in (tmp_path / "results").iterdir()}
    assert written == {"tiny.md", "other.md", "README.md"}


def test_an_unknown_label_is_refused_with_the_known(reproduce, ran, capsys):
    assert reproduce("tiny", "--only", "frist") == 2
    assert "there is no run 'frist'; expected one of: first; second" in capsys.readouterr().err
    assert not ran


def test_the_folder_is_a_command(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["reproduce", "--help"])
    monkeypatch.setattr(sys, "path", [*sys.path])
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(ROOT / "benchmarks" / "reproduce"), run_name="__main__")
    assert ended.value.code == 0
    assert "--table-only" in capsys.readouterr().out


def test_the_pages_of_the_repository_are_what_is_declared_and_recorded(tmp_path):
    """After a change: ``python benchmarks/reproduce all --table-only``, or ``peers``."""
    shutil.copytree(command.RESULTS, tmp_path, dirs_exist_ok=True)
    for path in tmp_path.glob("*.md"):
        path.write_text("")
    for main in (command.main, peers_main):
        chosen = ["all"] if main is command.main else []
        assert main([*chosen, "--table-only", "--results", str(tmp_path)], "") == 0
    write_page(tmp_path)
    written, kept = (
        {path.name: path.read_text() for path in folder.glob("*.md")}
        for folder in (tmp_path, command.RESULTS)
    )
    assert written == kept
