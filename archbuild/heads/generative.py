"""The base of heads with a prior over a Gaussian bottleneck, which draw latents and rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from archbuild import objectives
from archbuild.heads.base import Head
from archbuild.heads.batch import Batch, reconstruction_loss
from archbuild.heads.records import Evidence
from archbuild.spec.fields import number

if TYPE_CHECKING:
    from archbuild.networks.network import Encoding, Reconstruction
    from archbuild.spec.plan import Plan

RECONSTRUCTION_WEIGHT = number(
    "reconstruction_weight",
    "Factor of the reconstruction; for squared_error, a mean over the elements of a row, their "
    "number makes the loss a bound.",
    above=0.0,
    default=1.0,
)


class GenerativeHead(Head):
    """A head with a generative process: from a cluster to latents, from a latent to a row."""

    generates = True
    draws = 1

    def __init__(self, config: Mapping[str, Any], plan: Plan, seed: int = 0) -> None:
        import keras

        super().__init__(config, plan, seed)
        self.noise = keras.random.SeedGenerator(seed)

    @classmethod
    def check(cls, config: Mapping[str, Any], plan: Plan) -> Sequence[tuple[str, str, str]]:
        """Check that the bottleneck is Gaussian and that a latent can be decoded alone."""
        found = []
        if not plan.stochastic:
            size = plan.latent_size
            message = f"the {cls.name} head draws latents, and the bottleneck has no variance"
            advice = f"end the encoder with {{type: Gaussian, num_units: {size}}}"
            found.append(("", message, f"{advice} in place of its last layer"))
        if plan.needs_switches:
            message = (
                f"the {cls.name} head generates rows from latents alone, and the mirror of "
                "MaxPool2D* needs the places of the maxima of a real row"
            )
            found.append(("", message, "use MaxPool2D in place of MaxPool2D*"))
        if config.get("bound_samples") and plan.spec.reconstruction == "squared_error":
            message = "a bound on the likelihood needs one, and squared_error is none"
            advice = (
                "write reconstruction: gaussian, or bernoulli for values from 0 to 1; or "
                "bound_samples: 0"
            )
            found.append(("bound_samples", message, advice))
        return found

    @classmethod
    def likelihood_problems(cls, plan: Plan) -> Sequence[tuple[str, str, str]]:
        """Return a problem, as ``check`` does, where the reconstruction is no likelihood."""
        if plan.spec.reconstruction != "squared_error":
            return []
        message = f"the {cls.name} head bounds a likelihood, and squared_error is none"
        advice = "write reconstruction: gaussian, or bernoulli for values from 0 to 1"
        return [("", message, advice)]

    @property
    def variables(self) -> list[Any]:
        """The state of the noise."""
        return [self.noise.state]

    @property
    def trains_decoder(self) -> bool:
        """True: the decoder is part of the bound."""
        return True

    def sampled(self, encoding: Encoding, scale: Any = 1.0, draws: int | None = None) -> Any:
        """Draw samples of ``q(z | x)``, one set of the batch after the other.

        Args:
            encoding: mean and log-variance ``(batch, latent)``.
            scale: of the noise; 0 gives the means.
            draws: how many; ``None``: those of training.

        Returns:
            ``(draws * batch, latent)``.
        """
        return self.sampled_gaussian(encoding.mean, encoding.log_variance, scale, draws)

    def sampled_gaussian(
        self, mean: Any, log_variance: Any, scale: Any = 1.0, draws: int | None = None
    ) -> Any:
        """Draw samples of a Gaussian of each row, one set after the other, as ``sampled``."""
        from keras import ops, random

        shape = (draws or self.draws, ops.shape(mean)[0], mean.shape[1])
        noise = scale * random.normal(shape, seed=self.noise)
        drawn = objectives.reparameterised(mean, log_variance, noise)
        return ops.reshape(drawn, (-1, mean.shape[1]))

    def repeated(self, rows: Any, draws: int | None = None) -> Any:
        """Repeat ``(batch, ...)`` to ``(draws * batch, ...)``, in the order of ``sampled``."""
        from keras import ops

        number = draws or self.draws
        return rows if number == 1 else ops.concatenate([rows] * number)

    def evidence_of(
        self,
        reconstruction: Reconstruction,
        log_ratio: Any,
        inputs: Any,
        draws: int,
        present: Any = None,
    ) -> Evidence:
        """Return the weights ``p(x | z) p(z) / q(z | x)`` of draws.

        Args:
            reconstruction: of the draws, ``(draws * batch, ...)``.
            log_ratio: ``log q(z | x) - log p(z)`` of the draws, ``(draws * batch,)``.
            inputs: ``(batch, ...)``.
            draws: how many there are of each row.
            present: as ``Batch.present``.
        """
        from keras import ops

        given = [None if each is None else self.repeated(each, draws) for each in (inputs, present)]
        loss = reconstruction_loss(
            self.reconstruction, given[0], reconstruction, given[1], by_row=True
        )
        return Evidence(ops.reshape(-loss - log_ratio, (draws, -1)))

    def reconstruction_term(self, batch: Batch) -> dict[str, Any]:
        """Compute the weighted ``-log p(x | z)``, a mean over draws and batch."""
        inputs = self.repeated(batch.inputs)
        present = None if batch.present is None else self.repeated(batch.present)
        loss = reconstruction_loss(self.reconstruction, inputs, batch.reconstruction, present)
        return {"reconstruction": self.config["reconstruction_weight"] * loss}

    def centres(self) -> np.ndarray | None:
        """Return the means of the prior's components, ``(cluster, latent)``."""
        return self.components()[0]

    def figures(self) -> Sequence[str]:
        """Return the pictures of the prior, and of rows drawn from it, once it is initialised."""
        return ("generated", "components") if self.is_initialised else ()


def unweighted(name: str) -> str:
    """Return the name under which a term of the loss is monitored whatever its weight is."""
    return f"unweighted_{name}"
