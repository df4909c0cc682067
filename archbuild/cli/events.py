"""Progress for programs: JSON, one event a line, on stderr (docs/howto/watch.md)."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from archbuild.cli.ending import exit_status, in_words
from archbuild.io.atomic import json_text
from archbuild.training.progress import in_parts


class EventLines:
    """Writes events on stderr.

    Args:
        quiet: none but the error that ends the job.
    """

    def __init__(self, quiet: bool) -> None:
        self._quiet = quiet

    def note(self, message: str) -> None:
        """Something was said."""
        self._tell("note", message=message)

    def warn(self, message: str) -> None:
        """Something may need a hand."""
        self._tell("warning", message=message)

    def stage_begins(self, stage: str, first_epoch: int, epochs: int, steps: int) -> None:
        """A stage starts."""
        self._tell("stage_begins", stage=stage, epoch=first_epoch, epochs=epochs, steps=steps)

    def step(self) -> None:
        """Steps are too many to tell."""

    def epoch_ends(self, stage: str, row: Mapping[str, Any], epochs: int) -> None:
        """An epoch is done."""
        self._tell("epoch", stage=stage, epochs=epochs, **in_parts(row))

    def stage_ends(self, stage: str, message: str) -> None:
        """A stage is done."""
        self._tell("stage_ends", stage=stage, message=message)

    def fail(self, error: BaseException) -> None:
        """Tell the error, and end the process: nothing is left to say in words.

        Raises:
            SystemExit: with the error's status.
        """
        status = exit_status(error)
        write_event("error", kind=type(error).__name__, message=in_words(error), exit_status=status)
        raise SystemExit(status) from error

    def close(self) -> None:
        """Every line was written at once."""

    def _tell(self, event: str, **facts: Any) -> None:
        if not self._quiet:
            write_event(event, **facts)


def write_event(event: str, **facts: Any) -> None:
    """Write one event, with the time."""
    time = datetime.now().astimezone().isoformat(timespec="milliseconds")
    print(json_text({"event": event, "time": time, **facts}), file=sys.stderr, flush=True)
