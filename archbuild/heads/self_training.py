"""``self_training``: the network learns the clusters that its start found, and corrects them.

A softmax on the latent learns the clusters from changed rows (``augment``). Before each epoch a
row's belief, its probability of each cluster, moves towards what the network says of the row and
of changed views of it:

    b_i <- momentum b_i + (1 - momentum) mean over views of q(k | view of x_i)

The targets ``p_ik ∝ b_ik² / Σ_i b_ik`` are DEC's, and only rows whose largest belief is at least
``confidence`` are learned from: rows about which the start was unsure come in when the network has
made up its mind. Of a cluster without such a row the surer half is learned from, so that it is not
lost. The first beliefs are the shares of each cluster among a row's nearest neighbours.
The loss is, over the confident rows of the batch,

    reconstruction_weight · reconstruction + cluster_weight · mean of KL(p_i || q_i)

Sources: targets by Xie et al., arXiv 1511.06335 (equation 3); augmented views by Guo et al., "Deep
embedded clustering with data augmentation" (ACML 2018); averages over epochs by Laine and Aila,
arXiv 1610.02242. That beliefs start from neighbours' votes is our own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from archbuild import objectives
from archbuild.clustering.neighbours import neighbour_shares
from archbuild.clustering.softmax import fitted_softmax
from archbuild.clustering.starts import START, first_clusters
from archbuild.data.spill import joined, parts_of, read_part
from archbuild.heads.base import N_CLUSTERS, RECONSTRUCTION_WEIGHT, REFRESH, TOLERANCE, Head
from archbuild.heads.batch import Batch
from archbuild.heads.targets import changed, sharpened
from archbuild.spec.fields import integer, number
from archbuild.spec.parts import Part, PartLayer

if TYPE_CHECKING:
    from archbuild.spec.plan import Plan

_PART = "clusters"


class SelfTrainingHead(Head):
    """A softmax on the latent, trained towards beliefs that are averaged over epochs and views."""

    name: ClassVar[str] = "self_training"
    summary: ClassVar[str] = "the start's clusters, learned from augmented rows and corrected"
    fields = (
        N_CLUSTERS,
        replace(START, default="t-sne"),
        number("cluster_weight", "Weight of the divergence from the targets.", default=1.0),
        RECONSTRUCTION_WEIGHT,
        number(
            "confidence",
            "Largest probability from which on a row is learned from.",
            minimum=0.0,
            maximum=1.0,
            default=0.9,
        ),
        number(
            "momentum",
            "Share of a row's earlier probabilities in the average over epochs.",
            minimum=0.0,
            maximum=1.0,
            default=0.9,
        ),
        integer(
            "views",
            "Augmented views of every row in the average, beside the row itself.",
            minimum=0,
            maximum=100,
            default=2,
        ),
        REFRESH,
        replace(TOLERANCE, default=0.0),
    )
    term_names = ("reconstruction", "divergence")
    monitored_names = ("confident",)

    def __init__(self, config: Mapping[str, Any], plan: Plan, seed: int = 0) -> None:
        super().__init__(config, plan, seed)
        self.beliefs: np.ndarray | None = None
        self.views = config["views"] if plan.spec.augmentation else 0
        self._is_first = False

    @classmethod
    def parts(cls, config: Mapping[str, Any], plan: Plan) -> Sequence[Part]:
        """Return the dense layer to the logits of the clusters."""
        return [Part(_PART, plan.latent_size, (PartLayer(config["n_clusters"]),))]

    @property
    def variables(self) -> list[Any]:
        """The weights of the softmax."""
        return self.part_variables

    @property
    def memory(self) -> Mapping[str, np.ndarray]:
        """The beliefs, ``(n, cluster)``."""
        return {} if self.beliefs is None else {"beliefs": self.beliefs}

    def remember(self, memory: Mapping[str, np.ndarray]) -> None:
        """Restore the beliefs."""
        self.beliefs = memory.get("beliefs")

    def initialise(self, codes: np.ndarray) -> None:
        """Find the first clusters, and fit the softmax to them."""
        clusters = first_clusters(codes, self.n_clusters, self.config["start"], self.seed)
        self.beliefs = neighbour_shares(codes, clusters, self.n_clusters)
        self._is_first = True
        kernel, bias = fitted_softmax(codes, clusters, self.n_clusters, self.seed)
        for variable, value in zip(self.variables, (kernel, bias), strict=True):
            variable.assign(value)

    def refresh(self, codes: np.ndarray) -> dict[str, np.ndarray]:
        """Move the beliefs, and return ``target`` ``(n, cluster)`` and ``trusted`` ``(n,)``."""
        beliefs = self.memory["beliefs"] if self._is_first else self._moved(codes)
        self.beliefs, self._is_first = beliefs, False
        target = sharpened(beliefs)
        trusted = trusted_rows(beliefs, self.config["confidence"])
        return {"target": target, "trusted": trusted.astype("float32")}

    def _moved(self, codes: np.ndarray) -> np.ndarray:
        """Return the beliefs, nearer to what the network says of the rows and their views."""
        views = codes if self.views else codes[np.newaxis]
        momentum, beliefs = self.config["momentum"], self.memory["beliefs"]

        def moved() -> Iterator[np.ndarray]:
            for part in parts_of(views[0]):
                found = np.mean([self.assignments(view[part]) for view in views], axis=0)
                yield momentum * read_part(beliefs, part) + (1.0 - momentum) * found

        return joined(moved(), len(beliefs), f"the beliefs of {len(beliefs):,} rows")

    def loss_terms(self, batch: Batch) -> dict[str, Any]:
        """Return the reconstruction, and the divergence of the trusted rows; and their share."""
        from keras import ops

        log_probabilities = ops.log_softmax(self._logits(batch.latent), axis=1)
        divergence = objectives.assignment_divergence(batch.targets["target"], log_probabilities)
        trusted = batch.targets["trusted"]
        mean = ops.sum(trusted * divergence) / ops.maximum(ops.sum(trusted), 1.0)
        weighted = self.config["cluster_weight"] * mean
        terms = {**self._reconstruction_term(batch), "divergence": weighted}
        return terms | {"confident": ops.mean(trusted)}

    def assign(self, codes: Any) -> Any:
        """Return the softmax, ``(batch, cluster)``."""
        from keras import ops

        return ops.exp(ops.log_softmax(self._logits(codes), axis=1))

    def _logits(self, latent: Any) -> Any:
        return self.networks[_PART](latent)

    def arrays(self) -> dict[str, np.ndarray]:
        """Return the softmax's weights: ``clusters.0``, ``(latent, cluster)``, ``clusters.1``."""
        return self.part_arrays()

    def restore(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Restore the weights."""
        self.restore_parts(arrays)


def trusted_rows(beliefs: np.ndarray, confidence: float) -> np.ndarray:
    """Return which rows are learned from.

    Args:
        beliefs: ``(n, cluster)``, rows sum to 1.
        confidence: the largest belief from which on a row is.

    Returns:
        ``(n,)`` booleans: the rows that are as sure, and the surer half of a cluster without any.
    """
    clusters = changed(beliefs, lambda rows: np.argmax(rows, axis=1))
    surest = changed(beliefs, lambda rows: np.max(rows, axis=1))
    trusted: np.ndarray = surest >= confidence
    for cluster in set(np.unique(clusters)) - set(np.unique(clusters[trusted])):
        own = clusters == cluster
        trusted |= own & (surest >= np.median(surest[own]))
    return trusted
