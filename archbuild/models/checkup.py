"""The check of a run folder: what is damaged in it, and what differs on this machine."""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from archbuild import environment
from archbuild.errors import ArchbuildError, RunError
from archbuild.io.reading import START_OVER
from archbuild.models.run import Run, open_run
from archbuild.models.stage import Stage

State = Literal["good", "differs", "damaged"]

_ARRAYS: Final = {
    "latents.npy": "latents",
    "assignments.npy": "assignments",
    "labels.npy": "clusters",
}
"""File -> the attribute of a stage that reads and checks it."""


@dataclass(frozen=True)
class Finding:
    """A result of the check, about one file, model or property of a run.

    Attributes:
        subject: what was looked at: a file, a stage's model, the data.
        state: ``differs``: the run is whole, but results here may not equal those of its machine.
        text: what was found, in words.
    """

    subject: str
    state: State
    text: str


def check_run(folder: Path) -> Iterator[Finding]:
    """Check spec, manifests, digests, models, shapes, versions and data of a run; Keras starts.

    Nothing is written. A damaged file ends no other check, a damaged manifest those of the whole.
    """
    try:
        run = open_run(folder)
        size = run.plan.latent_size
    except ArchbuildError as error:
        yield Finding("spec.json", "damaged", str(error))
        return
    yield Finding("spec.json", "good", f"'{run.arch}', latents of {size}")
    for stage in run.stages:
        yield from _check_stage(run, stage)
    if not all(map(_is_readable, run.stages)):
        return
    yield from _check_order(run)
    yield from _check_versions(run)
    yield _check_data(run)


def _check_stage(run: Run, stage: Stage) -> Iterator[Finding]:
    try:
        verdicts = stage.folder.verdicts()
    except ArchbuildError as error:
        yield Finding(f"{stage.name}/manifest.json", "damaged", str(error))
        return
    yield Finding(f"{stage.name}/manifest.json", "good", _state(stage))
    for name, damage in verdicts.items():
        text = str(damage) if damage else "as its digest says"
        yield Finding(f"{stage.name}/{name}", "damaged" if damage else "good", text)
    if any(verdicts.values()):
        return
    checks: dict[str, Callable[[Run, Stage], str]] = {"model": _opened}
    for subject, check in (checks | ({"arrays": _shapes} if stage.finished else {})).items():
        try:
            yield Finding(f"{stage.name}, {subject}", "good", check(run, stage))
        except ArchbuildError as error:
            yield Finding(f"{stage.name}, {subject}", "damaged", str(error))


def _is_readable(stage: Stage) -> bool:
    try:
        return bool(stage.manifest)
    except ArchbuildError:
        return False


def _state(stage: Stage) -> str:
    manifest = stage.manifest
    return f"{manifest['state']} after epoch {manifest['epoch']}"


def _opened(run: Run, stage: Stage) -> str:
    model = stage.open()
    return f"opens, with {model.network.count_params():,} parameters"


def _shapes(run: Run, stage: Stage) -> str:
    """Describe the arrays that the stage left, one row for each row of its training data.

    Raises:
        RunError: an array cannot be read, or has another shape than the spec says.
    """
    there = [name for name in _ARRAYS if name in stage.manifest["files"]]
    shapes = {name: getattr(stage, _ARRAYS[name]).shape for name in there}
    listed = ", ".join(f"{name} {shape}" for name, shape in shapes.items())
    size = run.plan.latent_size
    if len({shape[0] for shape in shapes.values()}) > 1:
        raise RunError(f"expected as many rows in each, found {listed}; {START_OVER}")
    if "latents.npy" in shapes and shapes["latents.npy"][1] != size:
        raise RunError(f"expected latents of {size}, found {listed}; {START_OVER}")
    return listed or "none are kept"


def _check_order(run: Run) -> Iterator[Finding]:
    """Compare the pretrained network with the one that each head started from."""
    for stage in run.finished_heads:
        parent = stage.manifest["request"].get("pretrain")
        if parent is None:
            continue
        there = run.pretrained
        if there is None:
            yield Finding(stage.name, "differs", "the pretrained network is no longer here")
        elif there.digest != parent:
            yield Finding(stage.name, "differs", "it started from another pretrained network")


def _check_versions(run: Run) -> Iterator[Finding]:
    """Compare the versions of the latest stage with those that are installed."""
    if not run.stages:
        return
    recorded: dict[str, str] = dict(run.stages[-1].manifest["versions"])
    here = {**environment.versions(), "python": platform.python_version(), "backend": _backend()}
    others = {name: number for name, number in recorded.items() if here.get(name) != number}
    for name, number in others.items():
        text = f"the run: {number}; here: {here.get(name, 'not installed')}"
        yield Finding(name, "differs", text)
    if not others:
        yield Finding("versions", "good", "those of the run")


def _backend() -> str:
    import keras

    name: str = keras.backend.backend()
    return name


def _check_data(run: Run) -> Finding:
    """Read the rows again where training read them, and compare their digest."""
    if run.location is None:
        return Finding("data", "differs", "the run does not record where its rows were read")
    try:
        rows: Any = run.dataset
    except ArchbuildError as error:
        return Finding("data", "differs", str(error))
    return Finding("data", "good", f"{len(rows):,} rows of {rows.name}, those of training")
