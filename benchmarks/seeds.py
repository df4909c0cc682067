"""Run one job with several seeds and print a table of what each seed came to.

    python benchmarks/seeds.py -d MNIST -a 2 --seeds 3 --out runs
    python benchmarks/seeds.py -d DIGITS -a 0 --pretrain 50 --cluster 20 --seeds 5 --out runs

Every seed is a process of its own, one after the other, and a finished one is not run again: the
table can be printed anew at any time. Minutes are those that the stages took, from the manifests.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
from pathlib import Path


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
    parser.add_argument("--head", action="append", help="may be given more than once")
    parser.add_argument("--set", action="append", default=[], dest="overrides")
    parser.add_argument("--out", type=Path, default=Path("benchmark-runs"))
    return parser.parse_args()


def run_seed(options: argparse.Namespace, seed: int) -> dict:
    common = ["-d", options.dataset, "-a", options.arch, "--seed", str(seed)]
    common += ["--out", str(options.out), "--quiet"]
    for override in options.overrides:
        common += ["--set", override]
    archbuild([*common, *stage("--pretrain", options.pretrain)])
    heads = options.head or [None]
    for head in heads:
        chosen = ["--head", head] if head else []
        archbuild([*common, *chosen, *stage("--cluster", options.cluster)])
    result = json.loads(archbuild([*common, "--metrics", "--json"]))
    return {"seed": seed, **result}


def stage(option: str, epochs: int | None) -> list[str]:
    return [option] if epochs is None else [option, str(epochs)]


def archbuild(arguments: list[str]) -> str:
    command = [sys.executable, "-m", "archbuild", *arguments]
    print("$", "archbuild", *arguments, file=sys.stderr, flush=True)
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def describe(options: argparse.Namespace) -> str:
    import keras

    backend = f"{keras.backend.backend()} (Keras {keras.__version__})"
    machine = f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"
    return f"`{options.dataset}` `-a {options.arch}`, backend {backend}, {machine}"


def markdown(results: list[dict]) -> str:
    lines = [
        "| seed | space | method | ACC | NMI | ARI | minutes |",
        "|---|---|---|---|---|---|---|",
    ]
    for result in results:
        for row in result["metrics"]["rows"]:
            scores = " | ".join(f"{row[key]:.4f}" for key in ("acc", "nmi", "ari"))
            time = minutes(result["stages"], row)
            lines.append(
                f"| {result['seed']} | {row['space']} | {row['method']} | {scores} | {time} |"
            )
    return "\n".join([*lines, "", *medians(results)])


def minutes(stages: dict, row: dict) -> str:
    name = row["space"] if row["space"] == "pretrain" else f"cluster-{row['space']}"
    return f"{stages[name]['seconds'] / 60:.1f}" if name in stages else ""


def medians(results: list[dict]) -> list[str]:
    by_row: dict[tuple[str, str], list[dict]] = {}
    for result in results:
        for row in result["metrics"]["rows"]:
            by_row.setdefault((row["space"], row["method"]), []).append(row)
    lines = []
    for (space, method), rows in by_row.items():
        acc, nmi = ([row[key] for row in rows] for key in ("acc", "nmi"))
        lines.append(
            f"- {space}, {method}: median ACC {statistics.median(acc):.4f} "
            f"(from {min(acc):.4f} to {max(acc):.4f}), median NMI {statistics.median(nmi):.4f}"
        )
    return lines


if __name__ == "__main__":
    main()
