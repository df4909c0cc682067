"""``auxiliary``: a class, a latent, and an auxiliary latent that makes its posterior richer.

Generative process of a row ``x``, all classes equally likely: ``y``, ``z ~ N(0, I)``, then

    x ~ p(x | y, z), a ~ p(a | x, y, z)                    ADGM
    a ~ p(a | y, z), x ~ p(x | a, y, z)                    SDGM, ``skip: true``

In the first the auxiliary ``a`` changes nothing about ``p(x, y, z)``; in the second it is a level
between ``z`` and the row. ``class_model.py`` has the inference and ``class_sum.py`` the loss, with
``u = a`` and ``v = z``; their terms are "kl_auxiliary" and "kl_latent".

Source: Maaløe et al., Auxiliary deep generative models, arXiv 1602.05473.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from archbuild.heads.class_model import Gaussian, Inferred, class_and_u, network, numpy_gaussian
from archbuild.heads.class_sum import ClassSumHead
from archbuild.spec.field import Field
from archbuild.spec.fields import boolean

if TYPE_CHECKING:
    from archbuild.spec.parts import Condition, Part
    from archbuild.spec.plan import Plan


class AuxiliaryHead(ClassSumHead):
    """The auxiliary and the skip deep generative model."""

    name: ClassVar[str] = "auxiliary"
    summary: ClassVar[str] = "classes from a few labels, with an auxiliary latent (ADGM, SDGM)"
    names = ("auxiliary", "latent")
    levels = ("u", "v")
    term_names = ("reconstruction", "kl_auxiliary", "kl_latent", "kl_class", "classification")
    fields: ClassVar[tuple[Field, ...]] = (
        *ClassSumHead.fields,
        boolean(
            "skip",
            "Auxiliary latent between the latent and the row (SDGM), which the decoder reads; "
            "otherwise beside them (ADGM).",
            default=False,
        ),
    )

    def __init__(self, config: Mapping[str, Any], plan: Plan, seed: int = 0) -> None:
        super().__init__(config, plan, seed)
        self.latent_names = ("auxiliary", "latent") if config["skip"] else ()

    @classmethod
    def parts(cls, config: Mapping[str, Any], plan: Plan) -> Sequence[Part]:
        """Return the networks of inference, and that of ``p(a | y, z)`` or ``p(a | x, y, z)``."""
        *_, posterior = found = super().parts(config, plan)
        size = plan.latent_size
        inputs = size + config["n_clusters"] if config["skip"] else posterior.inputs
        return [*found, network("u_prior", inputs, config, 2 * size)]

    @classmethod
    def conditions(cls, config: Mapping[str, Any], plan: Plan) -> Sequence[Condition]:
        """Return the class, and under ``skip`` the auxiliary latent."""
        return class_and_u(config, plan)

    def priors(self, found: Inferred) -> tuple[Gaussian, Gaussian]:
        """Return ``p(a | ·)`` at each draw, and ``N(0, I)`` for ``z``."""
        from keras import ops

        zero = ops.zeros_like(found.v)
        return self._prior_u(found.read, found.classes, found.v), (zero, zero)

    def _prior_u(self, read: Any, classes: Any, v: Any) -> Gaussian:
        from keras import ops

        shape = (*ops.shape(v)[:2], self.n_clusters)
        varying = ops.concatenate([v, ops.broadcast_to(classes, shape)], axis=2)
        return self.gaussian("u_prior", None if self.config["skip"] else read, varying)

    def drawn(
        self, per_class: int, rng: np.random.Generator, varied: Container[str] = ("u", "v")
    ) -> tuple[np.ndarray, np.ndarray]:
        """Draw ``a`` and ``z``; without ``skip`` no row depends on ``a``, and it is 0."""
        noise = self.noise_for("v", per_class, rng, varied)
        v = np.repeat(noise[np.newaxis], self.n_clusters, axis=0)
        if not self.config["skip"]:
            return np.zeros_like(v), v
        classes = np.eye(self.n_clusters, dtype="float32")[:, np.newaxis]
        noise = self.noise_for("u", per_class, rng, varied)
        return numpy_gaussian(self._prior_u(None, classes, v), noise), v
