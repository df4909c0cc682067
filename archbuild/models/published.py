"""Trained models that travel with the package, each a run folder that predictions open."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from archbuild.errors import UsageError
from archbuild.evaluation.table import HEAD
from archbuild.models.run import Run, open_run
from archbuild.models.stage import Stage
from archbuild.packaged import packaged_folder
from archbuild.runs.catalogue import files_below
from archbuild.spec.values import did_you_mean

PUBLISHED: Final = packaged_folder("published")
"""The folder with a run folder for each model; ``benchmarks/publish.py`` makes them."""


@dataclass(frozen=True)
class Published:
    """A published model.

    Attributes:
        name: the name that users type.
        run: the run, with the one stage that predicts.
    """

    name: str
    run: Run

    @property
    def stage(self) -> Stage:
        """The stage that predicts."""
        (stage,) = self.run.stages
        return stage

    @property
    def scores(self) -> Mapping[str, Any]:
        """The scores of its head on the rows that it was trained on."""
        rows = self.run.folder.read_metrics()["rows"]
        return next(row for row in rows if row["method"] == HEAD)

    @property
    def size(self) -> int:
        """Bytes on disk."""
        return sum(path.stat().st_size for path in files_below(self.run.path))


def published_names(folder: Path = PUBLISHED) -> list[str]:
    """Return the names of the published models."""
    return sorted(path.parent.name for path in folder.glob("*/spec.json"))


def find_published(name: str, folder: Path = PUBLISHED) -> Published:
    """Open a published model.

    Raises:
        UsageError: there is none of that name.
        RunError: its folder is damaged.
    """
    names = published_names(folder)
    if name not in names:
        advice = did_you_mean(name, names) or "'archbuild list published' tells what they do"
        raise UsageError(
            f"no published model is called '{name}'; there are {', '.join(names)}: {advice}"
        )
    return Published(name, open_run(folder / name))
