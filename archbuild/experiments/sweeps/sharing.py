"""One pretrained network for all settings that leave it as it is, such as those of a head."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from functools import partial

from archbuild.errors import RunError
from archbuild.experiments.sweeps.plan import SweepPart
from archbuild.io.atomic import explained, write_atomic
from archbuild.runs import StageFolder
from archbuild.runs.manifest import MANIFEST
from archbuild.runs.names import PRETRAIN


def share_pretrained(part: SweepPart, others: Iterable[SweepPart]) -> None:
    """Give a part that has not begun to pretrain the network of another that asked for the same.

    Training would make the same bytes again: the seed, the data, and all of the spec that the
    stage depends on agree.

    Args:
        part: what is to be run.
        others: whose networks may be taken.

    Raises:
        RunInUseError: another process has taken the part's run since.
        RunError: a file cannot be copied.
    """
    own = part.folder.stage(PRETRAIN)
    if PRETRAIN not in part.stages.values() or own.manifest() is not None:
        return
    for other in others:
        stage = other.folder.stage(PRETRAIN)
        if _serves(stage, part):
            with part.folder.lock(), explained("copy", stage.path):
                _copy(stage, own)
            return


def _serves(stage: StageFolder, part: SweepPart) -> bool:
    """Return whether a stage is what a part asks for, and undamaged."""
    try:
        if accepted := part.accepts(stage):
            stage.verify()
    except RunError:
        return False
    return accepted


def _copy(stage: StageFolder, own: StageFolder) -> None:
    own.make()
    files = [path for path in stage.path.iterdir() if not path.is_symlink()]
    files.sort(key=lambda path: path.name == MANIFEST)
    for path in files:  # the manifest last: without it nothing is there
        write_atomic(own.path / path.name, partial(shutil.copy2, path))
