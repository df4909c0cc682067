"""Ctrl-C at a safe point: between two steps of training, never inside a library's start."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Interrupt:
    """Ctrl-C as it comes, or held back until ``check`` is reached; a second one is never held back.

    Libraries swallow ``KeyboardInterrupt`` where it meets a callback of theirs, and the user would
    have asked in vain.
    """

    def __init__(self) -> None:
        self.held = False
        self._asked = False

    def check(self) -> None:
        """Return a safe point.

        Raises:
            KeyboardInterrupt: the user has asked to stop since Ctrl-C is held back.
        """
        if self._asked:
            self._asked = False
            raise KeyboardInterrupt

    @contextmanager
    def holding(self) -> Iterator[None]:
        """Hold Ctrl-C back while the block lasts; its end is a safe point."""
        self.held = True
        try:
            yield
        finally:
            self.held = False
        self.check()

    def heed(self, number: int, frame: FrameType | None) -> None:
        """Return the handler of the signal."""
        if self.held and not self._asked:
            self._asked = True
        else:
            raise KeyboardInterrupt


@contextmanager
def interruptible() -> Iterator[Interrupt]:
    """Handle Ctrl-C while the block lasts, unless it is ignored or handled by somebody else."""
    interrupt = Interrupt()
    if signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield interrupt
        return
    signal.signal(signal.SIGINT, interrupt.heed)
    try:
        yield interrupt
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
