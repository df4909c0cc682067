"""Progress for people: a bar on a terminal, one line for each epoch elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from datetime import timedelta
from time import perf_counter
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn
from rich.table import Column
from rich.text import Text

from archbuild import printable
from archbuild.training.progress import (
    EpochDone,
    Event,
    StageEnded,
    StageStarted,
    StepDone,
    row_text,
)

_SHOWN: Final = ("loss", "validation_error", "occupied", "label_change")
_UNKNOWN: Final = "-:--:--"
_LEAST_BAR: Final = 5  # columns
_TIMES: Final = len("00:00:00, 00:00:00 left")


class Screen:
    """A handler that shows events on stderr."""

    def __init__(self) -> None:
        self._console = Console(stderr=True, highlight=False)
        # not console.is_terminal, which FORCE_COLOR makes true for files as well
        self._interactive = sys.stderr.isatty() and not self._console.is_dumb_terminal
        self._bar: Progress | None = None
        self._pace = Pace(0, 0)

    def __call__(self, event: Event) -> None:
        """Move the bar, or print the event's line above it."""
        match event:
            case StepDone():
                self._advance()
            case EpochDone():
                self._show_epoch(event)
            case StageStarted():
                self._print(str(event))
                self._open_bar(event)
            case StageEnded():
                self.close()
                self._print(str(event))
            case _:
                self._print(str(event))

    def close(self) -> None:
        """Remove the bar."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def _print(self, text: str) -> None:
        # files keep their lines whole; a terminal breaks them between words
        soft_wrap = not self._console.is_terminal
        self._console.print(printable.message(text), markup=False, soft_wrap=soft_wrap)

    def _open_bar(self, stage: StageStarted) -> None:
        if not self._interactive:
            return
        done, total = stage.epoch * stage.steps, stage.epochs * stage.steps
        self._pace = Pace(done, total)
        self._bar = _bar(self._console, self._pace)
        description = f"{stage.stage}  epoch {stage.epoch}/{stage.epochs}"
        self._bar.add_task(description, completed=done, total=total, scores="")
        self._bar.start()

    def _advance(self) -> None:
        if self._bar is not None:
            self._pace.step()
            self._bar.advance(self._bar.task_ids[0])

    def _show_epoch(self, event: EpochDone) -> None:
        """Show the epoch's scores beside the bar, or as a line."""
        scores = [text for key in _SHOWN if (text := row_text(event.row, [key]))]
        if self._bar is None:
            self._print("  ".join([event.position, *scores]))
            return
        reached = f"{event.stage}  epoch {event.row['epoch']}/{event.epochs}"
        room = self._console.width - len(reached) - _LEAST_BAR - _TIMES - len("   ")
        fitting = _fitting(scores, room)
        self._bar.update(self._bar.task_ids[0], description=reached, scores=fitting)


class Pace:
    """An estimate of the time that the rest of a stage takes, from the steps of this process.

    It is the mean over all steps, so that the time between epochs counts too, without the first
    step, in which the backend builds its graph.

    Args:
        done: steps of earlier processes.
        total: steps of the whole stage.
        clock: returns seconds since any fixed moment.
    """

    def __init__(self, done: int, total: int, clock: Callable[[], float] = perf_counter) -> None:
        self._total, self._clock = total, clock
        self._done, self._seen = done, 0
        self._begun = self._last = clock()

    def step(self) -> None:
        """Count one more step."""
        self._done += 1
        self._seen += 1
        self._last = self._clock()
        if self._seen == 1:
            self._begun = self._last

    @property
    def left(self) -> float | None:
        """The time left in seconds; ``None`` before the second step."""
        if self._seen < 2:
            return None
        each = (self._last - self._begun) / (self._seen - 1)
        return max(0.0, each * (self._total - self._done) - (self._clock() - self._last))


class _Times(ProgressColumn):
    """Time since the bar was opened, and what is left."""

    def __init__(self, pace: Pace) -> None:
        super().__init__(table_column=Column(no_wrap=True))
        self._pace = pace

    def render(self, task: Task) -> Text:
        return Text(f"{_clock_time(task.elapsed)}, {_clock_time(self._pace.left)} left")


def _clock_time(seconds: float | None) -> str:
    return _UNKNOWN if seconds is None else str(timedelta(seconds=round(seconds)))


def _fitting(scores: Sequence[str], room: int) -> str:
    """Return as many of the first scores as there is room for."""
    text = ""
    for score in scores:
        longer = f"{text}  {score}".strip()
        if len(longer) > room:
            break
        text = longer
    return text


def _bar(console: Console, pace: Pace) -> Progress:
    whole = Column(no_wrap=True)
    return Progress(
        TextColumn("{task.description}", markup=False, table_column=whole),
        BarColumn(bar_width=None, table_column=Column(ratio=1, min_width=_LEAST_BAR)),
        _Times(pace),
        TextColumn("{task.fields[scores]}", markup=False, table_column=whole),
        console=console,
        transient=True,
    )
