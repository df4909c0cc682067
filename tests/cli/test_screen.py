from __future__ import annotations

import io
import re
import sys

import pytest

from archbuild.cli.screen import Pace, Screen
from archbuild.training.progress import EpochDone, StageStarted, StepDone

SCORES = {"loss": 0.512312, "occupied": 10, "label_change": 0.012345}


class Terminal(io.StringIO):
    """A stderr that says it is a terminal."""

    def isatty(self) -> bool:
        return True


class Clock:
    """Goes when it is told to."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def last_line(columns: int, monkeypatch: pytest.MonkeyPatch) -> str:
    """The bar's line after the seventh epoch of twenty, on a terminal of that width."""
    stderr = Terminal()
    monkeypatch.setattr(sys, "stderr", stderr)
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("NO_COLOR", "1")
    screen = Screen()
    screen(StageStarted("cluster-kld", 3, 20, 2))
    for epoch in range(4, 8):
        screen(StepDone("cluster-kld"))
        screen(StepDone("cluster-kld"))
        screen(EpochDone("cluster-kld", 20, {"epoch": epoch, **SCORES}))
    screen.close()
    plain = re.sub(r"\x1b\[[?\d;]*[A-Za-z]", "", stderr.getvalue())
    return [line for line in re.split(r"[\r\n]+", plain) if "epoch" in line and "left" in line][-1]


@pytest.mark.parametrize(
    ("columns", "shown"),
    [
        (58, ""),
        (70, "loss 0.5123"),
        (82, "loss 0.5123  occupied 10"),
        (120, "loss 0.5123  occupied 10  label_change 0.01235"),
    ],
)
def test_a_narrow_terminal_loses_the_last_scores_first(
    columns: int, shown: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = last_line(columns, monkeypatch)
    assert line.startswith("cluster-kld  epoch 7/20 ━")
    assert re.search(r"[━╸] +0:00:00, [\d:-]+ left", line)
    assert line.partition("left")[2].strip() == shown
    assert len(line) <= columns


def test_time_left_counts_all_that_lies_between_two_steps_but_for_the_first() -> None:
    clock = Clock()
    pace = Pace(0, 10, clock)
    assert pace.left is None
    clock.now = 60.0  # the backend builds its graph
    pace.step()
    assert pace.left is None
    for seconds in (1.0, 1.0, 4.0):  # the last after an epoch's end
        clock.now += seconds
        pace.step()
    assert pace.left == pytest.approx(6 * 2.0)
    clock.now += 3.0
    assert pace.left == pytest.approx(12.0 - 3.0)
    clock.now += 100.0
    assert pace.left == 0.0


def test_time_left_of_a_resumed_stage_is_of_this_process_steps() -> None:
    clock = Clock()
    pace = Pace(90, 100, clock)
    for _ in range(3):
        clock.now += 2.0
        pace.step()
    assert pace.left == pytest.approx(7 * 2.0)
