"""One seed of a row: a process, what it used, and how good its clusters are."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from time import perf_counter
from typing import Any, Final

import numpy as np

from archbuild import open as open_run
from archbuild.data import Dataset, load_dataset
from archbuild.evaluation.scores import label_scores
from archbuild.experiments.sweeps.plan import setting_name
from archbuild.version import __version__
from benchmarks.peers.declared import DATASETS, OURS, Row, spec_of
from benchmarks.processes import machine, software

SCORES: Final = ("acc", "nmi", "ari")
_CHILD: Final = Path(__file__).with_name("child.py")
_MAXRSS_UNIT: Final = 1 if sys.platform == "darwin" else 1024


class PeerError(Exception):
    """A process failed; the message is the last line of what it said."""


def execute(row: Row, seed: int, python: str, out: Path) -> dict[str, Any]:
    """Run a row to its end; return scores, seconds, memory and circumstances.

    Args:
        row: which clusterer, on which data.
        seed: the random seed.
        python: the interpreter of the peers; ours runs in this one.
        out: the folder in which everything is left.

    Raises:
        PeerError: the process failed.
        DataError: there is no such dataset.
    """
    folder = out / setting_name((row.label, f"seed={seed}"))
    shutil.rmtree(folder, ignore_errors=True)  # of a stopped run; it would be part of the time
    folder.mkdir(parents=True)
    dataset = _rows(row.dataset)
    if row.method == OURS:
        clusters, versions, used = _ours(row, seed, folder)
    else:
        clusters, versions, used = _peer(row, seed, dataset, python, folder)
    assert dataset.row_labels is not None
    scores = label_scores(dataset.row_labels, clusters)
    return {
        "seed": seed,
        **{key: scores[key] for key in SCORES},
        **used,
        "versions": versions,
        "machine": machine(),
        "date": date.today().isoformat(),
    }


def measured(command: Sequence[str], folder: Path) -> tuple[str, dict[str, float]]:
    """Run a command; return what it printed, and the wall and CPU seconds and peak MiB it took.

    Raises:
        PeerError: it failed.
    """
    said, errors = folder / "stdout", folder / "stderr"
    with said.open("w") as out, errors.open("w") as err:
        begun = perf_counter()
        process = subprocess.Popen(command, stdout=out, stderr=err)
        try:
            _, status, used = os.wait4(process.pid, 0)
        except BaseException:
            process.kill()
            raise
        wall = perf_counter() - begun
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        lines = errors.read_text(errors="replace").strip().splitlines() or ["it said nothing"]
        raise PeerError(f"status {process.returncode}: {lines[-1][:300]}")
    return said.read_text(), {
        "seconds": round(wall, 2),
        "cpu_seconds": round(used.ru_utime + used.ru_stime, 2),
        "peak_mib": round(used.ru_maxrss * _MAXRSS_UNIT / 2**20, 1),
    }


def _rows(name: str) -> Dataset:
    """Return a dataset in the shape that all specs of the page take: images of one size."""
    return load_dataset(name, input_shape=spec_of(name, DATASETS[name][0]).input_shape)


def _ours(row: Row, seed: int, folder: Path) -> tuple[np.ndarray, Mapping[str, str], dict]:
    words = ["-d", row.dataset, *row.settings.split(), "--pretrain", "--cluster"]
    words += ["--seed", str(seed), "--out", str(folder), "--quiet", "--json"]
    printed, used = measured([sys.executable, "-m", "archbuild", *words], folder)
    stage = open_run(json.loads(printed)["run"]).finished_clusterings[-1]
    return stage.clusters, {"archbuild": __version__, "on": software()}, used


def _peer(
    row: Row, seed: int, dataset: Dataset, python: str, folder: Path
) -> tuple[np.ndarray, Mapping[str, str], dict]:
    values = dataset.rows(slice(None))
    np.save(folder / "rows.npy", values.reshape(len(values), -1))
    command = [python, str(_CHILD), row.method, json.dumps(dict(row.options))]
    command += [str(folder / "rows.npy"), str(dataset.n_classes), str(seed), str(folder)]
    _, used = measured(command, folder)
    clusters = np.load(folder / "clusters.npy", allow_pickle=False)
    return clusters, json.loads((folder / "versions.json").read_text()), used
