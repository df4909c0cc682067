"""Whether training ends in a NaN that nobody hears of: generative heads, many seeds, short runs.

    python benchmarks/never_nan.py
    python benchmarks/never_nan.py --only ladder --only "ladder, bottom up" --seeds 10
    python benchmarks/never_nan.py --seeds 5 --set train.clip_norm=0 --set cluster.clip_norm=0

A run ends finite (losses, latents, assignments and the head's arrays), or it is stopped and names
what broke, or it is broken and did not say so, which must not be. ``--set`` changes every run.
"""

from __future__ import annotations

import argparse
import os
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np

from archbuild.errors import DivergenceError
from archbuild.experiments.experiment import Experiment
from archbuild.experiments.request import ExperimentRequest
from archbuild.runs import StageFolder

QUICK_START = ("head.start=k-means", "head.start_epochs=1")
BAYES = ("head.posterior=bayes", "head.minimum_information=0.5", "head.mc_samples=3")

LADDER = ("train.epochs=6", "head.kl_weight.ramp=3")


class Run(NamedTuple):
    """A spec, what makes it short, whether it is pretrained, a head in place of the spec's own."""

    arch: str
    short: tuple[str, ...]
    pretrained: bool = False
    head: str | None = None


RUNS = {
    "vade-digits": Run(
        "vade-digits", ("pretrain.epochs=3", "cluster.epochs=5", *QUICK_START), pretrained=True
    ),
    "s3vdc-digits": Run(
        "s3vdc-digits",
        ("train.epochs=6", "head.gamma_training.length=3", "head.kl_weight.ramp=2", *QUICK_START),
    ),
    "gmvae": Run("vade-digits", ("train.epochs=6",), head="gmvae"),
    "gmvae, bayes": Run("vade-digits", ("train.epochs=6", *BAYES), head="gmvae"),
    "ladder": Run("lvae-digits", LADDER),
    "ladder, bottom up": Run("lvae-digits", (*LADDER, "head.inference=bottom_up")),
    "auxiliary": Run("sdgm-digits", ("train.epochs=6", "head.skip=false")),
    "auxiliary, skip": Run("sdgm-digits", ("train.epochs=6",)),
    "cluster_aware": Run("cagem-digits", ("train.epochs=6",)),
}

FINITE, SILENT = "finite", "broken in silence"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--set", action="append", default=[], dest="overrides")
    parser.add_argument("--only", action="append", choices=RUNS, help="all of them without it")
    options = parser.parse_args()
    print(
        f"| run | seeds | {FINITE} | stopped, with its reason | {SILENT} |\n|---|---|---|---|---|"
    )
    for name in options.only or RUNS:
        run = RUNS[name]
        ends = Counter(end_of(run, options.overrides, seed) for seed in range(options.seeds))
        print(row(name, options.seeds, ends), flush=True)


def end_of(run: Run, overrides: list[str], seed: int) -> str:
    """``FINITE``, ``SILENT``, or what the error says."""
    keras.utils.clear_session()
    with TemporaryDirectory() as out:
        changes = (*run.short, *overrides)
        experiment = Experiment(
            ExperimentRequest("DIGITS", run.arch, run.head, changes, seed, out=Path(out))
        )
        try:
            folder = trained(experiment, run.pretrained)
        except DivergenceError as error:
            return error.what
        return FINITE if is_finite(folder) else SILENT


def trained(experiment: Experiment, pretrained: bool) -> StageFolder:
    if not pretrained:
        experiment.train()
        return experiment.folder.stage(experiment.scratch_stage)
    experiment.pretrain()
    experiment.cluster()
    return experiment.folder.stage(experiment.head_stage)


def is_finite(folder: StageFolder) -> bool:
    with np.load(folder.file("head.npz")) as learned:
        arrays = [*learned.values(), *(np.load(path) for path in folder.path.glob("*.npy"))]
    numbers = [value for row in folder.history() for value in row.values()]
    losses = [value for value in numbers if isinstance(value, float)]
    return all(np.all(np.isfinite(values)) for values in [*arrays, losses])


def row(name: str, seeds: int, ends: Counter) -> str:
    reasons = [f"{count}: {what}" for what, count in ends.items() if what not in (FINITE, SILENT)]
    cells = [name, seeds, ends[FINITE], "; ".join(reasons) or 0, ends[SILENT]]
    return f"| {' | '.join(map(str, cells))} |"


if __name__ == "__main__":
    main()
