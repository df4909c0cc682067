"""One clusterer in a process of its own, in the environment of the peers; knows no archbuild.

python child.py METHOD OPTIONS ROWS.npy N_CLUSTERS SEED FOLDER: OPTIONS is JSON; the clusters go to
FOLDER/clusters.npy, and the versions of what was used to FOLDER/versions.json.
"""

from __future__ import annotations

import json
import sys
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np


def main(
    method: str, options: dict[str, Any], rows: np.ndarray, n_clusters: int, seed: int
) -> tuple[np.ndarray, list[str]]:
    """Return the cluster of each row, and the packages that found it."""
    if method == "k-means":
        return k_means(rows, n_clusters, seed, **options), ["scikit-learn"]
    if method.startswith("UMAP"):
        return umap_and_mixture(rows, n_clusters, seed, options), ["umap-learn", "scikit-learn"]
    packages = ["clustpy", "torch", *(["umap-learn"] if "manifold" in options else [])]
    return network(method, rows, n_clusters, seed, **options), packages


def k_means(rows: np.ndarray, n_clusters: int, seed: int, **options: Any) -> np.ndarray:
    from sklearn.cluster import KMeans

    return KMeans(n_clusters, random_state=seed, **options).fit_predict(rows)


def umap_and_mixture(
    rows: np.ndarray, n_clusters: int, seed: int, options: dict[str, Any]
) -> np.ndarray:
    from sklearn.mixture import GaussianMixture
    from umap import UMAP

    points = UMAP(random_state=seed, **options).fit_transform(rows)
    return GaussianMixture(n_clusters, random_state=seed).fit_predict(points)


def network(
    method: str,
    rows: np.ndarray,
    n_clusters: int,
    seed: int,
    widths: list[int] | None = None,
    manifold: str | None = None,
    **options: Any,
) -> np.ndarray:
    import clustpy.deep
    import torch
    from clustpy.deep.neural_networks import FeedforwardAutoencoder, VariationalAutoencoder

    torch.manual_seed(seed)
    if widths:
        kind = VariationalAutoencoder if method == "VaDE" else FeedforwardAutoencoder
        options["neural_network"] = (kind, {"layers": [rows.shape[1], *widths]})
        options["embedding_size"] = widths[-1]
    if manifold:
        options["manifold_class"] = getattr(import_module(manifold.lower()), manifold)
    clusterer = getattr(clustpy.deep, method)(n_clusters, random_state=seed, **options)
    return clusterer.fit(rows).labels_


if __name__ == "__main__":
    name, settings, file, count, number, folder = sys.argv[1:]
    place = Path(folder)
    found, packages = main(name, json.loads(settings), np.load(file), int(count), int(number))
    np.save(place / "clusters.npy", np.asarray(found))
    said = {package: version(package) for package in packages}
    (place / "versions.json").write_text(json.dumps(said))
