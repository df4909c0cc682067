"""Collapse of clusters: occupation, shares, entropy, and the description for the user."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from archbuild.clustering.means import separations
from archbuild.errors import DataError

_LARGEST_HEALTHY_SHARE = 0.5
SMALLEST_HEALTHY_PART = 0.1
"""Of the even share 1 / n_clusters; a cluster that holds less is as good as empty."""

WELL_SEPARATED = 0.5
"""A simplified silhouette from which a cluster is a group of its own, however small or large."""

_ADVICE = (
    "see first whether the rows differ as they should (archbuild new --for DATA), then try another "
    "start or seed, longer training before it, or other weights of the terms"
)


@dataclass(frozen=True)
class Occupancy:
    """The distribution of the points over the clusters.

    Attributes:
        occupied: how many clusters hold at least one point.
        n_clusters: how many there are.
        smallest_share: of all points, in the least populated cluster; 0 where one is empty.
        largest_share: of all points, in the most populated cluster.
        entropy: of the shares, in nats; log(n_clusters) where all are even.
        label_change: fraction of points whose cluster is not what it was; ``None`` the first time.
        shares: of all points, in each cluster (n_clusters,), to six digits.
        smallest_separation: the simplified silhouette, -1 to 1, of the least populated cluster;
            ``None`` where one is empty, or the latents were not given.
        largest_separation: that of the most populated one.
    """

    occupied: int
    n_clusters: int
    smallest_share: float
    largest_share: float
    entropy: float
    label_change: float | None
    shares: list[float]
    smallest_separation: float | None = None
    largest_separation: float | None = None


def occupancy(
    clusters: np.ndarray,
    n_clusters: int,
    previous: np.ndarray | None = None,
    points: np.ndarray | None = None,
) -> Occupancy:
    """Measure how points are spread over clusters.

    Args:
        clusters: cluster of each point (n,), from 0 to ``n_clusters - 1``.
        n_clusters: how many clusters there are, empty ones included.
        previous: the clusters (n,) of an epoch before, or ``None``.
        points: latents (n, dimensions), to tell a small group from a fault; or ``None``.

    Raises:
        DataError: there is no point, a cluster is out of range, or the lengths differ.
    """
    clusters = np.asarray(clusters)
    _check(clusters, n_clusters, previous)
    shares = np.bincount(clusters, minlength=n_clusters) / clusters.size
    populated = shares[shares > 0]
    separation = {} if points is None else separations(points, clusters)
    return Occupancy(
        occupied=int(populated.size),
        n_clusters=n_clusters,
        smallest_share=float(shares.min()),
        largest_share=float(shares.max()),
        entropy=max(0.0, float(-(populated * np.log(populated)).sum())),
        label_change=None if previous is None else float(np.mean(clusters != previous)),
        shares=np.round(shares, 6).tolist(),
        smallest_separation=separation.get(int(np.argmin(shares))),
        largest_separation=separation.get(int(np.argmax(shares))),
    )


def collapse_in_words(occupancy: Occupancy) -> str:
    """Describe an occupancy in one to three plain sentences, with a warning where one is due.

    A warning is due when clusters are empty, when one holds more than half of the points, or
    when one holds less than a tenth of its even share; but not for a cluster that is well
    separated from the others, since groups may be small or large.
    """
    sentences = [_spread(occupancy)]
    if occupancy.label_change is not None:
        sentences.append(
            f"{occupancy.label_change:.2%} of the points changed cluster in the last step."
        )
    warning = collapse_warning(occupancy)
    if warning:
        sentences.append(f"Warning: {warning}.")
    return " ".join(sentences)


def collapse_warning(occupancy: Occupancy) -> str | None:
    """Return what is wrong with the clusters and what to do; ``None`` where nothing is."""
    concerns = _concerns(occupancy)
    return f"{' and '.join(concerns)}; {_ADVICE}" if concerns else None


def _is_a_group(separation: float | None) -> bool:
    return separation is not None and separation >= WELL_SEPARATED


def _check(clusters: np.ndarray, n_clusters: int, previous: np.ndarray | None) -> None:
    if clusters.ndim != 1 or clusters.size == 0:
        raise DataError(f"expected one cluster for each point; clusters came as {clusters.shape}")
    if clusters.min() < 0 or clusters.max() >= n_clusters:
        raise DataError(
            f"expected clusters from 0 to {n_clusters - 1}; "
            f"they came from {clusters.min()} to {clusters.max()}"
        )
    if previous is not None and np.shape(previous) != clusters.shape:
        raise DataError(
            f"cannot compare the clusters of {clusters.size} points with an earlier "
            f"{np.shape(previous)}"
        )


def _spread(occupancy: Occupancy) -> str:
    return (
        f"{occupancy.occupied} of {occupancy.n_clusters} clusters are populated, with "
        f"{occupancy.smallest_share:.1%} to {occupancy.largest_share:.1%} of the points each "
        f"(entropy {occupancy.entropy:.2f} of {np.log(occupancy.n_clusters):.2f} nats)."
    )


def _concerns(occupancy: Occupancy) -> list[str]:
    concerns = []
    empty = occupancy.n_clusters - occupancy.occupied
    if empty:
        concerns.append(f"{empty} {'cluster is' if empty == 1 else 'clusters are'} empty")
    elif occupancy.smallest_share < SMALLEST_HEALTHY_PART / occupancy.n_clusters and not (
        _is_a_group(occupancy.smallest_separation)
    ):
        concerns.append(f"one cluster holds only {occupancy.smallest_share:.2%} of the points")
    too_large = occupancy.largest_share > max(_LARGEST_HEALTHY_SHARE, 2.0 / occupancy.n_clusters)
    if too_large and not _is_a_group(occupancy.largest_separation):
        concerns.append(f"one cluster holds {occupancy.largest_share:.0%} of the points")
    return concerns
