"""A process that has imported what is heavy, and runs pytest in forks of itself.

It reads orders, a line of JSON each, and answers with a line: the exit status of pytest, or
``null`` if it took too long, the seconds, and the seconds of processor time. Nothing of archbuild
is imported here: each fork imports the sources that lie in its working directory then.
"""

from __future__ import annotations

import gc
import json
import os
import resource
import signal
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from typing import Any, Final

import pytest

_MEMORY: Final = 12 << 30  # bytes of address space, of which TensorFlow takes some GiB unused


def main(modules: Sequence[str]) -> None:
    """Import the modules, then do what is ordered until no order comes.

    Args:
        modules: names, of packages other than archbuild.
    """
    for name in modules:
        import_module(name)
    gc.freeze()
    for line in sys.stdin:
        print(json.dumps(_run(**json.loads(line))), flush=True)


def _run(arguments: list[str], folder: str, log: str, wall: float, cpu: float) -> dict[str, Any]:
    begun, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    process = os.fork()
    if not process:
        _become_pytest(arguments, folder, log, cpu)
    status = _wait(process, begun + wall)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"status": status, "wall": time.perf_counter() - begun, "cpu": spent}


def _become_pytest(arguments: list[str], folder: str, log: str, cpu: float) -> None:
    """Run pytest, and end this process with its exit status whatever happens."""
    status = 70
    try:
        os.setsid()  # so that what the tests start can be killed with them
        resource.setrlimit(resource.RLIMIT_CPU, (int(cpu), int(cpu) + 1))
        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
        nothing, out = os.open(os.devnull, os.O_RDONLY), os.open(log, os.O_WRONLY | os.O_CREAT)
        os.dup2(nothing, 0)
        for stream in (1, 2):
            os.dup2(out, stream)
        os.chdir(folder)
        sys.path[0] = folder
        os.environ["PYTHONPATH"] = folder  # of the processes that tests start
        status = int(pytest.main(arguments))
    finally:
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError):
                stream.flush()
        os._exit(status)


def _wait(process: int, deadline: float) -> int | None:
    """Return the exit status; ``None`` after the deadline, or where a limit ended the process."""
    ended, status = 0, 0
    while not ended and time.perf_counter() < deadline:
        ended, status = os.waitpid(process, os.WNOHANG)
        time.sleep(0.0 if ended else 0.02)
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process, signal.SIGKILL)
    if not ended:
        os.waitpid(process, 0)
        return None
    code = os.waitstatus_to_exitcode(status)
    return None if code in (-signal.SIGXCPU, -signal.SIGKILL) else code


if __name__ == "__main__":
    main(sys.argv[1:])
