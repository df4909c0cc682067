"""Progress for programs: JSON, one event a line, on stderr (docs/howto/watch.md)."""

from __future__ import annotations

import sys
from datetime import datetime
from typing import Any

from archbuild.cli.ending import error_text, exit_status
from archbuild.io.documents import json_text
from archbuild.training.progress import Event, StepDone


def write_event(event: Event) -> None:
    """Write an event as a line of JSON, except for steps, which are too many."""
    if not isinstance(event, StepDone):
        write_line(event.name, **event.facts)


def end_with_error(error: BaseException) -> None:
    """Write the error as the last line and end the process.

    Raises:
        SystemExit: always, with the error's exit status.
    """
    status = exit_status(error)
    write_line("error", kind=type(error).__name__, message=error_text(error), exit_status=status)
    raise SystemExit(status) from error


def write_line(event: str, **facts: Any) -> None:
    """Write one line of JSON on stderr: the event's name, the time, and its facts."""
    time = datetime.now().astimezone().isoformat(timespec="milliseconds")
    line = json_text({"event": event, "time": time, **facts}, ascii_only=True)
    print(line, file=sys.stderr, flush=True)
