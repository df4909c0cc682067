"""The checkpoint of a stage: one archive, and a file for each array that memory would not hold."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from archbuild.data.spill import is_mapped
from archbuild.io import atomic
from archbuild.runs.rows import copied_rows, save_rows

Entry = dict[str, str]
"""A file of a checkpoint in the manifest: its name and its SHA-256."""


@dataclass(frozen=True)
class Checkpoint:
    """The state from which an interrupted stage resumes.

    Attributes:
        epoch: how many epochs are complete.
        arrays: everything that was saved, by name.
        history: one mapping for each epoch so far.
        timing: what was measured so far, seconds for instance; never part of a comparison.
    """

    epoch: int
    arrays: dict[str, np.ndarray]
    history: list[dict[str, Any]]
    timing: dict[str, Any] = field(default_factory=dict)


class RowFiles:
    """Files of the arrays that are memory maps; one that has not been replaced is written once."""

    def __init__(self) -> None:
        self._written: dict[str, tuple[np.ndarray, Entry]] = {}

    def save(
        self, stem: str, arrays: Mapping[str, np.ndarray], folder: Path
    ) -> tuple[dict[str, np.ndarray], dict[str, Entry]]:
        """Write each map to a file of its own, unless it is there since an earlier checkpoint.

        Args:
            stem: of the names of new files.
            arrays: of the whole checkpoint, by name; no map is changed after it was saved.
            folder: of the stage.

        Returns:
            The arrays that remain for the archive, and the entry of each file by name.
        """
        maps = {name: array for name, array in arrays.items() if is_mapped(array)}
        self._written = {
            name: (array, self._entry(name, array, folder / f"{stem}-{number}.npy"))
            for number, (name, array) in enumerate(maps.items())
        }
        rest = {name: array for name, array in arrays.items() if name not in maps}
        return rest, {name: entry for name, (_, entry) in self._written.items()}

    def _entry(self, name: str, array: np.ndarray, file: Path) -> Entry:
        known, entry = self._written.get(name, (None, {}))
        if known is array:
            return entry
        atomic.write_atomic(file, lambda path: save_rows(path, array))
        return {"file": file.name, "sha256": atomic.sha256(file)}

    def load(
        self, entries: Mapping[str, Entry], verified: Callable[[Entry], Path]
    ) -> dict[str, np.ndarray]:
        """Return copies of the arrays, which are maps of temporary files.

        Args:
            entries: of the files, by name.
            verified: returns the path of a file whose digest is the one that the entry tells.
        """
        found = {name: copied_rows(verified(entry)) for name, entry in entries.items()}
        self._written = {name: (array, dict(entries[name])) for name, array in found.items()}
        return found
