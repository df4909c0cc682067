"""The location of a run's rows, from which they can be read again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from archbuild.data.dataset import Dataset
from archbuild.data.formats.own import looks_like_path, split_column
from archbuild.data.registry import held_out, load_dataset
from archbuild.data.request import Known, ReadOptions
from archbuild.spec.plan import Spec


@dataclass(frozen=True)
class DataLocation:
    """A dataset as the user named it.

    Attributes:
        dataset: a dataset's name, or a path to the user's own data.
        data_dir: where named datasets lie; ``None``: ``$ARCHBUILD_DATA`` or ``./datasets``.
    """

    dataset: str
    data_dir: Path | None = None

    def load(self, spec: Spec) -> Dataset:
        """Read the rows as a spec says, in the shape of its Input.

        Raises:
            DataError: they are missing, damaged, or do not fit.
        """
        found = load_dataset(
            self.dataset,
            self.data_dir,
            input_shape=spec.input_shape,
            options=ReadOptions.of(spec.data),
        )
        return found.fitted_to(spec.input_shape)

    def load_held_out(self, spec: Spec, known: Known | None = None) -> Dataset | None:
        """Read the rows that training leaves unseen; ``None`` where none are set aside.

        Args:
            spec: of the run.
            known: the form of the training rows; ``None`` where a run did not keep it.

        Raises:
            DataError: there are some, but they are missing, damaged, or do not fit.
        """
        found = held_out(
            self.dataset,
            self.data_dir,
            input_shape=spec.input_shape,
            options=ReadOptions.of(spec.data),
            known=known,
        )
        return found.fitted_to(spec.input_shape) if found is not None else None

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON; paths are absolute, since a run may be opened from anywhere."""
        folder = None if self.data_dir is None else str(self.data_dir.resolve())
        return {"dataset": self._absolute(), "data_dir": folder}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> DataLocation:
        """Return what ``to_json`` was called on."""
        folder = document["data_dir"]
        return cls(document["dataset"], None if folder is None else Path(folder))

    def _absolute(self) -> str:
        """Return the dataset as given, a path made absolute."""
        if not looks_like_path(self.dataset):
            return self.dataset
        path, column = split_column(self.dataset)
        return f"{path.resolve()}:{column}" if column else str(path.resolve())
