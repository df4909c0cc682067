"""SIGTERM ends a command, wherever it comes."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest

from archbuild.cli.main import exit_when_terminated


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    """Put the handlers of this process back."""
    handler, hook = signal.getsignal(signal.SIGTERM), sys.unraisablehook
    yield
    signal.signal(signal.SIGTERM, handler)
    sys.unraisablehook = hook


class Callback:
    """Discards what is raised in it, as the callbacks of libraries do."""

    def __del__(self) -> None:
        signal.raise_signal(signal.SIGTERM)


def test_an_exit_that_a_callback_discards_is_raised_again() -> None:
    exit_when_terminated()
    Callback()
    with pytest.raises(SystemExit) as exited:
        time.sleep(20)
    assert exited.value.code == 143


def test_other_exceptions_of_callbacks_are_still_shown() -> None:
    shown: list[Any] = []
    sys.unraisablehook = lambda discarded: shown.append(discarded.exc_type)

    class Broken:
        def __del__(self) -> None:
            raise ValueError("broken")

    exit_when_terminated()
    Broken()
    assert shown == [ValueError]
