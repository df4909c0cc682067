"""``infomax``: a linear classifier of the latents that is sure of each row, and uses every cluster.

Source: regularised information maximisation (Krause, Perona, Gomes, NIPS 2010). The mutual
information of row and cluster, ``H(mean of p) - mean of H(p)``, is made large. It has no centres.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from archbuild.clustering.starts import START, first_clusters, means
from archbuild.heads.base import N_CLUSTERS, RECONSTRUCTION_WEIGHT, TOLERANCE, Head
from archbuild.heads.batch import Batch
from archbuild.networks.rows import to_numpy
from archbuild.spec import Plan
from archbuild.spec.fields import number


class InfomaxHead(Head):
    """A linear classifier that maximises the mutual information of row and cluster."""

    name = "infomax"
    summary = "a linear classifier of the latents, sure and balanced (RIM)"
    fields = (
        N_CLUSTERS,
        START,
        number("cluster_weight", "Weight of the mutual information.", default=0.1),
        RECONSTRUCTION_WEIGHT,
        TOLERANCE,
    )
    term_names = ("reconstruction", "information")

    def __init__(self, config: Mapping[str, Any], plan: Plan, seed: int = 0) -> None:
        import keras

        super().__init__(config, plan, seed)
        shape = (self.latent_size, self.n_clusters)
        self.kernel = keras.Variable(np.zeros(shape, "float32"), name="kernel")
        self.bias = keras.Variable(np.zeros(self.n_clusters, "float32"), name="bias")

    @property
    def variables(self) -> list[Any]:
        """Return the classifier's kernel ``(latent, cluster)`` and bias ``(cluster,)``."""
        return [self.kernel, self.bias]

    def initialise(self, codes: np.ndarray) -> None:
        """Begin with the linear rule that sends every row to the nearest mean."""
        found = first_clusters(codes, self.n_clusters, self.config["start"], self.seed)
        middle = means(codes, found, self.n_clusters)
        variance = np.mean(np.square(codes - middle[found])) + 1e-6
        self.kernel.assign(middle.T / variance)
        self.bias.assign(-0.5 * np.square(middle).sum(axis=1) / variance)

    def loss_terms(self, batch: Batch) -> dict[str, Any]:
        """Return the reconstruction and the mutual information, negative, in nats."""
        from keras import ops

        assigned = self.assign(batch.latent)
        unsure = ops.mean(_entropy(assigned))
        balance = _entropy(ops.mean(assigned, axis=0))
        information = self.config["cluster_weight"] * (unsure - balance)
        return {**self._reconstruction_term(batch), "information": information}

    def assign(self, codes: Any) -> Any:
        """Return ``p``, ``(batch, cluster)``."""
        from keras import ops

        return ops.softmax(ops.matmul(codes, self.kernel) + self.bias, axis=1)

    def arrays(self) -> dict[str, np.ndarray]:
        """Return ``kernel`` and ``bias``."""
        return {"kernel": to_numpy(self.kernel), "bias": to_numpy(self.bias)}

    def restore(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Take kernel and bias back."""
        self.kernel.assign(arrays["kernel"])
        self.bias.assign(arrays["bias"])


def _entropy(probabilities: Any) -> Any:
    """Return the entropy of the last axis, in nats; the floor keeps 0 log 0 at 0."""
    from keras import ops

    return -ops.sum(probabilities * ops.log(ops.maximum(probabilities, 1e-12)), axis=-1)
