"""``multinomial``: topics over the messages of several modules together.

Each parent's message is a histogram for every row, class probabilities among them. A row has
proportions ``θ_n`` of ``K`` topics, and a topic has a multinomial ``φ^m_k`` over the bins of each
parent ``m``: multimodal latent Dirichlet allocation (Nakamura, Nagai and Iwahashi, "Grounding of
word meanings in multimodal concepts using LDA", IROS 2009), which is the MLDA of Serket. Here
scikit-learn learns the topics of all histograms side by side (Hoffman, Blei and Bach, "Online
learning for latent Dirichlet allocation", 2010), from the clusters that k-means finds in them, and
each topic's multinomials are then normalised for each parent by itself.

Forward goes ``θ``, ``(n, K)``; back goes, for each parent, what its own bins are expected to be,

    e_n(v) = Σ_k θ_nk φ^m_k(v),    message_n(v) ∝ e_n(v) / mean_n e_n(v).

The division is not in Serket: a parent weighs its classes by their frequency already, and under a
message that does so again the most frequent can grow in every round until it has all rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import ClassVar

import numpy as np

from archbuild.errors import UsageError
from archbuild.modules.classes import ClassModule
from archbuild.modules.module import Learned, side_by_side
from archbuild.modules.probabilities import normalised
from archbuild.spec.field import Field
from archbuild.spec.fields import integer, number


class Multinomial(ClassModule):
    """What several modules say of the same rows, as topics.

    Args:
        n_clusters: ``K``, whatever the parents' numbers of classes.
        weights: how many counts a row of each parent is worth, one number for all parents or one
            for each; a row of zeros is worth none, nothing was observed.
        steps: of variational inference, each through all rows.
        seed: of everything random.

    Attributes:
        topics: ``(K, bins)``, expected counts, the parents' side by side; ``None`` before the first
            update.
        widths: how many of the bins are each parent's.
    """

    name: ClassVar[str] = "multinomial"
    summary: ClassVar[str] = "topics over the histograms or classes of several modules (MLDA)"
    fields: ClassVar[tuple[Field, ...]] = (
        number("weights", "How many counts a row's message is worth.", above=0.0, default=200.0),
        integer("steps", "Of variational inference, each through all rows.", default=10),
    )

    def __init__(
        self,
        n_clusters: int,
        *,
        weights: float | Sequence[float] = 200.0,
        steps: int = 10,
        seed: int = 0,
    ) -> None:
        super().__init__(n_clusters)
        self.weights, self.steps, self.seed = weights, steps, seed
        self.topics: np.ndarray | None = None
        self.widths: tuple[int, ...] = ()

    def learn(self, data: np.ndarray) -> Learned:
        """Learn topics of histograms ``(n, bins)``, and of the bias of the modules above.

        That is one more histogram while topics are learned; the forward message is without it.

        Raises:
            UsageError: a value is below 0, or weights and parents differ in number.
        """
        self.widths = self._widths(data)
        histograms, heard = self._histograms(data), self.backward_message
        joined = [histograms] if heard is None else [histograms, np.mean(self.weights) * heard]
        topics, believed = self._fitted(np.concatenate(joined, axis=1))
        self.topics = topics[:, : histograms.shape[1]]
        expected = [believed @ part for part in self._multinomials()]
        messages = [normalised(part / part.mean(axis=0)) for part in expected]
        return self._learned(histograms, side_by_side(messages))

    def recognise(self, data: np.ndarray) -> Learned:
        """Return the topics of new rows ``(m, bins)``.

        Raises:
            UsageError: as ``learn``, or nothing was learned.
        """
        self._refuse_unlearned()
        return self._learned(self._histograms(data))

    def parameters(self) -> dict[str, np.ndarray]:
        """``phi``: the topics' multinomials ``(K, bins)``, the parents' side by side."""
        self._refuse_unlearned()
        return {"phi": side_by_side(self._multinomials())}

    def arrays(self) -> dict[str, np.ndarray]:
        """Return the learned state by name; empty before the first update."""
        if self.topics is None:
            return {}
        return {"topics": self.topics, "widths": np.asarray(self.widths)}

    def restore(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Take back what ``arrays`` gave."""
        self.topics = arrays.get("topics")
        self.widths = tuple(int(width) for width in arrays.get("widths", ()))

    def _fitted(self, histograms: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Topics ``(K, bins)``, from k-means clusters of the rows, and proportions ``(n, K)``."""
        from archbuild.clustering.kmeans import kmeans
        from archbuild.modules.topics import fitted_topics

        rng = self.generator()
        start, noise = (int(each) for each in rng.integers(2**31, size=2))
        clusters = kmeans(histograms, self.n_clusters, start).clusters
        return fitted_topics(histograms, clusters, self.n_clusters, self.steps, noise)

    def _learned(self, histograms: np.ndarray, backward: np.ndarray | None = None) -> Learned:
        from archbuild.modules.topics import topic_proportions

        found = topic_proportions(histograms, self.topics)
        return Learned(found, backward, {"class": found.argmax(axis=1), "Pdz": found})

    def _refuse_unlearned(self) -> None:
        if self.topics is None:
            raise self.refusal()

    def _widths(self, data: np.ndarray) -> tuple[int, ...]:
        """Return the parents' sizes; data without parents are of one."""
        shapes = [parent.forward_message.shape for parent in self.parents] or [data.shape]
        return tuple(prod(shape[1:]) for shape in shapes)

    def _split(self, bins: np.ndarray) -> list[np.ndarray]:
        """Return the parents' parts of ``(rows, bins)``."""
        return np.split(bins, np.cumsum(self.widths)[:-1], axis=1)

    def _multinomials(self) -> list[np.ndarray]:
        """``φ^m``, ``(K, bins)``, of each parent."""
        return [normalised(part) for part in self._split(self.topics)]

    def _histograms(self, data: np.ndarray) -> np.ndarray:
        """Each parent's part of ``(n, bins)``, with as many counts a row as it is worth."""
        counts = np.asarray(data, np.float64).reshape(len(data), -1)
        if counts.shape[1] != sum(self.widths) or not np.all(counts >= 0):
            raise UsageError(
                f"the multinomial module takes {sum(self.widths)} counts or probabilities for each "
                f"row, none below 0; {counts.shape[1]} came, from {counts.min():.3g}; connect it "
                "to histograms or to modules that tell classes apart"
            )
        parts = self._split(counts)
        return side_by_side(
            [_scaled(part, weight) for part, weight in zip(parts, self._each_weight(), strict=True)]
        )

    def _each_weight(self) -> np.ndarray:
        if np.ndim(self.weights) and len(self.weights) != len(self.widths):
            raise UsageError(
                f"the multinomial module has {len(self.weights)} weights for {len(self.widths)} "
                "parents; give one number for all, or one for each"
            )
        return np.broadcast_to(self.weights, len(self.widths))


def _scaled(counts: np.ndarray, total: float) -> np.ndarray:
    """Rows of counts, each to a sum of ``total``; rows of zeros as they are."""
    sums = counts.sum(axis=1, keepdims=True)
    return np.divide(total * counts, sums, out=np.zeros_like(counts), where=sums > 0)
