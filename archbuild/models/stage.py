"""One stage of a run, opened: its history, its results, and its model."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from archbuild.data.origin import Origin
from archbuild.errors import RunError
from archbuild.heads import HEADS, Head
from archbuild.models.model import Model
from archbuild.runs import StageFolder
from archbuild.runs.manifest import digest_of, sequence
from archbuild.runs.names import PRETRAIN, is_from_scratch, section_of, space_of
from archbuild.runs.rows import read_rows
from archbuild.spec.vocabulary import Answer


class Stage:
    """A stage that has at least one epoch, finished or still in training.

    Args:
        folder: of the stage; its manifest is there.
    """

    def __init__(self, folder: StageFolder) -> None:
        self.folder = folder
        self._finished_manifest: Mapping[str, Any] | None = None

    def __repr__(self) -> str:
        return f"Stage({str(self.folder.path)!r})"

    @property
    def name(self) -> str:
        """``pretrain``, ``cluster-<head>`` or ``train-<head>``."""
        return self.folder.name

    @property
    def path(self) -> Path:
        """Its folder."""
        return self.folder.path

    @property
    def space(self) -> str:
        """The name of the space of its latents, as in the tables: ``kld`` for ``cluster-kld``."""
        return space_of(self.name)

    @property
    def has_head(self) -> bool:
        """True if a head was trained in it."""
        return self.name != PRETRAIN

    @property
    def from_scratch(self) -> bool:
        """True if network and head were trained together, without pretraining."""
        return is_from_scratch(self.name)

    @property
    def supervision(self) -> str | None:
        """``supervised``, ``semi-supervised``, or ``None``: no label reached its training."""
        section = self.settings.get("supervision")
        if section is None:
            return None
        return "supervised" if section["labels"] == "all" else "semi-supervised"

    @property
    def labels_used(self) -> int:
        """The number of labels that its training read."""
        return int(self.manifest["request"].get("labels_used", 0))

    @property
    def finds_clusters(self) -> bool:
        """True if its head assigns each row to a cluster or a class."""
        return self.has_head and self._answers != "nothing" and self.labels_per_row == 1

    @property
    def follows_clusters(self) -> bool:
        """True if its history says after each epoch which clusters the rows are in."""
        return self.finds_clusters and self._head_type.watches_rows

    @property
    def finds_classes(self) -> bool:
        """True if its head assigns rows to the classes of the labels that it was trained with."""
        return self.has_head and self._answers == "classes"

    @property
    def _answers(self) -> Answer:
        return self._head_type.answers_under(self.supervision is not None)

    @property
    def _head_type(self) -> type[Head]:
        return HEADS[self.settings["head"]["type"]]

    @property
    def labels_per_row(self) -> int:
        """The number of answers of its head for each row: 1, or the length of a sequence."""
        return self._head_type.labels_per_row(self.settings["head"]) if self.has_head else 1

    @property
    def assigns(self) -> bool:
        """True if it left an assignment of the training rows."""
        return "assignments.npy" in self.manifest.get("files", ())

    @property
    def finished(self) -> bool:
        """True if it has ended."""
        manifest = self._manifest()
        return manifest is not None and manifest["state"] == "finished"

    @property
    def manifest(self) -> Mapping[str, Any]:
        """Its manifest: of a finished stage read once, of one in training as it is now.

        Raises:
            RunError: it is missing or damaged.
        """
        found = self._manifest()
        if found is None:
            raise RunError(f"{self.path} was removed after the run was opened; open the run again")
        return found

    def _manifest(self) -> Mapping[str, Any] | None:
        if self._finished_manifest is not None:
            return self._finished_manifest
        found = self.folder.manifest()
        if found is not None and found["state"] == "finished":  # it will not change any more
            self._finished_manifest = found
        return found

    @property
    def written(self) -> str:
        """The time when its latest epoch was saved or it was finished: ISO 8601, local time."""
        timing = self.manifest["timing"]
        return str(timing.get("finished", timing.get("saved", "")))

    @property
    def order(self) -> tuple[bool, int, str]:
        """A key for sorting: the stage that was trained last has the greatest, finished ones first.

        The stages of a run are numbered as their training begins or goes on. ``written`` counts in
        runs of early versions, which have no numbers.
        """
        return self.finished, sequence(self.manifest), self.written

    @property
    def settings(self) -> Mapping[str, Any]:
        """The part of the resolved spec that it depends on."""
        found: Mapping[str, Any] = self.manifest["request"]["spec"]
        return found

    @property
    def seed(self) -> int:
        """The run's random seed."""
        return int(self.manifest["request"]["seed"])

    @property
    def data_digest(self) -> str:
        """SHA-256 of the rows that it was trained on."""
        return str(self.manifest["request"]["data"])

    @property
    def origin(self) -> Origin | None:
        """The properties of its data that are kept; ``None`` in runs of early versions."""
        document = self.manifest.get("origin")
        return Origin.from_json(document) if document else None

    @property
    def digest(self) -> str:
        """SHA-256 of everything that a finished stage left.

        Raises:
            RunError: it is not finished.
        """
        return self.folder.digest if not self.finished else digest_of(self.manifest)

    def verify(self) -> None:
        """Compare the files on disk with the digests in the manifest.

        Raises:
            RunError: a file is missing or altered; names the file.
        """
        self.folder.verify()

    @property
    def summary(self) -> dict[str, Any] | None:
        """The summary of its end, with the seconds it took; ``None`` while it is not finished."""
        manifest = self.manifest
        if manifest["state"] != "finished":
            return None
        return {**manifest["summary"], "seconds": manifest["timing"]["seconds"]}

    @property
    def progress(self) -> str:
        """The words ``", epoch 3, not finished"`` for titles; ``""`` once it is finished."""
        manifest = self.manifest
        return (
            "" if manifest["state"] == "finished" else f", epoch {manifest['epoch']}, not finished"
        )

    def history(self) -> list[dict[str, Any]]:
        """Return one mapping for each epoch so far.

        Raises:
            RunError: the history is missing or damaged.
        """
        return self.folder.history()

    @property
    def shares(self) -> list[float] | None:
        """The share of the training rows in each cluster, after the latest epoch that counted."""
        counted = (row["shares"] for row in reversed(self.history()) if "shares" in row)
        return next(counted, None)

    @property
    def round_ends(self) -> list[int]:
        """The epochs after which a head with rounds updated its modules, the last one excepted."""
        rounds = self.settings.get("head", {}).get("rounds", 0)
        epochs = self.settings.get(section_of(self.name), {}).get("epochs", 0)
        return [epochs * number for number in range(1, rounds)]

    @property
    def latents(self) -> np.ndarray:
        """The latents of the training rows, ``(n, latent)``, once it is finished.

        They are a memory map of the file where they are large, as are ``assignments``.
        """
        return self._array("latents.npy", None, None)

    @property
    def assignments(self) -> np.ndarray:
        """The probabilities of the training rows, ``(n, cluster)``, once it is finished.

        Of sequences of labels, ``(n, labels, cluster)``.
        """
        n_clusters = self.settings.get("head", {}).get("n_clusters")
        return self._array("assignments.npy", *self._answer_shape, n_clusters)

    @property
    def clusters(self) -> np.ndarray:
        """The cluster of each training row, ``(n,)`` or ``(n, labels)``, once it is finished."""
        return self._array("labels.npy", *self._answer_shape)

    @property
    def _answer_shape(self) -> tuple[int | None, ...]:
        return (None,) if self.labels_per_row == 1 else (None, self.labels_per_row)

    def _array(self, name: str, *shape: int | None) -> np.ndarray:
        manifest = self.manifest
        if manifest["state"] != "finished":
            raise RunError(
                f"{self.path} is not finished and has no {name} yet; continue it to its end, or "
                "use the model of its latest epoch: stage.open()"
            )
        if name not in manifest["files"]:
            raise RunError(f"the stage '{self.name}' assigns rows to no clusters; train a head")
        return read_rows(self.folder.file(name), shape)

    @cached_property
    def model(self) -> Model:
        """The model of the stage, or of its latest epoch when this is first read."""
        return self.open()

    def open(self) -> Model:
        """Open a new model, which shares its network with no other.

        Raises:
            RunError: there is none yet, or a file is missing or altered.
        """
        return Model.open(self.folder)
