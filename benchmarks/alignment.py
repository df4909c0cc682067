"""Cluster randomly shifted digits with and without a spatial transformer in front of the encoder.

    python benchmarks/alignment.py
    python benchmarks/alignment.py -d MNIST-TEST --side 40 --pretrain 20 --cluster 10 --seeds 1

Each image is put at a random place of a larger black canvas. Three specs are trained that differ in
one thing: nothing, `augment: {shift}` in training, or a `SpatialTransformer` that finds a shift.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from archbuild.data import Dataset, dataset_from_arrays, load_dataset
from archbuild.environment import start_keras
from archbuild.experiments.experiment import Experiment
from archbuild.experiments.request import ExperimentRequest
from archbuild.models.measuring import measure

KINDS = ("plain", "augment", "transformer")
HEADINGS = "| spec | seed | reconstruction | k-means on its latents | `kld` | minutes |"


def main() -> None:
    options = arguments()
    start_keras()
    rows = shifted(load_dataset(options.dataset), options.side)
    print(HEADINGS)
    print("|---" * HEADINGS.count(" | ") + "|---|")
    for kind in KINDS:
        for seed in range(options.seeds):
            begun = perf_counter()
            cells = (f"`{kind}`", seed, *scores(options, rows, kind, seed))
            minutes = f"{(perf_counter() - begun) / 60:.1f}"
            print(f"| {' | '.join(map(str, cells))} | {minutes} |", flush=True)


def shifted(dataset: Dataset, side: int) -> Dataset:
    """Put each image at a random place of a black canvas of ``side`` x ``side``."""
    random = np.random.RandomState(0)
    images = dataset.rows(slice(None))[..., 0]
    size = images.shape[1]
    canvas = np.zeros((len(images), side, side), np.float32)
    for place, image in zip(canvas, images, strict=True):
        row, column = random.randint(side - size + 1, size=2)
        place[row : row + size, column : column + size] = image
    name = f"{dataset.name}-shifted"
    return dataset_from_arrays(name, canvas[..., np.newaxis], dataset.labels)


def scores(options: argparse.Namespace, rows: Dataset, kind: str, seed: int) -> list[str]:
    """Train, and return the loss at the end of pretraining, and the accuracies."""
    out = options.out / rows.name / kind
    out.mkdir(parents=True, exist_ok=True)
    arch = out / f"{kind}.json"
    arch.write_text(json.dumps(spec(options, rows, kind)))
    request = ExperimentRequest(f"{rows.name}.npy", str(arch), seed=seed, out=out)
    experiment = Experiment(request, dataset=rows)
    experiment.pretrain()
    experiment.cluster()
    found = {(row["space"], row["method"]): row for row in measure(experiment.results())["rows"]}
    loss = experiment.results().stage("pretrain").history()[-1]["reconstruction"]
    accuracies = (found[key]["acc"] for key in (("pretrain", "k-means"), ("kld", "head")))
    return [f"{loss:.4f}", *(f"{each:.3f}" for each in accuracies)]


def spec(options: argparse.Namespace, rows: Dataset, kind: str) -> Mapping[str, Any]:
    """Return the dense autoencoder of archs/digits.yaml or mnist.json, for the canvas."""
    widths = (500, 1000) if options.side < 28 else (500, 500, 2000)
    hidden = [{"type": "Dense", "num_units": width} for width in widths]
    changes: dict[str, Any] = {"augment": {"shift": 0.2}} if kind == "augment" else {}
    transformer = {
        "type": "SpatialTransformer",
        "transform": "translation",
        "localisation": [
            {"type": "Conv2D", "num_filters": 16, "filter_size": 5},
            {"type": "MaxPool2D", "filter_size": 2},
            {"type": "Dense", "num_units": 64},
        ],
    }
    return {
        "spec_version": 1,
        "name": kind,
        "batch_size": options.batch_size,
        "output_non_linearity": "linear",
        "layers": [
            {"type": "Input", "output_shape": list(rows.shape)},
            *([transformer] if kind == "transformer" else []),
            *hidden,
            {"type": "Dense", "num_units": 10, "non_linearity": "linear"},
        ],
        "head": {"type": "kld", "start": "ward", "cluster_weight": 0.5},
        "pretrain": {"epochs": options.pretrain},
        "cluster": {"epochs": options.cluster, "learning_rate": 1e-3, "schedule": "cosine"},
        **changes,
    }


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-d", "--dataset", default="DIGITS")
    parser.add_argument("--side", type=int, default=14, help="pixels of the canvas")
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--pretrain", type=int, default=50, help="epochs")
    parser.add_argument("--cluster", type=int, default=20, help="epochs")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=Path("benchmark-runs/alignment"))
    return parser.parse_args()


if __name__ == "__main__":
    main()
