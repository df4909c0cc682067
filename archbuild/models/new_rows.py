"""The new rows that a model is asked about: where they lie, and how they are read."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from archbuild.data import Dataset, data_folder, load_dataset
from archbuild.data.location import DataLocation
from archbuild.data.request import ReadOptions

if TYPE_CHECKING:
    from archbuild.models.model import Model

_COMPARED = 16  # rows, at either end


@dataclass(frozen=True)
class NewRows:
    """Rows as the user named them.

    Attributes:
        dataset: a dataset's name, or a path to the user's own data.
        data_dir: where named datasets lie; ``None``: ``$ARCHBUILD_DATA`` or ``./datasets``.
        settled: the user's decisions on how the file is read, by key of the ``data`` section.
    """

    dataset: str
    data_dir: Path | None = None
    settled: Mapping[str, Any] = field(default_factory=dict)

    def load(self, model: Model) -> Dataset:
        """Read them like the model's training rows; one is enough, and labels are optional.

        Raises:
            DataError: they are missing, damaged, or do not fit.
        """
        spec = model.plan.spec
        return load_dataset(
            self.dataset,
            self.data_dir,
            input_shape=spec.input_shape,
            options=ReadOptions.of(spec.data, dict(self.settled)),
            known=model.origin.known,
        )

    def absolute(self) -> NewRows:
        """Return the same rows as a process in another working directory finds them."""
        found = DataLocation(self.dataset, data_folder(self.data_dir)).to_json()
        return NewRows(found["dataset"], Path(found["data_dir"]), self.settled)


def fingerprint(dataset: Dataset) -> str:
    """Return the SHA-256 of the number of rows, their form, and the first and last of them."""
    values, count = dataset.values, len(dataset)
    digest = hashlib.sha256(f"{values.shape} {values.dtype.str} {dataset.scale!r}".encode())
    for part in (slice(0, _COMPARED), slice(max(0, count - _COMPARED), count)):
        digest.update(np.ascontiguousarray(dataset.rows(part, exact=True)).data)
    return digest.hexdigest()
