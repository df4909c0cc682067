"""Train a spec of messages with several seeds, and print its accuracy after each round.

    python benchmarks/messages.py -a 0
    python benchmarks/messages.py -a 0 --set head.message=mean

A finished run is not trained again, so the table can be printed anew at any time; other settings
need another `--out`. Labels are looked at here, after training, and nowhere else; the classes are
the first module's most probable ones. Minutes are those of the stage, from its manifest.
"""

from __future__ import annotations

import argparse
import json
import statistics
from pathlib import Path

import numpy as np
from processes import archbuild, machine

from archbuild.data import load_dataset
from archbuild.evaluation.accuracy import clustering_accuracy, swap_accuracy

STAGE = "train-messages"
MAPPINGS = {"Hungarian": clustering_accuracy, "Serket's swaps": swap_accuracy}


def main() -> None:
    options = arguments()
    labels = load_dataset(options.dataset).labels
    runs = [run_seed(options, seed) for seed in range(options.seeds)]
    print(describe(options))
    for mapping, accuracy in MAPPINGS.items():
        rows = [[accuracy(labels, clusters) for clusters in run["classes"]] for run in runs]
        minutes = [run["minutes"] for run in runs]
        print(f"\nAccuracy after each round, {mapping}:\n\n{markdown(rows, minutes)}")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-d", "--dataset", default="SERKET3000")
    parser.add_argument("-a", "--arch", default="0")
    parser.add_argument("--head", help="in place of the spec's: messages")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--set", action="append", default=[], dest="overrides")
    parser.add_argument("--out", type=Path, default=Path("benchmark-runs"))
    return parser.parse_args()


def run_seed(options: argparse.Namespace, seed: int) -> dict:
    """Train; return the run's folder, the classes after each round, and minutes."""
    command = ["-d", options.dataset, "-a", options.arch]
    command += ["--train", str(options.rounds), "--seed", str(seed), "--out", str(options.out)]
    command += ["--head", options.head] if options.head else []
    command += [word for override in options.overrides for word in ("--set", override)]
    command += ["--quiet", "--json"]
    found = json.loads(archbuild(command))
    run = Path(found["run"])
    with np.load(run / STAGE / "head.npz", allow_pickle=False) as arrays:
        classes = arrays["classes"]
    return {"run": run, "classes": classes, "minutes": found["stages"][STAGE]["seconds"] / 60}


def describe(options: argparse.Namespace) -> str:
    import keras

    backend = f"{keras.backend.backend()} (Keras {keras.__version__})"
    settings = [f"--head {options.head}"] if options.head else []
    settings += [f"--set {override}" for override in options.overrides]
    named = f"`{options.dataset}` `-a {options.arch}` {' '.join(settings)}"
    return f"{named}, backend {backend}, {machine()}"


def markdown(rows: list[list[float]], minutes: list[float]) -> str:
    rounds = range(1, len(rows[0]) + 1)
    lines = [
        f"| seed | {' | '.join(f'round {number}' for number in rounds)} | minutes |",
        f"|---|{'---|' * len(rounds)}---|",
    ]
    for seed, (row, spent) in enumerate(zip(rows, minutes, strict=True)):
        lines.append(f"| {seed} | {' | '.join(f'{value:.3f}' for value in row)} | {spent:.1f} |")
    means = [statistics.mean(column) for column in zip(*rows, strict=True)]
    lines.append(f"| mean | {' | '.join(f'{mean:.3f}' for mean in means)} | |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
