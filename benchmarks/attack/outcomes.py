"""How archbuild ends with an input."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import click

from archbuild.errors import ArchbuildError


class Outcome(StrEnum):
    """The kinds of ends; the first two are right."""

    SUCCESS = "success"
    REFUSED = "ArchbuildError"
    DEFECT = "defect"  # another exception, or a promise that was not kept
    SIGNAL = "signal"
    SLOW = "too slow"
    LARGE = "too large"

    @property
    def is_right(self) -> bool:
        """Whether an input may end so."""
        return self in (Outcome.SUCCESS, Outcome.REFUSED)


@dataclass(frozen=True)
class Limits:
    """What an input may take.

    Attributes:
        seconds: of the child's processor time.
        memory: bytes that the child's memory may grow at any time beyond what it was at its start.
        patience: how many times as long, by the clock, a child may say nothing before it is killed,
            which leaves room for a crowded machine.
    """

    seconds: float = 5.0
    memory: int = 1_000_000_000
    patience: float = 4.0

    @property
    def silence(self) -> float:
        """The seconds without an answer after which a child is killed."""
        return self.patience * self.seconds


@dataclass(frozen=True)
class Result:
    """How one input ended.

    Attributes:
        index: its number in the series, or in the list of files.
        outcome: how it ended.
        detail: of a failure, the exception and where it was raised, or the signal.
        seconds: of processor time; 0 where the child died.
    """

    index: int
    outcome: Outcome
    detail: str = ""
    seconds: float = 0.0


def outcome_of(error: BaseException | None) -> Outcome:
    """Return the outcome of what was raised; memory that ran out counts, whatever it became."""
    if error is None:
        return Outcome.SUCCESS
    if any(isinstance(cause, MemoryError) for cause in _chain(error)):
        return Outcome.LARGE
    expected = isinstance(error, ArchbuildError | click.ClickException)
    return Outcome.REFUSED if expected else Outcome.DEFECT


def detail_of(error: BaseException | None) -> str:
    """Return the type of an exception, where it was raised, and the beginning of its text."""
    if error is None:
        return ""
    place, trace = "nowhere", error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        place, trace = f"{Path(code.co_filename).name}:{trace.tb_lineno}", trace.tb_next
    return f"{type(error).__name__} ({place}): {ascii(str(error))[1:200]}"


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    following: list[BaseException | None] = [error]
    while following:
        found = following.pop()
        if found is not None and id(found) not in seen:
            seen.add(id(found))
            yield found
            following += [found.__cause__, found.__context__]
