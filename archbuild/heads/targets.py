"""Targets of all rows, which may be larger than memory: part by part, with sums over the whole."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from archbuild import objectives
from archbuild.data.dataset import chunk_slices
from archbuild.data.spill import is_mapped, joined, parts_of, read_part
from archbuild.networks.rows import to_numpy


def sharpened(assignments: np.ndarray) -> np.ndarray:
    """Return DEC's target distribution of the whole set (``objectives.target_distribution``).

    Args:
        assignments: ``(n, cluster)``. Of a memory map the frequencies are summed part by part, in
            float64; the result is then a map as well.
    """
    if not is_mapped(assignments):
        return to_numpy(objectives.target_distribution(assignments))
    frequency = np.zeros((1, assignments.shape[1]))
    for part in parts_of(assignments):
        frequency += assignments[part].sum(axis=0, dtype="float64")
    single = frequency.astype(assignments.dtype)
    return changed(assignments, lambda rows: to_numpy(objectives.target_distribution(rows, single)))


def changed(values: np.ndarray, function: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """Return ``function`` of all rows ``(n, ...)``; of a memory map part by part, as a map."""
    if not is_mapped(values):
        return function(values)
    parts = (function(read_part(values, part)) for part in parts_of(values))
    return joined(parts, len(values), _what(len(values)))


def looked_up(table: np.ndarray, clusters: np.ndarray) -> np.ndarray:
    """Return the row of ``table`` ``(cluster, d)`` that each of ``clusters`` ``(n,)`` names."""

    def parts() -> Iterator[np.ndarray]:
        for part in chunk_slices(len(clusters), table[:1].nbytes):
            yield table[clusters[part]]

    return joined(parts(), len(clusters), _what(len(clusters)))


def one_hot(clusters: np.ndarray, n_clusters: int) -> np.ndarray:
    """Return ``(n, n_clusters)`` float32, 1 in the column that each of ``clusters`` names."""
    return looked_up(np.eye(n_clusters, dtype="float32"), clusters)


def _what(n_rows: int) -> str:
    return f"the targets of {n_rows:,} rows"
