"""Every score of a clustering: one record each, from which tables, sweeps and reports are made."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np

from archbuild.clustering.means import scores_by_means
from archbuild.clustering.points import as_points
from archbuild.errors import DataError
from archbuild.evaluation.accuracy import (
    adjusted_rand_index,
    classification_error,
    clustering_accuracy,
    confident_point_accuracy,
    normalised_mutual_information,
    purity,
    sequence_error,
)
from archbuild.evaluation.label_free import (
    calinski_harabasz,
    davies_bouldin,
    has_scores,
    sampled_silhouette,
)


@dataclass(frozen=True, eq=False)
class Clustering:
    """A clustering to measure: points, their clusters, and their classes if known.

    Attributes:
        values: points (n, d), or (n, ...) which is flattened; ``None`` where only labels count.
        clusters: cluster of each point (n,), or a sequence of classes (n, T).
        labels: true classes (n,), or (n, T), or ``None``.
        assignments: probability of each cluster for each point (n, K), or ``None``.
        seed: draws the sample of the silhouette.
        are_classes: whether the clusters are predicted classes, numbered as ``labels`` are.
        are_sequences: whether they are sequences of such classes, as the labels are.

    Raises:
        DataError: the lengths differ, or a value is not finite.
    """

    values: np.ndarray | None
    clusters: np.ndarray
    labels: np.ndarray | None = None
    assignments: np.ndarray | None = None
    seed: int = 0
    are_classes: bool = False
    are_sequences: bool = False

    @cached_property
    def points(self) -> np.ndarray:
        """The points, (n, d) float64."""
        if self.values is None:
            raise DataError("expected values, one row for each point; None came")
        points = as_points(self.values).astype(np.float64, copy=False)
        if np.shape(self.clusters) != (len(points),):
            raise DataError(
                f"expected one cluster for each of {len(points)} points; clusters came as "
                f"{np.shape(self.clusters)}"
            )
        return points

    @cached_property
    def by_means(self) -> dict[str, float | None]:
        """The two scores that ``clustering.means`` computes together."""
        return scores_by_means(self.points, self.clusters)

    @property
    def parts(self) -> frozenset[str]:
        """The names of those of ``values``, ``labels`` and ``assignments`` that are given.

        And ``classes``, where the clusters are classes; of sequences, ``sequences`` alone.
        """
        if self.are_sequences:
            return frozenset({"sequences"} if self.labels is not None else ())
        given = {name: getattr(self, name) for name in ("values", "labels", "assignments")}
        names = {name for name, value in given.items() if value is not None}
        return frozenset(names | {"classes"} if self.are_classes else names)


@dataclass(frozen=True)
class Score:
    """One score.

    Attributes:
        key: its name in ``metrics.json``.
        heading: its name in tables.
        measure: computes it; ``None`` where it is not defined.
        needs: the parts of a ``Clustering`` that it is computed from, besides the clusters.
        higher_is_better: the direction.
        form: how tables format it.
        is_brief: whether tables with room for a few scores show it.
    """

    key: str
    heading: str
    measure: Callable[[Clustering], float | None]
    needs: frozenset[str]
    higher_is_better: bool = True
    form: str = ".4f"
    is_brief: bool = False

    @property
    def needs_labels(self) -> bool:
        """True if it compares with true classes."""
        return bool(self.needs & {"labels", "sequences"})


def _with_labels(function: Callable[..., float]) -> Callable[[Clustering], float]:
    return lambda clustering: function(clustering.labels, clustering.clusters)


def _with_assignments(function: Callable[..., float]) -> Callable[[Clustering], float]:
    return lambda clustering: function(clustering.labels, clustering.assignments)


def _by_means(key: str) -> Callable[[Clustering], float | None]:
    return _if_defined(lambda clustering: clustering.by_means[key])


def _with_points(function: Callable[..., float]) -> Callable[[Clustering], float | None]:
    return _if_defined(lambda clustering: function(clustering.points, clustering.clusters))


def _silhouette(clustering: Clustering) -> float | None:
    return sampled_silhouette(clustering.points, clustering.clusters, clustering.seed)


def _if_defined(
    measure: Callable[[Clustering], float | None],
) -> Callable[[Clustering], float | None]:
    """Return ``measure`` for at least two clusters, one of them with two points or more."""

    def measured(clustering: Clustering) -> float | None:
        points = clustering.points
        return measure(clustering) if has_scores(clustering.clusters, len(points)) else None

    return measured


_LABELS, _POINTS = frozenset({"labels"}), frozenset({"values"})

_ALL = (
    Score(
        "error",
        "error",
        _with_labels(classification_error),
        frozenset({"labels", "classes"}),
        higher_is_better=False,
        is_brief=True,
    ),
    Score(
        "sequence_error",
        "seq. error",
        _with_labels(sequence_error),
        frozenset({"sequences"}),
        higher_is_better=False,
        is_brief=True,
    ),
    Score("acc", "ACC", _with_labels(clustering_accuracy), _LABELS, is_brief=True),
    Score("nmi", "NMI", _with_labels(normalised_mutual_information), _LABELS, is_brief=True),
    Score("ari", "ARI", _with_labels(adjusted_rand_index), _LABELS, is_brief=True),
    Score("purity", "purity", _with_labels(purity), _LABELS),
    Score(
        "acc_aae",
        "ACC-AAE",
        _with_assignments(confident_point_accuracy),
        frozenset({"labels", "assignments"}),
    ),
    Score("silhouette", "silhouette", _if_defined(_silhouette), _POINTS, is_brief=True),
    Score("calinski_harabasz", "Calinski-H.", _with_points(calinski_harabasz), _POINTS, form=".1f"),
    Score(
        "davies_bouldin",
        "Davies-B.",
        _with_points(davies_bouldin),
        _POINTS,
        higher_is_better=False,
    ),
    Score("simplified_silhouette", "simplified", _by_means("simplified_silhouette"), _POINTS),
    Score("centre_separation", "separation", _by_means("centre_separation"), _POINTS),
)

SCORES: Final[Mapping[str, Score]] = {score.key: score for score in _ALL}
"""Key -> score, in the order of tables. A new score is one function and one entry here."""

BRIEF: Final[Mapping[str, str]] = {s.key: s.heading for s in _ALL if s.is_brief}
"""Key -> heading of the scores that short tables show."""


def measure(clustering: Clustering) -> dict[str, float | None]:
    """Compute every score that a clustering has the parts for, by key; ``None``: not defined.

    Raises:
        DataError: the lengths differ, or a value is not finite.
    """
    return _measured(clustering, SCORES.values())


def label_scores(labels: np.ndarray, clusters: np.ndarray) -> dict[str, float]:
    """Compute the scores that need labels and hard clusters: ACC, NMI, ARI and purity, by key.

    Args:
        labels: true classes (n,).
        clusters: cluster of each point (n,).

    Raises:
        DataError: the two are empty or not of one length.
    """
    scores = measure(Clustering(None, clusters, labels))
    return {key: score for key, score in scores.items() if score is not None}


def sequence_scores(labels: np.ndarray, classes: np.ndarray) -> dict[str, float | None]:
    """Compute the scores of sequences of classes, by key: of the single labels, and of sequences.

    Args:
        labels: true classes (n, T), -1 where unknown.
        classes: predicted ones (n, T).

    Raises:
        DataError: the shapes differ, or no point has all its labels.
    """
    single = {"error": classification_error(labels.ravel(), classes.ravel())}
    return single | measure(Clustering(None, classes, labels, are_sequences=True))


def label_free_scores(
    latents: np.ndarray, clusters: np.ndarray, seed: int
) -> dict[str, float | None]:
    """Compute the scores of a clustering in its own space, by key, in float64.

    Args:
        latents: points (n, d), or (n, ...) which is flattened.
        clusters: cluster of each point (n,).
        seed: draws the points of the sampled silhouette.

    Returns:
        A score that is not defined, with fewer than two occupied clusters or a cluster for every
        point, is ``None``.

    Raises:
        DataError: the lengths differ, or a value is not finite.
    """
    return measure(Clustering(latents, clusters, seed=seed))


def _measured(clustering: Clustering, scores: Iterable[Score]) -> dict[str, float | None]:
    given = clustering.parts
    return {score.key: score.measure(clustering) for score in scores if score.needs <= given}
