"""``cluster_aware``: a hierarchy of two latents whose upper one knows the clusters (CaGeM).

Generative process: ``z_2 ~ N(0, I)``, a class ``y ~ p(y | z_2)``, ``z_1 ~ p(z_1 | y, z_2)``, a row
``x ~ p(x | z_1)``, with ``skip: true`` ``p(x | z_1, y, z_2)``. ``class_model.py`` has the inference
and ``class_sum.py`` the loss, with ``u = z_2`` and ``v = z_1``; their terms are "kl_2" and "kl_1".
Without labels the classes are clusters. Nothing in the bound keeps a network from using one cluster
for all rows, so there is one more term,

    balance · KL(mean over the batch of q(y | z_2, x) || uniform)      "balance"

Source: Maaløe, Fraccaro and Winther, arXiv 1704.00637, of which the abstract and the introduction
were read. The factorisation, and the balance, are reconstructions.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from archbuild import objectives
from archbuild.heads.batch import Batch
from archbuild.heads.class_model import Gaussian, Inferred, class_and_u, network, numpy_gaussian
from archbuild.heads.class_sum import ClassSumHead
from archbuild.networks.rows import to_numpy
from archbuild.spec.field import Field
from archbuild.spec.fields import boolean, choice, number

if TYPE_CHECKING:
    from archbuild.spec.parts import Condition, Part
    from archbuild.spec.plan import Plan

_CANDIDATES = 100
"""Draws of ``z_2`` among which the classes choose, for each that they need."""


class ClusterAwareHead(ClassSumHead):
    """The cluster-aware generative model."""

    name: ClassVar[str] = "cluster_aware"
    summary: ClassVar[str] = "clusters, or classes from a few labels, above a hierarchy (CaGeM)"
    names = ("2", "1")
    levels = ("v", "u")
    latent_names = ("z_1", "z_2")
    term_names = ("reconstruction", "kl_2", "kl_1", "kl_class", "classification", "balance")
    fields: ClassVar[tuple[Field, ...]] = (
        *ClassSumHead.fields,
        choice(
            "class_prior",
            ["latent", "uniform"],
            "p(class): given the upper latent by a network, or the same for all.",
            default="latent",
        ),
        number("balance", "Weight of the balance of the classes over a batch.", default=1.0),
        boolean("skip", "Class and upper latent as further inputs of the decoder.", default=False),
    )

    def __init__(self, config: Mapping[str, Any], plan: Plan, seed: int = 0) -> None:
        super().__init__(config, plan, seed)
        if not config["balance"]:
            self._drop_term("balance")

    @classmethod
    def parts(cls, config: Mapping[str, Any], plan: Plan) -> Sequence[Part]:
        """Return the networks of inference, and those of ``p(y | z_2)`` and ``p(z_1 | y, z_2)``."""
        size, classes = plan.latent_size, config["n_clusters"]
        found = [*super().parts(config, plan)]
        found.append(network("v_prior", size + classes, config, 2 * size))
        if config["class_prior"] == "latent":
            found.append(network("class_prior_logits", size, config, classes))
        return found

    @classmethod
    def conditions(cls, config: Mapping[str, Any], plan: Plan) -> Sequence[Condition]:
        """Return the class and the upper latent under ``skip``; otherwise nothing."""
        return class_and_u(config, plan) if config["skip"] else ()

    def loss_terms(self, batch: Batch) -> dict[str, Any]:
        """Return the terms of the bound, and the balance of the classes."""
        terms = super().loss_terms(batch)
        if "balance" in self.term_names:
            log_classes = dict(batch.forward.extras or {})["log_classes"]
            terms["balance"] = self.config["balance"] * objectives.class_imbalance(log_classes)
        return terms

    def priors(self, found: Inferred) -> tuple[Gaussian, Gaussian]:
        """Return ``N(0, I)`` for ``z_2``, and ``p(z_1 | y, z_2)`` at each draw."""
        from keras import ops

        zero = ops.zeros_like(found.u)
        return (zero, zero), self.gaussian("v_prior", found.u, found.classes)

    def log_class_prior(self, u: Any) -> Any:
        """Return ``log p(y | z_2)``, ``(batch, class)``, or ``-log K``."""
        from keras import ops

        if self.config["class_prior"] == "uniform":
            return super().log_class_prior(u)
        return ops.log_softmax(self.networks["class_prior_logits"](u), axis=1)

    def drawn(
        self, per_class: int, rng: np.random.Generator, varied: Container[str] = ("u", "v")
    ) -> tuple[np.ndarray, np.ndarray]:
        """Draw ``z_2`` from ``p(z_2 | y)``, and ``z_1``."""
        u = self._upper(per_class, rng, varied)
        noise = self.noise_for("v", per_class, rng, varied)
        classes = np.eye(self.n_clusters, dtype="float32")
        priors = [
            self.gaussian("v_prior", rows, own[np.newaxis, np.newaxis])
            for rows, own in zip(u, classes, strict=True)
        ]
        return u, np.concatenate([numpy_gaussian(prior, noise) for prior in priors])

    def _upper(
        self, per_class: int, rng: np.random.Generator, varied: Container[str]
    ) -> np.ndarray:
        """Return ``z_2`` of each class: draws of its prior, which the class chooses among.

        Where it does not vary, the mean of ``p(z_2 | y)``, as those draws estimate it.
        """
        if self.config["class_prior"] == "uniform":
            noise = self.noise_for("u", per_class, rng, varied)
            return np.repeat(noise[np.newaxis], self.n_clusters, axis=0)
        candidates = self.noise_for("u", _CANDIDATES * per_class, rng, ("u",))
        weights = np.exp(to_numpy(self.log_class_prior(candidates)).astype(float))
        shares = (weights / weights.sum(axis=0)).T
        if "u" not in varied:
            means = (shares @ candidates).astype("float32")
            return np.repeat(means[:, np.newaxis], per_class, axis=1)
        chosen = [rng.choice(len(candidates), per_class, p=share) for share in shares]
        return candidates[np.array(chosen)]
