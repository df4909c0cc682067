"""What a person sees on stderr while a job runs: a bar on a terminal, lines elsewhere."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from archbuild.training.progress import LOGGER, Reporter, in_words


class ConsoleReporter(Reporter):
    """Writes the log, and shows progress on stderr.

    Args:
        quiet: show nothing, only write the log.
    """

    def __init__(self, quiet: bool) -> None:
        from rich.console import Console

        self._console = Console(stderr=True, quiet=quiet, highlight=False)
        self._bar: Any = None

    @property
    def _interactive(self) -> bool:
        return self._console.is_terminal and not self._console.quiet

    def note(self, message: str) -> None:
        """Say one thing, in the log too."""
        LOGGER.info("%s", message)
        self._console.print(message, markup=False, soft_wrap=True)

    def stage_begins(self, stage: str, first_epoch: int, epochs: int, steps: int) -> None:
        """Say that a stage starts, and open its bar."""
        super().stage_begins(stage, first_epoch, epochs, steps)
        at = f", resumed after epoch {first_epoch}" if first_epoch else ""
        self._console.print(f"{stage}: {epochs} epochs of {steps} steps{at}", markup=False)
        if self._interactive:
            self._open_bar(stage, first_epoch * steps, epochs * steps)

    def step(self, stage: str) -> None:
        """Move the bar."""
        if self._bar is not None:
            self._bar.advance(self._bar.task_ids[0])

    def epoch_ends(self, stage: str, row: Mapping[str, Any], epochs: int) -> None:
        """Show the epoch's loss beside the bar, or as a line."""
        super().epoch_ends(stage, row, epochs)
        short = {key: row[key] for key in ("loss", "occupied", "label_change") if key in row}
        text = f"{stage} {row['epoch']}/{epochs}  {in_words(short)}"
        if self._bar is not None:
            self._bar.update(self._bar.task_ids[0], description=text)
        else:
            self._console.print(text, markup=False, soft_wrap=True)

    def stage_ends(self, stage: str, message: str) -> None:
        """Close the bar and say how the stage ended."""
        super().stage_ends(stage, message)
        self.close()
        self._console.print(f"{stage}: {message}", markup=False, soft_wrap=True)

    def close(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def _open_bar(self, stage: str, done: int, total: int) -> None:
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        self._bar = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=None),
            TimeRemainingColumn(),
            console=self._console,
            transient=True,
        )
        self._bar.add_task(stage, completed=done, total=total)
        self._bar.start()

    @contextmanager
    def logging_to(self, job: Any) -> Iterator[Path]:
        """Write the log of a job to ``logs/<date-time>-<dataset>-<arch>.log`` while it runs."""
        from archbuild.runs import slug

        moment = datetime.now().strftime("%Y%m%d-%H%M%S")
        name = f"{moment}-{slug(job.dataset.name)}-{slug(job.spec.name)}.log"
        path = job.request.out / "logs" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        handler = logging.FileHandler(path, encoding="utf-8")
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
        LOGGER.addHandler(handler)
        LOGGER.setLevel(logging.INFO)
        try:
            yield path
        except BaseException as error:
            LOGGER.error("%s", error or type(error).__name__)
            raise
        finally:
            LOGGER.removeHandler(handler)
            handler.close()


@contextmanager
def reporting(quiet: bool) -> Iterator[ConsoleReporter]:
    """A reporter whose bar is gone when the block ends, however it ends."""
    reporter = ConsoleReporter(quiet)
    try:
        yield reporter
    finally:
        reporter.close()
