from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.cli.calling import Archbuild
from tests.runs.making import make_run

STAGES = {"pretrain": "finished", "cluster-kld": "finished"}


@pytest.fixture
def answer(monkeypatch: pytest.MonkeyPatch):
    """Sit at a terminal and answer."""

    def sit(text: str) -> None:
        monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
        monkeypatch.setattr("builtins.input", lambda *_: text)
        monkeypatch.setattr("click.termui.visible_prompt_func", lambda *_: text)

    return sit


def test_what_goes_is_said_first_and_nothing_goes_in_a_dry_run(
    archbuild: Archbuild, elsewhere: Path
) -> None:
    run = make_run(Path(), stages=STAGES)
    status, out, err = archbuild("clean", "--all", "--dry-run")
    assert (status, err) == (0, "")
    first, total = out.splitlines()
    assert first.endswith(" kB  saved_params/DIGITS/tiny/0")
    assert total.endswith(" kB  in all")
    assert run.stages() == ("pretrain", "cluster-kld")


@pytest.mark.parametrize(
    ("arguments", "left"),
    [
        (["--stage", "cluster-kld"], ("pretrain",)),
        (["-d", "DIGITS", "-a", "tiny", "--seed", "0"], ()),
        (["saved_params/DIGITS/tiny/0"], ()),
        (["saved_params/DIGITS/tiny/0", "--stage", "pretrain"], ("cluster-kld",)),
        (["--all"], ()),
    ],
)
def test_ways_to_say_what_goes(
    archbuild: Archbuild, elsewhere: Path, arguments: list[str], left: tuple[str, ...]
) -> None:
    run = make_run(Path(), stages=STAGES)
    status, out, err = archbuild("clean", *arguments, "--yes")
    assert status == 0
    assert "saved_params/DIGITS/tiny/0" in out
    assert err.startswith("removed ")
    assert run.stages() == left
    assert run.path.exists() == bool(left)


def test_a_terminal_is_asked(archbuild: Archbuild, elsewhere: Path, answer) -> None:
    run = make_run(Path())
    answer("n")
    assert archbuild("clean", "--all").status == 130
    assert run.stages() == ("pretrain",)
    answer("y")
    assert archbuild("clean", "--all").status == 0
    assert not run.path.exists()


def test_nobody_is_asked_where_nobody_is(
    archbuild: Archbuild, elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make_run(Path())
    monkeypatch.setattr(sys.stdin, "isatty", lambda: False, raising=False)
    status, out, err = archbuild("clean", "--all")
    assert status == 2
    assert "saved_params/DIGITS/tiny/0" in out
    assert "nothing was removed" in err
    assert "--yes" in err
    assert run.stages() == ("pretrain",)


def test_a_run_that_is_in_use_stays_and_the_others_go(
    archbuild: Archbuild, elsewhere: Path
) -> None:
    used, other = make_run(Path()), make_run(Path(), seed=1)
    with used.lock():
        status, out, err = archbuild("clean", "--all", "--yes")
    assert status == 2
    assert "saved_params/DIGITS/tiny/0 stays: in use" in out
    assert "1 of 2 were not removed" in err
    assert used.stages() == ("pretrain",)
    assert not other.path.exists()


def test_a_run_behind_a_link_stays(archbuild: Archbuild, elsewhere: Path) -> None:
    run = make_run(Path("there"))
    Path("saved_params").symlink_to(Path("there/saved_params").absolute())
    status, out, _ = archbuild("clean", "--all", "--yes")
    assert status == 2
    assert "stays: behind a symbolic link" in out
    assert run.stages() == ("pretrain",)


def test_what_archbuild_did_not_make_is_named(archbuild: Archbuild, elsewhere: Path) -> None:
    run = make_run(Path())
    (run.path / "notes.txt").touch()
    status, _, err = archbuild("clean", "--all", "--yes")
    assert status == 0
    assert "kept, because archbuild did not make it: saved_params/DIGITS/tiny/0/notes.txt" in err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--yes"], "nothing to remove: give"),
        (["--all", "-d", "DIGITS"], "leave it out"),
        (["--all", "saved_params/DIGITS/tiny/0"], "leave it out"),
        (["-a", "tiny", "saved_params/DIGITS/tiny/0"], "named twice"),
        (["-d", "DIGTIS", "--yes"], "archbuild runs --out ."),
        (["--stage", "cluster-kdl", "--yes"], "archbuild runs --out ."),
        (["saved_params/DIGITS", "--yes"], "not the folder of a run"),
    ],
)
def test_what_cannot_be_meant(
    archbuild: Archbuild, elsewhere: Path, arguments: list[str], said: str
) -> None:
    run = make_run(Path())
    status, out, err = archbuild("clean", *arguments)
    assert (status, out) == (2, "")
    assert said in err
    assert run.stages() == ("pretrain",)


def test_nothing_at_all_is_no_mistake(archbuild: Archbuild, elsewhere: Path) -> None:
    assert archbuild("clean", "--all", "--yes") == (0, "", "nothing to remove in saved_params\n")
