"""A copy of a run with only what predictions on new rows need."""

from __future__ import annotations

import shlex
import shutil
from functools import partial
from pathlib import Path
from typing import Any, Final

from archbuild.errors import RunError
from archbuild.io import atomic
from archbuild.io.containment import named_by_user
from archbuild.runs.folder import RunFolder
from archbuild.runs.manifest import MANIFEST
from archbuild.runs.names import space_of
from archbuild.runs.stage import HISTORY, StageFolder

_NEEDED: Final = ("model.weights.h5", "head.npz", HISTORY)


def copy_model(run: RunFolder, stage: str, target: Path) -> RunFolder:
    """Copy the spec, the weights, the history and the scores of a finished stage.

    What grows with the training rows, their latents and clusters, stays behind, and so do other
    stages and the place where the rows were read. The copy opens like any run.

    Args:
        run: the run.
        stage: the name of its stage.
        target: the folder of the copy; nothing may be there.

    Raises:
        RunError: the stage is not finished, a file is altered, or the target cannot be written.
    """
    copy = copy_weights(run, stage, target)
    rows = run.read_metrics()["rows"]
    counted = [row for row in rows if row["space"] == space_of(stage)]
    atomic.write_json(copy.metrics_path, {"rows": counted})
    return copy


def copy_weights(run: RunFolder, stage: str, target: Path) -> RunFolder:
    """Copy the same without the scores, which a run need not have.

    Raises:
        RunError: as ``copy_model``.
    """
    source = run.stage(stage)
    manifest = source.finished_manifest()
    source.verify()
    if target.exists():
        raise RunError(f"{target} already exists; remove it, or choose another folder")
    copy = RunFolder(named_by_user(target))
    copy.write_spec(run.read_spec())
    _copy_stage(source, manifest, copy.stage(stage))
    return copy


def _copy_stage(source: StageFolder, manifest: dict[str, Any], target: StageFolder) -> None:
    kept = {name: digest for name, digest in manifest["files"].items() if name in _NEEDED}
    for name in kept:
        atomic.write_atomic(target.path / name, partial(shutil.copyfile, source.file(name)))
    origin = manifest["origin"]
    origin = origin | {"location": None, "command": _without_out(origin.get("command", ""))}
    atomic.write_json(target.path / MANIFEST, manifest | {"files": kept, "origin": origin})


def _without_out(command: str) -> str:
    """Return a command line without the folder that it wrote to."""
    words = shlex.split(command)
    if "--out" in words:
        place = words.index("--out")
        del words[place : place + 2]
    return shlex.join(words)
