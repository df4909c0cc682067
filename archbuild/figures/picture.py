"""The contract of a picture: what it is called, and how it is drawn for a run.

A file of this room holds one kind of picture: a function that draws it from arrays, and a
``Picture`` that takes those arrays from a ``Run``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from archbuild.models.run import Run
from archbuild.models.stage import Stage


class Picture(ABC):
    """One kind of picture."""

    name: ClassVar[str]
    """The first part of the names of its files, and its name in ``Head.figures``."""
    section: ClassVar[str | None] = None
    """The heading under which the report shows it; ``None``: the report leaves it out."""

    @abstractmethod
    def draw(self, run: Run, folder: Path) -> list[Path]:
        """Draw every picture of this kind to PNG files in ``folder``; return their paths."""


class StagePicture(Picture):
    """A picture of each stage, named ``<kind>-<stage>.png``."""

    def stages(self, run: Run) -> Sequence[Stage]:
        """Return the stages that it is drawn of; by default all."""
        return run.stages

    def file_name(self, stage: Stage) -> str:
        """Return the name of a stage's file."""
        return f"{self.name}-{stage.name}.png"

    def draw(self, run: Run, folder: Path) -> list[Path]:
        """Draw the picture of every stage."""
        return [
            self.draw_stage(run, stage, folder / self.file_name(stage))
            for stage in self.stages(run)
        ]

    @abstractmethod
    def draw_stage(self, run: Run, stage: Stage, path: Path) -> Path:
        """Draw the picture of one stage to ``path``, which is returned."""


class HeadPicture(StagePicture):
    """A picture of each stage with a head whose ``figures`` name it: ``<kind>-<space>.png``.

    Of a stage that another process is training, its latest epoch is drawn.
    """

    def stages(self, run: Run) -> Sequence[Stage]:
        """Return the stages whose heads name it."""
        heads = ((stage, stage.model.head) for stage in run.stages if stage.has_head)
        return [stage for stage, head in heads if head is not None and self.name in head.figures()]

    def file_name(self, stage: Stage) -> str:
        """Return the name of a stage's file."""
        return f"{self.name}-{stage.space}.png"
