"""The picture of each setting of GMVAE's two weights on SPIRAL, side by side with its latents.

    archbuild -d SPIRAL -a 0 --train --out eta1-alpha2
    python benchmarks/spiral_pictures.py eta1-alpha2 --output benchmarks/images

Left, the data coloured by cluster; right, the latents with the prior's components at ``w = 0``.
The run of seed 0 is drawn; overrides are those that the runs were made with.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import matplotlib
import numpy as np

from archbuild.evaluation.accuracy import purity
from archbuild.experiments.experiment import Experiment
from archbuild.experiments.request import ExperimentRequest
from archbuild.figures import PALETTE
from archbuild.figures.components import outline
from archbuild.models.model import Model
from archbuild.models.run import Run

matplotlib.use("Agg")
import matplotlib.pyplot as plt


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path, help="the --out of the runs; it names the picture")
    parser.add_argument("--set", action="append", default=[], dest="overrides")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output", type=Path, default=Path())
    options = parser.parse_args()
    request = ExperimentRequest(
        "SPIRAL", "0", overrides=options.overrides, seed=options.seed, out=options.out
    )
    experiment = Experiment(request)
    run = experiment.results()
    figure = draw(run, run.stage(experiment.scratch_stage).open(), options.out.name)
    path = options.output / f"spiral-{options.out.name}.png"
    figure.savefig(path, dpi=80)
    print(path)


def draw(run: Run, model: Model, name: str) -> plt.Figure:
    codes = model.codes(run.feed)
    clusters = model.assigning_head.assignments(codes).argmax(axis=1)
    points, latents = run.dataset.values, codes[:, :2]
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 5.2), layout="constrained")
    left.set_aspect("equal")
    scatter(left, points, clusters, model.assigning_head.n_clusters)
    scatter(right, latents, clusters, model.assigning_head.n_clusters)
    for mean, variance in zip(*model.assigning_head.components(), strict=True):
        line = outline(mean, np.diag(variance))
        right.plot(*line.T, color="#222222", lw=1.2)
    low, high = latents.min(axis=0), latents.max(axis=0)
    room = 0.3 * (high - low)
    right.set(
        xlim=(low[0] - room[0], high[0] + room[0]), ylim=(low[1] - room[1], high[1] + room[1])
    )
    left.set_title("data, coloured by cluster", loc="left")
    right.set_title("latents and prior at w = 0 (2 sigma)", loc="left")
    occupied = len(np.unique(clusters))
    share = purity(run.dataset.labels, clusters)
    figure.suptitle(
        f"SPIRAL, {name}, seed {run.seed}: {occupied} of {model.assigning_head.n_clusters} "
        f"clusters populated, purity {share:.3f}"
    )
    return figure


def scatter(axes: plt.Axes, points: np.ndarray, clusters: np.ndarray, count: int) -> None:
    for cluster in range(count):
        chosen = points[clusters == cluster]
        axes.scatter(*chosen.T, s=3, color=PALETTE[cluster % len(PALETTE)], linewidths=0)


if __name__ == "__main__":
    main()
