"""What a person sees on stderr while a job runs: a bar on a terminal, lines elsewhere."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from archbuild.cli.interrupt import Interrupt, interruptible
from archbuild.training.progress import LOGGER, Reporter, in_words

_SHOWN: Final = ("loss", "occupied", "label_change")


class ConsoleReporter(Reporter):
    """Writes the log, and shows progress on stderr.

    Args:
        quiet: show nothing, only write the log.
        interrupt: Ctrl-C, which waits for the end of a step while a stage runs.
    """

    def __init__(self, quiet: bool, interrupt: Interrupt) -> None:
        from rich.console import Console

        self.interrupt = interrupt
        self._console = Console(stderr=True, quiet=quiet, highlight=False)
        # not the console's own answer, which FORCE_COLOR turns to yes for files as well
        terminal = sys.stderr.isatty() and not self._console.is_dumb_terminal
        self._interactive = terminal and not quiet
        self._bar: Any = None
        self.reached: str | None = None
        """The last epoch that is safe on disk, in words; ``None`` between stages."""

    def note(self, message: str) -> None:
        """Say one thing, in the log too."""
        LOGGER.info("%s", message)
        self.show(message)

    def show(self, message: str) -> None:
        """Say one thing on stderr only, above the bar if there is one."""
        # files keep their lines whole; a terminal breaks them between words
        self._console.print(message, markup=False, soft_wrap=not self._console.is_terminal)

    def stage_begins(self, stage: str, first_epoch: int, epochs: int, steps: int) -> None:
        """Say that a stage starts, and open its bar."""
        super().stage_begins(stage, first_epoch, epochs, steps)
        at = f", resumed after epoch {first_epoch}" if first_epoch else ""
        self.show(f"{stage}: {epochs} epochs of {steps} steps{at}")
        self.reached = f"{stage} {first_epoch}/{epochs}"
        self.interrupt.held = True
        if self._interactive:
            self._open_bar(self.reached, first_epoch * steps, epochs * steps)

    def step(self, stage: str) -> None:
        """Move the bar; stop here if the user wants it."""
        self.interrupt.check()
        if self._bar is not None:
            self._bar.advance(self._bar.task_ids[0])

    def epoch_ends(self, stage: str, row: Mapping[str, Any], epochs: int) -> None:
        """Show the epoch's loss beside the bar, or as a line."""
        super().epoch_ends(stage, row, epochs)
        self.reached = f"{stage} {row['epoch']}/{epochs}"
        text = f"{self.reached}  {in_words({key: row[key] for key in _SHOWN if key in row})}"
        if self._bar is not None:
            self._bar.update(self._bar.task_ids[0], description=text)
        else:
            self.show(text)

    def stage_ends(self, stage: str, message: str) -> None:
        """Close the bar and say how the stage ended."""
        super().stage_ends(stage, message)
        self.close()
        self.show(f"{stage}: {message}")
        self.reached = None
        self.interrupt.held = False
        self.interrupt.check()

    def close(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def _open_bar(self, text: str, done: int, total: int) -> None:
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        self._bar = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=None),
            TimeRemainingColumn(),
            console=self._console,
            transient=True,
        )
        self._bar.add_task(text, completed=done, total=total)
        self._bar.start()


class _Warnings(logging.Handler):
    """Shows the warnings of any room; errors end the job, and are shown where it ends."""

    def __init__(self, reporter: ConsoleReporter) -> None:
        super().__init__(logging.WARNING)
        self.addFilter(lambda record: record.levelno == logging.WARNING)
        self._reporter = reporter

    def emit(self, record: logging.LogRecord) -> None:
        self._reporter.show(f"warning: {record.getMessage()}")


@contextmanager
def reporting(quiet: bool) -> Iterator[ConsoleReporter]:
    """A reporter that also shows warnings; its bar is gone when the block ends, however it ends."""
    with interruptible() as interrupt:
        reporter = ConsoleReporter(quiet, interrupt)
        warnings = _Warnings(reporter)
        LOGGER.addHandler(warnings)
        try:
            yield reporter
        finally:
            LOGGER.removeHandler(warnings)
            reporter.close()
