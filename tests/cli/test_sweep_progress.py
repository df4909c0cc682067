from __future__ import annotations

import io
import json
import re
import sys
from types import SimpleNamespace
from typing import Any

import pytest

from archbuild.cli.sweep_progress import listening
from archbuild.experiments.sweeps import Listener
from tests.cli.test_screen import Terminal

RUN: Any = SimpleNamespace(label="x=1 seed 3")
EPOCH = {"event": "epoch", "time": "then", "stage": "pretrain", "epoch": 2, "epochs": 5}


class One:
    """One head in the run, and a row of its metrics."""

    head = "kld"

    def __init__(self, **row: float) -> None:
        self._row = row

    def rows(self) -> list[dict[str, Any]]:
        k_means, held_out = {"method": "k-means", "acc": 0.9}, {"method": "head, held out"}
        return [k_means, {"method": "head", **self._row}, held_out]


def one_part(listener: Listener, state: Any = "done", message: str = "", **row: Any) -> None:
    """From its beginning to its end."""
    its: Any = One(**row)
    listener.begins(RUN, its)
    listener.hears(RUN, its, EPOCH)
    listener.hears(RUN, its, {"event": "warning", "time": "then", "message": "3 are broken"})
    listener.ends(RUN, its, state, message)


def told(
    stderr: io.StringIO, monkeypatch: pytest.MonkeyPatch, quiet: bool = False, events: bool = False
) -> str:
    """What is told there of one part."""
    monkeypatch.setattr(sys, "stderr", stderr)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "100")
    with listening(4, quiet, events) as listener:
        one_part(listener, acc=0.81234)
        one_part(listener, "failed", "it broke")
        listener.waits(RUN)
        listener.stops()
    return re.sub(r"\x1b\[[?\d;]*[A-Za-z]", "", stderr.getvalue())


def test_a_file_gets_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    assert told(io.StringIO(), monkeypatch).splitlines() == [
        "x=1 seed 3 kld: begins",
        "x=1 seed 3 kld: warning: 3 are broken",
        "x=1 seed 3 kld: done, ACC 0.8123",
        "x=1 seed 3 kld: begins",
        "x=1 seed 3 kld: warning: 3 are broken",
        "x=1 seed 3 kld: failed: it broke",
        "x=1 seed 3: in use by another process; coming back to it",
        "stopping at the next safe point; Ctrl-C again stops at once",
    ]


def test_a_terminal_gets_a_bar_and_a_line_for_each_process(monkeypatch: pytest.MonkeyPatch) -> None:
    text = told(Terminal(), monkeypatch)
    assert "x=1 seed 3 kld: done, ACC 0.8123" in text
    assert re.search(r"sweep +━* +2/4", text.replace("╸", "━").replace("╺", "━"))
    assert ": begins" not in text  # its line says so


def test_programs_get_every_event_with_the_name_of_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    events = [
        json.loads(line) for line in told(io.StringIO(), monkeypatch, events=True).split("\n")[:-1]
    ]
    names = ["run_begins", "epoch", "warning", "run_ends"]
    assert [event["event"] for event in events] == [*names, *names, "run_waits"]
    assert all(event["run"] == "x=1 seed 3" for event in events)
    epoch = events[1]
    assert epoch.pop("time") != "then"
    assert epoch == {
        **{"event": "epoch", "run": "x=1 seed 3", "head": "kld"},
        **{"stage": "pretrain", "epoch": 2, "epochs": 5},
    }
    assert (events[7]["state"], events[7]["message"]) == ("failed", "it broke")


@pytest.mark.parametrize("events", [False, True])
def test_quiet_tells_nothing(events: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    assert told(io.StringIO(), monkeypatch, quiet=True, events=events) == ""
