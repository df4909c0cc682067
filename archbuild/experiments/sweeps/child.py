"""An ``archbuild`` command in a process of its own, which reports events as lines of JSON."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from threading import Lock
from typing import Any

from archbuild.environment import ENDS_WITH_INPUT, python_path

_COMMAND = (sys.executable, "-m", "archbuild")


class Child:
    """A command and, from ``run`` on, its process.

    Args:
        arguments: of ``archbuild``; ``--json`` is among them.
        on_event: called with each event of the process, in the thread that calls ``run``.
        folder: its working directory; by default that of this process.

    Attributes:
        error: the event with which the process failed, or ``kind`` and ``message`` alone if it
            failed without one; empty if it has not failed.
    """

    def __init__(
        self,
        arguments: Sequence[str],
        on_event: Callable[[Mapping[str, Any]], None],
        folder: str | None = None,
    ) -> None:
        self._command = [*_COMMAND, *arguments]
        self._on_event, self._folder = on_event, folder
        self._process: subprocess.Popen[str] | None = None
        self._starting, self._stopped = Lock(), False
        self._last_text = ""
        self.error: Mapping[str, Any] = {}

    def run(self) -> bool:
        """Run the process to its end, unless it was stopped before; return its success."""
        with self._starting:
            if self._stopped:
                return False
            self._process = self._start()
        with self._process as process:
            for line in process.stderr or ():
                self._read_line(line)
        if process.returncode and not self.error:
            message = self._last_text or f"ended with status {process.returncode}"
            self.error = {"kind": "unknown", "message": message}
        return process.returncode == 0

    def stop(self) -> None:
        """Stop the process at its next safe point, as Ctrl-C does."""
        if os.name != "nt":  # there Ctrl-C reaches every process of the console
            self._signal(signal.SIGINT)

    def kill(self) -> None:
        """Stop the process at once; its files on disk stay whole."""
        self._signal(getattr(signal, "SIGKILL", signal.SIGTERM))

    def _start(self) -> subprocess.Popen[str]:
        return subprocess.Popen(
            self._command,
            cwd=self._folder,
            env=_environment(),
            stdin=subprocess.PIPE,  # never written to: it ends with this process
            stdout=subprocess.DEVNULL,  # its metrics are in the run's folder
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            errors="replace",
            process_group=0,  # Ctrl-C on the terminal is for the parent, which passes it on
        )

    def _signal(self, number: int) -> None:
        with self._starting:
            self._stopped = True
        if self._process is not None:
            self._process.send_signal(number)

    def _read_line(self, line: str) -> None:
        try:
            event = json.loads(line)
            kind = event["event"]
        except (ValueError, LookupError, TypeError):  # the text of some library
            self._last_text = line.strip() or self._last_text
            return
        if kind == "error":
            self.error = event
        self._on_event(event)


def _environment() -> dict[str, str]:
    """Return the environment of this process, in which this ``archbuild`` can be imported."""
    return {**os.environ, ENDS_WITH_INPUT: "1", **python_path()}
