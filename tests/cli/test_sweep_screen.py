from __future__ import annotations

import io
import re
import sys

import pytest

from archbuild.cli.sweep_screen import SweepScreen
from archbuild.experiments.sweeps.events import (
    PartEnded,
    PartReported,
    PartStarted,
    SweepEnded,
    SweepStarted,
)
from archbuild.training.progress import Event, Warned
from tests.cli.test_screen import Terminal

NAMES = ("x=1 seed 3", "kld")
EPOCH = {"event": "epoch", "time": "then", "stage": "pretrain", "epoch": 2, "epochs": 5}
WARNING = {"event": "warning", "time": "then", "message": "3 are broken"}
EVENTS: tuple[Event, ...] = (
    SweepStarted(4),
    PartStarted(*NAMES),
    PartReported(*NAMES, EPOCH),
    PartReported(*NAMES, WARNING),
    PartEnded(*NAMES, "done", "", {"acc": 0.81234}),
    PartEnded("seed 4", "kld", "already done", "", {}),
    Warned("the disk is nearly full"),
)


def shown(stderr: io.StringIO, monkeypatch: pytest.MonkeyPatch, *last: Event) -> str:
    """Return what is shown there of the events."""
    monkeypatch.setattr(sys, "stderr", stderr)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "100")
    screen = SweepScreen()
    for event in (*EVENTS, *last):
        screen(event)
    screen.close()
    return re.sub(r"\x1b\[[?\d;]*[A-Za-z]", "", stderr.getvalue())


def test_a_file_gets_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    assert shown(io.StringIO(), monkeypatch, SweepEnded(2, 0)).splitlines() == [
        "x=1 seed 3 kld: begins",
        "x=1 seed 3 kld: warning: 3 are broken",
        "x=1 seed 3 kld: done, ACC 0.8123",
        "seed 4 kld: already done",
        "warning: the disk is nearly full",
    ]


def test_a_terminal_gets_a_bar_and_a_line_for_each_process(monkeypatch: pytest.MonkeyPatch) -> None:
    text = shown(Terminal(), monkeypatch)
    assert "x=1 seed 3 kld: done, ACC 0.8123" in text
    assert re.search(r"sweep +━* +2/4", text.replace("╸", "━").replace("╺", "━"))
    assert ": begins" not in text  # its line says so
