"""Runs of the ``archbuild`` command in processes of their own, how they end, and the machine."""

from __future__ import annotations

import os
import platform
import shlex
import subprocess
import sys
from collections.abc import Callable, Sequence
from importlib.metadata import version

from archbuild.errors import ArchbuildError


def archbuild(arguments: Sequence[str]) -> str:
    """Run a command to its end, and return what it printed.

    Raises:
        subprocess.CalledProcessError: it failed; its messages are on stderr.
    """
    print("$", shlex.join(["archbuild", *arguments]), file=sys.stderr, flush=True)
    command = [sys.executable, "-m", "archbuild", *arguments]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def exit_status(work: Callable[[], Sequence[str]]) -> int:
    """Do the work of a resumable command, say what failed of it, and return the exit status.

    Args:
        work: returns what failed, a line each.
    """
    try:
        failed = work()
    except ArchbuildError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_status
    except KeyboardInterrupt:
        print("stopped; the same command goes on from there", file=sys.stderr)
        return 130
    for what in failed:
        print(f"failed: {what}", file=sys.stderr)
    return 1 if failed else 0


def stage(option: str, length: int | None) -> list[str]:
    """Return the option of a stage; without a length the spec's own counts."""
    return [option] if length is None or length < 0 else [option, str(length)]


def machine() -> str:
    """Return cores, architecture and version of Python."""
    return f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"


def software() -> str:
    """Return the backend that runs use unless they are told otherwise, with its version."""
    backend = os.environ.get("KERAS_BACKEND", "tensorflow")
    return f"{backend} {version(backend)}, Keras {version('keras')}"
