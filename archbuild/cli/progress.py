"""Progress of a command: on stderr, in the log and in TensorBoard's files."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from archbuild.cli.interrupt import Interrupt, interruptible
from archbuild.training.progress import (
    LOGGER,
    EpochDone,
    Event,
    EventHandler,
    Note,
    StageEnded,
    StageStarted,
    StepDone,
    Warned,
    log_event,
)
from archbuild.training.scalars import EventFiles

if TYPE_CHECKING:
    from archbuild.cli.screen import Screen


class Progress:
    """The handler of a command's events: log, TensorBoard, stderr, Ctrl-C, in this order.

    Args:
        display: shows an event on stderr.
        interrupt: Ctrl-C, which waits for the end of a step while a stage runs.
        closing: closes files when the command ends.
    """

    def __init__(self, display: EventHandler, interrupt: Interrupt, closing: ExitStack) -> None:
        self.interrupt = interrupt
        self._display, self._closing = display, closing
        self._handlers: list[EventHandler] = [log_event, display, self._follow]
        self.reached: str | None = None
        """The last epoch on disk, such as ``pretrain 3/50``; ``None`` between stages."""

    def __call__(self, event: Event) -> None:
        """Pass an event on to every handler."""
        for handle in self._handlers:
            handle(event)

    def keep_scalars(self, folder: Path) -> None:
        """Write the scalars of later epochs below ``folder``, for TensorBoard."""
        files = EventFiles(folder)
        self._closing.callback(files.close)
        self._handlers.insert(1, files)

    def note(self, message: str) -> None:
        """Write a message to the log and show it."""
        self(Note(message))

    def show(self, message: str) -> None:
        """Show a message on stderr only."""
        self._display(Note(message))

    def _follow(self, event: Event) -> None:
        """Store the last epoch on disk, and stop between two steps after Ctrl-C.

        Raises:
            KeyboardInterrupt: the user has pressed Ctrl-C since the last step.
        """
        match event:
            case StageStarted(stage, epoch, epochs):
                self.reached = f"{stage} {epoch}/{epochs}"
                self.interrupt.held = True
            case StepDone():
                self.interrupt.check()
            case EpochDone():
                self.reached = event.position
            case StageEnded():
                self.reached = None
                self.interrupt.held = False
                self.interrupt.check()


class _Warnings(logging.Handler):
    """A log handler that shows warnings; errors are shown when the command ends."""

    def __init__(self, display: EventHandler) -> None:
        super().__init__(logging.WARNING)
        self.addFilter(lambda record: record.levelno == logging.WARNING)
        self._display = display

    def emit(self, record: logging.LogRecord) -> None:
        self._display(Warned(record.getMessage()))


@contextmanager
def reporting(
    quiet: bool,
    as_json: bool = False,
    *,
    always_warn: bool = False,
    screen: Callable[[], Screen] | None = None,
) -> Iterator[Progress]:
    """Show events and warnings on stderr while the block lasts.

    Args:
        quiet: show nothing but what is wrong with clusters, only write the log.
        as_json: show events as lines of JSON. An error is then a line too, and ends the process.
        always_warn: show warnings even if ``quiet``.
        screen: makes the display for people; by default ``Screen``.

    Raises:
        SystemExit: the block raised, ``as_json``.
    """
    with ExitStack() as closing, interruptible() as interrupt:
        shown = _display(as_json, screen, closing)
        display = _collapses(shown) if quiet else shown
        warnings = _Warnings(shown if always_warn else display)
        LOGGER.addHandler(warnings)
        closing.callback(LOGGER.removeHandler, warnings)
        try:
            yield Progress(display, interrupt, closing)
        except (Exception, KeyboardInterrupt) as error:
            if as_json:
                from archbuild.cli.events import end_with_error

                end_with_error(error)
            raise


def _display(
    as_json: bool, screen: Callable[[], Screen] | None, closing: ExitStack
) -> EventHandler:
    if as_json:
        from archbuild.cli.events import write_event

        return write_event
    from archbuild.cli.screen import Screen

    display = (screen or Screen)()
    closing.callback(display.close)
    return display


def _collapses(shown: EventHandler) -> EventHandler:
    """Return what shows the clusters that something is wrong with, and nothing else."""

    def show(event: Event) -> None:
        if isinstance(event, StageEnded) and event.warning:
            shown(Warned(f"{event.stage}: {event.warning}"))

    return show
