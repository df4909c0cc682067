"""What each way to start is worth: clusterings of finished runs' pretrained latents, by accuracy.

python benchmarks/starts.py -d MNIST runs/saved_params/MNIST/fc-500_fc-500_fc-2000_fc-10/*
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from archbuild.clustering.starts import START, first_clusters
from archbuild.data import load_dataset
from archbuild.evaluation.scores import label_scores


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-d", "--dataset", required=True)
    parser.add_argument("runs", nargs="+", type=Path, help="run folders, named by their seeds")
    options = parser.parse_args()
    labels = load_dataset(options.dataset).labels
    print("| seed | start | ACC | NMI | ARI |\n|---|---|---|---|---|")
    for run in options.runs:
        latents = np.load(run / "pretrain" / "latents.npy", allow_pickle=False)
        for start in START.schema["enum"]:
            clusters = first_clusters(latents, int(labels.max()) + 1, start, int(run.name))
            scores = " | ".join(f"{value:.4f}" for value in label_scores(labels, clusters).values())
            print(f"| {run.name} | {start} | {scores} |", flush=True)


if __name__ == "__main__":
    main()
