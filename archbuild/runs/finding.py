"""Find the run that the names of a dataset and of a spec mean."""

from __future__ import annotations

from pathlib import Path

from archbuild.errors import UsageError
from archbuild.runs.folder import SAVED_PARAMS, RunFolder, slug


def find_run(out: Path, dataset: str | None, arch: str, seed: int) -> RunFolder | None:
    """Find the run of a spec: on the dataset of that name, else the only one on any dataset.

    New data rarely have the name of the data that the model was trained on. ``None`` where there
    is no such run.

    Args:
        out: the folder that holds ``saved_params/``.
        dataset: the name of the data at hand; ``None``: there are none.
        arch: the spec's name.
        seed: of the run.

    Raises:
        UsageError: there are several, on other datasets; names them.
    """
    own = None if dataset is None else RunFolder.locate(out, dataset, arch, seed)
    if own is not None and own.stages():
        return own
    pattern = f"*/{slug(arch)}/{seed}"
    places = sorted((Path(out) / SAVED_PARAMS).glob(pattern))
    found = [run for run in map(RunFolder, places) if run.stages()]
    if len(found) > 1:
        listed = ", ".join(str(run.path) for run in found)
        raise UsageError(f"'{arch}' was trained on several datasets; choose with --run: {listed}")
    return found[0] if found else None
