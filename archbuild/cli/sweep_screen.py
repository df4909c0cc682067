"""Progress of a sweep for people: a bar with its running processes on a terminal, else lines."""

from __future__ import annotations

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Column

from archbuild.cli.screen import Screen
from archbuild.experiments.sweeps.events import (
    PartEnded,
    PartReported,
    PartStarted,
    SweepEnded,
    SweepStarted,
)
from archbuild.printable import one_line
from archbuild.training.progress import Event


class SweepScreen(Screen):
    """A handler that shows the events of a sweep on stderr."""

    def __init__(self) -> None:
        super().__init__()
        self._tasks: dict[tuple[str, str], TaskID] = {}

    def __call__(self, event: Event) -> None:
        """Move the bar, or print the event's line above it."""
        match event:
            case SweepStarted() if self._interactive:
                self._open(event.parts)
            case SweepEnded():
                self.close()
            case PartStarted() if self._bar is not None:
                self._add_task(self._bar, event)
            case PartReported() if self._bar is not None and "epochs" in event.event:
                self._move_task(self._bar, event)
            case _:
                self._show(event)

    def _open(self, parts: int) -> None:
        self._bar = Progress(
            TextColumn("{task.description}", markup=False, table_column=Column(no_wrap=True)),
            BarColumn(bar_width=None, table_column=Column(ratio=1, min_width=10)),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=self._console,
            transient=True,
        )
        self._bar.add_task("sweep", total=parts)
        self._bar.start()

    def _add_task(self, bar: Progress, event: PartStarted) -> None:
        description = one_line(f"{event.run} {event.head}: starting")
        self._tasks[event.run, event.head] = bar.add_task(description, total=None)

    def _move_task(self, bar: Progress, event: PartReported) -> None:
        facts = event.event
        bar.update(
            self._tasks[event.run, event.head],
            description=one_line(f"{event.run} {event.head}: {facts['stage']}"),
            completed=facts["epoch"],
            total=facts["epochs"],
        )

    def _show(self, event: Event) -> None:
        """Print the event's line, if it has one; take a part that has ended off the bar."""
        if text := str(event):
            self._print(text)
        if isinstance(event, PartEnded) and self._bar is not None:
            task = self._tasks.pop((event.run, event.head), None)
            if task is not None:
                self._bar.remove_task(task)
            self._bar.advance(self._bar.task_ids[0])
