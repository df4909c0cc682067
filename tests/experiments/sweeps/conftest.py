"""A small sweep, and processes that leave finished runs without training anything."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from archbuild.experiments.request import ExperimentRequest
from archbuild.experiments.sweeps import SweepPart, SweepPlan, SweepRequest, plan_sweep, running
from archbuild.io.atomic import write_json
from archbuild.runs.names import space_of
from tests.cli.calling import SPEC


@pytest.fixture
def requested(tmp_path: Path) -> Callable[..., SweepRequest]:
    """Ask for a sweep over DIGITS with a tiny spec."""
    spec = tmp_path / "tiny.json"
    spec.write_text(json.dumps(SPEC))

    def ask(**changes: Any) -> SweepRequest:
        experiment = ExperimentRequest("DIGITS", str(spec), out=tmp_path / "out")
        return SweepRequest(
            **{
                "experiment": experiment,
                "stages": {"pretrain": 1, "cluster": 1},
                "seeds": range(2),
                **changes,
            }
        )

    return ask


@pytest.fixture
def planned(requested) -> Callable[..., SweepPlan]:
    """The plan of such a sweep."""
    return lambda **changes: plan_sweep(requested(**changes))


def finish(part: SweepPart, acc: float = 0.5) -> None:
    """Leave what a process leaves that ended well."""
    for section, name in part.stages.items():
        stage = part.folder.stage(name)
        if stage.status() == "finished":
            continue
        request = dict(part.requests[section])
        if section == "cluster":
            request["pretrain"] = part.folder.stage("pretrain").digest
        stage.begin(request)
        writers = {"latents.npy": lambda path: path.write_bytes(b"latents")}
        stage.finish(writers, summary={}, history=[{}], timing={"seconds": 1.5})
    measure(part, acc)


def measure(part: SweepPart, acc: float = 0.5) -> None:
    """Leave metrics of every stage that is there."""
    spaces = {space_of(name): part.folder.stage(name).digest for name in part.folder.stages()}
    rows = [{"space": space, "method": "k-means", "acc": acc} for space in ("raw", *spaces)]
    sources = {"raw": "all", **{space: f"all/{digest}" for space, digest in spaces.items()}}
    write_json(part.folder.metrics_path, {"rows": rows, "sources": sources})


class Processes:
    """Stands for ``Child``: notes who starts, and does what it is told to for each.

    Attributes:
        parts: by the arguments of their processes.
        started: the parts whose processes were started, in order.
        stopped: set when one was asked to stop.
        killed: set when one was killed.
        acts: what a process does in place of finishing well, by its part; returns its error.
    """

    def __init__(self) -> None:
        self.parts: dict[tuple[str, ...], SweepPart] = {}
        self.started: list[SweepPart] = []
        self.stopped, self.killed = Event(), Event()
        self.acts: dict[SweepPart, Callable[[], dict[str, Any]]] = {}

    def __call__(
        self, arguments: list[str], on_event: Callable[[dict[str, Any]], None]
    ) -> Scripted:
        return Scripted(self, self.parts[tuple(arguments)])

    def serve(self, plan: SweepPlan) -> SweepPlan:
        """Be the processes of this plan."""
        self.parts |= {tuple(part.arguments): part for _, part in plan.parts}
        return plan


class Scripted:
    """One of them."""

    def __init__(self, all_of_them: Processes, part: SweepPart) -> None:
        self._all, self._part = all_of_them, part
        self.error: dict[str, Any] = {}

    def run(self) -> bool:
        self._all.started.append(self._part)
        act = self._all.acts.get(self._part)
        self.error = act() if act else {}
        if not self.error:
            finish(self._part, acc=self._part.request.seed / 10)
        return not self.error

    def stop(self) -> None:
        self._all.stopped.set()

    def kill(self) -> None:
        self._all.killed.set()


@pytest.fixture
def processes(monkeypatch: pytest.MonkeyPatch) -> Processes:
    """In place of real ones."""
    found = Processes()
    monkeypatch.setattr(running, "Child", found)
    monkeypatch.setattr(running, "_RETRY_SECONDS", 0.01)
    return found
