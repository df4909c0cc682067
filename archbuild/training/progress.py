"""The stream of events that training emits; log, progress bar, TensorBoard and JSON lines read it.

A consumer is any function of one event. Each event has a ``name`` and ``facts`` for programs, and
is one line of text for people.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from archbuild.evaluation.collapse import Occupancy
from archbuild.printable import message

LOGGER = logging.getLogger("archbuild")

_OCCUPANCY = tuple(field.name for field in fields(Occupancy))


@dataclass(frozen=True)
class Event:
    """Something that happened while stages run; every kind has a ``name``."""

    @property
    def name(self) -> str:
        """The kind of the event, for programs."""
        raise NotImplementedError

    def __str__(self) -> str:
        return ""

    @property
    def facts(self) -> dict[str, Any]:
        """The event's values by name, for JSON."""
        return asdict(self)


@dataclass(frozen=True)
class Note(Event):
    """A message that is neither a result nor an error."""

    name = "note"
    message: str

    def __str__(self) -> str:
        return self.message


@dataclass(frozen=True)
class Warned(Event):
    """A warning that was logged."""

    name = "warning"
    message: str

    def __str__(self) -> str:
        return f"warning: {self.message}"


@dataclass(frozen=True)
class StageStarted(Event):
    """The start of a stage, or the point where it resumes.

    Attributes:
        stage: its name.
        epoch: how many epochs are complete.
        epochs: how many there are in all.
        steps: optimisation steps in each epoch.
    """

    name = "stage_begins"
    stage: str
    epoch: int
    epochs: int
    steps: int

    def __str__(self) -> str:
        resumed = f", resumed after epoch {self.epoch}" if self.epoch else ""
        length = f"{counted(self.epochs, 'epoch')} of {counted(self.steps, 'step')}"
        return f"{self.stage}: {length}{resumed}"


@dataclass(frozen=True)
class StepDone(Event):
    """The end of an optimisation step."""

    name = "step"
    stage: str


@dataclass(frozen=True)
class EpochDone(Event):
    """The end of an epoch, which is saved on disk.

    Attributes:
        stage: its name.
        epochs: how many there are in all.
        row: the epoch's line of the history.
    """

    name = "epoch"
    stage: str
    epochs: int
    row: Mapping[str, Any]

    def __str__(self) -> str:
        return f"{self.position}  {row_text(self.row)}"

    @property
    def position(self) -> str:
        """The stage with the number of the epoch: ``pretrain 3/50``."""
        return f"{self.stage} {self.row['epoch']}/{self.epochs}"

    @property
    def facts(self) -> dict[str, Any]:
        """The stage, the number of epochs, and the line of the history in groups."""
        return {"stage": self.stage, "epochs": self.epochs, **grouped(self.row)}


@dataclass(frozen=True)
class StageEnded(Event):
    """The end of a stage: it ran, was already done, or was dropped, as ``message`` says.

    ``warning``, which is part of the message, is what is wrong with its clusters; or ``None``.
    """

    name = "stage_ends"
    stage: str
    message: str
    warning: str | None = None

    def __str__(self) -> str:
        return f"{self.stage}: {self.message}"


EventHandler = Callable[[Event], None]


def log_event(event: Event) -> None:
    """Write an event to the log, if there is text for it."""
    if text := str(event):
        LOGGER.info("%s", text)


def print_event(event: Event) -> None:
    """Print an event on standard output, if there is text for it."""
    if text := str(event):
        print(message(text))


def counted(number: int, noun: str) -> str:
    """Return a number with its noun: ``1 epoch``, ``2 epochs``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def row_text(row: Mapping[str, Any], keys: Sequence[str] | None = None) -> str:
    """Return a line of a history as text, without lists and missing values.

    Args:
        row: the line.
        keys: the values to show, in this order; by default all but ``epoch``.
    """
    chosen = [key for key in row if key != "epoch"] if keys is None else keys
    values = {key: row[key] for key in chosen if row.get(key) is not None}
    return "  ".join(
        f"{key} {value:.4g}" if isinstance(value, float) else f"{key} {value}"
        for key, value in values.items()
        if not isinstance(value, list)
    )


def grouped(row: Mapping[str, Any]) -> dict[str, Any]:
    """Group a line of a history: ``epoch``, ``learning_rate``, ``terms``, ``occupancy``.

    ``terms`` are the loss and its parts; ``occupancy`` is ``None`` where there are no clusters yet.
    """
    rest = dict(row)
    named = {key: rest.pop(key) for key in ("epoch", "learning_rate")}
    occupancy = {key: rest.pop(key) for key in _OCCUPANCY if key in rest}
    return {**named, "terms": rest, "occupancy": occupancy or None}
