"""``kld``: soft k-means hardened towards its own confident half (DEC, IDEC, and the TUM form).

Sources: DEC, arXiv 1511.06335, equations 1 to 3; IDEC (Guo et al., IJCAI 2017), equation 6, adds
the reconstruction; Aljalbout et al., arXiv 1801.07648, sums the divergence over the batch.

====================  =====================  ==============  =========
as in                 reconstruction_weight  cluster_weight  reduction
====================  =====================  ==============  =========
IDEC (default)        1                      0.1             mean
DEC                   0                      1               mean
TUM                   1                      1               sum
====================  =====================  ==============  =========
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from archbuild import objectives
from archbuild.clustering.starts import START
from archbuild.heads.base import N_CLUSTERS, RECONSTRUCTION_WEIGHT, REFRESH, TOLERANCE
from archbuild.heads.batch import Batch
from archbuild.heads.centre import CentreHead
from archbuild.heads.targets import one_hot, sharpened
from archbuild.spec.fields import choice, number


class KLDHead(CentreHead):
    """Student-t soft assignment pulled towards a target distribution of the whole set."""

    name: ClassVar[str] = "kld"
    summary: ClassVar[str] = "soft k-means: Student-t assignments sharpened by KL (DEC, IDEC, TUM)"
    fields = (
        N_CLUSTERS,
        START,
        number("cluster_weight", "Weight of the divergence (IDEC's gamma).", default=0.1),
        RECONSTRUCTION_WEIGHT,
        choice(
            "reduction",
            ["mean", "sum"],
            "Reduction of the divergence over the batch: its mean or, as in the TUM code, its sum.",
            default="mean",
        ),
        number(
            "degrees_of_freedom",
            "Degrees of freedom of the Student-t kernel.",
            above=0.0,
            maximum=1e6,
            default=1.0,
        ),
        REFRESH,
        TOLERANCE,
    )
    classic_fields: ClassVar[Mapping[str, Any]] = {"cluster_weight": 1.0, "reduction": "sum"}
    term_names = ("reconstruction", "divergence")
    centres_trained = True

    def refresh(self, codes: np.ndarray) -> dict[str, np.ndarray]:
        """Return the target distribution of the whole set, ``(n, cluster)``.

        Assigning every row to the nearest centre would lose clusters that k-means did not find;
        after such a start the clusters themselves are the first target.
        """
        first, self.first_clusters = self.first_clusters, None
        if first is not None and self.config["start"] != "k-means":
            return {"target": one_hot(first, self.n_clusters)}
        return {"target": sharpened(self.assignments(codes))}

    def loss_terms(self, batch: Batch) -> dict[str, Any]:
        """Return the reconstruction and ``KL(P || Q)``, weighted."""
        from keras import ops

        log_assignment = self._log_assignment(batch.latent)
        divergence = objectives.assignment_divergence(batch.targets["target"], log_assignment)
        reduce = ops.sum if self.config["reduction"] == "sum" else ops.mean
        weighted = self.config["cluster_weight"] * reduce(divergence)
        return {**self._reconstruction_term(batch), "divergence": weighted}

    def assign(self, codes: Any) -> Any:
        """Return the soft assignment ``q``, ``(batch, cluster)``."""
        from keras import ops

        return ops.exp(self._log_assignment(codes))

    def _log_assignment(self, latent: Any) -> Any:
        return objectives.log_soft_assignment(
            latent, self.centre_variable, self.config["degrees_of_freedom"]
        )
