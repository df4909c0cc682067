"""Score a head on held-out rows as its latest epoch left it, also while it is still in training.

    python benchmarks/held_out.py -d MNIST-TRAIN -a gmvae-mnist-dense --set head.n_clusters=16

`archbuild --metrics` has the same row, "head, held out", once the stage has ended.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from archbuild.environment import start_keras
from archbuild.evaluation.table import format_table
from archbuild.experiments.job import Job, JobRequest
from archbuild.models.results import measure_held_out
from archbuild.runs.names import space_of


def main() -> None:
    options = arguments()
    start_keras()
    request = JobRequest(
        options.dataset,
        options.arch,
        overrides=options.overrides,
        seed=options.seed,
        out=options.out,
    )
    job = Job(request)
    stage = options.stage or job.scratch_stage
    trained = job.trained(stage)
    row = measure_held_out(space_of(stage), trained, job.held_out, options.seed)
    print(f"after epoch {trained.epoch}\n{format_table([row])}")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-d", "--dataset", required=True)
    parser.add_argument("-a", "--arch", required=True)
    parser.add_argument("--stage", help="the one trained from scratch without it")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--set", action="append", default=[], dest="overrides")
    parser.add_argument("--out", type=Path, default=Path("benchmark-runs"))
    return parser.parse_args()


if __name__ == "__main__":
    main()
