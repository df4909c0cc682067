"""What each way to count clusters says of data whose number of clusters is known.

python benchmarks/n_clusters.py
python benchmarks/n_clusters.py -d DIGITS runs/saved_params/DIGITS/fc-500_fc-1000_fc-32/*
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from archbuild.data import load_dataset
from archbuild.evaluation.n_clusters import Suggestion, grid, suggest

CANDIDATES = grid(2, 20)
ROWS = 1_000
HEADINGS = (
    "data",
    "true",
    "suggested",
    "nearly",
    "separation",
    "BIC",
    "stability",
    "k-means silhouette",
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-d", "--dataset", help="what the runs are of")
    parser.add_argument("--only", default="", help="cases whose name begins so")
    parser.add_argument("runs", nargs="*", type=Path, help="run folders, in place of made data")
    options = parser.parse_args()
    print("| " + " | ".join(HEADINGS) + " |\n" + "|---" * len(HEADINGS) + "|")
    for name, true, points in latents(options.dataset, options.runs) or made():
        if name.startswith(options.only):
            suggestion = suggest(points, CANDIDATES, 0)
            print(
                "| " + " | ".join(map(str, (name, true, *verdicts(suggestion)))) + " |", flush=True
            )


def verdicts(suggestion: Suggestion) -> list[object]:
    """What is suggested, what nearly; then what each measure alone would say, and its value."""
    candidates = suggestion.candidates
    separate = max(candidates, key=lambda c: c.separation)
    lowest = min(candidates, key=lambda c: c.bic)
    stable = max(candidates, key=lambda c: c.stability)
    compact = max(candidates, key=lambda c: c.silhouette or -1.0)
    return [
        suggestion.n_clusters if suggestion.clear else "none",
        " ".join(map(str, suggestion.nearly)) or "-",
        f"{separate.n_clusters} ({separate.separation:.2f})",
        1 if suggestion.one_gaussian <= lowest.bic else lowest.n_clusters,
        f"{stable.n_clusters} ({stable.stability:.2f})",
        f"{compact.n_clusters} ({compact.silhouette or -1.0:.2f})",
    ]


def latents(dataset: str | None, runs: list[Path]) -> list[tuple[str, int, np.ndarray]]:
    """The pretrained latents of runs, beside the number of classes."""
    if dataset is None:
        return []
    true = load_dataset(dataset).n_classes
    return [
        (f"{run.parent.name}/{run.name}", true, np.load(run / "pretrain" / "latents.npy"))
        for run in runs
    ]


def made() -> Iterator[tuple[str, int, np.ndarray]]:
    """Data that need no training: tables of scikit-learn, clouds, and no clusters at all."""
    yield from tables()
    yield from nothing()
    for count in (3, 5, 8, 15):
        for dimensions in (2, 16):
            for word, apart in (("separated", 8.0), ("touching", 4.0)):
                name = f"{word} clouds, {dimensions}-d"
                yield name, count, clouds(count, dimensions, apart)
    for count in (3, 8, 15):
        yield "long clouds of uneven sizes, 8-d", count, clouds(count, 8, 7.0, uneven=True)


def tables() -> Iterator[tuple[str, int, np.ndarray]]:
    """Small data with classes, standardised; and the pixels of digits."""
    from sklearn.datasets import load_breast_cancer, load_digits, load_iris, load_wine
    from sklearn.preprocessing import StandardScaler

    for load in (load_iris, load_wine, load_breast_cancer):
        data = load()
        points = StandardScaler().fit_transform(data.data)
        yield load.__name__.removeprefix("load_"), len(data.target_names), points
    yield "DIGITS, pixels", 10, load_digits().data / 16


def nothing() -> Iterator[tuple[str, int, np.ndarray]]:
    """One Gaussian, a filled cube, and a Gaussian bent by a random network."""
    rng = np.random.default_rng(0)
    for dimensions in (2, 8, 16):
        scales = np.exp(rng.normal(0, 0.5, dimensions))
        yield f"one Gaussian, {dimensions}-d", 1, rng.normal(size=(ROWS, dimensions)) * scales
    for dimensions in (2, 8):
        yield f"a filled cube, {dimensions}-d", 1, rng.uniform(size=(ROWS, dimensions))
    hidden = np.maximum(rng.normal(size=(ROWS, 6)) @ rng.normal(size=(6, 30)), 0)
    yield "a bent Gaussian, 8-d", 1, hidden @ rng.normal(size=(30, 8))
    yield "60 rows of one Gaussian, 2-d", 1, rng.normal(size=(60, 2))


def clouds(count: int, dimensions: int, apart: float, uneven: bool = False) -> np.ndarray:
    """Gaussian clouds of unit variance whose centres are at least ``apart`` from each other.

    With ``uneven``, each is stretched its own way, and its share of the rows is drawn.
    """
    rng = np.random.default_rng(100 * count + dimensions)
    centres = spread(count, dimensions, apart, rng)
    shares = np.maximum(rng.dirichlet(np.full(count, 3.0)), 0.02) if uneven else np.ones(count)
    cloud = rng.choice(count, ROWS, p=shares / shares.sum())
    noise = rng.normal(size=(ROWS, dimensions))
    if uneven:
        stretch = np.exp(rng.normal(0, 0.5, (count, 1, dimensions)))
        turn = np.linalg.qr(rng.normal(size=(count, dimensions, dimensions)))[0] * stretch
        noise = np.einsum("nij,nj->ni", turn[cloud], noise)
    return centres[cloud] + noise


def spread(count: int, dimensions: int, apart: float, rng: np.random.Generator) -> np.ndarray:
    """Centres drawn in a cube that grows until all of them have room."""
    centres: list[np.ndarray] = []
    side = apart * count ** (1 / dimensions)
    while len(centres) < count:
        drawn = rng.uniform(0, side, dimensions)
        if all(np.linalg.norm(drawn - other) >= apart for other in centres):
            centres.append(drawn)
        side *= 1.002
    return np.array(centres)


if __name__ == "__main__":
    main()
