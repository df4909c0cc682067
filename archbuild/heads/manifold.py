"""``manifold``: the clusters that the start finds in the pretrained latents, as they are.

Nothing is trained: after pretraining the rows are clustered once, as in N2D (McConville et al.,
arXiv 1908.05968), which finds a Gaussian mixture in UMAP's map of an autoencoder's latents. A map
has no place for new rows; they are given the clusters of their nearest neighbours. The head keeps
some of the rows, its landmarks ``l_j`` with clusters ``c_j``, and a latent ``z`` has the votes of
the ``neighbours`` that are nearest to it, weighted by their distance (Dudani, IEEE Transactions on
Systems, Man, and Cybernetics 6, 1976; the squared distance is ours):

    q(k | z) ∝ Σ_j [c_j = k] / (||z - l_j||² + ε)

``ε`` is the mean of the ``m`` squared distances over ``2 m``. So a landmark, which is its own
nearest, has about two thirds of its votes itself, and the others tell how sure its cluster is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from archbuild.clustering.starts import MANIFOLD, START, first_clusters
from archbuild.data.sample import drawn_rows
from archbuild.data.spill import read_part
from archbuild.heads.base import N_CLUSTERS, Head
from archbuild.spec.fields import integer

if TYPE_CHECKING:
    from archbuild.heads.batch import Batch
    from archbuild.spec.plan import Plan


class ManifoldHead(Head):
    """Clusters of the pretrained latents, and the neighbours' votes for new rows."""

    name: ClassVar[str] = "manifold"
    summary: ClassVar[str] = "clusters in a map of the latents, no training (N2D)"
    learns: ClassVar[bool] = False
    fields = (
        N_CLUSTERS,
        replace(START, default=MANIFOLD),
        integer(
            "landmarks",
            "Rows that are kept, with their clusters, for the answers to all others.",
            minimum=1,
            maximum=1_000_000,
            default=10_000,
        ),
        integer(
            "neighbours", "Nearest landmarks that vote for a row's cluster.", minimum=1, default=5
        ),
    )
    term_names = ()

    def __init__(self, config: Mapping[str, Any], plan: Plan, seed: int = 0) -> None:
        super().__init__(config, plan, seed)
        self._landmarks = np.zeros((0, self.latent_size), "float32")
        self._clusters = np.zeros(0, "int32")

    @property
    def variables(self) -> list[Any]:
        """Nothing: the landmarks are rows, and as many as there are."""
        return []

    @property
    def trains_decoder(self) -> bool:
        """False: it stays as it was pretrained."""
        return False

    def initialise(self, codes: np.ndarray) -> None:
        """Find the clusters, and keep the landmarks, drawn by the seed."""
        clusters = first_clusters(codes, self.n_clusters, self.config["start"], self.seed)
        chosen = drawn_rows(len(codes), self.seed, self.config["landmarks"])
        self._landmarks = read_part(codes, chosen).astype("float32")
        self._clusters = clusters[chosen].astype("int32")

    def loss_terms(self, batch: Batch) -> dict[str, Any]:
        """Return none."""
        return {}

    def assign(self, codes: Any) -> Any:
        """Return the weighted votes of the nearest landmarks, ``(batch, cluster)``."""
        from keras import ops

        near = self._nearest(codes)
        landmarks = ops.take(ops.convert_to_tensor(self._landmarks), near, axis=0)
        difference = ops.expand_dims(codes, 1) - landmarks
        distances = ops.sum(ops.square(difference), axis=2)
        # a tiny number more, for landmarks that are all at one point
        smoothing = ops.mean(distances, axis=1, keepdims=True) / (2.0 * near.shape[1]) + 1e-30
        votes = 1.0 / (distances + smoothing)
        clusters = ops.take(ops.convert_to_tensor(self._clusters), near, axis=0)
        shares = votes / ops.sum(votes, axis=1, keepdims=True)
        chosen = ops.one_hot(clusters, self.n_clusters, dtype="float32")
        return ops.sum(ops.expand_dims(shares, 2) * chosen, axis=1)

    def _nearest(self, codes: Any) -> Any:
        """Return the numbers of the nearest landmarks, ``(batch, neighbours)``.

        Differences of all pairs would not fit into memory; ``|l|² - 2 z·l`` orders them alike, and
        loses the fewest digits around the landmarks' mean.
        """
        from keras import ops

        middle = self._landmarks.mean(axis=0)
        centred = self._landmarks - middle
        squares = np.sum(np.square(centred), axis=1)
        products = ops.matmul(codes - middle, ops.convert_to_tensor(centred.T.copy()))
        nearness = 2.0 * products - squares
        return ops.top_k(nearness, min(self.config["neighbours"], len(squares)))[1]

    def arrays(self) -> dict[str, np.ndarray]:
        """Return ``landmarks``, ``(landmark, latent)``, and their ``clusters``, ``(landmark,)``."""
        return {"landmarks": self._landmarks, "clusters": self._clusters}

    def restore(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Restore the landmarks.

        Raises:
            ValueError: they are not landmarks of this head.
        """
        landmarks, clusters = arrays["landmarks"], arrays["clusters"]
        if landmarks.shape != (max(len(clusters), 1), self.latent_size):
            raise ValueError(
                f"landmarks of shape {landmarks.shape} with {len(clusters)} clusters, of latents "
                f"of size {self.latent_size}"
            )
        if clusters.min() < 0 or clusters.max() >= self.n_clusters:
            raise ValueError(f"a landmark's cluster is not from 0 to {self.n_clusters - 1}")
        self._landmarks, self._clusters = landmarks.astype("float32"), clusters.astype("int32")
