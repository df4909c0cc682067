"""What needs no cluster of it; ``tests/distributed`` has the rest."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from archbuild.experiments.sweeps import child as child_module
from archbuild.experiments.sweeps.ray_child import Place, RayChild, Worker
from archbuild.ray_cluster import installed_versions


@pytest.fixture
def place(tmp_path) -> Place:
    token = tmp_path / "token"
    token.touch()
    return Place(str(tmp_path), str(token), installed_versions(), counts_threads=False)


def script(code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have this run in place of archbuild."""
    monkeypatch.setattr(child_module, "_COMMAND", (sys.executable, "-c", code))


def test_a_worker_runs_the_command_where_the_sweep_was_called(place, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")  # as Ray does
    code = (
        "import json, os, sys; print(json.dumps({'event': 'note', 'folder': os.getcwd(), 'threads':"
        " os.environ.get('OMP_NUM_THREADS'), 'words': sys.argv[1:]}), file=sys.stderr)"
    )
    script(code, monkeypatch)
    said, ended = Worker(place).run(["--json"])
    assert said == {"event": "note", "folder": place.folder, "threads": None, "words": ["--json"]}
    assert (ended["succeeded"], ended["error"]) == (True, {})
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    said, _ = Worker(replace(place, counts_threads=True)).run([])
    assert said["threads"] == "3"


def test_a_worker_says_how_the_command_failed(place, monkeypatch):
    script("import sys; print('out of luck', file=sys.stderr); sys.exit(3)", monkeypatch)
    (ended,) = Worker(place).run([])
    assert not ended["succeeded"]
    assert ended["error"] == {"kind": "unknown", "message": "out of luck"}
    monkeypatch.setattr(child_module, "_COMMAND", ("/nowhere/python",))
    (ended,) = Worker(place).run([])
    assert ended["error"] == {
        "kind": "RunError",
        "message": "No such file or directory: /nowhere/python",
    }


def test_a_worker_that_sees_other_files_or_versions_starts_nothing(place, monkeypatch):
    script("open('started', 'w')", monkeypatch)
    for elsewhere in (replace(place, token="/nowhere"), replace(place, folder="/nowhere")):
        (ended,) = Worker(elsewhere).run([])
        assert ended["error"]["kind"] == "RunError"
        assert "needs a disk that every machine" in ended["error"]["message"]
    (ended,) = Worker(replace(place, versions={"keras": "0"})).run([])
    assert ended["error"]["kind"] == "UsageError"
    assert not os.path.exists(os.path.join(place.folder, "started"))


@pytest.fixture
def heard() -> Iterator[None]:
    """Let processes hear Ctrl-C, also where the tests run behind a shell's &, which ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_a_worker_stops_its_command_as_ctrl_c_does(place, monkeypatch, heard):
    code = (
        "import json, sys, time; print(json.dumps({'event': 'note'}), file=sys.stderr, flush=True);"
        "time.sleep(60)"
    )
    script(code, monkeypatch)
    worker = Worker(place)
    events = worker.run([])
    next(events)
    threading.Thread(target=worker.stop).start()
    (ended,) = events
    assert not ended["succeeded"]
    stopped = Worker(place)
    stopped.stop()
    (ended,) = stopped.run([])  # nothing was started
    assert not ended["succeeded"]


class Death(Exception):
    """Stands for a worker that Ray misses."""


class Trouble(Exception):
    """Stands for any other error of Ray."""


class FakeRay:
    """Stands for ``ray``: an actor's run yields what it is told to, or raises it."""

    def __init__(self, *runs: list[Any]) -> None:
        self.runs, self.killed, self.stopped, self.options = list(runs), 0, 0, {}
        names = ("RayActorError", "WorkerCrashedError", "NodeDiedError", "ObjectLostError")
        self.exceptions = SimpleNamespace(
            **dict.fromkeys((*names, "OwnerDiedError"), Death), RayError=Trouble
        )

    def remote(self, **options: Any) -> Any:
        self.options = options
        return lambda kind: SimpleNamespace(remote=lambda place: self._actor())

    def _actor(self) -> Any:
        def stop() -> None:
            self.stopped += 1

        remote = SimpleNamespace(remote=lambda arguments: self._run())
        return SimpleNamespace(
            run=SimpleNamespace(options=lambda **_: remote), stop=SimpleNamespace(remote=stop)
        )

    def _run(self) -> Iterator[Any]:
        for event in self.runs.pop(0):
            if isinstance(event, Exception):
                raise event
            yield event

    def get(self, reference: Any) -> Any:
        return reference

    def kill(self, actor: Any) -> None:
        self.killed += 1


EPOCH = {"event": "epoch", "epoch": 1}


def ended(succeeded: bool, **error: str) -> dict[str, Any]:
    return {"event": "process_ended", "succeeded": succeeded, "error": error}


def test_events_arrive_and_the_cpu_is_free_again(place):
    ray, events = FakeRay([EPOCH, ended(True)]), []
    child = RayChild(ray, place, ["--json"], events.append)
    assert child.run()
    assert events == [EPOCH]
    assert (ray.killed, child.error) == (1, {})
    assert ray.options == {"num_cpus": 1, "max_restarts": 0, "max_concurrency": 2}
    failed = RayChild(FakeRay([ended(False, kind="X", message="why")]), place, [], events.append)
    assert not failed.run()
    assert failed.error == {"kind": "X", "message": "why"}


def test_a_command_is_tried_again_where_its_worker_dies(place):
    ray, events = FakeRay([EPOCH, Death()], [Death()], [EPOCH, ended(True)]), []
    child = RayChild(ray, place, [], events.append)
    assert child.run()
    assert [event["event"] for event in events] == ["epoch", "warning", "warning", "epoch"]
    assert events[1]["message"] == "its Ray worker died (Death); it is tried again on another one"
    assert child.error == {}


def test_it_is_not_tried_for_ever_nor_for_other_errors(place):
    ray, events = FakeRay(*[[Death()]] * 5), []
    child = RayChild(ray, place, [], events.append)
    assert not child.run()
    assert (len(ray.runs), len(events)) == (1, 3)
    assert child.error == {"kind": "unknown", "message": "its Ray worker died (Death)"}
    other = RayChild(FakeRay([Trouble("line\nKeyError: 7")]), place, [], events.append)
    assert not other.run()
    assert "a Ray worker failed: KeyError: 7" in other.error["message"]


def test_stop_and_kill_reach_the_worker(place):
    ray = FakeRay([EPOCH, Death()])
    child = RayChild(ray, place, [], lambda _: child.stop())
    assert not child.run()  # and it is not tried again
    assert ray.stopped == 1
    child.kill()
    assert ray.killed == 1
    before = RayChild(FakeRay([EPOCH]), place, [], lambda _: None)
    before.stop()
    assert not before.run()
    assert len(before._ray.runs) == 1
