"""Run folders without a training: a run that is there already is tampered with."""

from __future__ import annotations

import shutil
from pathlib import Path

from benchmarks.attack.folders import RUN, FolderAttack

_EARLY = Path(__file__).resolve().parents[1] / "models" / "fixtures" / "early"


class PreparedFolders(FolderAttack):
    """The same inputs, which begin from a run of the first version."""

    name = "tests.benchmarks.prepared:PreparedFolders"

    def _make_run(self, folder: Path) -> None:
        shutil.copytree(_EARLY / "saved_params/flowers/tiny/0", folder / RUN)
        shutil.copy(_EARLY / "flowers.csv", folder / "rows.csv")
