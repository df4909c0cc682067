"""The base of heads with one centre for each cluster."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from archbuild.clustering.moments import means
from archbuild.clustering.starts import first_clusters
from archbuild.heads.base import Head
from archbuild.networks.rows import to_numpy

if TYPE_CHECKING:
    from archbuild.spec.plan import Plan


class CentreHead(Head):
    """The base of heads with one centre per cluster: their start, and centres in a variable."""

    centres_trained: ClassVar[bool]

    def __init__(self, config: Mapping[str, Any], plan: Plan, seed: int = 0) -> None:
        import keras

        super().__init__(config, plan, seed)
        self.first_clusters: np.ndarray | None = None
        self.centre_variable = keras.Variable(
            np.zeros((self.n_clusters, self.latent_size), "float32"),
            trainable=self.centres_trained,
            name="centres",
        )

    @property
    def variables(self) -> list[Any]:
        """The centres, ``(cluster, latent)``."""
        return [self.centre_variable]

    def initialise(self, codes: np.ndarray) -> None:
        """Set the centres to the means of the clusters that ``start`` finds."""
        clusters = first_clusters(codes, self.n_clusters, self.config["start"], self.seed)
        self.centre_variable.assign(means(codes, clusters, self.n_clusters))
        self.first_clusters = clusters

    def centres(self) -> np.ndarray:
        """Return the centres, ``(cluster, latent)``."""
        return to_numpy(self.centre_variable)

    def arrays(self) -> dict[str, np.ndarray]:
        """Return ``centres``, ``(cluster, latent)``."""
        return {"centres": self.centres()}

    def restore(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Restore the centres."""
        self.centre_variable.assign(arrays["centres"])
