"""Compare a hierarchy inferred from the top down with the same one inferred from the bottom up.

    python benchmarks/ladder.py
    python benchmarks/ladder.py -d MNIST-TRAIN -a lvae-mnist --epochs 150 --ramp 50 --draws 5000

Both are trained for the same epochs with the same warm-up, and bounded with the same draws. A run
that is there already is not trained again.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter
from typing import Any

from archbuild.environment import start_keras
from archbuild.experiments.experiment import Experiment
from archbuild.experiments.request import ExperimentRequest
from archbuild.models.measuring import measure

KINDS = ("top_down", "bottom_up")
HEADINGS = "| inference | seed | L_1 | L_S | KL by level | active units | minutes |"


def main() -> None:
    options = arguments()
    start_keras()
    print(HEADINGS)
    print("|---" * HEADINGS.count(" | ") + "|---|")
    for kind in KINDS:
        for seed in range(options.seeds):
            begun = perf_counter()
            row = bound(options, kind, seed)
            kl, active = (list(of_levels(row, name)) for name in ("kl", "active"))
            cells = (
                f"`{kind}`",
                seed,
                f"{row['elbo']:.2f}",
                f"{row['nats']:.2f}",
                " ".join(f"{each:.1f}" for each in kl),
                " ".join(map(str, active)),
                f"{(perf_counter() - begun) / 60:.1f}",
            )
            print(f"| {' | '.join(map(str, cells))} |", flush=True)


def bound(options: argparse.Namespace, kind: str, seed: int) -> dict[str, Any]:
    """Train, and return the row of the bound."""
    overrides = (
        f"head.inference={kind}",
        f"head.kl_weight.ramp={options.ramp}",
        f"head.bound_samples={options.draws}",
        f"train.epochs={options.epochs}",
        *options.overrides,
    )
    request = ExperimentRequest(
        options.dataset, options.arch, overrides=overrides, seed=seed, out=options.out / kind
    )
    experiment = Experiment(request)
    experiment.train()
    rows = measure(experiment.results())["rows"]
    return next(row for row in rows if row["method"].startswith("bound"))


def of_levels(row: dict[str, Any], name: str) -> Iterator[Any]:
    """Yield what a row says of each level, bottom first."""
    yield from (value for key, value in row.items() if key.startswith(f"{name}_"))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-d", "--dataset", default="DIGITS")
    parser.add_argument("-a", "--arch", default="lvae-digits")
    parser.add_argument("--epochs", type=int, default=100)
    parser.add_argument("--ramp", type=int, default=20, help="epochs of the warm-up")
    parser.add_argument("--draws", type=int, default=500, help="S of the bound L_S")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--set", action="append", default=[], dest="overrides")
    parser.add_argument("--out", type=Path, default=Path("benchmark-runs"))
    return parser.parse_args()


if __name__ == "__main__":
    main()
