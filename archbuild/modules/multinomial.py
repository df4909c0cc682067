"""``multinomial``: topics over the messages of several modules together.

Each parent's message is a histogram for every row, class probabilities among them. A row has
proportions ``θ_n`` of ``K`` topics, and a topic has a multinomial ``φ^m_k`` over the bins of each
parent ``m``: multimodal latent Dirichlet allocation (Nakamura, Nagai and Iwahashi, "Grounding of
word meanings in multimodal concepts using LDA", IROS 2009), which is the MLDA of Serket. Here
scikit-learn learns the topics of all histograms side by side (Hoffman, Blei and Bach, "Online
learning for latent Dirichlet allocation", 2010), from the clusters that k-means finds in them, and
each topic's multinomials are then normalised for each parent by itself.

The forward message is ``θ``, ``(n, K)``; the backward message holds, for each parent, the
expectation of its own bins,

    e_n(v) = Σ_k θ_nk φ^m_k(v),    message_n(v) ∝ e_n(v) / mean_n e_n(v).

The division is not in Serket: a parent weighs its classes by their frequency already, and if the
message does so again, the most frequent class can grow in every round until it has all rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import ClassVar

import numpy as np

from archbuild.errors import UsageError
from archbuild.io.arrays import of_shape
from archbuild.modules.classes import ClassModule
from archbuild.modules.module import Learned, side_by_side
from archbuild.modules.probabilities import normalised
from archbuild.spec.field import Field
from archbuild.spec.fields import integer, number


class Multinomial(ClassModule):
    """Topics over the messages of several modules about the same rows.

    Args:
        n_clusters: ``K``, whatever the parents' numbers of classes.
        weights: number of counts to which each parent's row is scaled, one for all parents or one
            for each; a row of zeros, where nothing was observed, stays as it is.
        steps: of variational inference, each through all rows.
        seed: random seed.

    Attributes:
        topics: ``(K, bins)``, expected counts, the parents' side by side; ``None`` before the first
            update.
        widths: the number of bins of each parent.
    """

    name: ClassVar[str] = "multinomial"
    summary: ClassVar[str] = "topics over the histograms or classes of several modules (MLDA)"
    fields: ClassVar[tuple[Field, ...]] = (
        number(
            "weights",
            "Number of counts to which a row of each message is scaled.",
            above=0.0,
            default=200.0,
        ),
        integer("steps", "Steps of variational inference, each through all rows.", default=10),
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

        The bias is one more histogram while topics are learned; the forward message is without it.

        Raises:
            UsageError: a value is below 0, or weights and parents differ in number.
        """
        self.widths = self._widths(data)
        histograms, bias = self._histograms(data), self.backward_message
        joined = [histograms] if bias is None else [histograms, np.mean(self.weights) * bias]
        topics, proportions = self._fitted(np.concatenate(joined, axis=1))
        self.topics = topics[:, : histograms.shape[1]]
        expected = [proportions @ part for part in self._multinomials(self.topics)]
        messages = [normalised(part / part.mean(axis=0)) for part in expected]
        return _learned(histograms, self.topics, side_by_side(messages))

    def recognise(self, data: np.ndarray) -> Learned:
        """Return the topics of new rows ``(m, bins)``.

        Raises:
            UsageError: as ``learn``, or nothing was learned.
        """
        topics = self.learned_topics
        return _learned(self._histograms(data), topics)

    @property
    def learned_topics(self) -> np.ndarray:
        """The topics, ``(K, bins)``, once there are some.

        Raises:
            UsageError: nothing was learned.
        """
        if self.topics is None:
            raise self.refusal()
        return self.topics

    def parameters(self) -> dict[str, np.ndarray]:
        """Return ``phi``: the topics' multinomials ``(K, bins)``, the parents' side by side."""
        return {"phi": side_by_side(self._multinomials(self.learned_topics))}

    def arrays(self) -> dict[str, np.ndarray]:
        """Return the learned state by name; empty before the first update."""
        if self.topics is None:
            return {}
        return {"topics": self.topics, "widths": np.asarray(self.widths)}

    def restore(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Restore the state that ``arrays`` returned."""
        self.topics, self.widths = None, ()
        if arrays:
            self.widths = tuple(int(width) for width in of_shape(arrays, "widths", None))
            self.topics = of_shape(arrays, "topics", self.n_clusters, sum(self.widths))

    def _fitted(self, histograms: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Learn topics ``(K, bins)`` from k-means clusters, and proportions ``(n, K)``."""
        from archbuild.clustering.kmeans import kmeans
        from archbuild.modules.topics import fitted_topics

        rng = self.generator()
        start, noise = (int(each) for each in rng.integers(2**31, size=2))
        clusters = kmeans(histograms, self.n_clusters, start).clusters
        return fitted_topics(histograms, clusters, self.n_clusters, self.steps, noise)

    def _widths(self, data: np.ndarray) -> tuple[int, ...]:
        """Return the parents' sizes; data without parents are of one."""
        shapes = [parent.forward_message.shape for parent in self.parents] or [data.shape]
        return tuple(prod(shape[1:]) for shape in shapes)

    def _split(self, bins: np.ndarray) -> list[np.ndarray]:
        """Return the parents' parts of ``(rows, bins)``."""
        return np.split(bins, np.cumsum(self.widths)[:-1], axis=1)

    def _multinomials(self, topics: np.ndarray) -> list[np.ndarray]:
        """Return ``φ^m``, ``(K, bins)``, of each parent."""
        return [normalised(part) for part in self._split(topics)]

    def _histograms(self, data: np.ndarray) -> np.ndarray:
        """Return counts ``(n, bins)``, each parent's rows scaled to its weight."""
        counts = np.asarray(data, np.float64).reshape(len(data), -1)
        if counts.shape[1] != sum(self.widths) or not np.all(counts >= 0):
            raise UsageError(
                f"the multinomial module takes {sum(self.widths)} counts or probabilities for each "
                f"row, none below 0; {counts.shape[1]} came, from {counts.min():.3g}; connect it "
                "to histograms or to modules whose messages are classes"
            )
        parts = self._split(counts)
        return side_by_side(
            [_scaled(part, weight) for part, weight in zip(parts, self._each_weight(), strict=True)]
        )

    def _each_weight(self) -> np.ndarray:
        weights = np.asarray(self.weights, np.float64)
        if weights.ndim and len(weights) != len(self.widths):
            raise UsageError(
                f"the multinomial module has {len(weights)} weights for {len(self.widths)} "
                "parents; give one number for all, or one for each"
            )
        return np.broadcast_to(weights, len(self.widths))


def _learned(
    histograms: np.ndarray, topics: np.ndarray, backward: np.ndarray | None = None
) -> Learned:
    from archbuild.modules.topics import topic_proportions

    found = topic_proportions(histograms, topics)
    return Learned(found, backward, {"class": found.argmax(axis=1), "Pdz": found})


def _scaled(counts: np.ndarray, total: float) -> np.ndarray:
    """Scale rows of counts to a sum of ``total`` each; rows of zeros stay as they are."""
    sums = counts.sum(axis=1, keepdims=True)
    scaled: np.ndarray = np.divide(total * counts, sums, out=np.zeros_like(counts), where=sums > 0)
    return scaled
