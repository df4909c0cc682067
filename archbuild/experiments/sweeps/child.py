"""An archbuild in a process of its own, heard through its events."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Lock
from typing import Any

_ROOT = Path(__file__).resolve().parents[3]
_COMMAND = (sys.executable, "-m", "archbuild")


class Child:
    """A command that is not started yet.

    Args:
        arguments: of ``archbuild``; ``--json`` is among them.
        heard: called with each event, in the thread that runs the child.
    """

    def __init__(self, arguments: Sequence[str], heard: Callable[[dict[str, Any]], None]) -> None:
        self._command = [*_COMMAND, *arguments]
        self._heard = heard
        self._process: subprocess.Popen[str] | None = None
        self._starting, self._unwanted = Lock(), False
        self._last_words = ""
        self.error: dict[str, Any] = {}
        """The event with which it ended badly; what is known of it where there was none."""

    def run(self) -> bool:
        """Run it to its end; whether that was a good one. One that was stopped never starts."""
        with self._starting:
            if self._unwanted:
                return False
            self._process = subprocess.Popen(
                self._command,
                env=_environment(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,  # its metrics are in the run's folder
                stderr=subprocess.PIPE,
                text=True,
                encoding="utf-8",
                errors="replace",
                process_group=0,  # Ctrl-C on the terminal is for the parent, which passes it on
            )
        with self._process as process:
            for line in process.stderr or ():
                self._hear(line)
        if process.returncode and not self.error:
            message = self._last_words or f"ended with status {process.returncode}"
            self.error = {"kind": "unknown", "message": message}
        return process.returncode == 0

    def stop(self) -> None:
        """Have it stop at its next safe point, as Ctrl-C does."""
        if os.name != "nt":  # there Ctrl-C reaches every process of the console
            self._signal(signal.SIGINT)

    def kill(self) -> None:
        """Have it stop at once; what it has saved is whole all the same."""
        self._signal(getattr(signal, "SIGKILL", signal.SIGTERM))

    def _signal(self, number: int) -> None:
        with self._starting:
            self._unwanted = True
        if self._process is not None:
            self._process.send_signal(number)

    def _hear(self, line: str) -> None:
        try:
            event = json.loads(line)
            kind = event["event"]
        except (ValueError, LookupError, TypeError):  # some library's words
            self._last_words = line.strip() or self._last_words
            return
        if kind == "error":
            self.error = event
        self._heard(event)


def _environment() -> dict[str, str]:
    """Ours, in which this very archbuild is found even where it is not installed."""
    environment = dict(os.environ)
    if str(_ROOT) != sysconfig.get_path("purelib"):
        paths = [str(_ROOT), environment.get("PYTHONPATH", "")]
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
    return environment
