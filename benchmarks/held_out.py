"""Score a head on held-out rows as its latest epoch left it, also while it is still in training.

    python benchmarks/held_out.py -d MNIST-TRAIN -a gmvae-mnist-dense --set head.n_clusters=16

`archbuild --metrics` has the same row, "head, held out", once the stage has ended.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from archbuild.environment import start_keras
from archbuild.evaluation.table import format_table
from archbuild.experiments.experiment import Experiment
from archbuild.experiments.request import ExperimentRequest
from archbuild.models.measuring import measure_held_out
from archbuild.runs.names import space_of


def main() -> None:
    options = arguments()
    start_keras()
    request = ExperimentRequest(
        options.dataset,
        options.arch,
        overrides=options.overrides,
        seed=options.seed,
        out=options.out,
    )
    experiment = Experiment(request)
    stage = options.stage or experiment.scratch_stage
    run = experiment.results()
    model = run.stage(stage).open()
    row = measure_held_out(space_of(stage), model, run.held_out, options.seed)
    print(f"after epoch {model.epoch}\n{format_table([row])}")


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
