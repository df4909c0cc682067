"""What single starts of a mixture come to on the latents of a run with messages.

    python benchmarks/mixture_starts.py runs/saved_params/SERKET3000/serket/0
    python benchmarks/mixture_starts.py runs/saved_params/SERKET3000/serket/0 --inference gibbs

For each start: what chains are chosen by, the accuracy, and seconds of CPU, the most probable
first. Labels are looked at here and nowhere else.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from time import process_time

import numpy as np

from archbuild.data import load_dataset
from archbuild.evaluation.accuracy import clustering_accuracy
from archbuild.serket import GMM, Observation


def main() -> None:
    options = arguments()
    labels = load_dataset(options.dataset).labels
    with np.load(options.run / "train-messages" / "head.npz", allow_pickle=False) as arrays:
        points = Observation(arrays["first_message"])
    rows = sorted(start(options, points, labels, seed) for seed in range(options.starts))
    print("| log evidence | accuracy | seconds |\n|---|---|---|")
    for evidence, accuracy, seconds in reversed(rows):
        print(f"| {evidence:.3f} | {accuracy:.3f} | {seconds:.1f} |")
    print(f"| mean | {np.mean(rows, axis=0)[1]:.3f} | {np.mean(rows, axis=0)[2]:.1f} |")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path, help="its folder")
    parser.add_argument("-d", "--dataset", default="SERKET3000")
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
