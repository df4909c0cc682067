"""Train with several seeds and print a table of the results of each seed.

    python benchmarks/seeds.py -d MNIST -a 2 --seeds 3 --out runs
    python benchmarks/seeds.py -d DIGITS -a 0 --pretrain 50 --cluster 20 --seeds 5 --out runs
    python benchmarks/seeds.py -d SPIRAL -a 0 --train --seeds 5 --set head.alpha=0 --out runs

Every seed is a process of its own, one after the other, and a finished one is not run again: the
table can be printed anew at any time. Minutes are those that the stages took, from the manifests.
"""

from __future__ import annotations

import argparse
import json
import statistics
from pathlib import Path

from processes import archbuild, machine, stage

SCORES = {"acc": "ACC", "nmi": "NMI", "ari": "ARI", "purity": "purity", "acc_aae": "ACC-AAE"}


def main() -> None:
    options = arguments()
    results = [run_seed(options, seed) for seed in range(options.seeds)]
    print(describe(options))
    print()
    print(markdown(results))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-d", "--dataset", required=True)
    parser.add_argument("-a", "--arch", required=True)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--pretrain", type=int, help="epochs; the spec's own without it")
    parser.add_argument("--cluster", type=int, help="epochs; the spec's own without it")
    parser.add_argument(
        "--train", type=int, nargs="?", const=-1, help="train from scratch in place of both"
    )
    parser.add_argument("--visualize", action="store_true", help="draw each run's pictures too")
    parser.add_argument("--head", action="append", help="may be given more than once")
    parser.add_argument("--set", action="append", default=[], dest="overrides")
    parser.add_argument("--out", type=Path, default=Path("benchmark-runs"))
    return parser.parse_args()


def run_seed(options: argparse.Namespace, seed: int) -> dict:
    common = ["-d", options.dataset, "-a", options.arch, "--seed", str(seed)]
    common += ["--out", str(options.out), "--quiet"]
    for override in options.overrides:
        common += ["--set", override]
    if options.train is None:
        archbuild([*common, *stage("--pretrain", options.pretrain)])
    for head in options.head or [None]:
        chosen = [*common, *(["--head", head] if head else [])]
        if options.train is None:
            archbuild([*chosen, *stage("--cluster", options.cluster)])
        else:
            archbuild([*chosen, *stage("--train", options.train)])
    wanted = ["--metrics", *(["--visualize"] if options.visualize else [])]
    return {"seed": seed, **json.loads(archbuild([*common, *wanted, "--json"]))}


def describe(options: argparse.Namespace) -> str:
    import keras

    backend = f"{keras.backend.backend()} (Keras {keras.__version__})"
    return f"`{options.dataset}` `-a {options.arch}`, backend {backend}, {machine()}"


def markdown(results: list[dict]) -> str:
    lines = [
        f"| seed | space | method | {' | '.join(SCORES.values())} | epochs | minutes |",
        f"|---|---|---|{'---|' * len(SCORES)}---|---|",
    ]
    for result in results:
        for row in result["metrics"]["rows"]:
            cells = [str(result["seed"]), row["space"], row["method"]]
            cells += [f"{row[key]:.4f}" if key in row else "" for key in SCORES]
            lines.append(f"| {' | '.join([*cells, *effort(result['stages'], row)])} |")
    return "\n".join([*lines, "", *medians(results)])


def effort(stages: dict, row: dict) -> list[str]:
    """Epochs and minutes of the stage that made a row's space; empty where none did."""
    stage = stages.get(row["space"]) or stages.get(f"cluster-{row['space']}")
    return [str(stage["epochs"]), f"{stage['seconds'] / 60:.1f}"] if stage else ["", ""]


def medians(results: list[dict]) -> list[str]:
    by_row: dict[tuple[str, str], list[dict]] = {}
    for result in results:
        for row in result["metrics"]["rows"]:
            by_row.setdefault((row["space"], row["method"]), []).append(row)
    lines = []
    for (space, method), rows in by_row.items():
        values = {key: [row[key] for row in rows] for key in SCORES if key in rows[0]}
        parts = [
            f"{SCORES[key]} {statistics.median(found):.4f} ({min(found):.4f} to {max(found):.4f})"
            for key, found in values.items()
        ]
        lines.append(f"- {space}, {method}: medians {', '.join(parts)}")
    return lines


if __name__ == "__main__":
    main()
