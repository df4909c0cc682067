from __future__ import annotations

import errno

import click
import pytest

from archbuild.cli.ending import report
from archbuild.cli.run import StoppedError
from archbuild.errors import DivergenceError, Problem, RunError, SpecError, UsageError
from tests.cli.calling import Archbuild

PROBLEM = Problem("no good", ("layers", 1), source="a.yaml", line=3, column=5)


def raised(error: BaseException) -> BaseException:
    """The error with a traceback."""
    try:
        raise error
    except BaseException as caught:
        return caught


@pytest.mark.parametrize(
    ("error", "status", "message"),
    [
        (UsageError("say more"), 2, "archbuild: say more\n"),
        (
            SpecError([PROBLEM, PROBLEM]),
            2,
            "a.yaml:3:5: layers[1]: no good\n" * 2 + "archbuild: 2 problems found\n",
        ),
        (StoppedError("stopped; go on"), 130, "archbuild: stopped; go on\n"),
        (KeyboardInterrupt(), 130, "archbuild: stopped\n"),
        (click.Abort(), 130, "archbuild: stopped\n"),
        (
            OSError(errno.ENOSPC, "No space left on device", "x.png"),
            1,
            "archbuild: No space left on device: x.png\n",
        ),
        (
            MemoryError(),
            1,
            "archbuild: out of memory; try a smaller batch_size, or fewer rows\n",
        ),
    ],
)
def test_message_and_status(
    error: BaseException, status: int, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert report(raised(error)) == status
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", message)


def test_a_failed_run_is_not_the_users_mistake(capsys: pytest.CaptureFixture[str]) -> None:
    assert report(DivergenceError("loss", "pretrain", 3, 1, "Try less.")) == 1
    assert "'pretrain', epoch 3" in capsys.readouterr().err


def test_click_has_its_own_words(capsys: pytest.CaptureFixture[str]) -> None:
    assert report(click.BadParameter("not so", param_hint="--seed")) == 2
    assert "Invalid value for --seed: not so" in capsys.readouterr().err


def test_the_unforeseen_is_short_and_says_where(capsys: pytest.CaptureFixture[str]) -> None:
    error = raised(ValueError("many\nlines " + "x" * 5000))
    error.add_note("the traceback is in the log: some.log")
    assert report(error) == 1
    first, second = capsys.readouterr().err.splitlines()
    assert "ValueError: many lines xxx" in first
    assert "(test_ending.py:" in first
    assert len(first) < 600
    assert second == "    the traceback is in the log: some.log"


def test_a_name_in_an_error_is_shown_and_not_obeyed(capsys: pytest.CaptureFixture[str]) -> None:
    name = "a\x1b[2J\rb\narchbuild: all is well\u202e"
    for error in (
        RunError(f"no folder {name}"),
        click.UsageError(f"no {name}"),
        OSError(2, "no", name),
    ):
        report(error)
        shown = capsys.readouterr().err
        assert all(line.isprintable() for line in shown.split("\n"))
    report(RunError(f"no folder {name}"))
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_choices_that_click_lists_are_indented_by_blanks(archbuild: Archbuild) -> None:
    err = archbuild("export", "--format", "keras").err
    assert "\\t" not in err
    assert "\n    encoder" in err


@pytest.mark.parametrize("option", ["--seed", "--head"])
def test_long_values_are_shortened(option: str, archbuild: Archbuild) -> None:
    err = archbuild("predict", "-d", "DIGITS", "-a", "0", option, "a" * 50_000).err
    assert "[... " in err
    assert len(err) < 5_000
