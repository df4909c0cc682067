"""What is told of a sweep on stderr: a bar and the running processes, lines, or events."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Column

from archbuild.cli.events import write_line
from archbuild.experiments.sweeps import Listener, Part, Run, State


class SweepLines(Listener):
    """One line when a process begins, and one when it ends."""

    def __init__(self, console: Console) -> None:
        self.console = console

    def begins(self, run: Run, part: Part) -> None:
        """Say what starts."""
        self.say(f"{called(run, part)}: begins")

    def hears(self, run: Run, part: Part, event: dict[str, Any]) -> None:
        """Pass warnings on."""
        if event["event"] == "warning":
            self.say(f"{called(run, part)}: warning: {event['message']}")

    def ends(self, run: Run, part: Part, state: State, message: str) -> None:
        """Say how it ended."""
        what = f": {message}" if state == "failed" else ""
        self.say(f"{called(run, part)}: {state}{what}{_score(part) if 'done' in state else ''}")

    def waits(self, run: Run) -> None:
        """Say that somebody else is at it."""
        self.say(f"{run.label}: in use by another process; coming back to it")

    def stops(self) -> None:
        """Say what is waited for."""
        self.say("stopping at the next safe point; Ctrl-C again stops at once")

    def say(self, message: str) -> None:
        """Say one thing, above the bar if there is one."""
        self.console.print(message, markup=False, soft_wrap=not self.console.is_terminal)


class SweepBar(SweepLines):
    """A bar for the whole, and below it a line for each process that runs."""

    def __init__(self, console: Console, parts: int) -> None:
        super().__init__(console)
        self.bar = Progress(
            TextColumn("{task.description}", markup=False, table_column=Column(no_wrap=True)),
            BarColumn(bar_width=None, table_column=Column(ratio=1, min_width=10)),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=console,
            transient=True,
        )
        self._whole = self.bar.add_task("sweep", total=parts)
        self._lines: dict[Part, TaskID] = {}

    def begins(self, run: Run, part: Part) -> None:
        """Add its line."""
        self._lines[part] = self.bar.add_task(f"{called(run, part)}: starting", total=None)

    def hears(self, run: Run, part: Part, event: dict[str, Any]) -> None:
        """Move its line; pass warnings on."""
        super().hears(run, part, event)
        if "epochs" in event:
            self.bar.update(
                self._lines[part],
                description=f"{called(run, part)}: {event['stage']}",
                completed=event["epoch"],
                total=event["epochs"],
            )

    def ends(self, run: Run, part: Part, state: State, message: str) -> None:
        """Take its line away."""
        super().ends(run, part, state, message)
        if part in self._lines:
            self.bar.remove_task(self._lines.pop(part))
        self.bar.advance(self._whole)


class SweepEvents(Listener):
    """What the processes tell, with the name of the run, and when each begins and ends."""

    def begins(self, run: Run, part: Part) -> None:
        """Return a process starts."""
        write_line("run_begins", **_names(run, part))

    def hears(self, run: Run, part: Part, event: dict[str, Any]) -> None:
        """Pass it on."""
        facts = {key: value for key, value in event.items() if key not in ("event", "time")}
        write_line(event["event"], **_names(run, part), **facts)

    def ends(self, run: Run, part: Part, state: State, message: str) -> None:
        """Show that a part has ended."""
        write_line("run_ends", **_names(run, part), state=state, message=message)

    def waits(self, run: Run) -> None:
        """Somebody else is at it."""
        write_line("run_waits", run=run.label)


@contextmanager
def listening(parts: int, quiet: bool, as_events: bool) -> Iterator[Listener]:
    """Show the progress of a sweep of ``count`` parts until the block ends."""
    console = Console(stderr=True, highlight=False)
    if quiet:
        yield Listener()
    elif as_events:
        yield SweepEvents()
    elif sys.stderr.isatty() and not console.is_dumb_terminal:
        screen = SweepBar(console, parts)
        with screen.bar:
            yield screen
    else:
        yield SweepLines(console)


def called(run: Run, part: Part) -> str:
    """Return a part, for people."""
    return f"{run.label} {part.head}"


def _names(run: Run, part: Part) -> dict[str, Any]:
    return {"run": run.label, "head": part.head}


def _score(part: Part) -> str:
    """Return the part's score as text, of its head where there is one."""
    from archbuild.evaluation.scores import BRIEF

    own = [row for row in part.rows() if "held out" not in row["method"]]
    scores = [f", {name} {own[-1][key]:.4f}" for key, name in BRIEF.items() if own[-1].get(key)]
    return scores[0] if scores else ""
