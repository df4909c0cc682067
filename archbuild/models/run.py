"""A run, opened from its folder: its spec, its stages, and the rows that it was trained on.

Metrics, pictures, the report, predictions and exports all take a ``Run``; none needs the experiment
that made it.
"""

from __future__ import annotations

from functools import cached_property
from math import prod
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from archbuild.data import Dataset
from archbuild.data.location import DataLocation
from archbuild.data.origin import Origin
from archbuild.data.sample import bounded_rows
from archbuild.data.spill import read_part
from archbuild.errors import DataError, RunError
from archbuild.io.containment import refuse_links
from archbuild.models.stage import Stage
from archbuild.registry import default_vocabulary
from archbuild.runs import RunFolder
from archbuild.runs.catalogue import plots_of
from archbuild.runs.names import PRETRAIN, from_scratch, refining, section_of, stage_of
from archbuild.spec import Plan, Spec, make_plan, spec_from_tree
from archbuild.training.progress import LOGGER

if TYPE_CHECKING:
    from archbuild.training.feed import Feed

RAW = "raw"
"""The space of the rows themselves."""


def open_run(folder: str | PathLike[str], dataset: Dataset | None = None) -> Run:
    """Open a run from its folder.

    Args:
        folder: ``saved_params/<DATASET>/<arch>/<seed>``, wherever it lies now.
        dataset: the rows that it was trained on. By default they are read where training read
            them, when something first needs them; models do without.
            ``archbuild.data.dataset_from_arrays`` makes a dataset of arrays.

    Raises:
        RunError: the folder holds no run, or its spec is damaged.
        DataError: the dataset is not the one that the run was trained on.
    """
    path = Path(folder)
    if not path.is_dir():
        raise RunError(f"there is no folder {path} (looked in {Path.cwd()}); check the path")
    if dataset is not None and not isinstance(dataset, Dataset):
        raise DataError(
            f"dataset is {type(dataset).__name__}; expected a Dataset: make one of arrays with "
            "archbuild.data.dataset_from_arrays(name, rows, labels)"
        )
    run = Run(RunFolder(path), dataset=dataset)
    if not run.stages:
        raise RunError(f"{run.path} holds no run; give the folder that has spec.json in it")
    if dataset is not None:
        run.refuse_changed(run.dataset)
    return run


class Run:
    """The results of one dataset, one spec and one seed.

    Args:
        folder: of the run.
        spec: the resolved spec; by default that of the folder.
        dataset: the rows; by default those that training read, where it read them.
        location: where held-out rows are, and the rows if not given; by default as in training.
        command: the command line that trains it, without stages; by default as in training.
    """

    def __init__(
        self,
        folder: RunFolder,
        *,
        spec: Spec | None = None,
        dataset: Dataset | None = None,
        location: DataLocation | None = None,
        command: str = "",
    ) -> None:
        self.folder = folder
        self.vocabulary = default_vocabulary()
        self.spec = spec or spec_from_tree(folder.read_spec(), self.vocabulary)
        self._dataset = dataset.fitted_to(self.spec.input_shape) if dataset is not None else None
        self._location, self._command = location, command

    def __repr__(self) -> str:
        return f"Run({str(self.path)!r})"

    # -- what it is ------------------------------------------------------------------------

    @property
    def path(self) -> Path:
        """The run's folder."""
        return self.folder.path

    @property
    def plots(self) -> Path:
        """The folder of its pictures and its report."""
        return refuse_links(plots_of(self.folder), below=self.folder.out)

    @cached_property
    def plan(self) -> Plan:
        """The network that the spec describes, without Keras."""
        return make_plan(self.spec, self.vocabulary)

    @property
    def arch(self) -> str:
        """The spec's name."""
        return self.spec.name

    @property
    def dataset_name(self) -> str:
        """The dataset's name."""
        if self._dataset is not None:
            return self._dataset.name
        return self._origin.name if self._origin else self.path.parts[-3]

    @cached_property
    def seed(self) -> int:
        """The random seed."""
        return self.stages[0].seed if self.stages else int(self.path.name)

    @property
    def command(self) -> str:
        """The command line that trains it, without its stages; ``""`` if it is not known."""
        return self._command or (self._origin.command if self._origin else "")

    @property
    def full_command(self) -> str:
        """The command line with the stages that are there, each for as many epochs as was asked.

        With the pretraining that a head started from, also where only the head is left.
        """
        sections = {section_of(stage.name): None for stage in self.stages}
        if any("pretrain" in stage.manifest["request"] for stage in self.stages):
            sections = {PRETRAIN: None, **sections}
        words = [f"--{name} {getattr(self.spec, name)['epochs']}" for name in sections]
        return " ".join([self.command, *words])

    @cached_property
    def _origin(self) -> Origin | None:
        origins = (stage.origin for stage in reversed(self.stages))
        return next((origin for origin in origins if origin is not None), None)

    def title(self, what: str) -> str:
        """Return the title of a picture of it."""
        return f"{self.dataset_name} · {self.arch} · {what}"

    # -- stages and spaces -----------------------------------------------------------------

    @cached_property
    def stages(self) -> tuple[Stage, ...]:
        """The stages with an epoch or more when this is first read, ``pretrain`` first."""
        return tuple(Stage(self.folder.stage(name)) for name in self.folder.stages())

    def stage(self, name: str) -> Stage:
        """Return the stage of that name.

        Raises:
            RunError: there is none.
        """
        for stage in self.stages:
            if stage.name == name:
                return stage
        there = ", ".join(stage.name for stage in self.stages) or "nothing"
        raise RunError(f"{self.path} holds no stage '{name}'; it holds {there}")

    def latest(self, head: str | None = None) -> Stage | None:
        """Return the finished stage with a head (of that type) that was written last.

        While none is finished it is the one in training that was written last; ``None`` if there
        is no stage with such a head.
        """
        names = [refining(head), from_scratch(head)] if head is not None else []
        wanted = [self.folder.stage(name).name for name in names]
        stages = [s for s in self.stages if s.has_head and (head is None or s.name in wanted)]
        return max(stages, key=lambda stage: stage.order, default=None)

    @property
    def finished_stages(self) -> tuple[Stage, ...]:
        """The stages that have ended."""
        return tuple(stage for stage in self.stages if stage.finished)

    @property
    def pretrained(self) -> Stage | None:
        """The finished ``pretrain`` stage; ``None`` if there is none."""
        return next((stage for stage in self.finished_stages if not stage.has_head), None)

    @property
    def finished_heads(self) -> tuple[Stage, ...]:
        """The finished stages with a head."""
        return tuple(stage for stage in self.finished_stages if stage.has_head)

    @property
    def finished_clusterings(self) -> tuple[Stage, ...]:
        """The finished stages whose heads assign each row to a cluster or a class."""
        heads = self.finished_heads
        return tuple(stage for stage in heads if stage.assigns and stage.finds_clusters)

    @property
    def spaces(self) -> tuple[str, ...]:
        """The names of the spaces that are there: raw, pretrain, then the heads'."""
        return (RAW, *(stage.space for stage in self.finished_stages))

    def stage_of(self, space: str) -> Stage:
        """Return the stage whose latents a space holds."""
        return self.stage(stage_of(space))

    def values(self, space: str, chosen: np.ndarray | None = None) -> np.ndarray:
        """Return the points of a space, ``(n, dimensions)``.

        Args:
            space: one of ``spaces``.
            chosen: the indices of the rows that are wanted; by default all.
        """
        if space == RAW:
            rows = np.arange(len(self.dataset)) if chosen is None else chosen
            return self.feed.clean(rows).reshape(len(rows), -1)
        latents = self.stage_of(space).latents
        return latents if chosen is None else read_part(latents, chosen)

    def bounded_rows(self, space: str) -> np.ndarray | None:
        """Return the rows that stand for all of a space, drawn by the seed; ``None``: all do."""
        if space == RAW:
            count, width = len(self.dataset), prod(self.dataset.shape)
        else:
            count, width = self.stage_of(space).latents.shape
        return bounded_rows(count, width * np.dtype(np.float32).itemsize, self.seed)

    # -- the rows --------------------------------------------------------------------------

    @cached_property
    def dataset(self) -> Dataset:
        """The rows that it was trained on, in the shape of the spec's Input.

        Raises:
            DataError: they cannot be read again, or have changed since.
        """
        if self._dataset is not None:
            return self._dataset
        if self.location is None:
            raise DataError(
                f"{self.path} does not record where its rows, '{self.dataset_name}', were read; "
                "give them: archbuild.open(folder, dataset=...)"
            )
        dataset = self.location.load(self.spec)
        self.refuse_changed(dataset)
        return dataset

    def refuse_changed(self, dataset: Dataset) -> None:
        """Make sure that these are the rows that the run was trained on.

        Raises:
            DataError: they are not.
        """
        expected, found = self.stages[0].data_digest, dataset.digest()
        if found != expected:
            raise DataError(
                f"{dataset.source} is not what {self.path} was trained on: expected rows with "
                f"SHA-256 {expected[:12]}…, found {found[:12]}…; restore the file, give the old "
                "rows, or train again"
            )

    @property
    def location(self) -> DataLocation | None:
        """The place where the rows were read; ``None`` for rows that were only in memory."""
        if self._location is not None:
            return self._location
        return self._origin.location if self._origin else None

    @cached_property
    def feed(self) -> Feed:
        """The rows as the network takes them: scaled as in training."""
        from archbuild.training.feed import Feed

        return Feed.of(self.dataset, self.spec, self._origin.scaler if self._origin else None)

    @cached_property
    def held_out(self) -> Feed | None:
        """The dataset's held-out half, scaled like the training half; ``None`` if it has none.

        Where it cannot be read, a warning says why.
        """
        from archbuild.training.feed import Feed

        try:
            known = self._origin.known if self._origin else None
            found = self.location and self.location.load_held_out(self.spec, known)
        except DataError as error:
            LOGGER.warning("nothing is measured on held-out rows: %s", error)
            return None
        if not found:
            return None
        return Feed.of(found.numbered_as(self.dataset.class_names), self.spec, self.feed.scaler)
