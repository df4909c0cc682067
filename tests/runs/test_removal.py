from __future__ import annotations

from pathlib import Path

import pytest

from archbuild.errors import RunError, RunInUseError
from archbuild.runs.catalogue import plots_of
from archbuild.runs.removal import removals
from tests.runs.making import make_run

STAGES = {"pretrain": "finished", "cluster-kld": "finished", "cluster-gmm": "begun"}


def names(found) -> list[str]:
    """Which runs are meant."""
    return [f"{removal.run.path.parent.parent.name}/{removal.run.path.name}" for removal in found]


def test_runs_are_meant_by_what_their_folders_say(tmp_path):
    for dataset, seed in (("A", 0), ("A", 1), ("B", 1)):
        make_run(tmp_path, dataset, seed=seed)
    assert len(removals(tmp_path)) == 3
    assert sorted(names(removals(tmp_path, dataset="A"))) == ["A/0", "A/1"]
    assert sorted(names(removals(tmp_path, seed=1))) == ["A/1", "B/1"]
    assert names(removals(tmp_path, dataset="B", arch="tiny", seed=1)) == ["B/1"]
    assert removals(tmp_path, arch="none") == []
    assert removals(tmp_path, stages=["cluster-kld"]) == []


def test_a_run_is_meant_by_its_path(tmp_path, monkeypatch):
    run = make_run(tmp_path)
    monkeypatch.chdir(run.path.parent)
    (removal,) = removals(Path("anywhere"), paths=[Path("0")])
    assert removal.run.path == run.path
    assert removal.reachable
    with pytest.raises(RunError, match="not the folder of a run"):
        removals(tmp_path, paths=[run.path.parent])


def test_a_run_goes_with_its_pictures_and_leaves_no_empty_folders(tmp_path):
    run, other = make_run(tmp_path, stages=STAGES), make_run(tmp_path, "OTHER")
    plots_of(run).mkdir(parents=True)
    for name in ("scatter.png", "report.html"):
        (plots_of(run) / name).write_bytes(b"x" * 100)
    (removal,) = removals(tmp_path, dataset="DIGITS")
    assert removal.size == sum(
        path.stat().st_size
        for folder in (run.path, plots_of(run))
        for path in folder.rglob("*")
        if path.is_file()
    )
    assert removal.carry_out() == []
    assert [path.name for path in (tmp_path / "saved_params").iterdir()] == ["OTHER"]
    assert list((tmp_path / "plots").iterdir()) == []
    assert other.stages() == ("pretrain",)


def test_a_stage_goes_alone(tmp_path):
    run = make_run(tmp_path, stages=STAGES)
    (removal,) = removals(tmp_path, stages=["cluster-kld", "cluster-gmm"])
    assert {path.parent.name for path in removal.files} == {"cluster-kld"}
    assert removal.carry_out() == []
    assert run.stages() == ("pretrain",)
    assert {path.name for path in run.path.iterdir() if path.is_dir()} == {"pretrain"}
    assert run.spec_path.exists()


def test_what_others_made_is_left_alone_and_named(tmp_path):
    run = make_run(tmp_path)
    plots_of(run).mkdir(parents=True)
    mine = [run.path / "notes.txt", run.path / "mine" / "a.npy", plots_of(run) / "thesis.svg"]
    for path in mine:
        path.parent.mkdir(exist_ok=True)
        path.touch()
    (removal,) = removals(tmp_path)
    assert not set(mine) & set(removal.files)
    assert sorted(removal.carry_out()) == sorted(mine)
    assert all(path.exists() for path in mine)
    assert run.stages() == ()


def test_no_link_is_followed(tmp_path):
    run = make_run(tmp_path)
    away = tmp_path / "away"
    away.mkdir()
    for name in ("precious.npy", "precious.png"):
        (away / name).touch()
    (run.path / "cluster-kld").symlink_to(away)  # in place of a stage
    (run.stage("pretrain").path / "extra").symlink_to(away)  # inside of one
    plots_of(run).parent.mkdir(parents=True)
    plots_of(run).symlink_to(away)
    (removal,) = removals(tmp_path)
    removal.carry_out()
    assert {path.name for path in away.iterdir()} == {"precious.npy", "precious.png"}
    assert [path.name for path in run.stage("pretrain").path.iterdir()] == ["extra"]


@pytest.mark.parametrize("linked", ["saved_params", "saved_params/DIGITS"])
def test_a_run_behind_a_link_is_out_of_reach(tmp_path, linked):
    make_run(tmp_path / "there")
    link = tmp_path / "here" / linked
    link.parent.mkdir(parents=True)
    link.symlink_to(tmp_path / "there" / linked)
    (removal,) = removals(tmp_path / "here")
    assert not removal.reachable
    (direct,) = removals(tmp_path / "there")
    assert direct.reachable


def test_a_run_that_is_in_use_stays_whole(tmp_path):
    run = make_run(tmp_path, stages=STAGES)
    (removal,) = removals(tmp_path)
    with run.lock(), pytest.raises(RunInUseError):
        removal.carry_out()
    run.stage("pretrain").verify()
    removal.carry_out()
    assert not run.path.exists()
