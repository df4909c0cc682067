"""``ladder``: a hierarchy of Gaussian latents, inferred from the top down or from the bottom up.

Generative process: ``z_L ~ N(0, I)``; each ``z_i ~ p(z_i | z_{i+1})``, a diagonal Gaussian by a
step of the decoder; a row ``x ~ p(x | z_1)`` by its last step. The levels are the encoder's
Gaussian layers, the first one ``z_1``. The loss, in nats, is

    E_q [-log p(x | z_1)]                                              "reconstruction"
    + kl_weight · Σ_i E_q [log q(z_i | ·) - log p(z_i | z_{i+1})]      "kl_1" .. "kl_L"

``top_down``, the Ladder VAE: the encoder's Gaussian ``N(μ̂_i, v̂_i)`` of each level below the top is
merged with ``p(z_i | z_{i+1})`` at the draw above it, weighted by their precisions, and
``q(z_i | z_{i+1}, x)`` is the result. ``bottom_up``, the usual hierarchy: ``q(z_i | z_{i-1})``,
each from a draw of the level below.

With ``importance_samples: S`` the loss is the negative of the importance-weighted bound: its
difference from the two lines above is the term "importance", never above 0 in the mean.

Source: Sønderby et al., Ladder variational autoencoders, arXiv 1602.02282; Burda et al., Importance
weighted autoencoders, arXiv 1509.00519; ``free_bits``: Kingma et al., arXiv 1606.04934, C.8.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np

from archbuild import objectives
from archbuild.heads.base import BOUND_SAMPLES
from archbuild.heads.batch import Batch, Forward, reconstruction_loss
from archbuild.heads.generative import GenerativeHead, unweighted
from archbuild.heads.records import Evidence
from archbuild.networks.rows import by_rows
from archbuild.spec.fields import choice, integer, number, schedule

if TYPE_CHECKING:
    from archbuild.networks.network import Network, Reconstruction
    from archbuild.spec.plan import Plan


class _Level(NamedTuple):
    """One level: a draw of it, and the two Gaussians whose ratio the bound takes there.

    Attributes:
        draw: ``(draws * batch, size)``.
        posterior: mean and log-variance of ``q``, of that shape.
        prior: mean and log-variance of ``p``, of that shape.
    """

    draw: Any
    posterior: tuple[Any, Any]
    prior: tuple[Any, Any]

    @property
    def log_ratio(self) -> Any:
        """``log q - log p`` of every unit, ``(draws * batch, size)``."""
        return objectives.gaussian_log_ratio(self.draw, *self.posterior, *self.prior)


class LadderHead(GenerativeHead):
    """A hierarchical VAE; it learns a density and its levels, and no clusters."""

    name: ClassVar[str] = "ladder"
    summary: ClassVar[str] = "a hierarchy of Gaussian latents (Ladder VAE), without clusters"
    takes_inner_levels = True
    answers = "nothing"
    fields = (
        choice(
            "inference",
            ["top_down", "bottom_up"],
            "The posterior of a level: the encoder's Gaussian merged with the prior that the level "
            "above gives, or the encoder's from a draw of the level below.",
            default="top_down",
        ),
        schedule("kl_weight", "Weight of all divergences from the prior.", default=1.0),
        number(
            "free_bits",
            "Lower bound in nats of the divergence of each level, a batch's mean; 0: none.",
            default=0.0,
        ),
        integer("mc_samples", "Draws of each row, averaged.", maximum=1_000, default=1),
        integer(
            "importance_samples",
            "Draws of each row inside the logarithm of the bound, for each of mc_samples.",
            maximum=1_000,
            default=1,
        ),
        replace(BOUND_SAMPLES, default=100, implicit=False),
    )
    passing_fields: ClassVar[frozenset[str]] = frozenset({"bound_samples"})
    term_names: tuple[str, ...] = ("reconstruction", "kl_1", "importance")
    monitored_names: tuple[str, ...] = ("elbo", "unweighted_kl_1")

    def __init__(self, config: Mapping[str, Any], plan: Plan, seed: int = 0) -> None:
        import keras

        super().__init__(config, plan, seed)
        self.draws = config["mc_samples"] * config["importance_samples"]
        numbers = range(1, len(plan.level_sizes) + 1)
        self.kl_names = tuple(f"kl_{number}" for number in numbers)
        if len(numbers) > 1:
            self.latent_names = tuple(f"z_{number}" for number in numbers)
        weighted = config["importance_samples"] > 1
        self.term_names = ("reconstruction", *self.kl_names, *["importance"] * weighted)
        self.monitored_names = ("elbo", *map(unweighted, self.kl_names))
        self.kl_weight = keras.Variable(0.0, trainable=False, name="kl_weight")
        self.scheduled = {"kl_weight": self.kl_weight}

    @classmethod
    def check(cls, config: Mapping[str, Any], plan: Plan) -> Sequence[tuple[str, str, str]]:
        """Check the bottleneck, and that there is a likelihood to bound."""
        found = list(super().check({**config, "bound_samples": 0}, plan))
        found += cls.likelihood_problems(plan)
        if config["free_bits"] and config["importance_samples"] > 1:
            message = "free_bits bound divergences, of which an importance-weighted bound has none"
            found.append(("free_bits", message, "write free_bits: 0, or importance_samples: 1"))
        return found

    @classmethod
    def scratch_problem(cls, config: Mapping[str, Any]) -> str | None:
        """Return ``None``: the head is made for training from scratch."""
        return None

    @property
    def variables(self) -> list[Any]:
        """The scheduled weight and the state of the noise; all weights are the network's."""
        return [self.kl_weight, *super().variables]

    def initialise(self, codes: np.ndarray) -> None:
        """Do nothing: all that is learned is the network's."""

    def forward(self, network: Network, inputs: Any, training: bool) -> Forward:
        """Infer every level, and decode the draws of the lowest.

        The ``extras`` are ``log q - log p`` of each level and draw, ``(draws * batch,)``.
        """
        from keras import ops

        from archbuild.networks.network import Encoding

        levels = self.inferred(network, inputs, self.draws, training=training)
        ratios = [ops.sum(level.log_ratio, axis=1) for level in levels]
        latent = levels[0].draw
        return Forward(
            Encoding(*levels[-1].posterior, None, ()),
            latent,
            network.decode_lowest(latent, training=training),
            dict(zip(self.kl_names, ratios, strict=True)),
        )

    def loss_terms(self, batch: Batch) -> dict[str, Any]:
        """Return the parts of the negative bound; the bound and its parts without a weight too."""
        from keras import ops

        ratios = batch.forward.extras or {}
        present = None if batch.present is None else self.repeated(batch.present)
        losses = reconstruction_loss(
            self.reconstruction,
            self.repeated(batch.inputs),
            batch.reconstruction,
            present,
            by_row=True,
        )
        total = _summed([ratios[name] for name in self.kl_names])
        terms = {"reconstruction": ops.mean(losses)}
        terms |= {name: self.kl_weight * self._free(ratios[name]) for name in self.kl_names}
        if self.config["importance_samples"] > 1:
            terms["importance"] = self._importance(-losses - self.kl_weight * total)
        terms["elbo"] = -ops.mean(losses + total)
        return terms | {unweighted(name): ops.mean(ratios[name]) for name in self.kl_names}

    def _free(self, ratio: Any) -> Any:
        """Return the mean of a level's ratios, not less than ``free_bits`` where there are any.

        Without them the estimate of a small divergence may well be below 0.
        """
        from keras import ops

        least = self.config["free_bits"]
        return objectives.at_least(ops.mean(ratio), least) if least else ops.mean(ratio)

    def _importance(self, log_weights: Any) -> Any:
        """Return what makes of the mean of ``log w`` the importance-weighted bound, negated."""
        from keras import ops

        sets = ops.reshape(log_weights, (self.config["importance_samples"], -1))
        return ops.mean(log_weights) - ops.mean(objectives.importance_bound(sets))

    # -- inference ---------------------------------------------------------------------------

    def inferred(
        self,
        network: Network,
        inputs: Any,
        draws: int,
        scale: float = 1.0,
        training: bool = False,
    ) -> list[_Level]:
        """Infer every level of rows, bottom first.

        Args:
            network: encoder and decoder.
            inputs: ``(batch, *input_shape)``.
            draws: number of draws of each row.
            scale: of the noise; 0 gives the means.
            training: whether batch statistics and dropout are those of training.
        """
        infer = self._top_down if self.config["inference"] == "top_down" else self._bottom_up
        return infer(network, inputs, draws, scale, training)

    def _top_down(
        self, network: Network, inputs: Any, draws: int, scale: float, training: bool
    ) -> list[_Level]:
        """Merge what the encoder says of each level with the prior from the level above."""
        found: list[_Level] = []
        levels = network.encode(inputs, training=training).levels
        for place in range(len(levels), 0, -1):
            level = levels[place - 1]
            own = self.repeated(level.mean, draws), self.repeated(level.log_variance, draws)
            prior, posterior = _standard(own[0]), own
            if found:
                prior = network.prior(place, found[-1].draw, training=training)
                posterior = objectives.merged_gaussians(*own, *prior)
            draw = self.sampled_gaussian(*posterior, scale, draws=1)
            found.append(_Level(draw, posterior, prior))
        return found[::-1]

    def _bottom_up(
        self, network: Network, inputs: Any, draws: int, scale: float, training: bool
    ) -> list[_Level]:
        """Encode a draw of each level to the next one; then compare each with its prior."""
        own = network.encode_above(0, inputs, training=training)
        posteriors = [(self.repeated(own[0], draws), self.repeated(own[1], draws))]
        drawn = [self.sampled_gaussian(*posteriors[0], scale, draws=1)]
        for place in range(1, len(self.kl_names)):
            posteriors.append(network.encode_above(place, drawn[-1], training=training))
            drawn.append(self.sampled_gaussian(*posteriors[-1], scale, draws=1))
        priors = [
            network.prior(place, above, training=training)
            for place, above in enumerate(drawn[1:], start=1)
        ]
        priors.append(_standard(drawn[-1]))
        return [_Level(*each) for each in zip(drawn, posteriors, priors, strict=True)]

    # -- what others ask -----------------------------------------------------------------------

    def reconstruct(self, network: Network, inputs: Any) -> Reconstruction:
        """Decode the means of the posteriors of rows ``(batch, *input_shape)``."""
        levels = self.inferred(network, inputs, draws=1, scale=0.0)
        return network.decode_lowest(levels[0].draw)

    def evidence(self, network: Network, inputs: Any, draws: int, present: Any = None) -> Evidence:
        """Return the weights of draws of all levels, and each unit's part of the divergences."""
        from keras import ops

        levels = self.inferred(network, inputs, draws)
        ratios = [level.log_ratio for level in levels]
        total = _summed([ops.sum(ratio, axis=1) for ratio in ratios])
        decoded = network.decode_lowest(levels[0].draw)
        found = self.evidence_of(decoded, total, inputs, draws, present)
        units = (ops.reshape(ratio, (draws, -1, ratio.shape[1])) for ratio in ratios)
        return Evidence(found.log_weights, tuple(ops.mean(each, axis=0) for each in units))

    def centres(self) -> None:
        """Return ``None``: there are no clusters."""
        return

    def figures(self) -> Sequence[str]:
        """Return the pictures of rows drawn from the prior, as a whole and level by level."""
        return ("generated", "levels") if self.latent_names else ("generated",)

    def sample_latents(self, per_cluster: int, rng: np.random.Generator) -> np.ndarray:
        """Draw ``(1, per_cluster, latent)`` from the prior of the top level, ``N(0, I)``."""
        shape = (1, per_cluster, self.latent_size)
        return rng.standard_normal(shape).astype("float32")

    def sample_rows(
        self, network: Network, per_cluster: int, rng: np.random.Generator
    ) -> np.ndarray:
        """Draw ``(1, per_cluster, *input_shape)`` rows: every level from its prior, top first.

        The rows are the means of ``p(x | z_1)``.
        """
        return self._descended(network, range(len(self.kl_names) + 1), per_cluster, rng)

    def sample_level(
        self, network: Network, level: int, per_cluster: int, rng: np.random.Generator
    ) -> np.ndarray:
        """Draw ``(1, per_cluster, *input_shape)`` rows: one level from its prior, others at means.

        The rows are the means of ``p(x | z_1)``.
        """
        return self._descended(network, [level], per_cluster, rng)

    def _descended(
        self, network: Network, drawn: Container[int], count: int, rng: np.random.Generator
    ) -> np.ndarray:
        """Return ``(1, count, *input_shape)``: each level from its prior, or at the prior's mean.

        Args:
            network: with inference statistics.
            drawn: the levels that are drawn, counted from 1 at the bottom.
            count: number of rows.
            rng: of the draws.
        """
        top = len(self.kl_names)
        latent = np.zeros((count, self.latent_size), "float32")
        if top in drawn:
            latent = self.sample_latents(count, rng)[0]
        for place in range(top - 1, 0, -1):
            prior = by_rows(partial(_joined_prior, network, place), latent)
            latent, log_variance = np.split(prior, 2, axis=1)
            if place in drawn:
                noise = rng.standard_normal(latent.shape)
                latent = (latent + np.exp(0.5 * log_variance) * noise).astype("float32")
        rows = by_rows(lambda part: network.expected(network.decode_lowest(part)), latent)
        return rows[np.newaxis]

    def arrays(self) -> dict[str, np.ndarray]:
        """Return nothing: all that is learned is the network's."""
        return {}

    def restore(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Do nothing: all that is learned is the network's."""


def _summed(terms: Sequence[Any]) -> Any:
    """Return the sum of tensors of one shape, in an order that timing does not decide.

    It does where TensorFlow makes one node of a chain of additions.
    """
    from keras import ops

    return ops.sum(ops.stack(terms), axis=0)


def _standard(like: Any) -> tuple[Any, Any]:
    """Return mean and log-variance of ``N(0, I)``, in the shape of ``like``."""
    from keras import ops

    zero = ops.zeros_like(like)
    return zero, zero


def _joined_prior(network: Network, place: int, above: np.ndarray) -> Any:
    """Return mean and log-variance of a level's prior side by side, ``(batch, 2 * size)``."""
    from keras import ops

    return ops.concatenate(network.prior(place, above), axis=1)
