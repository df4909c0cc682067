"""The workers of ``ray_predictions``, which Ray starts on the machines of a cluster."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np

from archbuild.errors import ArchbuildError, DataError, RunError
from archbuild.models.model import Model
from archbuild.models.new_rows import NewRows, fingerprint
from archbuild.ray_cluster import error_document, known_versions, refuse_other_versions
from archbuild.runs import RunFolder

if TYPE_CHECKING:
    from archbuild.training.feed import Feed

Batch = Mapping[str, Any]
"""Columns by name, as Ray Data passes them."""


@dataclass(frozen=True)
class Job:
    """The job of a worker.

    Attributes:
        stage: the name of the stage that has the model.
        run: the path of the run's folder; unused where ``files`` are sent.
        files: a list of one reference, to its files' contents by their place; ``None``: shared.
        rows: where the rows are, for those that read them.
        fingerprint: of the rows, as this machine reads them.
        versions: what answers depend on.
        chunk: rows in memory at a time.
    """

    stage: str
    run: str
    files: Any
    rows: NewRows
    fingerprint: str
    versions: Mapping[str, str]
    chunk: int


class _Worker:
    """A process that opens the model, and the rows, when it is first asked for something.

    An error of archbuild is answered like rows are, since Ray would wrap it.
    """

    def __init__(self, job: Job) -> None:
        self._job = job
        self._warned = False

    def __call__(self, batch: Batch) -> Batch:
        if "kind" in batch:
            return batch
        try:
            return self._work(batch)
        except OSError as error:
            reason = f"{error.strerror or error}: {error.filename or 'a file'}"
            return self._failed(RunError(f"{reason}; is --shared right for this cluster?"))
        except ArchbuildError as error:
            return self._failed(error)

    def _work(self, batch: Batch) -> Batch:
        raise NotImplementedError

    def _failed(self, error: ArchbuildError) -> Batch:
        document = error_document(error)
        document["message"] = f"on {socket.gethostname()}: {document['message']}"
        return {"number": [-1], **{name: [text] for name, text in document.items()}}

    @cached_property
    def model(self) -> Model:
        refuse_other_versions(self._job.versions, known_versions())
        if self._job.files is None:
            return self._opened(Path(self._job.run))
        import ray

        with TemporaryDirectory() as folder:  # an open model needs no file any more
            for name, content in ray.get(self._job.files[0]).items():
                path = Path(folder) / name
                path.parent.mkdir(exist_ok=True)
                path.write_bytes(content)
            return self._opened(Path(folder))

    def _opened(self, run: Path) -> Model:
        return Model.open(RunFolder(run).stage(self._job.stage))

    @cached_property
    def _feed(self) -> Feed:
        dataset = self._job.rows.load(self.model)
        if fingerprint(dataset) != self._job.fingerprint:
            raise DataError(
                f"{dataset.source} holds other rows here than on the machine of the command; give "
                "data that every machine sees alike, or leave out --shared"
            )
        return self.model.feed(dataset)

    def _rows(self, start: int, stop: int) -> np.ndarray:
        return self._feed.clean(slice(start, stop))

    def _answers(self, start: int, rows: np.ndarray) -> Batch:
        """Return the answers for rows, with a warning the first time that rows are strange."""
        found = self.model.answer(start, rows)
        answered = {
            "number": np.arange(start, start + len(rows)),
            "probabilities": found.probabilities,
            "latents": found.latents,
        }
        strange = None if self._warned else self.model.origin.range_warning(rows)
        if strange is None:
            return answered
        self._warned = True
        return {**answered, "warning": [strange] * len(rows)}


class RowReader(_Worker):
    """Reads rows for workers on machines that do not see the file."""

    def _work(self, batch: Batch) -> Batch:
        start, stop = int(batch["start"][0]), int(batch["stop"][0])
        return {"number": np.arange(start, stop), "rows": self._rows(start, stop)}


class Answerer(_Worker):
    """Answers for rows that another process has read."""

    def _work(self, batch: Batch) -> Batch:
        return self._answers(int(batch["number"][0]), np.asarray(batch["rows"]))


class ReadingAnswerer(_Worker):
    """Reads rows itself, and answers for them, a chunk at a time."""

    def _work(self, batch: Batch) -> Batch:
        start, stop = int(batch["start"][0]), int(batch["stop"][0])
        firsts = range(start, stop, self._job.chunk)
        parts = [
            self._answers(first, self._rows(first, min(first + self._job.chunk, stop)))
            for first in firsts
        ]
        warning = [part["warning"][0] for part in parts if "warning" in part]
        kept = {
            name: np.concatenate([part[name] for part in parts])
            for name in ("number", "probabilities", "latents")
        }
        return kept | ({"warning": warning[:1] * (stop - start)} if warning else {})
