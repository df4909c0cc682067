"""Ctrl-C at safe points: between two steps of training, and not while a library starts."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Interrupt:
    """The handler of Ctrl-C: raises at once, or while ``held`` at the next ``check``.

    A second Ctrl-C always raises at once. The delay is needed because some libraries discard a
    ``KeyboardInterrupt`` that is raised inside one of their callbacks.
    """

    def __init__(self) -> None:
        self.held = False
        self._asked = False

    def check(self) -> None:
        """Mark a safe point.

        Raises:
            KeyboardInterrupt: Ctrl-C was pressed while held.
        """
        if self._asked:
            self._asked = False
            raise KeyboardInterrupt

    @contextmanager
    def holding(self) -> Iterator[None]:
        """Delay Ctrl-C until the block ends, which is a safe point."""
        self.held = True
        try:
            yield
        finally:
            self.held = False
        self.check()

    def handle(self, number: int, frame: FrameType | None) -> None:
        """Handle the signal."""
        if self.held and not self._asked:
            self._asked = True
        else:
            raise KeyboardInterrupt


@contextmanager
def interruptible() -> Iterator[Interrupt]:
    """Handle Ctrl-C while the block lasts, unless it is ignored or has another handler."""
    interrupt = Interrupt()
    if signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield interrupt
        return
    signal.signal(signal.SIGINT, interrupt.handle)
    try:
        yield interrupt
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
