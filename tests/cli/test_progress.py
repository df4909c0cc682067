from __future__ import annotations

import io
import json
import logging
import re
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from archbuild.cli.progress import Progress, reporting
from archbuild.errors import UsageError
from archbuild.training.progress import EpochDone, StageEnded, StageStarted, StepDone

ROW: Mapping[str, Any] = {
    "epoch": 1,
    "loss": 0.5,
    "other": 3.0,
    "learning_rate": 0.1,
    "occupied": 4,
}


class Terminal(io.StringIO):
    """A stderr that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def one_epoch(progress: Progress) -> None:
    """A stage of two epochs, as far as the first."""
    progress(StageStarted("pretrain", 0, 2, 3))
    for _ in range(3):
        progress(StepDone("pretrain"))
    progress(EpochDone("pretrain", 2, ROW))


def shown_on(
    stderr: io.StringIO, monkeypatch: pytest.MonkeyPatch, quiet: bool = False, events: bool = False
) -> str:
    """What a stage shows there."""
    monkeypatch.setattr(sys, "stderr", stderr)
    with reporting(quiet, events) as progress:
        one_epoch(progress)
        logging.getLogger("archbuild.data.any").warning("%d images are broken", 3)
        progress(StageEnded("pretrain", "done"))
    return stderr.getvalue()


def test_a_file_gets_one_line_for_each_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    text = re.sub(r"\x1b\[[\d;]*m", "", shown_on(io.StringIO(), monkeypatch))
    assert text.splitlines() == [
        "pretrain: 2 epochs of 3 steps",
        "pretrain 1/2  loss 0.5  occupied 4",
        "warning: 3 images are broken",
        "pretrain: done",
    ]


def test_a_terminal_gets_a_bar_that_goes_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    text = shown_on(Terminal(), monkeypatch)
    assert "━" in text
    assert "\x1b[38;" in text
    assert text.rstrip().endswith("pretrain: done")
    assert "\x1b[2K" in text  # the bar's line is wiped


def test_no_color_is_respected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("NO_COLOR", "1")
    text = shown_on(Terminal(), monkeypatch)
    assert "━" in text
    assert not re.search(r"\x1b\[[34]\d", text)


def test_a_terminal_that_cannot_wipe_gets_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    text = shown_on(Terminal(), monkeypatch)
    assert "━" not in text
    assert "pretrain 1/2  loss 0.5  occupied 4\n" in text


@pytest.mark.parametrize("events", [False, True], ids=["people", "programs"])
@pytest.mark.parametrize("terminal", [io.StringIO, Terminal], ids=["file", "terminal"])
def test_quiet_shows_nothing(
    terminal: type[io.StringIO], events: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert shown_on(terminal(), monkeypatch, quiet=True, events=events) == ""


@pytest.mark.parametrize("events", [False, True], ids=["people", "programs"])
@pytest.mark.parametrize("quiet", [False, True])
def test_warnings_may_be_shown_anyway(
    quiet: bool, events: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    with reporting(quiet, events, always_warn=True) as progress:
        progress.show("all is well")
        logging.getLogger("archbuild").warning("3 images are broken")
    *notes, warning = capsys.readouterr().err.splitlines()
    assert "3 images are broken" in warning
    assert len(notes) == (0 if quiet else 1)


@pytest.mark.parametrize("warning", [None, "2 clusters are empty"])
def test_quiet_says_what_is_wrong_with_clusters(
    warning: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    with reporting(quiet=True) as progress:
        progress(StageEnded("cluster-kld", "done", warning))
    expected = f"warning: cluster-kld: {warning}\n" if warning else ""
    assert capsys.readouterr().err == expected


@pytest.mark.parametrize("terminal", [io.StringIO, Terminal], ids=["file", "terminal"])
def test_programs_get_a_json_line_for_each_event(
    terminal: type[io.StringIO], monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = shown_on(terminal(), monkeypatch, events=True).splitlines()
    begins, epoch, warning, ends = map(json.loads, lines)
    assert begins.pop("time") <= ends.pop("time")
    assert begins == {
        "event": "stage_begins",
        "stage": "pretrain",
        "epoch": 0,
        "epochs": 2,
        "steps": 3,
    }
    assert epoch["event"] == "epoch"
    assert (epoch["epoch"], epoch["epochs"], epoch["learning_rate"]) == (1, 2, 0.1)
    assert epoch["terms"] == {"loss": 0.5, "other": 3.0}
    assert epoch["occupancy"] == {"occupied": 4}
    assert (warning["event"], warning["message"]) == ("warning", "3 images are broken")
    assert ends == {"event": "stage_ends", "stage": "pretrain", "message": "done", "warning": None}


@pytest.mark.parametrize("quiet", [False, True])
@pytest.mark.parametrize(
    ("error", "kind", "status"),
    [
        (UsageError("say more"), "UsageError", 2),
        (KeyboardInterrupt(), "KeyboardInterrupt", 130),
        (ZeroDivisionError("by nothing"), "ZeroDivisionError", 1),
    ],
)
def test_programs_are_told_the_error_and_nothing_after_it(
    error: BaseException,
    kind: str,
    status: int,
    quiet: bool,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as ended, reporting(quiet, as_json=True):
        raise error
    event = json.loads(capsys.readouterr().err)
    assert ended.value.code == status
    assert (event["event"], event["kind"], event["exit_status"]) == ("error", kind, status)
    assert str(error) in event["message"]


def test_people_are_told_the_error_where_the_command_ends(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(UsageError), reporting(quiet=False):
        raise UsageError("say more")
    assert capsys.readouterr().err == ""


def test_scalars_are_kept_of_stages_to_come(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard", reason="needs tensorboard")
    with reporting(quiet=True) as progress:
        progress.keep_scalars(tmp_path / "log")
        assert not (tmp_path / "log").exists()  # before there is anything to keep
        one_epoch(progress)
    assert [path.parent.name for path in tmp_path.glob("log/*/events.*")] == ["pretrain"]


def test_without_a_folder_no_scalars_are_kept(tmp_path: Path) -> None:
    with reporting(quiet=True) as progress:
        one_epoch(progress)
    assert not list(tmp_path.iterdir())


def test_errors_are_left_to_the_end_of_the_command(
    capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    with reporting(quiet=False):
        logging.getLogger("archbuild").error("all is lost")
    assert caplog.messages == ["all is lost"]
    assert capsys.readouterr().err == ""


def test_ctrl_c_waits_for_the_end_of_the_step() -> None:
    with reporting(quiet=True) as progress:
        one_epoch(progress)
        signal.raise_signal(signal.SIGINT)
        assert progress.reached == "pretrain 1/2"
        with pytest.raises(KeyboardInterrupt):
            progress(StepDone("pretrain"))


def test_ctrl_c_in_the_last_step_counts_when_the_stage_is_safe() -> None:
    with reporting(quiet=True) as progress:
        one_epoch(progress)
        signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            progress(StageEnded("pretrain", "done"))
        assert progress.reached is None


def test_a_resumed_stage_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    with reporting(quiet=False) as progress:
        progress(StageStarted("cluster-kld", 3, 5, 7))
    assert capsys.readouterr().err == "cluster-kld: 5 epochs of 7 steps, resumed after epoch 3\n"
