from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from archbuild.experiments.sweeps import child as module
from archbuild.experiments.sweeps.child import Child

LASTING = """
import json, signal, sys, time
def heed(*_):
    print(json.dumps({"event": "error", "kind": "StoppedError", "message": "stopped"}),
          file=sys.stderr, flush=True)
    sys.exit(130)
signal.signal(signal.SIGINT, signal.SIG_IGN if "deaf" in sys.argv else heed)
print(json.dumps({"event": "note", "message": "begun"}), file=sys.stderr, flush=True)
time.sleep(60)
"""


def script(code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have this run in place of archbuild."""
    monkeypatch.setattr(module, "_COMMAND", (sys.executable, "-c", code))


def test_events_are_reported_in_order_and_other_words_are_not(monkeypatch):
    lines = [json.dumps({"event": name}) for name in ("note", "epoch")]
    code = (
        f"import sys; print({lines[0]!r}, 'Warning: old', {lines[1]!r}, '[1]', '\\xff', sep='\\n'"
    )
    script(f"{code}, file=sys.stderr); print('x' * 10**6)", monkeypatch)
    reported: list = []
    child = Child([], reported.append)
    assert child.run()
    assert [event["event"] for event in reported] == ["note", "epoch"]
    assert child.error == {}


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ('print(\'{"event": "error", "kind": "X", "message": "why"}\', file=e)', "why"),
        ("print('Killed by the system\\n', file=e)", "Killed by the system"),
        ("pass", "ended with status 3"),
    ],
)
def test_what_is_known_of_a_bad_end(code, message, monkeypatch):
    script(f"import sys; e = sys.stderr; {code}; sys.exit(3)", monkeypatch)
    child = Child([], lambda _: None)
    assert not child.run()
    assert child.error["message"] == message


def test_stop_is_ctrl_c(monkeypatch):
    script(LASTING, monkeypatch)
    child = Child([], lambda _: child.stop())
    begun = time.monotonic()
    assert not child.run()
    assert child.error["kind"] == "StoppedError"
    assert time.monotonic() - begun < 30


def test_kill_is_for_those_that_do_not_hear(monkeypatch):
    script(LASTING, monkeypatch)
    child = Child(["deaf"], lambda _: (child.stop(), threading.Timer(0.1, child.kill).start()))
    assert not child.run()
    assert child.error["message"] == "ended with status -9"


def test_one_that_was_stopped_before_never_starts(monkeypatch, tmp_path):
    script(f"open({str(tmp_path / 'started')!r}, 'w')", monkeypatch)
    child = Child([], lambda _: None)
    child.stop()
    assert not child.run()
    assert not list(tmp_path.iterdir())


def test_it_finds_this_archbuild_where_none_is_installed(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PYTHONPATH", raising=False)
    code = "import archbuild, sys; print(archbuild.__file__, file=sys.stderr); sys.exit(1)"
    script(code, monkeypatch)
    child = Child([], lambda _: None)
    child.run()
    import archbuild

    assert Path(child.error["message"]) == Path(archbuild.__file__)
    assert "PYTHONPATH" not in os.environ


PARENT = """
import sys
from archbuild.experiments.sweeps import child
child._COMMAND = (sys.executable, "-c", sys.argv[1])
child.Child([], lambda event: print(event["pid"], flush=True)).run()
"""
WORKER = """
import json, os, sys, time
from archbuild.environment import end_with_input
end_with_input()
print(json.dumps({"event": "note", "pid": os.getpid()}), file=sys.stderr, flush=True)
time.sleep(60)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="there is no kill that is not seen")
def test_a_process_ends_with_the_sweep_that_is_killed():
    command = [sys.executable, "-c", PARENT, WORKER]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, text=True) as parent:
        worker = int(parent.stdout.readline())
        os.kill(worker, 0)  # it is there
        parent.kill()
    end = time.monotonic() + 20
    while _runs(worker):
        assert time.monotonic() < end
        time.sleep(0.05)


def _runs(pid: int) -> bool:
    """Whether the process is there, and not only its entry in the table of processes."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{pid}/stat")
    return not status.exists() or status.read_text().rpartition(")")[2].split()[0] != "Z"
