"""The events of a sweep, beside those of training (``training/progress.py``)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from archbuild.evaluation.scores import BRIEF
from archbuild.training.progress import Event

State = Literal["done", "already done", "failed", "stopped"]


@dataclass(frozen=True)
class SweepStarted(Event):
    """A sweep starts.

    Attributes:
        parts: how many there are in all.
    """

    name = "sweep_begins"
    parts: int


@dataclass(frozen=True)
class SweepEnded(Event):
    """Every part of a sweep has ended."""

    name = "sweep_ends"
    done: int
    failed: int


@dataclass(frozen=True)
class PartStarted(Event):
    """The process of a part starts.

    Attributes:
        run: the label of the run.
        head: the head's type.
    """

    name = "run_begins"
    run: str
    head: str

    def __str__(self) -> str:
        return f"{self.run} {self.head}: begins"


@dataclass(frozen=True)
class PartReported(Event):
    """The process of a part has reported an event.

    Attributes:
        run: the label of the run.
        head: the head's type.
        event: the line of JSON that the process wrote.
    """

    run: str
    head: str
    event: Mapping[str, Any]

    def __str__(self) -> str:
        if self.name != "warning":
            return ""
        return f"{self.run} {self.head}: warning: {self.event['message']}"

    @property
    def name(self) -> str:
        """The name of the event of the process."""
        return str(self.event["event"])

    @property
    def facts(self) -> dict[str, Any]:
        """The facts of the event of the process, and whose they are."""
        own = {key: value for key, value in self.event.items() if key not in ("event", "time")}
        return {"run": self.run, "head": self.head, **own}


@dataclass(frozen=True)
class PartEnded(Event):
    """A part has ended, or needs no process.

    Attributes:
        run: the label of the run.
        head: the head's type.
        state: how it ended.
        message: the reason of a failure.
        scores: the head's scores by name, of a part that is done.
    """

    name = "run_ends"
    run: str
    head: str
    state: State
    message: str
    scores: Mapping[str, float]

    def __str__(self) -> str:
        reason = f": {self.message}" if self.state == "failed" else ""
        score = [f", {BRIEF[key]} {self.scores[key]:.4f}" for key in BRIEF if key in self.scores]
        return f"{self.run} {self.head}: {self.state}{reason}{''.join(score[:1])}"


@dataclass(frozen=True)
class RunWaits(Event):
    """Another process holds the run, which is tried again later; reported once."""

    name = "run_waits"
    run: str

    def __str__(self) -> str:
        return f"{self.run}: in use by another process; it is tried again later"
