"""``gmvae``: a Gaussian mixture prior whose components depend on a second latent, the style.

Generative process: a style ``w ~ N(0, I)``, a cluster ``z ~ Categorical(1 / K)``, a latent
``x ~ N(μ_z(w), diag σ²_z(w))`` by a network of the style, a row ``y ~ p(y | x)`` by the decoder.
With ``q(x|y) q(w|y) q(z|y)`` the loss, five terms in nats, each a mean over draws and batch, is

    E_q(x) [-log p(y | x)]                                        "reconstruction"
    + E_q(w) Σ_z q(z|y) KL(q(x|y) || p(x | w, z))                 "conditional_prior"
    + KL(q(w|y) || N(0, I))                                       "style_prior"
    + eta · KL(q(z|y) || 1 / K)                                   "cluster_prior"
    + alpha · E_q(x)q(w) H[p(z | x, w)]                           "consistency_violation"

Source: Dilokthanakul et al., arXiv 1611.02648: equation 4 and the consistency violation of its
first versions. Its final version has no ``q(z|y)``: ``posterior: bayes`` puts ``p(z | x, w)`` at
each draw in its place, and ``minimum_information`` clamps the cluster's divergence from below.

============================  ======  =====  =====  =========  ===================
as in                         K       alpha  eta    posterior  minimum_information
============================  ======  =====  =====  =========  ===================
first versions, spiral        8       2      1      network    0
first versions, MNIST         14      0.4    1      network    0
final version                 10..30  0      1      bayes      0.5
============================  ======  =====  =====  =========  ===================
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import log
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from archbuild import objectives
from archbuild.heads.base import BOUND_SAMPLES, N_CLUSTERS
from archbuild.heads.batch import Batch
from archbuild.heads.generative import RECONSTRUCTION_WEIGHT, GenerativeHead
from archbuild.networks.rows import to_numpy
from archbuild.spec.fields import choice, integer, number, schedule
from archbuild.spec.parts import Part, PartLayer

if TYPE_CHECKING:
    from archbuild.heads.records import Evidence
    from archbuild.networks.network import Encoding, Network
    from archbuild.spec.plan import Plan


class GMVAEHead(GenerativeHead):
    """A conditional mixture prior, learnt end to end."""

    name: ClassVar[str] = "gmvae"
    summary: ClassVar[str] = "a mixture prior shaped by a style latent, with consistency violation"
    fields = (
        N_CLUSTERS,
        integer("style_size", "Dimensions of the style w.", default=10),
        integer(
            "prior_units", "Hidden units of the network from the style to the mixture.", default=100
        ),
        schedule("eta", "Weight of the cluster's divergence from uniform.", default=1.0),
        schedule("alpha", "Weight of the consistency violation.", default=1.0),
        integer("mc_samples", "Draws of x and w for each row.", maximum=1_000, default=1),
        choice(
            "posterior",
            ["network", "bayes"],
            "q(cluster | row): a network's output, or p(z | x, w) at each draw.",
            default="network",
        ),
        number(
            "minimum_information",
            "Lower bound in nats of the cluster's divergence in the loss; 0: none.",
            default=0.0,
        ),
        choice(
            "minimum_over",
            ["batch", "row"],
            "Scope of minimum_information: the batch's mean divergence, or that of every row.",
            default="batch",
        ),
        RECONSTRUCTION_WEIGHT,
        BOUND_SAMPLES,
    )
    passing_fields: ClassVar[frozenset[str]] = frozenset({"bound_samples"})
    term_names = (
        "reconstruction",
        "conditional_prior",
        "style_prior",
        "cluster_prior",
        "consistency_violation",
    )
    monitored_names = ("unweighted_consistency_violation",)

    def __init__(self, config: Mapping[str, Any], plan: Plan, seed: int = 0) -> None:
        import keras

        super().__init__(config, plan, seed)
        self.draws = config["mc_samples"]
        self.style_size = config["style_size"]
        # bayes has no q(z | y)
        self.networks["cluster_logits"].trainable = config["posterior"] == "network"
        self.eta = keras.Variable(0.0, trainable=False, name="eta")
        self.alpha = keras.Variable(0.0, trainable=False, name="alpha")
        self.scheduled = {"eta": self.eta, "alpha": self.alpha}

    @classmethod
    def parts(cls, config: Mapping[str, Any], plan: Plan) -> Sequence[Part]:
        """Return the networks from a row's features to style and cluster, and that of the prior."""
        style, units = config["style_size"], config["prior_units"]
        numbers = config["n_clusters"] * plan.latent_size
        return [
            _part("style_mean", plan.features, style),
            _part("style_log_variance", plan.features, style),
            _part("cluster_logits", plan.features, config["n_clusters"]),
            _part("prior_hidden", style, units, "tanh"),
            _part("prior_means", units, numbers),
            _part("prior_log_variances", units, numbers),
        ]

    @classmethod
    def scratch_problem(cls, config: Mapping[str, Any]) -> str | None:
        """Return ``None``: the head is made for training from scratch."""
        return None

    @property
    def variables(self) -> list[Any]:
        """The weights of its own layers, the scheduled weights, and the state of the noise."""
        return [*self.part_variables, self.eta, self.alpha, *super().variables]

    def code(self, encoding: Encoding) -> Any:
        """Return ``[x | w | log q(z)]`` of each row, ``x`` and ``w`` at their means."""
        from keras import ops

        style, _ = self._style(encoding)
        return ops.concatenate([encoding.mean, style, self._log_assignment(encoding)], axis=1)

    def draw(self, encoding: Encoding) -> Any:
        """Draw ``mc_samples`` times from ``q(x | y)``."""
        return self.sampled(encoding)

    def initialise(self, codes: np.ndarray) -> None:
        """Do nothing: the first weights are random, or those of the pretrained network."""

    def loss_terms(self, batch: Batch) -> dict[str, Any]:
        """Return the five terms, weighted, and the consistency violation without its weight."""
        from keras import ops

        style_mean, style_log_variance = self._style(batch.encoding)
        style = self.sampled_gaussian(style_mean, style_log_variance)
        means, log_variances = self.prior(style)
        log_joints = objectives.component_log_joints(
            batch.latent, self._log_uniform, means, log_variances
        )
        log_posterior = objectives.log_responsibilities(log_joints)
        log_assignment = log_posterior
        if self.config["posterior"] == "network":
            log_assignment = self.repeated(self._log_assignment(batch.encoding))
        divergences = objectives.component_divergences(
            self.repeated(batch.encoding.mean),
            self.repeated(batch.encoding.log_variance),
            means,
            log_variances,
        )
        violation = ops.mean(objectives.categorical_entropy(log_posterior))
        style_prior = objectives.standard_gaussian_divergence(style_mean, style_log_variance)
        return {
            **self.reconstruction_term(batch),
            "conditional_prior": ops.mean(
                objectives.expected_divergence(log_assignment, divergences)
            ),
            "style_prior": ops.mean(style_prior),
            "cluster_prior": self.eta * self._cluster_prior(log_assignment),
            "consistency_violation": self.alpha * violation,
            "unweighted_consistency_violation": violation,
        }

    def prior(self, style: Any) -> tuple[Any, Any]:
        """Compute the mixture of a style.

        Args:
            style: ``(batch, style)``.

        Returns:
            Means and log-variances (within +-10), ``(batch, cluster, latent)`` each.
        """
        from keras import ops

        hidden = self.networks["prior_hidden"](style)
        shape = (-1, self.n_clusters, self.latent_size)
        means = self.networks["prior_means"](hidden)
        log_variances = self.networks["prior_log_variances"](hidden)
        bounded = objectives.bounded_log_variance(log_variances)
        return ops.reshape(means, shape), ops.reshape(bounded, shape)

    def evidence(self, network: Network, inputs: Any, draws: int, present: Any = None) -> Evidence:
        """Return the weights of draws of ``x`` and ``w``; the sum over the clusters is exact."""
        from keras import ops

        encoding = network.encode(inputs)
        x = encoding.mean, encoding.log_variance
        w = self._style(encoding)
        drawn = [self.sampled_gaussian(*each, draws=draws) for each in (x, w)]
        log_q = sum(
            objectives.gaussian_log_density(
                draw, self.repeated(mean, draws), self.repeated(log_variance, draws)
            )
            for draw, (mean, log_variance) in zip(drawn, (x, w), strict=True)
        )
        latent, style = drawn
        joints = objectives.component_log_joints(latent, self._log_uniform, *self.prior(style))
        zero = ops.zeros_like(style)
        log_prior = ops.logsumexp(joints, axis=1) + objectives.gaussian_log_density(
            style, zero, zero
        )
        decoded = network.decode(latent)
        return self.evidence_of(decoded, log_q - log_prior, inputs, draws, present)

    def assign(self, codes: Any) -> Any:
        """Return ``q(z | y)``; under ``posterior: bayes`` ``p(z | x, w)`` at the means of both."""
        from keras import ops

        places = [self.latent_size, self.latent_size + self.style_size]
        latent, style, log_assignment = ops.split(codes, places, axis=1)
        if self.config["posterior"] == "bayes":
            joints = objectives.component_log_joints(latent, self._log_uniform, *self.prior(style))
            log_assignment = objectives.log_responsibilities(joints)
        return ops.exp(log_assignment)

    def components(self) -> tuple[np.ndarray, np.ndarray]:
        """Return means and variances ``(cluster, latent)`` of the prior at ``w = 0``."""
        means, log_variances = self.prior(np.zeros((1, self.style_size), "float32"))
        return to_numpy(means)[0], np.exp(to_numpy(log_variances)[0])

    def sample_latents(self, per_cluster: int, rng: np.random.Generator) -> np.ndarray:
        """Draw ``(cluster, per_cluster, latent)`` from ``p(x | w, z)``, each with its own ``w``.

        The ``i``-th draws of all clusters share their style, so that columns compare.
        """
        style = rng.standard_normal((per_cluster, self.style_size)).astype("float32")
        means, log_variances = (to_numpy(part) for part in self.prior(style))
        noise = rng.standard_normal(means.shape)
        drawn = means + np.exp(0.5 * log_variances) * noise
        return np.swapaxes(drawn, 0, 1).astype("float32")

    def arrays(self) -> dict[str, np.ndarray]:
        """Return the weights of every layer of its own: ``style_mean.0``, and so on."""
        return self.part_arrays()

    def restore(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Restore the state that ``arrays`` returned."""
        self.restore_parts(arrays)

    @property
    def _log_uniform(self) -> Any:
        from keras import ops

        return ops.full((self.n_clusters,), -log(self.n_clusters))

    def _style(self, encoding: Encoding) -> tuple[Any, Any]:
        """Return mean and bounded log-variance of ``q(w | y)``, ``(batch, style)`` each."""
        mean = self.networks["style_mean"](encoding.features)
        log_variance = self.networks["style_log_variance"](encoding.features)
        return mean, objectives.bounded_log_variance(log_variance)

    def _log_assignment(self, encoding: Encoding) -> Any:
        """Return ``log q(z | y)`` of the network, ``(batch, cluster)``."""
        from keras import ops

        return ops.log_softmax(self.networks["cluster_logits"](encoding.features), axis=1)

    def _cluster_prior(self, log_assignment: Any) -> Any:
        """Compute the cluster's divergence from uniform, a mean over the batch, and clamp it."""
        from keras import ops

        divergence = objectives.categorical_divergence(log_assignment, self._log_uniform)
        least = self.config["minimum_information"]
        if self.config["minimum_over"] == "row":
            return ops.mean(objectives.at_least(divergence, least))
        return objectives.at_least(ops.mean(divergence), least)


def _part(name: str, inputs: int, units: int, activation: str = "linear") -> Part:
    """Return a dense layer with the first weights of Torch, as in the original."""
    return Part(name, inputs, (PartLayer(units, activation),), "torch_uniform")
