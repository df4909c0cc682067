"""Runs of data that have no name: the spec that ``archbuild new`` writes, and k-means beside it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image
from sklearn.cluster import KMeans
from sklearn.preprocessing import StandardScaler

from archbuild.data import Dataset, data_folder, load_dataset
from archbuild.evaluation.scores import label_scores
from benchmarks.processes import archbuild
from benchmarks.reproduce.declared import Run

_STARTS: Final = 20


def placed(run: Run, folder: Path) -> Run:
    """Write the spec of a run into a folder; return the run with the places of data and spec.

    Raises:
        subprocess.CalledProcessError: the data are not there, or no spec can be written for them.
    """
    folder.mkdir(parents=True, exist_ok=True)
    file, _, column = run.dataset.partition(":")
    if file in _MADE:
        place = folder / file
        _MADE[file](place)
    else:
        place = data_folder().resolve() / file
    data = f"{place}:{column}" if column else str(place)
    there = replace(run, dataset=data, arch=str(folder / run.arch))
    archbuild([*there.preparation, "--force"])
    return there


def of_k_means(dataset: Dataset, seed: int) -> dict[str, float]:
    """Return the scores of k-means, the best of 20 starts, on standardised rows.

    The rows are those that the spec's ``data`` section reads: counts of genes are log-normalised.
    """
    rows = np.concatenate(list(dataset.chunks(exact=True)))
    rows = StandardScaler().fit_transform(rows.reshape(len(rows), -1))
    rows = np.nan_to_num(rows)  # behind the end of a shorter series: the mean
    k_means = KMeans(dataset.n_classes, n_init=_STARTS, random_state=seed)
    scores = label_scores(dataset.row_labels, k_means.fit_predict(rows))
    return {f"{key}_standardised": scores[key] for key in ("acc", "nmi")}


def write_mixed_table(place: Path) -> None:
    """Write a table of three groups: numbers, categories, dates, truth values, and gaps."""
    rng = np.random.default_rng(0)
    lines = ["id,age,income,city,member,joined,note,group"]
    for row, group in enumerate(rng.integers(0, 3, 600)):
        age = "" if rng.random() < 0.1 else f"{rng.normal(30 + 15 * group, 5):.0f}"
        income = "NA" if rng.random() < 0.1 else f"{rng.normal([30, 60, 45][group], 8) * 1000:.0f}"
        city = rng.choice(
            ["Oslo", "Rome", "Lima", ""],
            p=[[0.7, 0.1, 0.1, 0.1], [0.1, 0.7, 0.1, 0.1], [0.1, 0.1, 0.7, 0.1]][group],
        )
        joined = np.datetime64("2020-01-01") + int(rng.normal(300 * group, 60))
        member = rng.random() < 0.3 + 0.2 * group
        lines.append(f"{row},{age},{income},{city},{member},{joined},text {row},{group}")
    place.write_text("\n".join(lines) + "\n")


def write_small_digits(place: Path) -> None:
    """Write the test images of MNIST without three pixels of margin, as images of 16 x 16."""
    digits = load_dataset("MNIST-TEST")
    small = [
        np.asarray(Image.fromarray(digit[3:25, 3:25]).resize((16, 16), Image.Resampling.BILINEAR))
        for digit in np.asarray(digits.values).reshape(-1, 28, 28)
    ]
    np.savez(place, x=small, y=digits.labels)


_MADE: Final[Mapping[str, Callable[[Path], None]]] = {
    "mixed.csv": write_mixed_table,
    "digits16.npz": write_small_digits,
}
"""Files that need not be below the data folder, because they are made."""
