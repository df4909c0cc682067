"""A sweep by two workers of a Ray cluster, one of which dies, compared with one of this machine."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
from pathlib import Path
from typing import Any

import pytest

from archbuild.experiments.request import ExperimentRequest
from archbuild.experiments.sweeps import Sweep, SweepPlan, SweepRequest, document, plan_sweep
from archbuild.experiments.sweeps.events import PartReported
from archbuild.experiments.sweeps.ray_child import ray_children
from archbuild.runs import RunFolder
from archbuild.training.progress import Event
from tests.cli.calling import SPEC

pytestmark = [pytest.mark.distributed]


def planned(folder: Path, seeds: int) -> SweepPlan:
    """A sweep of a tiny network on a third of DIGITS' rows."""
    spec = folder / "tiny.json"
    spec.write_text(json.dumps(SPEC))
    experiment = ExperimentRequest("DIGITS", str(spec), out=folder / "out")
    return plan_sweep(SweepRequest(experiment, {"pretrain": 1}, range(seeds)))


def workers_of(run: RunFolder) -> list[int]:
    """The processes of Ray that run a run's command."""
    listed = subprocess.run(
        ["ps", "-eo", "ppid,args", "-ww"], capture_output=True, text=True, check=True
    ).stdout
    seed = f"--seed {run.path.name} --out {run.out}"
    return [int(line.split()[0]) for line in listed.splitlines() if seed in line]


class KillOnce:
    """Keeps warnings, and kills the worker of the first part that says something."""

    def __init__(self, plan: SweepPlan) -> None:
        self.warnings: list[str] = []
        self._plan, self._killed = plan, False
        self._guard = threading.Lock()

    def __call__(self, event: Event) -> None:
        if not isinstance(event, PartReported):
            return
        if event.name == "warning":
            self.warnings.append(str(event))
        with self._guard:
            if self._killed:
                return
            self._killed = True
        (run,) = (run for run in self._plan.runs if run.label == event.run)
        for worker in workers_of(run.folder):
            os.kill(worker, signal.SIGKILL)


def arrays(plan: SweepPlan) -> dict[str, bytes]:
    """What the runs learned, by seed."""
    return {
        str(run.seed): (run.folder.path / "pretrain" / "latents.npy").read_bytes()
        for run in plan.runs
    }


def scores(found: dict[str, Any]) -> list[Any]:
    return [row["scores"] for row in found["table"]]


def test_a_run_whose_worker_died_is_tried_again_and_all_end_as_they_do_here(
    address: str, tmp_path: Path
) -> None:
    for name in ("ray", "local"):
        (tmp_path / name).mkdir()
    plan = planned(tmp_path / "ray", seeds=2)
    events = KillOnce(plan)
    with ray_children(address, tmp_path / "ray" / "out") as (make_child, free):
        assert free == 2
        sweep = Sweep(plan, events, make_child)
        sweep.run(free)
    assert not sweep.failures
    (warning,) = events.warnings
    assert "its Ray worker died" in warning
    local = planned(tmp_path / "local", seeds=1)
    here = Sweep(local)
    here.run(1)
    assert arrays(local).items() <= arrays(plan).items()
    assert not list((tmp_path / "ray" / "out").glob(".ray-*"))
    again = Sweep(planned(tmp_path / "ray", seeds=2))
    again.run(1)  # nothing is left to be done
    assert scores(document(again.plan, again.done)) == scores(document(plan, sweep.done))
