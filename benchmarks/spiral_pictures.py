"""The picture of each setting of GMVAE's two weights on SPIRAL, side by side with its latents.

    python benchmarks/seeds.py -d SPIRAL -a 0 --train --seeds 5 --out eta1-alpha2
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
from archbuild.experiments.job import Job, JobRequest
from archbuild.figures import PALETTE
from archbuild.figures.components import outline

matplotlib.use("Agg")
import matplotlib.pyplot as plt


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path, help="the --out of the runs; it names the picture")
    parser.add_argument("--set", action="append", default=[], dest="overrides")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output", type=Path, default=Path())
    options = parser.parse_args()
    job = Job(JobRequest("SPIRAL", "0", None, options.overrides, options.seed, out=options.out))
    figure = draw(job, options.out.name)
    path = options.output / f"spiral-{options.out.name}.png"
    figure.savefig(path, dpi=80)
    print(path)


def draw(job: Job, name: str) -> plt.Figure:
    trained = job.trained(job.scratch_stage)
    codes = trained.codes(job.feed)
    clusters = trained.head.assignments(codes).argmax(axis=1)
    points, latents = job.dataset.values, codes[:, :2]
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 5.2), layout="constrained")
    left.set_aspect("equal")
    scatter(left, points, clusters, trained.head.n_clusters)
    scatter(right, latents, clusters, trained.head.n_clusters)
    for mean, variance in zip(*trained.generative_head.components(), strict=True):
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
    share = purity(job.dataset.labels, clusters)
    figure.suptitle(
        f"SPIRAL, {name}, seed {job.request.seed}: {occupied} of {trained.head.n_clusters} "
        f"clusters populated, purity {share:.3f}"
    )
    return figure


def scatter(axes: plt.Axes, points: np.ndarray, clusters: np.ndarray, count: int) -> None:
    for cluster in range(count):
        chosen = points[clusters == cluster]
        axes.scatter(*chosen.T, s=3, color=PALETTE[cluster % len(PALETTE)], linewidths=0)


if __name__ == "__main__":
    main()
