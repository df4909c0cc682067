"""A change of a module, the mutant that it makes, and how the tests end on it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True)
class Change:
    """A change that an operator makes.

    Attributes:
        module: of archbuild, as ``io/locks.py``.
        line: where it is, from 1.
        operator: the operator's name.
        occurrence: which of the operator's changes of this module, from 0.
    """

    module: str
    line: int
    operator: str
    occurrence: int


@dataclass(frozen=True)
class Mutant:
    """A module with one change made.

    Attributes:
        change: the change.
        before: the lines that changed, without indentation.
        after: the same lines after the change.
        source: the changed module's text.
    """

    change: Change
    before: str
    after: str
    source: str


class End(StrEnum):
    """How the tests ended on a mutant."""

    KILLED = "killed"
    TIMED_OUT = "timed out"
    SURVIVED = "survived"


@dataclass(frozen=True)
class Result:
    """The end of a mutant.

    Attributes:
        end: how the tests ended.
        by: the test that failed first, or an empty text.
        seconds: what the tests took.
    """

    end: End
    by: str
    seconds: float
