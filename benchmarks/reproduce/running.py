"""One seed of a run as a process, and what is recorded of it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from archbuild.data import Dataset
from archbuild.data.guess import PART
from archbuild.data.location import DataLocation
from archbuild.experiments.sweeps.plan import setting_name
from archbuild.runs import RunFolder
from archbuild.runs.names import PRETRAIN, from_scratch, refining, space_of
from benchmarks.processes import archbuild, machine
from benchmarks.reproduce.declared import Run
from benchmarks.reproduce.own_data import of_k_means, placed
from benchmarks.reproduce.records import Record
from benchmarks.reproduce.specs import length, shipped_spec, spec_of

_CLUSTERS: Final = ("head, held out", "head", "k-means")
_BOUNDS: Final = ("bound, held out", "bound")


def execute(run: Run, seed: int, out: Path) -> Record:
    """Run a seed to its end, or go on with it where it stopped, and return its result.

    Runs that differ in their settings have folders of their own below ``out``; heads that share the
    settings of pretraining share the pretrained network.

    Raises:
        subprocess.CalledProcessError: the process failed.
        DataError, SpecError, UsageError: there is no such dataset or spec.
    """
    folder = out / setting_name(_setting(run))
    there = placed(run, folder) if run.own else run
    shipped, own = shipped_spec(there), spec_of(there)
    words = ["--seed", str(seed), "--out", str(folder), "--quiet", "--json"]
    result = json.loads(archbuild([*there.arguments, *words]))
    stages = {
        "pretrain": PRETRAIN,
        "cluster": refining(own.head.type),
        "train": from_scratch(own.head.type),
    }
    wanted = {section: stages[section] for section in run.stages}
    last = list(wanted.values())[-1]
    methods, scores = counted(result["metrics"]["rows"], space_of(last), run.row)
    dataset = DataLocation(there.dataset).load(own)
    return {
        "methods": methods,
        "scores": {**scores, **(of_k_means(dataset, seed) if run.own else {})},
        "data": _rows(dataset),
        "stages": {
            section: {
                **{key: result["stages"][name][key] for key in ("epochs", "seconds")},
                "length": length(own, section),
                "of_spec": length(shipped, section),
            }
            for section, name in wanted.items()
        },
        **_circumstances(RunFolder(Path(result["run"])), last),
    }


def counted(
    rows: Sequence[Mapping[str, Any]], space: str, method: str | None = None
) -> tuple[list[str], dict[str, Any]]:
    """Return the methods and the scores of the rows that count, of one space.

    Clusters or classes are those of held-out rows where there are some, or of ``method``; a bound
    on the likelihood, likewise, comes with them.

    Raises:
        LookupError: there is no such row.
    """
    by_method = {row["method"]: row for row in rows if row["space"] == space}
    orders = ((method,) if method else _CLUSTERS, _BOUNDS)
    found = [next(filter(by_method.__contains__, order), None) for order in orders]
    methods = [each for each in found if each is not None]
    if not methods or (method and method not in methods):
        raise LookupError(f"expected a row {method or _CLUSTERS} of {space}; got {[*by_method]}")
    texts = ("space", "method")
    scores = {
        key: value
        for each in methods
        for key, value in by_method[each].items()
        if key not in texts and value is not None
    }
    return methods, scores


def _setting(run: Run) -> tuple[str, ...]:
    """Return what a pretrained network depends on, and all overrides."""
    epochs = run.stages.get(PRETRAIN)
    return (*(() if epochs is None else (f"{PRETRAIN}={epochs}",)), *run.overrides)


def _rows(dataset: Dataset) -> Record:
    """Return how many rows were clustered, and of which part of a dataset they are, if of one."""
    parts = {guess.subject: guess.found for guess in dataset.guesses if guess.subject == PART}
    return {"rows": len(dataset), **parts}


def _circumstances(folder: RunFolder, stage: str) -> Record:
    """Return backend, machine, version of archbuild, and when the last stage ended."""
    manifest: Any = folder.stage(stage).manifest()
    versions = manifest["versions"]
    backend = versions["backend"]
    return {
        "backend": f"{backend} {version(backend)}, Keras {versions['keras']}",
        "machine": machine(),
        "version": versions["archbuild"],
        "date": manifest["timing"]["finished"][:10],
    }
