"""List every run below a folder: the state of its stages, its best scores, its size on disk.

Read from manifests and ``metrics.json`` alone; no array is opened.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from archbuild.errors import RunError
from archbuild.io.reading import guarded
from archbuild.runs.folder import SAVED_PARAMS, RunFolder, beside
from archbuild.runs.names import PATTERNS, is_stage, section_of, space_of
from archbuild.runs.texts import messages_of
from archbuild.spec.stages import epochs_in_all

State = Literal["finished", "running", "stopped", "damaged"]

PLOTS = "plots"
SWEEPS = "sweeps"
"""Below it, ``<dataset>/<arch>/<point of the grid>/`` is an out folder of its own."""


@dataclass(frozen=True)
class StageState:
    """The state of a stage.

    Attributes:
        state: ``running``: another process works in the run, and the stage has not ended;
            ``stopped``: it has not ended, and no process works in the run.
        epoch: how many epochs are complete.
        epochs: how many were requested; a stage whose clusters settled ends before.
    """

    state: State
    epoch: int | None = None
    epochs: int | None = None


@dataclass(frozen=True)
class RunEntry:
    """One run.

    Attributes:
        run: its folder.
        out: the folder that its ``saved_params/`` is in.
        dataset: the name of its dataset, as the folder spells it.
        arch: the name of its spec, as the folder spells it.
        seed: its seed.
        stages: by name, ``pretrain`` first.
        problem: what keeps its scores from being read; ``None`` where nothing does.
        best: space, method and scores of the row of its metrics with the highest accuracy, or the
            highest silhouette where there are no labels; ``None`` without metrics.
        size: bytes on disk, pictures included.
        changed: when its newest file was written.
        in_use: whether a process works in it.
    """

    run: RunFolder
    out: Path
    dataset: str
    arch: str
    seed: int
    stages: Mapping[str, StageState]
    best: Mapping[str, Any] | None
    size: int
    changed: datetime
    in_use: bool
    problem: str | None = None

    def document(self) -> dict[str, Any]:
        """Return the entry as JSON."""
        return {
            "path": str(self.run.path),
            "dataset": self.dataset,
            "arch": self.arch,
            "seed": self.seed,
            "in_use": self.in_use,
            "stages": {name: asdict(state) for name, state in self.stages.items()},
            "best": self.best,
            "problem": self.problem,
            "size": self.size,
            "changed": self.changed.isoformat(timespec="seconds"),
        }


def find_runs(out: Path) -> list[RunEntry]:
    """List every run below ``out``, those of sweeps over grids included, newest first."""
    outs = [Path(out), *sorted((Path(out) / SWEEPS).glob("*/*/*"))]
    places = [path for folder in outs for path in (folder / SAVED_PARAMS).glob("*/*/*")]
    entries = []
    for path in filter(is_run, places):
        with guarded(path):
            entries.append(entry_of(RunFolder(path)))
    return sorted(entries, key=lambda entry: entry.changed, reverse=True)


def is_run(path: Path) -> bool:
    """Return whether a folder is a run's, judged by its place and its files; a link is not."""
    if path.is_symlink() or not path.name.isdecimal() or path.parents[2].name != SAVED_PARAMS:
        return False
    run = RunFolder(path)
    files = (run.spec_path, run.metrics_path, *run.lock_paths)
    return any(file.exists() for file in files) or bool(stage_folders(run))


def stage_folders(run: RunFolder) -> list[Path]:
    """List the folders of a run's stages, those without an epoch included; no links."""
    found = [path for pattern in PATTERNS for path in sorted(run.path.glob(pattern))]
    return [
        path for path in found if is_stage(path.name) and path.is_dir() and not path.is_symlink()
    ]


def plots_of(run: RunFolder) -> Path:
    """Return the folder of a run's pictures."""
    return beside(run, PLOTS)


def entry_of(run: RunFolder) -> RunEntry:
    """Return the entry of a run, whose folder ``is_run``."""
    in_use = run.in_use()
    stages = {name: _stage_state(run, name, in_use) for name in run.stages()}
    places = (run.path, plots_of(run), messages_of(run))
    files = [path for place in places for path in files_below(place)]
    best, problem = _best(run, stages)
    return RunEntry(
        run=run,
        out=run.path.parents[3],
        dataset=run.path.parts[-3],
        arch=run.path.parts[-2],
        seed=int(run.path.name),
        stages=stages,
        best=best,
        size=sum(path.lstat().st_size for path in files),
        changed=_changed(run, files),
        in_use=in_use,
        problem=problem,
    )


def files_below(folder: Path) -> list[Path]:
    """List every file and every link below a folder; no link is followed."""
    return [
        Path(parent, name)
        for parent, folders, files in os.walk(folder)
        for name in (*files, *(name for name in folders if Path(parent, name).is_symlink()))
    ]


def _changed(run: RunFolder, files: list[Path]) -> datetime:
    """Return when its newest file was written, locks excepted: reading a run touches them."""
    times = [path.lstat().st_mtime for path in files if path not in run.lock_paths]
    return datetime.fromtimestamp(max(times, default=run.path.stat().st_mtime)).astimezone()


def _stage_state(run: RunFolder, name: str, in_use: bool) -> StageState:
    stage = run.stage(name)
    try:
        with guarded(stage.path):
            manifest: Any = stage.manifest()
            epochs = int(epochs_in_all(manifest["request"]["spec"], section_of(name)))
            finished = manifest["state"] == "finished"
            state: State = "finished" if finished else "running" if in_use else "stopped"
            return StageState(state, manifest["epoch"], epochs)
    except RunError:
        return StageState("damaged")


def _best(
    run: RunFolder, stages: Mapping[str, StageState]
) -> tuple[dict[str, Any] | None, str | None]:
    """Return the best row of the metrics, and what keeps it from being found, if anything does."""
    if not run.metrics_path.exists():
        return None, None
    try:
        with guarded(run.metrics_path):
            return _best_of(run.read_metrics()["rows"], stages), None
    except RunError as error:
        return None, str(error)


def _best_of(
    rows: Sequence[Mapping[str, Any]], stages: Mapping[str, StageState]
) -> dict[str, Any] | None:
    """Return the best row, of stages that exist and of their training rows."""
    spaces = {space_of(name) for name in stages}
    rows = [row for row in rows if row["space"] in spaces and "held out" not in row["method"]]
    for score, *others in (("acc", "nmi"), ("silhouette",)):
        scored = [row for row in rows if row.get(score) is not None]
        if scored:
            row = max(scored, key=lambda row: float(row[score]))
            told = [key for key in ("supervision", "labels_used") if key in row]
            numbers = {key: None if row.get(key) is None else float(row[key]) for key in others}
            found = {key: row[key] for key in ("space", "method", *told)}
            return {**found, score: float(row[score]), **numbers}
    return None
