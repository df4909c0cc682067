"""What each way to start is worth: clusterings of pretrained latents, by accuracy.

    python benchmarks/starts.py -d MNIST -a 2 --seeds 3

A network that is pretrained already, below `--out`, is not trained again. Labels are looked at here
and nowhere else.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
from processes import archbuild, stage

from archbuild.clustering.starts import START, first_clusters
from archbuild.data import load_dataset
from archbuild.evaluation.scores import label_scores

SCORES = {"acc": "ACC", "nmi": "NMI", "ari": "ARI"}


def main() -> None:
    options = arguments()
    labels = load_dataset(options.dataset).labels
    print(f"| seed | start | {' | '.join(SCORES.values())} |\n|---|---|---|---|---|")
    for seed in range(options.seeds):
        latents = pretrained(options, seed)
        for start in START.schema["enum"]:
            clusters = first_clusters(latents, int(labels.max()) + 1, start, seed)
            found = label_scores(labels, clusters)
            scores = " | ".join(f"{found[key]:.4f}" for key in SCORES)
            print(f"| {seed} | {start} | {scores} |", flush=True)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-d", "--dataset", default="MNIST")
    parser.add_argument("-a", "--arch", default="2")
    parser.add_argument("--pretrain", type=int, help="epochs; the spec's own without it")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=Path("benchmark-runs"))
    return parser.parse_args()


def pretrained(options: argparse.Namespace, seed: int) -> np.ndarray:
    """Pretrain, and return the latents."""
    words = ["-d", options.dataset, "-a", options.arch, *stage("--pretrain", options.pretrain)]
    words += ["--seed", str(seed), "--out", str(options.out), "--quiet", "--json"]
    run = Path(json.loads(archbuild(words))["run"])
    return np.load(run / "pretrain" / "latents.npy", allow_pickle=False)


if __name__ == "__main__":
    main()
