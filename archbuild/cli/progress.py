"""What is told on stderr while a job runs: a bar or lines for people, events for programs."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from archbuild.cli.interrupt import Interrupt, interruptible
from archbuild.training.progress import LOGGER, Reporter

if TYPE_CHECKING:
    from archbuild.training.scalars import EventFiles


class Display(Protocol):
    """One way to tell it; as ``Reporter``, and the words of any room besides."""

    def note(self, message: str) -> None:
        """Say one thing."""

    def warn(self, message: str) -> None:
        """Say one thing that may need a hand."""

    def stage_begins(self, stage: str, first_epoch: int, epochs: int, steps: int) -> None:
        """A stage starts."""

    def step(self) -> None:
        """One optimisation step is done."""

    def epoch_ends(self, stage: str, row: Mapping[str, Any], epochs: int) -> None:
        """An epoch is done and safe on disk."""

    def stage_ends(self, stage: str, message: str) -> None:
        """A stage is done."""

    def fail(self, error: BaseException) -> None:
        """The job ends with an error, which is told here or where the command ends."""

    def close(self) -> None:
        """Nothing more is said."""


class ConsoleReporter(Reporter):
    """Writes the log and the scalars, and has progress shown on stderr.

    Args:
        display: how it is shown.
        interrupt: Ctrl-C, which waits for the end of a step while a stage runs.
    """

    def __init__(self, display: Display, interrupt: Interrupt) -> None:
        self.interrupt = interrupt
        self._display = display
        self._scalars_folder: Path | None = None
        self._scalars: EventFiles | None = None
        self.reached: str | None = None
        """The last epoch that is safe on disk, in words; ``None`` between stages."""

    def keep_scalars(self, folder: Path) -> None:
        """Have the scalars of stages to come written below ``folder``, for TensorBoard."""
        self._scalars_folder = folder

    def note(self, message: str) -> None:
        """Say one thing, in the log too."""
        LOGGER.info("%s", message)
        self.show(message)

    def show(self, message: str) -> None:
        """Say one thing on stderr only."""
        self._display.note(message)

    def stage_begins(self, stage: str, first_epoch: int, epochs: int, steps: int) -> None:
        """Say that a stage starts; from here Ctrl-C waits for the end of a step."""
        super().stage_begins(stage, first_epoch, epochs, steps)
        if self._scalars_folder is not None:
            from archbuild.training.scalars import event_files

            self._scalars, self._scalars_folder = event_files(self._scalars_folder), None
        self.reached = f"{stage} {first_epoch}/{epochs}"
        self.interrupt.held = True
        self._display.stage_begins(stage, first_epoch, epochs, steps)

    def step(self, stage: str) -> None:
        """Move on; stop here if the user wants it."""
        self.interrupt.check()
        self._display.step()

    def epoch_ends(self, stage: str, row: Mapping[str, Any], epochs: int) -> None:
        """Tell what the epoch came to."""
        super().epoch_ends(stage, row, epochs)
        self.reached = f"{stage} {row['epoch']}/{epochs}"
        if self._scalars is not None:
            self._scalars.write(stage, row)
        self._display.epoch_ends(stage, row, epochs)

    def stage_ends(self, stage: str, message: str) -> None:
        """Say how the stage ended."""
        super().stage_ends(stage, message)
        self._display.stage_ends(stage, message)
        self.reached = None
        self.interrupt.held = False
        self.interrupt.check()

    def close(self) -> None:
        """Take the bar away and close the files."""
        self._display.close()
        if self._scalars is not None:
            self._scalars.close()


class _Warnings(logging.Handler):
    """Shows the warnings of any room; errors end the job, and are shown where it ends."""

    def __init__(self, display: Display) -> None:
        super().__init__(logging.WARNING)
        self.addFilter(lambda record: record.levelno == logging.WARNING)
        self._display = display

    def emit(self, record: logging.LogRecord) -> None:
        self._display.warn(record.getMessage())


@contextmanager
def reporting(
    quiet: bool, as_events: bool = False, *, warn_anyway: bool = False
) -> Iterator[ConsoleReporter]:
    """A reporter that also shows warnings; its bar is gone when the block ends, however it ends.

    Args:
        quiet: show nothing, only write the log.
        as_events: for programs. An error is then an event too, and ends the process.
        warn_anyway: show warnings though quiet.

    Raises:
        SystemExit: the block raised, and the event has told why.
    """
    display = _display(quiet, as_events)
    with interruptible() as interrupt:
        reporter = ConsoleReporter(display, interrupt)
        warnings = _Warnings(_display(False, as_events) if quiet and warn_anyway else display)
        LOGGER.addHandler(warnings)
        try:
            yield reporter
        except (Exception, KeyboardInterrupt) as error:
            display.fail(error)
            raise
        finally:
            LOGGER.removeHandler(warnings)
            reporter.close()


def _display(quiet: bool, as_events: bool) -> Display:
    if as_events:
        from archbuild.cli.events import EventLines

        return EventLines(quiet)
    from archbuild.cli.screen import Screen

    return Screen(quiet)
