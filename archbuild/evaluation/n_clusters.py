"""The number of clusters: every candidate measured without labels, one suggested.

The method in equations, what it was tried on and where it errs: ``docs/n_clusters.md``.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from typing import Any, Final

import numpy as np

from archbuild.clustering.kmeans import kmeans
from archbuild.clustering.points import as_points
from archbuild.clustering.tsne import tsne
from archbuild.data.spill import is_mapped, read_part
from archbuild.errors import DataError
from archbuild.evaluation.scores import label_free_scores

CLEAR: Final = 0.46
"""Least separation of clear clusters: in the trials, data without clusters came to at most
0.44, and data with clusters to at least 0.49."""
NEARLY: Final = 0.02
"""Distance from the best separation that counts as nearly as good: resamples differ by it."""
SAMPLE: Final = 5_000
RESAMPLES: Final = 4
_RESAMPLE: Final = 2_000
_RESAMPLED: Final = 0.8
_ROWS_PER_CLUSTER: Final = 5
_COMPONENTS: Final = 16
_COVARIANCES: Final = ("full", "diag")
_K_MEANS_STARTS: Final = 5
_UNTHINNED: Final = 20
_STEP: Final = 1.1


@dataclass(frozen=True)
class Candidate:
    """A number of clusters, measured.

    Attributes:
        n_clusters: the number.
        separation: silhouette of Ward's clusters in a t-SNE map, -1 to 1; mean over the resamples.
        stability: adjusted Rand index of the clusters of two resamples on the rows they share,
            about 0 by chance, at most 1; mean over the pairs of resamples.
        bic: the lower Bayesian information criterion of two mixtures of that many Gaussians, with
            full and with diagonal covariances; lower is better.
        silhouette: of k-means among the points themselves, -1 to 1; ``None`` if not defined.
    """

    n_clusters: int
    separation: float
    stability: float
    bic: float
    silhouette: float | None


@dataclass(frozen=True)
class Suggestion:
    """The candidates, and the one that is suggested.

    Attributes:
        n_clusters: the suggested number. Where there are no clear clusters it only stands in: the
            candidate of the best separation, or the least where nothing beats one Gaussian.
        clear: whether there are clear clusters at all.
        nearly: the other candidates within ``NEARLY`` of the best separation; none where nothing is
            clear.
        one_gaussian: the Bayesian information criterion of a single Gaussian.
        rows: how many were looked at.
        candidates: every candidate, the lowest number first.
    """

    n_clusters: int
    clear: bool
    nearly: tuple[int, ...]
    one_gaussian: float
    rows: int
    candidates: tuple[Candidate, ...]

    @property
    def chosen(self) -> Candidate:
        """The suggested candidate."""
        return next(found for found in self.candidates if found.n_clusters == self.n_clusters)

    def in_words(self) -> str:
        """Return the suggestion in a sentence or two, and how sure it is."""
        if not self.clear:
            return (
                f"no clear clusters: {self._why_not()}, stands in; if you know the number, "
                "give it with --set head.n_clusters=K"
            )
        stability = f"stability {self.chosen.stability:.2f}"
        return f"{self.n_clusters} clusters ({stability}); {self._how_sure()}{self._at_the_edge()}"

    def table(self) -> list[dict[str, Any]]:
        """Return a row for one Gaussian and each candidate, for ``format_table``."""
        rows = [self._row(candidate) for candidate in self.candidates]
        one = dict.fromkeys(rows[0]) | {"clusters": 1, "BIC": round(self.one_gaussian), "": ""}
        return [one, *rows]

    def to_json(self) -> dict[str, Any]:
        """Return everything, as plain JSON."""
        return asdict(self) | {"words": self.in_words()}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Suggestion:
        """Return the object that ``to_json`` was called on."""
        return cls(
            document["n_clusters"],
            document["clear"],
            tuple(document["nearly"]),
            document["one_gaussian"],
            document["rows"],
            tuple(Candidate(**candidate) for candidate in document["candidates"]),
        )

    def _row(self, candidate: Candidate) -> dict[str, Any]:
        number = candidate.n_clusters
        best = "suggested" if self.clear else "stands in"
        mark = best if number == self.n_clusters else "nearly"
        return {
            "clusters": number,
            "separation": candidate.separation,
            "stability": candidate.stability,
            "BIC": round(candidate.bic),
            "k-means silhouette": candidate.silhouette,
            "": mark if number in (self.n_clusters, *self.nearly) else "",
        }

    def _why_not(self) -> str:
        """Say why no number is clear, and which is given nevertheless."""
        if self.one_gaussian <= min(candidate.bic for candidate in self.candidates):
            return (
                "one Gaussian describes the rows better than any mixture does; "
                f"{self.n_clusters}, the least that was tried"
            )
        return (
            f"separation is {self.chosen.separation:.3f} at best, and clear clusters have at least "
            f"{CLEAR}; {self.n_clusters}, where it is best"
        )

    def _how_sure(self) -> str:
        return f"{self._range()} nearly as good" if self.nearly else "no other number comes near"

    def _range(self) -> str:
        """Return ``8 to 12 are``, or each number where the suggestion and its rivals leave gaps."""
        close = sorted((self.n_clusters, *self.nearly))
        tried = [candidate.n_clusters for candidate in self.candidates]
        if len(close) > 2 and close == tried[tried.index(close[0]) :][: len(close)]:
            return f"{close[0]} to {close[-1]} are"
        *others, last = map(str, self.nearly)
        return f"{', '.join(others)} and {last} are" if others else f"{last} is"

    def _at_the_edge(self) -> str:
        tried = [candidate.n_clusters for candidate in self.candidates]
        if self.n_clusters == tried[-1]:
            return f"; {tried[-1]} is the most that was tried: try more"
        if self.n_clusters == tried[0] > 2:
            return f"; {tried[0]} is the least that was tried: try fewer"
        return ""


def grid(least: int, most: int) -> tuple[int, ...]:
    """Return the numbers to try: each one up to 20, then steps of a tenth, with both ends."""
    numbers = [least]
    while numbers[-1] < most:
        last = numbers[-1]
        step = 1 if last < _UNTHINNED else round(last * _STEP) - last
        numbers.append(min(last + step, most))
    return tuple(numbers)


def suggest(points: np.ndarray, candidates: Sequence[int], seed: int) -> Suggestion:
    """Measure every candidate, and suggest one.

    Each of four resamples, 80 % of the rows without replacement and at most 2,000, is mapped by
    t-SNE, and the map is cut by Ward's method. The suggestion is the number of clusters whose mean
    silhouette in the maps is highest. There are *clear* clusters if that is at least ``CLEAR``, and
    some mixture has a lower Bayesian information criterion (Schwarz, 1978) than one Gaussian.

    Args:
        points: ``(n, dimensions)``, or ``(n, ...)`` which is flattened; of more than 5,000 rows a
            sample is looked at. Units matter: nothing is scaled.
        candidates: numbers from 2, rising. Those for which a resample has fewer than five rows a
            cluster are left out.
        seed: of the sample, the resamples and the fits; the same seed gives the same answer.

    Raises:
        DataError: there are too few rows for any candidate, the rows of a resample coincide, or a
            value is not finite.
    """
    from threadpoolctl import threadpool_limits

    points = points if is_mapped(points) else as_points(points)
    rng = np.random.default_rng(seed)
    chosen = np.sort(rng.permutation(len(points))[:SAMPLE])
    points = as_points(read_part(points, chosen)).astype(np.float64)
    size = min(_RESAMPLE, round(_RESAMPLED * len(points)))
    tried = _possible(candidates, size, len(points))
    resamples = [np.sort(rng.choice(len(points), size, False)) for _ in range(RESAMPLES)]
    with threadpool_limits(1):  # sums in one order: the same answer on every number of cores
        return _suggestion(points, resamples, tried, seed)


def _possible(candidates: Sequence[int], size: int, n_rows: int) -> list[int]:
    """Return the candidates that a resample of ``size`` rows can decide on."""
    possible = [number for number in candidates if number * _ROWS_PER_CLUSTER <= size]
    if not possible:
        raise DataError(
            f"{n_rows} rows are too few to try {candidates[0]} clusters on: expected "
            f"{_ROWS_PER_CLUSTER} of each among {size}; say how many clusters there are with "
            "--set head.n_clusters=K"
        )
    return possible


def _suggestion(
    points: np.ndarray, resamples: list[np.ndarray], tried: list[int], seed: int
) -> Suggestion:
    cuts = [_cut_map(points[rows], tried, seed) for rows in resamples]
    separation = np.mean([separations for separations, _ in cuts], axis=0)
    stability = _stability(resamples, [clusters for _, clusters in cuts])
    one_gaussian, *bic = _criteria(points, [1, *tried], seed)
    silhouettes = [_k_means_silhouette(points[resamples[0]], number, seed) for number in tried]
    measures = zip(tried, separation.tolist(), stability.tolist(), bic, silhouettes, strict=True)
    mixed = min(bic) < one_gaussian
    best = int(np.argmax(separation)) if mixed else 0
    clear = bool(mixed and separation[best] >= CLEAR)
    close = np.flatnonzero(separation >= separation[best] - NEARLY)
    return Suggestion(
        n_clusters=tried[best],
        clear=clear,
        nearly=tuple(tried[place] for place in close if clear and place != best),
        one_gaussian=one_gaussian,
        rows=len(points),
        candidates=tuple(Candidate(*values) for values in measures),
    )


def _cut_map(
    points: np.ndarray, tried: Sequence[int], seed: int
) -> tuple[list[float], list[np.ndarray]]:
    """Cut the points' t-SNE map by Ward's method; return separation and clusters (n,) by number."""
    from scipy.cluster.hierarchy import fcluster, linkage
    from scipy.spatial.distance import pdist, squareform
    from sklearn.metrics import silhouette_score

    if not np.ptp(points, axis=0).any():
        raise DataError(
            "the rows of a resample coincide, so there are no clusters to count; if they are "
            "latents, the network has collapsed: pretrain it longer, or with a lower learning rate"
        )
    distances = pdist(tsne(points, seed))
    tree = linkage(distances, "ward")
    clusters = [fcluster(tree, number, "maxclust") for number in tried]
    square = squareform(distances)
    silhouettes = [
        # rows that coincide are never cut apart, and fewer clusters come out than requested
        silhouette_score(square, cut, metric="precomputed") if cut.max() == number else -1.0
        for number, cut in zip(tried, clusters, strict=True)
    ]
    return silhouettes, clusters


def _stability(resamples: list[np.ndarray], cuts: list[list[np.ndarray]]) -> np.ndarray:
    """Return the mean agreement of two resamples over all pairs, (candidates,)."""
    from sklearn.metrics import adjusted_rand_score

    agreements = []
    for (rows, ours), (others, theirs) in combinations(zip(resamples, cuts, strict=True), 2):
        _, here, there = np.intersect1d(rows, others, assume_unique=True, return_indices=True)
        pairs = zip(ours, theirs, strict=True)
        agreements.append([adjusted_rand_score(a[here], b[there]) for a, b in pairs])
    stability: np.ndarray = np.mean(agreements, axis=0)
    return stability


def _criteria(points: np.ndarray, numbers: Sequence[int], seed: int) -> list[float]:
    """Return the lower criterion of both kinds of mixtures for each number, in 16 dimensions."""
    from sklearn.decomposition import PCA

    if points.shape[1] > _COMPONENTS:  # a full covariance has a parameter for each two dimensions
        points = PCA(min(_COMPONENTS, len(points)), random_state=seed).fit_transform(points)
    return [
        min(_criterion(points, number, kind, seed) for kind in _COVARIANCES) for number in numbers
    ]


def _criterion(points: np.ndarray, number: int, covariance: str, seed: int) -> float:
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.mixture import GaussianMixture

    floor = 1e-4 * float(np.mean(np.var(points, axis=0)))
    mixture = GaussianMixture(
        number, covariance_type=covariance, reg_covar=floor, random_state=seed
    )
    with warnings.catch_warnings():  # 100 steps of the likelihood are near enough
        warnings.simplefilter("ignore", ConvergenceWarning)
        return float(mixture.fit(points).bic(points))


def _k_means_silhouette(points: np.ndarray, number: int, seed: int) -> float | None:
    clusters = kmeans(points, number, seed, _K_MEANS_STARTS).clusters
    return label_free_scores(points, clusters, seed)["silhouette"]
