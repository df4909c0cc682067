"""Attacks that cost less than those of the long form: on the same code, without what is slow."""

from __future__ import annotations

import shutil
from pathlib import Path
from unittest import mock

from archbuild.data import apart
from archbuild.data.guard import reading
from archbuild.data.request import Arrays, ReadRequest
from benchmarks.attack.folders import RUN, FolderAttack
from benchmarks.attack.readers import ArrowAttack

_EARLY = Path(__file__).resolve().parents[1] / "models" / "fixtures" / "early"


class PreparedFolders(FolderAttack):
    """The same inputs, which begin from a run of the first version."""

    name = "tests.benchmarks.prepared:PreparedFolders"

    def _make_run(self, folder: Path) -> None:
        import keras  # noqa: F401  # which would count as the first input's time

        shutil.copytree(_EARLY / "saved_params/flowers/tiny/0", folder / RUN)
        shutil.copy(_EARLY / "flowers.csv", folder / "rows.csv")


class ArrowHere(ArrowAttack):
    """Arrow's files in the process of the attack, where a crash of the library is a failure."""

    name = "tests.benchmarks.prepared:ArrowHere"

    def attempt(self, path: Path) -> None:
        with mock.patch.object(apart, "_read", _read_here):
            super().attempt(path)


def _read_here(reader: apart.Reader, asked: ReadRequest, form: str, _may_hang: bool) -> Arrays:
    with reading(asked.path, form):
        return reader(asked)
