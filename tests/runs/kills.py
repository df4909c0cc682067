"""What a kill leaves of a folder, at every moment at which it would leave something else."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pytest

OPERATIONS = [(os, name) for name in ("replace", "fsync", "unlink", "mkdir", "rmdir")]
WRITING = [*OPERATIONS, (np.lib.format, "write_array")]
"""With the moments at which a temporary file is empty."""


class Snapshots:
    """Copies of a folder before each file operation: what a kill at that moment leaves.

    A copy where there was no folder yet is none either.
    """

    def __init__(
        self, patch: pytest.MonkeyPatch, path: Path, into: Path, operations=tuple(OPERATIONS)
    ) -> None:
        self.path, self.into, self.taken = path, into, []
        self.copying = False
        for module, name in operations:
            patch.setattr(module, name, self._copying_first(getattr(module, name)))

    def _copying_first(self, operation):
        def wrapper(*arguments, **options):
            if not self.copying:
                self.copy()
            return operation(*arguments, **options)

        return wrapper

    def copy(self) -> None:
        self.copying = True
        copy = self.into / str(len(self.taken))
        if self.path.exists():
            shutil.copytree(self.path, copy)
        self.taken.append(copy)
        self.copying = False
