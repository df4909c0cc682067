"""``messages``: a VAE that exchanges messages with the modules above it (Serket).

The bottleneck's forward message, ``z`` of every row, is the data of the first module, whose own
forward message is the data of the next. The backward message of the first module is the expected
``z`` of every row, the mean of its prior in the next round of training. The loss, a mean over the
batch, is

    reconstruction_weight · E_q(z|x) [-log p(x | z)]              "reconstruction"
    + alpha · KL( q(z|x) || N(message, I) )                       "message_prior"

with the message 0 in the first round. A round is ``train.epochs`` (or ``cluster.epochs``) of that,
and then one update of each module. Source: Nakamura, Nagai and Taniguchi, "SERKET", Frontiers in
Neurorobotics 12:25, 2018, and the project's VAE module.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, cast

import numpy as np

from archbuild import objectives
from archbuild.heads.base import N_CLUSTERS
from archbuild.heads.batch import Batch
from archbuild.heads.generative import RECONSTRUCTION_WEIGHT, GenerativeHead
from archbuild.heads.message_files import write_learned, write_recognised
from archbuild.heads.records import NewRows, TrainedRows, Update
from archbuild.io.arrays import of_shape, prefixed, unprefixed
from archbuild.modules.classes import ClassModule
from archbuild.modules.gmm import GMM
from archbuild.modules.markov import Markov
from archbuild.modules.module import Module
from archbuild.modules.multinomial import Multinomial
from archbuild.modules.observation import Observation
from archbuild.spec.fields import boolean, choice, entries, integer, number

if TYPE_CHECKING:
    from archbuild.networks.network import Encoding
    from archbuild.spec.plan import Plan

MODULES: Mapping[str, type[GMM | Multinomial | Markov]] = {
    GMM.name: GMM,
    Multinomial.name: Multinomial,
    Markov.name: Markov,
}
"""The modules that may stand above the network, by their ``type`` in a spec."""

MESSAGES = ("sample", "mean")
ALPHA = number(
    "alpha", "Weight of the divergence from the message of the module above.", default=1.0
)
MESSAGE = choice(
    "message",
    MESSAGES,
    "Forward message of the network: a draw of q(z | row) for each row, as in Serket, or its mean.",
    default="sample",
)
WARM_START = boolean(
    "warm_start",
    "Whether the network keeps its weights from round to round, or begins anew in each.",
    default=True,
)
PRIOR = "prior_mean"
"""The target that holds the message from above, ``(n, latent)``."""
_RECEIVED = ".heard"
"""Ending of a received message's key in a checkpoint. Renaming it would close older checkpoints."""


class MessagesHead(GenerativeHead):
    """A chain of modules above the bottleneck; the first one's classes are the clusters."""

    name: ClassVar[str] = "messages"
    summary: ClassVar[str] = "modules that learn by exchanging messages with the VAE (Serket)"
    length_key: ClassVar[str] = "head.rounds"
    passing_fields: ClassVar[frozenset[str]] = frozenset({"text_files"})
    fields = (
        N_CLUSTERS,
        entries(
            "modules",
            MODULES.values(),
            "Modules above the network, from below; each learns from the forward message of the "
            "one before it. The first is a gmm.",
            noun="module",
            maximum=20,
            default=[{"type": GMM.name}],
        ),
        integer("rounds", "Number of times that network and modules learn in turn.", default=5),
        ALPHA,
        MESSAGE,
        WARM_START,
        boolean(
            "text_files",
            "Whether the messages are also written as text, under Serket's file names, with every "
            "number of every reconstructed row.",
            default=False,
        ),
        RECONSTRUCTION_WEIGHT,
    )
    term_names = ("reconstruction", "message_prior")

    def __init__(self, config: Mapping[str, Any], plan: Plan, seed: int = 0) -> None:
        super().__init__(config, plan, seed)
        self.latents = Observation(np.zeros((1, plan.latent_size), "float32"))
        self.modules = self._chain()
        self.classes: list[np.ndarray] = []
        """Classes of the training rows, ``(n,)`` after each round."""
        self.first_message: np.ndarray | None = None
        self._updated = False

    def _chain(self) -> Sequence[ClassModule]:
        below: Module = self.latents
        modules: list[ClassModule] = []
        for entry in self.config["modules"]:
            settings = {key: value for key, value in entry.items() if key != "type"}
            module = MODULES[entry["type"]](self.n_clusters, seed=self.seed, **settings)
            module.connect(below)
            modules.append(module)
            below = module
        return modules

    @classmethod
    def check(cls, config: Mapping[str, Any], plan: Plan) -> Sequence[tuple[str, str, str]]:
        """Check the bottleneck, and that the first module can learn from latents."""
        found = list(super().check(config, plan))
        first = config["modules"][0]["type"]
        if first != GMM.name:
            message = f"the data of the first module are latents, and {first} needs probabilities"
            found.append(("modules", message, "begin the list with {type: gmm}"))
        return found

    @classmethod
    def scratch_problem(cls, config: Mapping[str, Any]) -> str | None:
        """Return ``None``: the head is made for training from scratch."""
        return None

    @property
    def rounds(self) -> int:
        """Number of times that network and modules learn in turn."""
        return int(self.config["rounds"])

    @property
    def warm_start(self) -> bool:
        """The field ``warm_start``."""
        return bool(self.config["warm_start"])

    @property
    def mixture(self) -> GMM:
        """The first module."""
        return cast(GMM, self.modules[0])  # ``check`` refuses any other

    @property
    def is_initialised(self) -> bool:
        """True if the modules have learned once: not in the first round from scratch."""
        return self.mixture.mixture is not None

    def code(self, encoding: Encoding) -> Any:
        """Return ``[z | log-variance]`` of each row, ``z`` at its mean."""
        return mean_and_log_variance(encoding)

    def draw(self, encoding: Encoding) -> Any:
        """Return a sample of ``q(z | x)``."""
        return self.sampled(encoding)

    def initialise(self, codes: np.ndarray) -> None:
        """Update the modules for the first time."""
        self._update(codes)
        self._updated = True

    def refresh(self, codes: np.ndarray) -> dict[str, np.ndarray]:
        """Update the modules; return the expected ``z`` of each row, ``(n, latent)``."""
        if not self._updated:
            self._update(codes)
        self._updated = False
        message: Any = self.latents.backward_message
        return {PRIOR: message.astype("float32")}

    def _update(self, codes: np.ndarray) -> None:
        self.latents.observe(self._message(codes))
        for module in self.modules:
            module.update()
        self.classes.append(self.mixture.forward_message.argmax(axis=1).astype("int32"))
        if self.first_message is None:
            self.first_message = self.latents.forward_message

    def _message(self, codes: np.ndarray) -> np.ndarray:
        """Return the forward message: the means while the variances are untrained."""
        mean, log_variance = np.split(codes, 2, axis=1)
        untrained = self.refines and not self.classes
        if self.config["message"] == "mean" or untrained:
            return mean
        rng = np.random.default_rng([self.seed, len(self.classes)])
        return sampled_message(mean, log_variance, rng)

    def loss_terms(self, batch: Batch) -> dict[str, Any]:
        """Return the two terms, weighted."""
        return {
            **self.reconstruction_term(batch),
            "message_prior": self.config["alpha"] * message_divergence(batch),
        }

    def assign(self, codes: Any) -> Any:
        """Return ``P(class | z)`` of the first module at the mean of ``q(z | x)``."""
        return self.mixture.probabilities(codes[:, : self.latent_size])

    def figures(self) -> Sequence[str]:
        """Return the pictures of every prior, and one of the latents before and after."""
        return (*super().figures(), "exchange") if self.is_initialised else ()

    def updates(self) -> Sequence[Update]:
        """Return the first update of the modules, and the last if it is another."""
        if self.first_message is None:
            return ()
        drawn = self.config["message"] == "sample"
        updates = [Update(1, self.first_message, self.classes[0], drawn)]
        if len(self.classes) > 1:
            latents = self.latents.forward_message
            updates.append(Update(len(self.classes), latents, self.classes[-1], drawn))
        return updates

    @property
    def writes_files(self) -> bool:
        """True if the messages are also written as text."""
        return bool(self.config["text_files"])

    def write_trained(self, rows: TrainedRows, folder: Path) -> Sequence[Path]:
        """Write the messages of the training rows as they were after the last round."""
        return write_learned(self.modules, self.latents.forward_message, rows, folder)

    def write_new(self, rows: NewRows, folder: Path) -> Sequence[Path]:
        """Write what every module recognises in new rows."""
        return write_recognised(self.modules, rows, folder)

    def components(self) -> tuple[np.ndarray, np.ndarray]:
        """Return means and variances ``(cluster, latent)`` of the classes."""
        mixture = self.mixture.learned_mixture
        variances = np.diagonal(mixture.covariances(), axis1=1, axis2=2)
        return mixture.means.astype("float32"), variances.astype("float32")

    def sample_latents(self, per_cluster: int, rng: np.random.Generator) -> np.ndarray:
        """Draw ``(cluster, per_cluster, latent)`` from Gaussians with the classes' moments."""
        mixture = self.mixture.learned_mixture
        roots = np.linalg.cholesky(mixture.covariances())
        noise = rng.standard_normal((self.n_clusters, per_cluster, self.latent_size))
        drawn = mixture.means[:, None] + np.einsum("kij,kcj->kci", roots, noise)
        latents: np.ndarray = drawn.astype("float32")
        return latents

    def arrays(self) -> dict[str, np.ndarray]:
        """Return every module's state (``0.means``), the classes of each round, the messages."""
        if self.first_message is None:
            return {}
        found: dict[str, np.ndarray] = {}
        for index, module in enumerate(self.modules):
            found |= prefixed(f"{index}.", module.arrays())
        return found | {
            "classes": np.stack(self.classes),
            "first_message": self.first_message,
            "message": self.latents.forward_message,
        }

    def restore(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Restore the state that ``arrays`` returned."""
        if not arrays:
            return
        classes = of_shape(arrays, "classes", None, None)
        for index, module in enumerate(self.modules):
            module.restore(unprefixed(f"{index}.", arrays))
            module.rounds = len(classes)
        self.classes = list(classes)
        rows = classes.shape[1]
        self.first_message = of_shape(arrays, "first_message", rows, self.latent_size)
        self.latents.observe(of_shape(arrays, "message", rows, self.latent_size))

    @property
    def memory(self) -> Mapping[str, np.ndarray]:
        """The learned state, and the message that each module received from the one above it."""
        received = {
            f"{index}{_RECEIVED}": message
            for index, module in enumerate(self.modules)
            for message in module.received.values()  # in a chain there is one above, or none
        }
        return self.arrays() | received

    def remember(self, memory: Mapping[str, np.ndarray]) -> None:
        """Restore the state that ``memory`` returned."""
        self.restore({name: array for name, array in memory.items() if _RECEIVED not in name})
        for index, (module, above) in enumerate(pairwise(self.modules)):
            if f"{index}{_RECEIVED}" in memory:
                module.receive(above, memory[f"{index}{_RECEIVED}"])


def mean_and_log_variance(encoding: Encoding) -> Any:
    """Return both side by side, ``(batch, 2 * latent)``: a message needs nothing else."""
    from keras import ops

    return ops.concatenate([encoding.mean, encoding.log_variance], axis=1)


def message_divergence(batch: Batch) -> Any:
    """Compute the batch mean of ``KL( q(z|x) || N(message, I) )``; the default message is 0."""
    from keras import ops

    mean, log_variance = batch.encoding.mean, batch.encoding.log_variance
    expected = batch.targets.get(PRIOR, ops.zeros_like(mean))
    return ops.mean(
        objectives.gaussian_divergence(mean, log_variance, expected, ops.zeros_like(mean))
    )


def sampled_message(
    mean: np.ndarray, log_variance: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Draw from ``q(z | x)`` once for every row, ``(n, latent)``."""
    noise = rng.standard_normal(mean.shape)
    drawn: np.ndarray = (mean + np.exp(0.5 * log_variance) * noise).astype("float32")
    return drawn
