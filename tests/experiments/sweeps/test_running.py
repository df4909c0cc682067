from __future__ import annotations

import os
import signal
import threading
import time
from collections import Counter

import pytest

from archbuild.experiments.sweeps import Sweep
from archbuild.experiments.sweeps.events import (
    PartEnded,
    PartStarted,
    RunWaits,
    SweepEnded,
    SweepStarted,
)
from archbuild.runs import RunFolder
from archbuild.training.progress import Note
from tests.experiments.sweeps.conftest import finish


class Notes:
    """An event handler that keeps how parts end and what is waited for, as text."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def __call__(self, event):
        match event:
            case PartEnded(run, head, state, message):
                self.said.append(f"{run} {head}: {state} {message}".strip())
            case RunWaits(run):
                self.said.append(f"{run}: waits")
            case Note():
                self.said.append("stops")


@pytest.fixture(autouse=True)
def ctrl_c():
    """As in a shell, wherever the suite runs."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def notes() -> Notes:
    return Notes()


def test_what_is_done_is_skipped_and_the_rest_run(planned, processes, notes):
    plan = processes.serve(planned(heads=["kld", "kmeans"]))
    finish(plan.runs[0].parts[0])
    sweep = Sweep(plan, notes)
    sweep.run(processes=1)
    assert notes.said == [
        "seed 0 kld: already done",
        "seed 0 kmeans: done",
        "seed 1 kld: done",
        "seed 1 kmeans: done",
    ]
    assert len(sweep.done) == 4
    again = Sweep(plan, notes)
    again.run(processes=1)
    assert len(processes.started) == 3
    assert again.done == sweep.done


def test_the_others_go_on_where_one_fails(planned, processes, notes):
    plan = processes.serve(planned(heads=["kld", "kmeans"]))
    broken = plan.runs[0].parts[0]
    processes.acts[broken] = lambda: {"kind": "DivergenceError", "message": "it broke"}
    sweep = Sweep(plan, notes)
    sweep.run(processes=1)
    assert sweep.failures == {broken: "it broke"}
    assert notes.said[0] == "seed 0 kld: failed it broke"
    assert len(sweep.done) == 3


def test_the_events_of_a_sweep(planned, processes):
    plan = processes.serve(planned(seeds=range(1)))
    events = []
    Sweep(plan, events.append).run(processes=1)
    assert events == [
        SweepStarted(1),
        PartStarted("seed 0", "kld"),
        PartEnded("seed 0", "kld", "done", "", {"acc": 0.0}),
        SweepEnded(1, 0),
    ]


@pytest.mark.parametrize("when", ["before", "at the start"])
def test_a_run_that_another_process_holds_is_come_back_to(planned, processes, notes, when):
    plan = processes.serve(planned())
    first, second = (run.parts[0] for run in plan.runs)
    refused = Counter()

    def refuse():
        refused[first] += 1
        return {"kind": "RunInUseError", "message": "in use"} if refused[first] < 3 else {}

    def work_elsewhere():
        with RunFolder(first.folder.path).lock():
            begun.set()
            freed.wait(10)
            finish(first)

    begun, freed = threading.Event(), threading.Event()
    other = threading.Thread(target=work_elsewhere)
    if when == "before":
        processes.acts[second] = lambda: freed.set() or {}
        other.start()
        begun.wait(10)
    else:
        processes.acts[first] = refuse
    sweep = Sweep(plan, notes)
    sweep.run(processes=1)
    last = "already done" if when == "before" else "done"
    assert notes.said == ["seed 0: waits", "seed 1 kld: done", f"seed 0 kld: {last}"]
    assert not sweep.failures
    assert (first in processes.started) == (when != "before")
    if when == "before":
        other.join()


def test_runs_go_side_by_side_and_heads_of_one_run_never(planned, processes, notes):
    plan = processes.serve(planned(heads=["kld", "kmeans"]))
    both = threading.Barrier(2, timeout=10)
    for run in plan.runs:
        for part in run.parts:
            processes.acts[part] = lambda: (both.wait() and {}) or {}
    Sweep(plan, notes).run(processes=2)
    first_two = processes.started[:2]
    assert {part.request.seed for part in first_two} == {0, 1}
    assert {part.head for part in first_two} == {"kld"}


def press_ctrl_c():
    """Once the main thread waits for the processes, as it does nearly all the time."""
    time.sleep(0.3)
    os.kill(os.getpid(), signal.SIGINT)


def test_ctrl_c_stops_every_process_and_starts_no_other(planned, processes, notes):
    plan = processes.serve(planned(seeds=range(3)))
    first = plan.runs[0].parts[0]

    def train_until_stopped():
        press_ctrl_c()
        assert processes.stopped.wait(10)
        return {"kind": "StoppedError", "message": "stopped"}

    processes.acts[first] = train_until_stopped
    sweep = Sweep(plan, notes)
    with pytest.raises(KeyboardInterrupt):
        sweep.run(processes=1)
    assert processes.started == [first]
    assert notes.said == ["stops", "seed 0 kld: stopped stopped"]
    assert (sweep.done, sweep.failures) == ([], {})


def test_a_second_ctrl_c_kills_them(planned, processes, notes):
    plan = processes.serve(planned(seeds=range(2)))
    first = plan.runs[0].parts[0]

    def train_and_hear_nothing():
        press_ctrl_c()
        assert processes.stopped.wait(10)
        press_ctrl_c()
        assert processes.killed.wait(10)
        return {"kind": "unknown", "message": "killed"}

    processes.acts[first] = train_and_hear_nothing
    with pytest.raises(KeyboardInterrupt):
        Sweep(plan, notes).run(processes=1)
    assert processes.started == [first]
