"""``gmm``: a Gaussian mixture as the prior of a variational autoencoder (VaDE, S3VDC).

Generative process: a cluster ``k ~ Categorical(π)``, a latent ``z ~ N(m_k, diag s_k)``, a row
``x ~ p(x | z)`` by the decoder. With ``q(z | x)`` by the encoder and ``q(k | x)`` by Bayes' rule,
the negative evidence lower bound that is minimised, with weights, is

    reconstruction_weight · E_q(z|x) [-log p(x | z)]
    + kl_weight · ( Σ_k q(k|x) KL(q(z|x) || N(m_k, diag s_k))      "conditional_prior"
                    + KL(q(k|x) || π) )                            "cluster_prior"

Sources: VaDE (Jiang et al.), arXiv 1611.05148, equations 10 to 16; S3VDC (Cao et al.),
arXiv 2005.08047, for ``gamma_training``, repeated schedules of ``kl_weight``, ``start_sample`` and
``responsibilities: inverse_min_max``, each of which works alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from archbuild import objectives
from archbuild.clustering.moments import spread
from archbuild.clustering.starts import START, START_SAMPLE, mixture_of
from archbuild.heads.base import BOUND_SAMPLES, N_CLUSTERS, TOLERANCE
from archbuild.heads.batch import Batch
from archbuild.heads.generative import RECONSTRUCTION_WEIGHT, GenerativeHead
from archbuild.heads.targets import one_hot
from archbuild.networks.rows import to_numpy
from archbuild.spec.fields import UNIT, choice, integer, number, schedule, section

if TYPE_CHECKING:
    from archbuild.heads.records import Evidence
    from archbuild.networks.network import Encoding, Network
    from archbuild.spec.plan import Plan

# a component narrower than this part of the latents' spread would keep a few rows for ever
_LEAST_VARIANCE = 1e-4


class GMMHead(GenerativeHead):
    """A mixture prior whose components are the clusters."""

    name: ClassVar[str] = "gmm"
    summary: ClassVar[str] = "a Gaussian mixture as the prior of a VAE (VaDE, S3VDC)"
    fields = (
        N_CLUSTERS,
        replace(START, default="gaussian-mixture"),
        START_SAMPLE,
        integer(
            "start_epochs",
            "Epochs in which q(cluster | row) is fixed to the start's clusters, whatever their "
            "shape, so that latents and mixture adapt to them; 0: none.",
            minimum=0,
            default=0,
        ),
        choice(
            "responsibilities",
            ["sample", "tightest", "inverse_min_max"],
            "The q(cluster | row) of the loss: p(k | z) at the drawn z (VaDE), the one that makes "
            "the bound tightest, or scaled energies (S3VDC). Reported is p(k | mean).",
            default="sample",
        ),
        schedule("kl_weight", "Weight of both divergences from the prior.", default=1.0),
        RECONSTRUCTION_WEIGHT,
        section(
            "gamma_training",
            (
                number("weight", "Weight of the divergence from N(0, I)."),
                number("length", "Length, rounded up to whole epochs.", above=0.0),
                UNIT,
            ),
            "Training from scratch before the mixture begins, by reconstruction from the mean and "
            "a small divergence from N(0, I) (S3VDC); null: the network is pretrained.",
            default=None,
        ),
        replace(TOLERANCE, default=0.0),
        BOUND_SAMPLES,
    )
    passing_fields: ClassVar[frozenset[str]] = frozenset({"bound_samples"})
    term_names = ("reconstruction", "standard_prior", "conditional_prior", "cluster_prior")

    def __init__(self, config: Mapping[str, Any], plan: Plan, seed: int = 0) -> None:
        import keras

        super().__init__(config, plan, seed)
        shape = (self.n_clusters, self.latent_size)
        self.weight_logits = keras.Variable(np.zeros(self.n_clusters, "float32"), name="weights")
        self.means = keras.Variable(np.zeros(shape, "float32"), name="means")
        # bounded by 10 tanh(x / 10), so that no variance leaves e^-10 .. e^10
        self.free_log_variances = keras.Variable(np.zeros(shape, "float32"), name="log_variances")
        self._begun = keras.Variable(0.0, trainable=False, name="begun")
        self.kl_weight = keras.Variable(0.0, trainable=False, name="kl_weight")
        self.scheduled = {"kl_weight": self.kl_weight}
        self.first_clusters: np.ndarray | None = None

    @classmethod
    def check(cls, config: Mapping[str, Any], plan: Plan) -> Sequence[tuple[str, str, str]]:
        """Check the bottleneck, and that the start has a row for each cluster."""
        found = list(super().check(config, plan))
        clusters, sample = config["n_clusters"], config["start_sample"]
        if isinstance(clusters, int) and sample and sample < clusters:
            message = f"{clusters} clusters cannot start from {sample} rows"
            advice = f"write at least {clusters}, better a hundred times that; null: all rows"
            found.append(("start_sample", message, advice))
        if sample and config["start_epochs"]:
            message = "start_epochs needs a cluster for every row, and start_sample looks at some"
            found.append(("start_sample", message, "write start_sample: null, or start_epochs: 0"))
        return found

    @classmethod
    def scratch_problem(cls, config: Mapping[str, Any]) -> str | None:
        """Return advice for a spec without gamma-training, whose start needs trained latents."""
        if config["gamma_training"]:
            return None
        return (
            "the gmm head starts from a network that is trained: pretrain it (--pretrain 50 "
            "--cluster 50), or add gamma-training "
            "(--set 'head.gamma_training={weight: 5e-4, length: 50}')"
        )

    @property
    def warmup(self) -> Mapping[str, Any] | None:
        """The section ``gamma_training``."""
        found: Mapping[str, Any] | None = self.config["gamma_training"]
        return found

    @property
    def variables(self) -> list[Any]:
        """The mixture, ``(cluster, ...)``, and the variables that set its weight in the loss."""
        mixture = [self.weight_logits, self.means, self.free_log_variances]
        return [*mixture, self._begun, self.kl_weight, *super().variables]

    @property
    def log_weights(self) -> Any:
        """``log π``, ``(cluster,)``: a log-softmax, so that π stays a distribution."""
        from keras import ops

        return ops.log_softmax(self.weight_logits)

    @property
    def log_variances(self) -> Any:
        """``log s``, ``(cluster, latent)``, within +-10."""
        return objectives.bounded_log_variance(self.free_log_variances)

    def initialise(self, codes: np.ndarray) -> None:
        """Fit the mixture to the latents: clusters by ``start``, their moments, no labels."""
        mixture = mixture_of(
            codes, self.n_clusters, self.config["start"], self.seed, self.config["start_sample"]
        )
        least = _LEAST_VARIANCE * (spread(codes) + 1e-12)
        variances = np.maximum(mixture.variances, least)
        self.weight_logits.assign(np.log(mixture.weights))
        self.means.assign(mixture.means)
        self.free_log_variances.assign(objectives.unbounded_log_variance(np.log(variances)))
        self._begun.assign(1.0)
        self.first_clusters = mixture.clusters

    @property
    def refresh_epochs(self) -> int:
        """Epochs until ``q(cluster | row)`` is no longer fixed to the start's clusters."""
        return max(int(self.config["start_epochs"]), 1)

    def refresh(self, codes: np.ndarray) -> dict[str, np.ndarray]:
        """Return the start's clusters, ``(n, cluster)``, while ``start_epochs`` last."""
        first, self.first_clusters = self.first_clusters, None
        if first is None or not self.config["start_epochs"]:
            return {}
        return {"start": one_hot(first, self.n_clusters)}

    def draw(self, encoding: Encoding) -> Any:
        """Draw from ``q(z | x)``; return the mean in gamma-training."""
        return self.sampled(encoding, scale=self._begun)

    def loss_terms(self, batch: Batch) -> dict[str, Any]:
        """Return the weighted parts of the negative bound, each a mean over the batch."""
        from keras import ops

        mean, log_variance = batch.encoding.mean, batch.encoding.log_variance
        standard = ops.mean(objectives.standard_gaussian_divergence(mean, log_variance))
        divergences = objectives.component_divergences(
            mean, log_variance, self.means, self.log_variances
        )
        log_assignment = self._log_assignment(batch, divergences)
        conditional = ops.mean(objectives.expected_divergence(log_assignment, divergences))
        cluster = ops.mean(objectives.categorical_divergence(log_assignment, self.log_weights))
        gamma = (self.warmup or {}).get("weight", 0.0) * (1.0 - self._begun)
        weight = self.kl_weight * self._begun
        return {
            **self.reconstruction_term(batch),
            "standard_prior": gamma * standard,
            "conditional_prior": weight * conditional,
            "cluster_prior": weight * cluster,
        }

    def evidence(self, network: Network, inputs: Any, draws: int, present: Any = None) -> Evidence:
        """Return the weights of draws; the sum over the components is exact."""
        from keras import ops

        encoding = network.encode(inputs)
        latent = self.sampled(encoding, draws=draws)
        log_q = objectives.gaussian_log_density(
            latent,
            self.repeated(encoding.mean, draws),
            self.repeated(encoding.log_variance, draws),
        )
        log_prior = ops.logsumexp(self._log_joints(latent), axis=1)
        decoded = network.decode(latent)
        return self.evidence_of(decoded, log_q - log_prior, inputs, draws, present)

    def assign(self, codes: Any) -> Any:
        """Return ``p(k | z)`` at the mean of ``q(z | x)``, ``(batch, cluster)``."""
        from keras import ops

        return ops.exp(objectives.log_responsibilities(self._log_joints(codes)))

    @property
    def is_initialised(self) -> bool:
        """True if the mixture is fitted, as it is after gamma-training."""
        return bool(to_numpy(self._begun) > 0)

    def components(self) -> tuple[np.ndarray, np.ndarray]:
        """Return means and variances ``(cluster, latent)`` of the prior."""
        return to_numpy(self.means), np.exp(to_numpy(self.log_variances))

    def sample_latents(self, per_cluster: int, rng: np.random.Generator) -> np.ndarray:
        """Draw ``(cluster, per_cluster, latent)`` from ``p(z | k)``."""
        means, variances = self.components()
        noise = rng.standard_normal((self.n_clusters, per_cluster, self.latent_size))
        drawn: np.ndarray = means[:, None] + np.sqrt(variances)[:, None] * noise
        return drawn.astype("float32")

    def arrays(self) -> dict[str, np.ndarray]:
        """Return the free parameters: ``weight_logits``, ``means``, ``free_log_variances``."""
        return {name: to_numpy(getattr(self, name)) for name in self._learned}

    def restore(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Restore the state that ``arrays`` returned."""
        for name in self._learned:
            getattr(self, name).assign(arrays[name])
        self._begun.assign(1.0)

    _learned: ClassVar[Sequence[str]] = ("weight_logits", "means", "free_log_variances")

    def _log_joints(self, latent: Any) -> Any:
        return objectives.component_log_joints(
            latent, self.log_weights, self.means, self.log_variances
        )

    def _log_assignment(self, batch: Batch, divergences: Any) -> Any:
        from keras import ops

        if "start" in batch.targets:  # the bound holds for any q; the floor is for the logarithm
            return ops.log(ops.maximum(batch.targets["start"], 1e-30))
        kind = self.config["responsibilities"]
        if kind == "tightest":
            return objectives.tightest_log_responsibilities(self.log_weights, divergences)
        if kind == "inverse_min_max":
            # at the mean, as in the original
            return objectives.inverse_min_max_log_responsibilities(
                self._log_joints(batch.encoding.mean)
            )
        return objectives.log_responsibilities(self._log_joints(batch.latent))
