from __future__ import annotations

import signal

import pytest

from archbuild.cli.interrupt import Interrupt, interruptible


def press() -> None:
    """Ctrl-C, in this process."""
    signal.raise_signal(signal.SIGINT)


def test_it_comes_at_once_where_it_is_not_held_back() -> None:
    with interruptible(), pytest.raises(KeyboardInterrupt):
        press()


def test_held_back_it_comes_at_the_next_safe_point() -> None:
    with interruptible() as interrupt:
        interrupt.held = True
        interrupt.check()
        press()
        with pytest.raises(KeyboardInterrupt):
            interrupt.check()
        interrupt.check()


def test_the_second_is_never_held_back() -> None:
    with interruptible() as interrupt:
        interrupt.held = True
        press()
        with pytest.raises(KeyboardInterrupt):
            press()


def hold(interrupt: Interrupt, passed: list[str], error: Exception | None = None) -> None:
    """A block that holds Ctrl-C back, and that it comes into."""
    with interrupt.holding():
        press()
        passed.append("the rest of the block")
        if error is not None:
            raise error


def test_a_block_that_holds_ends_with_a_safe_point() -> None:
    passed: list[str] = []
    with interruptible() as interrupt:
        with pytest.raises(KeyboardInterrupt):
            hold(interrupt, passed)
        assert not interrupt.held
    assert passed == ["the rest of the block"]


def test_an_error_in_the_block_goes_before() -> None:
    with interruptible() as interrupt, pytest.raises(ValueError, match="worse"):
        hold(interrupt, [], ValueError("worse"))


def test_the_handler_from_before_comes_back() -> None:
    before = signal.getsignal(signal.SIGINT)
    with interruptible():
        assert signal.getsignal(signal.SIGINT) is not before
    assert signal.getsignal(signal.SIGINT) is before


def test_where_ctrl_c_is_ignored_it_stays_so() -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with interruptible():
            press()
            assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)
