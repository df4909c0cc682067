"""Pages of commands that print a table of their own."""

from __future__ import annotations

import sys
from subprocess import CalledProcessError

import pytest

from archbuild.errors import UsageError
from benchmarks.reproduce import studies
from benchmarks.reproduce.command import RESULTS
from benchmarks.reproduce.declared import TABLES
from benchmarks.reproduce.studies import Outputs, Part, execute_part, read_studies
from tests.benchmarks.conftest import STUDIES

COMMANDS = ["python benchmarks/one.py", "python benchmarks/two.py --fast"]


def test_the_commands_are_run_recorded_and_written_once(reproduce, measured, ran, tmp_path):
    assert reproduce("timed") == 0
    assert reproduce("timed") == 0
    assert [command for command, _ in ran] == COMMANDS
    text = (tmp_path / "results" / "timed.md").read_text()
    assert text.startswith("# Times\n\nMade by `python benchmarks/reproduce timed`")
    parts = ["`python benchmarks/one.py`", "Before.", "| python benchmarks/one.py |", "After."]
    assert "\n\n".join(parts) in text
    assert "## The second\n\n`python benchmarks/two.py --fast`" in text
    assert "*tensorflow; 2 cores; archbuild 0.1; 2026*" in text
    listed = (tmp_path / "results" / "README.md").read_text()
    assert "| [timed](timed.md) | Times | 2 of 2 |" in listed


def test_a_command_that_was_not_run_says_so(reproduce, measured, ran, tmp_path):
    assert reproduce("timed", "--table-only") == 0
    assert not ran
    text = (tmp_path / "results" / "timed.md").read_text()
    assert "Before.\n\nnot run\n\nAfter." in text
    assert "0 of 2" in (tmp_path / "results" / "README.md").read_text()


def test_a_failed_command_is_named_and_the_next_is_run(reproduce, measured, tmp_path, capsys):
    def run_part(part, out):
        if "one" in part.command:
            raise CalledProcessError(1, part.command)
        return {"output": "done", "date": "2026"}

    assert reproduce("timed", run_part=run_part) == 1
    assert "failed: timed, python benchmarks/one.py: ended with 1" in capsys.readouterr().err
    assert "1 of 2" in (tmp_path / "results" / "README.md").read_text()


def test_all_means_pages_too_unless_something_is_chosen(reproduce, measured, ran):
    reproduce("all", "--only", "second")
    assert ran == [("second", 0)]
    reproduce("all", "--seeds", "1")
    reproduce("all", "--seeds", "1")
    assert not {command for command, _ in ran} & set(COMMANDS)
    reproduce("all")
    assert {command for command, _ in ran} >= set(COMMANDS)


@pytest.mark.parametrize("choice", [("--seeds", "1"), ("--only", "a"), ("--set", "a=1")])
def test_a_page_takes_no_choice_of_seeds_or_settings(reproduce, measured, ran, capsys, choice):
    assert reproduce("timed", *choice) == 2
    assert "timed is a page of commands" in capsys.readouterr().err
    assert not ran


def test_a_command_runs_below_out_with_the_data_of_here(tmp_path, monkeypatch):
    script = tmp_path / "repository" / "benchmarks" / "say.py"
    script.parent.mkdir(parents=True)
    script.write_text(
        "import os, sys\nprint(sys.argv[1:], os.getcwd(), os.environ['ARCHBUILD_DATA'])\n"
    )
    monkeypatch.setattr(studies, "ROOT", tmp_path / "repository")
    monkeypatch.setenv("ARCHBUILD_DATA", "data")
    monkeypatch.chdir(tmp_path)
    words = "--set 'a={b: 1}'"
    found, other = (
        execute_part(Part(f"python benchmarks/say.py {each}"), tmp_path / "runs")
        for each in (words, "")
    )
    said, where, data = found["output"].rsplit(" ", 2)
    assert said == "['--set', 'a={b: 1}']"
    assert where.startswith(str(tmp_path / "runs"))
    assert data == str(tmp_path / "data")
    assert other["output"].split(" ")[1] != where
    assert found["backend"].startswith("tensorflow ")
    assert found["machine"].endswith(f"Python {sys.version.split()[0]}")


def test_a_command_that_fails_is_an_error(tmp_path, monkeypatch):
    script = tmp_path / "benchmarks" / "fail.py"
    script.parent.mkdir()
    script.write_text("raise SystemExit(3)\n")
    monkeypatch.setattr(studies, "ROOT", tmp_path)
    with pytest.raises(CalledProcessError):
        execute_part(Part("python benchmarks/fail.py"), tmp_path / "runs")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("remark: After.", "remrak: After.", "parts of timed: 'remrak' is unknown"),
        ("command: python benchmarks/one.py, ", "", "parts of timed: 'command' is missing"),
        ("title: Times", "titel: Times", "study timed: 'titel' is unknown, 'title' is missing"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(tmp_path, old, new, said):
    assert old in STUDIES
    (tmp_path / "studies.yaml").write_text(STUDIES.replace(old, new))
    with pytest.raises(UsageError, match=said):
        read_studies(tmp_path / "studies.yaml")


def test_what_is_recorded_in_the_repository_is_declared_and_its_scripts_are_there():
    for name, study in read_studies(TABLES.with_name("studies.yaml")).items():
        commands = [part.command for part in study.parts]
        assert len(set(commands)) == len(commands)
        assert set(Outputs(RESULTS / f"{name}.json").all) <= set(commands)
        for command in commands:
            python, script, *_ = command.split()
            assert python == "python"
            assert (studies.ROOT / script).exists()
