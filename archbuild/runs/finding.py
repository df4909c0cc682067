"""Which run, and which of its stages, a user means who wants to use a model."""

from __future__ import annotations

from pathlib import Path

from archbuild.errors import UsageError
from archbuild.runs.folder import SAVED_PARAMS, RunFolder, slug
from archbuild.runs.names import from_scratch, refining
from archbuild.runs.stage import StageFolder


def find_run(out: Path, dataset: str | None, arch: str, seed: int) -> RunFolder | None:
    """Find the run of a spec: on the dataset of that name, else the only one on any dataset.

    ``None`` where there is none.

    New data rarely bear the name of the data that the model was trained on.

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
        raise UsageError(f"'{arch}' was trained on several datasets: say which with --run {listed}")
    return found[0] if found else None


def latest_stage(run: RunFolder, head: str | None = None) -> StageFolder | None:
    """Return the stage that was written last, of those with a head or with one of type ``head``.

    ``None`` where there is none.
    """
    names = run.stages() if head is None else (refining(head), from_scratch(head))
    manifests = {name: run.stage(name).manifest() for name in names}
    timings = {
        name: manifest["timing"]
        for name, manifest in manifests.items()
        if manifest and "head" in manifest["request"]["spec"]
    }
    if not timings:
        return None
    last = max(
        timings, key=lambda name: timings[name].get("finished", timings[name].get("saved", ""))
    )
    return run.stage(last)
