"""Hostile inputs in child processes: how each ends, what is kept, and that archbuild stands it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.attack.attacks import ATTACKS, Broken, attack_of
from benchmarks.attack.command import main
from benchmarks.attack.outcomes import Limits, Outcome
from benchmarks.attack.running import Children, run_files, run_series
from benchmarks.attack.screen import refuse_unprintable
from tests.benchmarks.ends import ENDS, Ends, OtherEnds
from tests.benchmarks.prepared import ArrowHere, PreparedFolders

CORPUS = Path(__file__).resolve().parents[1] / "corpus"
SHORT = {
    "spec": 50,
    "command_line": 20,
    "mat": 100,
    "numpy": 100,
    "text": 100,
    "tfrecord": 100,
    "excel": 30,
    "images": 30,
    "sets": 30,
    "arrow": 2,  # Arrow, HDF5 and zarr are read in a process of their own
    "hdf5": 1,
    "zarr": 1,
}
"""Inputs of each attack in these tests; the long form is run by hand."""
REPLAYED = {"run_folder/*": PreparedFolders.name, "arrow/offsets-*": ArrowHere.name}
"""Which attack replays what of the corpus, in the place of the slower one of the folder."""


@pytest.fixture(scope="module")
def children():
    """Child processes for all inputs of archbuild."""
    with Children(Limits(patience=24)) as shared:  # the machine runs other tests as well
        yield shared


def test_every_kind_of_end_is_told_apart_and_the_next_input_runs(tmp_path):
    files = []
    for number, end in enumerate((*ENDS, "well")):
        files.append(tmp_path / f"{number}.txt")
        files[-1].write_text(end)
    limits = Limits(seconds=0.5, memory=60_000_000)
    results = list(run_files(Ends.name, files, limits))
    assert [result.index for result in results] == list(range(len(files)))
    assert dict(zip((*ENDS, "last"), [result.outcome for result in results], strict=True)) == {
        "well": Outcome.SUCCESS,
        "refused": Outcome.REFUSED,
        "defect": Outcome.DEFECT,
        "killed": Outcome.SIGNAL,
        "left": Outcome.SIGNAL,
        "busy": Outcome.SLOW,
        "silent": Outcome.SLOW,
        "large": Outcome.LARGE,
        "hidden": Outcome.LARGE,
        "last": Outcome.SUCCESS,
    }
    details = {end: result.detail for end, result in zip(ENDS, results, strict=False)}
    assert details["killed"] == "SIGSEGV"
    assert details["left"] == "exit status 7"
    assert "ValueError (ends.py:" in details["defect"]


def test_a_series_is_the_same_each_time_and_from_any_place():
    whole = list(run_series(Ends.name, 3, 0, 20))
    assert {result.outcome for result in whole} == {Outcome.SUCCESS, Outcome.REFUSED}
    rest = list(run_series(Ends.name, 3, 12, 8))
    assert [result.outcome for result in rest] == [result.outcome for result in whole[12:]]


def test_children_go_on_with_other_attacks_and_after_a_death(tmp_path):
    files = [tmp_path / name for name in ("killed.txt", "well.txt")]
    for path in files:
        path.write_text(path.stem)
    with Children() as children:
        told = [result.outcome for result in children.files(Ends.name, files)]
        assert told == [Outcome.SIGNAL, Outcome.SUCCESS]
        results = children.series(OtherEnds.name, 3, 0, 20)
        assert next(results).outcome.is_right
        results.close()  # what the child says of the others belongs to no later order
        told = [result.outcome for result in children.files(Ends.name, files[1:])]
        assert told == [Outcome.SUCCESS]


def test_failures_are_kept_named_and_counted(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(ATTACKS, "spec", Ends.name)
    indexed: list[Path] = []  # the index of all pages has its own tests, and reads all specs
    monkeypatch.setattr("benchmarks.attack.command.write_index", indexed.append)
    folders = ["--failures", str(tmp_path / "kept"), "--results", str(tmp_path)]
    assert main(["spec", "--inputs", "3", *folders], "help") == 0
    monkeypatch.setattr("benchmarks.attack.command.run_series", _one_defect)
    assert main(["spec", "--inputs", "3", *folders], "help") == 1
    assert indexed == [tmp_path, tmp_path]
    (kept,) = (tmp_path / "kept" / "spec").iterdir()
    printed = capsys.readouterr()
    assert "| defect | 1 |" in printed.out
    assert f"--seed 0 --first 1, kept as {kept}" in printed.err
    (record,) = json.loads((tmp_path / "attack.json").read_text())["series"]
    assert record["counts"] | {"success": 2, "defect": 1} == record["counts"]
    assert record["inputs"] == 3
    assert record["machine"]


def _one_defect(attack, seed, first, count):
    from benchmarks.attack.outcomes import Result

    ends = (Outcome.SUCCESS, Outcome.DEFECT, Outcome.SUCCESS)
    return (Result(index, outcome) for index, outcome in enumerate(ends))


@pytest.mark.parametrize("name", ATTACKS)
def test_inputs_are_made_anew_from_their_numbers(name):
    one, other = attack_of(name), attack_of(name)
    cases = [one.case(5, index) for index in range(20)]
    assert cases == [other.case(5, index) for index in range(20)]
    assert len(set(cases)) > 10


@pytest.mark.parametrize("name", SHORT)
def test_archbuild_stands_a_short_attack(children, name):
    results = children.series(name, 1, 0, SHORT[name])
    assert [result for result in results if not result.outcome.is_right] == []


@pytest.mark.parametrize("name", sorted(path.name for path in CORPUS.iterdir()))
def test_archbuild_stands_whatever_it_once_did_not(children, name):
    attacks = {path: _replaying(path) for path in sorted((CORPUS / name).iterdir())}
    for attack in sorted(set(attacks.values())):
        files = [path for path in attacks if attacks[path] == attack]
        results = list(children.files(attack, files))
        assert [files[result.index] for result in results if not result.outcome.is_right] == []
        assert len(results) == len(files)


def _replaying(path):
    found = (attack for pattern, attack in REPLAYED.items() if path.match(pattern))
    return next(found, path.parent.name)


@pytest.mark.parametrize("text", ["a\x1b[31m", "a\rb", "\u202e", "tab\t", "x" * 300_001])
def test_what_a_terminal_obeys_may_not_be_printed(text):
    with pytest.raises(Broken):
        refuse_unprintable(text)
    refuse_unprintable("one line\nand another é")
