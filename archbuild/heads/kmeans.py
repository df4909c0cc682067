"""``kmeans``: latents move to the centre of their cluster, centres to the mean of their rows.

Sources: DCN (Yang et al., arXiv 1610.04794): squared distance, weight λ/2, assignment and centres
fixed while the network learns; Aljalbout et al., arXiv 1801.07648: the norm itself, weight 0.1 (its
code never moved the centres; here they move).

A full pass over the rows is one exact step of Lloyd's algorithm: every row is assigned to its
nearest centre, every centre moves to the mean of its rows. DCN's running step of 1/count per row is
that step, one row at a time.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from archbuild import objectives
from archbuild.clustering.moments import mean_square_distance, means
from archbuild.clustering.starts import START
from archbuild.heads.base import N_CLUSTERS, RECONSTRUCTION_WEIGHT, REFRESH, TOLERANCE
from archbuild.heads.batch import Batch
from archbuild.heads.centre import CentreHead
from archbuild.heads.targets import looked_up
from archbuild.networks.rows import by_rows, to_numpy
from archbuild.spec.fields import choice, number

if TYPE_CHECKING:
    from archbuild.spec.plan import Plan


class KMeansHead(CentreHead):
    """k-means in the latent space, alternating with the network."""

    name: ClassVar[str] = "kmeans"
    summary: ClassVar[str] = "k-means loss on the latents, centres re-estimated (DCN, TUM)"
    fields = (
        N_CLUSTERS,
        START,
        number(
            "cluster_weight",
            "Weight of the distance; under squared_error DCN's lambda over the elements of a row.",
            default=0.1,
        ),
        RECONSTRUCTION_WEIGHT,
        choice(
            "distance",
            ["squared", "norm"],
            "Half the squared distance (DCN) or the distance itself (TUM).",
            default="squared",
        ),
        REFRESH,
        TOLERANCE,
    )
    classic_fields: ClassVar[Mapping[str, Any]] = {"cluster_weight": 0.1, "distance": "norm"}
    term_names = ("reconstruction", "distance")
    centres_trained = False

    def __init__(self, config: Mapping[str, Any], plan: Plan, seed: int = 0) -> None:
        import keras

        super().__init__(config, plan, seed)
        self.variance = keras.Variable(1.0, trainable=False, name="variance")

    @property
    def variables(self) -> list[Any]:
        """The centres, ``(cluster, latent)``, and the spread of the rows around them."""
        return [self.centre_variable, self.variance]

    def refresh(self, codes: np.ndarray) -> dict[str, np.ndarray]:
        """Take one Lloyd step; return the centre of each row, ``(n, latent)``."""
        self.first_clusters = None  # the centres are there, and it holds a number of each row
        clusters = self._nearest(codes)
        occupied = np.bincount(clusters, minlength=self.n_clusters)[:, None] > 0
        # an empty cluster keeps its centre: rows may return to it, and the report names it
        middle = means(codes, clusters, self.n_clusters)
        moved = np.where(occupied, middle, to_numpy(self.centre_variable))
        self.centre_variable.assign(moved)
        nearest = self._nearest(codes)
        self.variance.assign(mean_square_distance(codes, nearest, moved) + 1e-12)
        return {"centre": looked_up(moved, nearest)}

    def loss_terms(self, batch: Batch) -> dict[str, Any]:
        """Return the reconstruction and the mean distance to the assigned centre, weighted."""
        from keras import ops

        squared = self.config["distance"] == "squared"
        distance = objectives.squared_centre_distance if squared else objectives.centre_distance
        loss = ops.mean(distance(batch.latent, batch.targets["centre"]))
        return {
            **self._reconstruction_term(batch),
            "distance": self.config["cluster_weight"] * loss,
        }

    def assign(self, codes: Any) -> Any:
        """Return the posterior of the spherical mixture whose hard limit is k-means.

        ``γ_k ∝ exp(-||z - c_k||² / 2σ²)``, ``(batch, cluster)``, with equal weights and the spread
        σ² of the last full pass; its largest entry is that of the nearest centre.
        """
        from keras import ops

        distances = objectives.squared_distances(codes, self.centre_variable)
        return ops.softmax(-0.5 * distances / self.variance, axis=1)

    def arrays(self) -> dict[str, np.ndarray]:
        """Return ``centres``, ``(cluster, latent)``, and the scalar ``variance``."""
        return {**super().arrays(), "variance": to_numpy(self.variance)}

    def restore(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Restore centres and variance."""
        super().restore(arrays)
        self.variance.assign(arrays["variance"])

    def _nearest(self, latents: np.ndarray) -> np.ndarray:
        from keras import ops

        return by_rows(
            lambda rows: ops.argmin(
                objectives.squared_distances(rows, self.centre_variable), axis=1
            ),
            latents,
        )
