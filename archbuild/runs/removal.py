"""Remove runs: only what archbuild wrote, and never through a symbolic link."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from archbuild.errors import RunError
from archbuild.io.atomic import TEMPORARY_PREFIX, explained
from archbuild.runs.catalogue import (
    RunEntry,
    files_below,
    find_runs,
    is_run,
    plots_of,
    stage_folders,
)
from archbuild.runs.folder import SAVED_PARAMS, RunFolder
from archbuild.runs.texts import clear_stage, messages_of, text_files

_PICTURES = ("*.png", "*.html", f"{TEMPORARY_PREFIX}*")


@dataclass(frozen=True, eq=False)
class Removal:
    """The part of one run that is to be removed.

    Attributes:
        run: its folder.
        root: the folder that nothing outside of is touched.
        stages: the names of the stages to remove; ``None``: the run itself, pictures included.
    """

    run: RunFolder
    root: Path
    stages: Sequence[str] | None = None

    @property
    def reachable(self) -> bool:
        """True if no link stands between the root and the run."""
        return _is_below(self.run.path, self.root)

    @property
    def folders(self) -> list[Path]:
        """The stages' folders."""
        names = self.stages
        return [path for path in stage_folders(self.run) if names is None or path.name in names]

    @property
    def files(self) -> list[Path]:
        """Every file to remove."""
        stages = [self.run.stage(folder.name) for folder in self.folders]
        inside = [path for stage in stages for path in (*stage.own_files(), *text_files(stage))]
        return inside if self.stages is not None else [*inside, *self._loose_files()]

    @property
    def size(self) -> int:
        """The size of those files, in bytes."""
        return sum(path.lstat().st_size for path in self.files)

    def carry_out(self) -> list[Path]:
        """Remove the files under the run's lock; return what is left in the run's folders.

        Raises:
            RunInUseError: another process works in the run; nothing was removed.
            RunError: a file cannot be removed.
        """
        with self.run.lock(), explained("remove", self.run.path):
            for folder in self.folders:
                clear_stage(self.run.stage(folder.name))
                with suppress(OSError):  # files that archbuild did not write stay
                    folder.rmdir()
            if self.stages is not None:
                return [path for folder in self.folders for path in files_below(folder)]
            for path in self._loose_files():
                with suppress(PermissionError):  # Windows removes no lock that is held
                    path.unlink(missing_ok=True)
        places = (self.run.path, plots_of(self.run), messages_of(self.run))
        for place in places:
            _remove_empty(place)
        return [path for place in places for path in files_below(place)]

    def _loose_files(self) -> Iterator[Path]:
        """Yield the files beside the stages' folders, and the pictures."""
        own = (
            self.run.spec_path,
            self.run.metrics_path,
            self.run.n_clusters_path,
            *self.run.lock_paths,
        )
        yield from (path for path in own if path.is_symlink() or path.exists())
        yield from self.run.path.glob(f"{TEMPORARY_PREFIX}*")
        plots = plots_of(self.run)
        if _is_below(plots, self.root):
            yield from (path for pattern in _PICTURES for path in plots.glob(pattern))


def removals(
    out: Path,
    *,
    paths: Sequence[Path] = (),
    dataset: str | None = None,
    arch: str | None = None,
    seed: int | None = None,
    stages: Sequence[str] = (),
) -> list[Removal]:
    """List the removals for the runs that are named; for all of them, where none is.

    Args:
        out: the folder that ``saved_params/`` is in; sweeps over grids below it count too.
        paths: the folders of runs, in place of what follows.
        dataset: as the folder of the runs spells it.
        arch: as the folder of the runs spells it.
        seed: of the runs.
        stages: the names of the stages to remove; none: the whole run.

    Raises:
        RunError: a path is no run's.
    """
    wanted = {"dataset": dataset, "arch": arch, "seed": seed}
    if paths:
        found = [_of_path(path, stages) for path in paths]
    else:
        runs = [entry.run for entry in find_runs(out) if _matches(entry, wanted)]
        found = [Removal(run, Path(out), stages or None) for run in runs]
    return [removal for removal in found if removal.folders or not stages]


def _of_path(path: Path, stages: Sequence[str]) -> Removal:
    folder = Path(os.path.abspath(path))
    if not is_run(folder):
        raise RunError(
            f"{path} is not the folder of a run; expected {SAVED_PARAMS}/DATASET/ARCH/SEED with a "
            "run's files in it ('archbuild runs' lists them)"
        )
    return Removal(RunFolder(folder), folder.parents[3], stages or None)


def _matches(entry: RunEntry, wanted: Mapping[str, object]) -> bool:
    return all(value is None or getattr(entry, key) == value for key, value in wanted.items())


def _is_below(path: Path, root: Path) -> bool:
    """Return whether a path below ``root`` stays below it once links are followed."""
    return path.resolve() == root.resolve() / path.relative_to(root)


def _remove_empty(folder: Path) -> None:
    """Remove a run's folder, the spec's and the dataset's above it, as far as they are empty."""
    with suppress(OSError):
        for path in (folder, *folder.parents[:2]):
            path.rmdir()
