"""What single starts of a mixture come to on the latents of a run with messages.

    python benchmarks/mixture_starts.py --seed 1
    python benchmarks/mixture_starts.py --seed 1 --inference gibbs --start random --starts 4

The run is trained where it is not there, as `messages.py` does. For each start: what chains are
chosen by, the accuracy, and seconds of CPU, the most probable first. Labels are looked at here and
nowhere else.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from time import process_time

import numpy as np
from messages import STAGE, run_seed

from archbuild.data import load_dataset
from archbuild.evaluation.accuracy import clustering_accuracy
from archbuild.serket import GMM, Observation


def main() -> None:
    options = arguments()
    labels = load_dataset(options.dataset).labels
    run = run_seed(options, options.seed)["run"]
    with np.load(run / STAGE / "head.npz", allow_pickle=False) as arrays:
        points = Observation(arrays["first_message"])
    rows = sorted(start(options, points, labels, seed) for seed in range(options.starts))
    print("| log evidence | accuracy | seconds |\n|---|---|---|")
    for evidence, accuracy, seconds in reversed(rows):
        print(f"| {evidence:.3f} | {accuracy:.3f} | {seconds:.1f} |")
    print(f"| mean | {np.mean(rows, axis=0)[1]:.3f} | {np.mean(rows, axis=0)[2]:.1f} |")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-d", "--dataset", default="SERKET3000")
    parser.add_argument("-a", "--arch", default="0")
    parser.add_argument("--head", help="in place of the spec's: messages")
    parser.add_argument("--seed", type=int, default=0, help="of the run")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--set", action="append", default=[], dest="overrides")
    parser.add_argument("--out", type=Path, default=Path("benchmark-runs"))
    parser.add_argument("--starts", type=int, default=20)
    parser.add_argument("--inference", default="em")
    parser.add_argument("--start", default="k-means")
    parser.add_argument("--sweeps", type=int, default=100)
    return parser.parse_args()


def start(options: argparse.Namespace, points: Observation, labels: np.ndarray, seed: int) -> tuple:
    settings = {"inference": options.inference, "start": options.start, "sweeps": options.sweeps}
    mixture = GMM(len(set(labels)), chains=1, seed=seed, **settings)
    mixture.connect(points)
    begun = process_time()
    mixture.update()
    seconds = process_time() - begun
    accuracy = clustering_accuracy(labels, mixture.learned.texts["class"])
    return mixture.log_evidence, accuracy, seconds


if __name__ == "__main__":
    main()
