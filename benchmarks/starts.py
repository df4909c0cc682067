"""What each way to start is worth: clusterings of pretrained latents, by accuracy.

    python benchmarks/starts.py -d MNIST -a 2 --seeds 3

Trust, which needs no labels, is how far the nearest ten rows in the latents are near as they came
(trustworthiness, Venna and Kaski 2001; of 2,000 rows). A network that is pretrained already, below
`--out`, is not trained again. Labels are looked at here and nowhere else.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
from processes import archbuild, stage
from sklearn.manifold import trustworthiness

from archbuild.clustering.starts import START, first_clusters
from archbuild.data import Dataset, load_dataset
from archbuild.data.sample import drawn_rows
from archbuild.evaluation.scores import label_scores

SCORES = {"acc": "ACC", "nmi": "NMI", "ari": "ARI"}
TRUST_ROWS, TRUST_NEIGHBOURS = 2_000, 10


def main() -> None:
    options = arguments()
    dataset = load_dataset(options.dataset)
    labels = dataset.labels
    print(f"| seed | start | {' | '.join(SCORES.values())} | trust |\n|---|---|---|---|---|---|")
    for seed in range(options.seeds):
        latents = pretrained(options, seed)
        trust = kept_neighbours(dataset, latents)
        for start in options.starts or START.schema["enum"]:
            clusters = first_clusters(latents, int(labels.max()) + 1, start, seed)
            found = label_scores(labels, clusters)
            scores = " | ".join(f"{found[key]:.4f}" for key in SCORES)
            print(f"| {seed} | {start} | {scores} | {trust:.4f} |", flush=True)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-d", "--dataset", default="MNIST")
    parser.add_argument("-a", "--arch", default="2")
    parser.add_argument("--pretrain", type=int, help="epochs; the spec's own without it")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--set", action="append", default=[], dest="overrides")
    parser.add_argument("--start", action="append", dest="starts", help="repeatable; default: all")
    parser.add_argument("--out", type=Path, default=Path("benchmark-runs"))
    return parser.parse_args()


def pretrained(options: argparse.Namespace, seed: int) -> np.ndarray:
    """Pretrain, and return the latents."""
    words = ["-d", options.dataset, "-a", options.arch, *stage("--pretrain", options.pretrain)]
    words += [word for override in options.overrides for word in ("--set", override)]
    words += ["--seed", str(seed), "--out", str(options.out), "--quiet", "--json"]
    run = Path(json.loads(archbuild(words))["run"])
    return np.load(run / "pretrain" / "latents.npy", allow_pickle=False)


def kept_neighbours(dataset: Dataset, latents: np.ndarray) -> float:
    """Return the trustworthiness of latents, from 0 to 1."""
    chosen = drawn_rows(len(latents), 0, TRUST_ROWS)
    rows = dataset.rows(chosen).reshape(len(chosen), -1)
    return float(trustworthiness(rows, latents[chosen], n_neighbors=TRUST_NEIGHBOURS))


if __name__ == "__main__":
    main()
