"""The contract of a head: its loss, its state between epochs, and its answer for each row."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import fields
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from archbuild.errors import UsageError
from archbuild.evaluation.collapse import Occupancy
from archbuild.heads.batch import Batch, Forward, autoencode, reconstruction_loss
from archbuild.heads.records import Evidence, NewRows, TrainedRows, Update
from archbuild.networks.rows import by_rows, to_numpy
from archbuild.spec.fields import implicit, integer, number
from archbuild.spec.vocabulary import HeadType

if TYPE_CHECKING:
    from archbuild.networks.network import Encoding, Network, Reconstruction
    from archbuild.spec.plan import Plan

AUTO = "auto"
"""Stands for the number of clusters that ``archbuild suggest-k`` suggests."""
N_CLUSTERS = integer(
    "n_clusters",
    "Number of clusters; null: as many as the dataset declares classes; auto: as many as the "
    "pretrained latents suggest.",
    minimum=1,
    maximum=10_000,
    word=AUTO,
    default=None,
)
BOUND_SAMPLES = implicit(
    integer(
        "bound_samples",
        "Draws of each row for the bound on its likelihood that --metrics reports; 0: none.",
        minimum=0,
        maximum=1_000_000,
        default=0,
    )
)
REFRESH = integer(
    "refresh", "Epochs between two full passes over the rows (targets, centres).", default=1
)
TOLERANCE = number(
    "tolerance",
    "Fraction of rows: the stage ends when fewer change their cluster in an epoch; 0: never.",
    maximum=1.0,
    default=0.001,
)
RECONSTRUCTION_WEIGHT = number(
    "reconstruction_weight",
    "Weight of the reconstruction term; 0 does not train the decoder.",
    default=1.0,
)
HISTORY_COLUMNS = frozenset(
    {"epoch", "loss", "weight_decay", "learning_rate", "validation_error"}
    | {each.name for each in fields(Occupancy)}
)
"""The columns of a stage's history that are no terms of a head; no term may have their names."""


class Head(HeadType):
    """A clustering head in use.

    Between epochs a row is represented by its *code*: the latent, followed by everything else that
    the row's cluster depends on (``code``).

    Args:
        config: every field of the head's type, ``n_clusters`` resolved to a number.
        plan: of the network that the head works on.
        seed: random seed of the head's draws and of the first weights of its own networks.
    """

    term_names: tuple[str, ...]
    """Of the type; ``__init__`` sets them where they depend on the network."""
    monitored_names: tuple[str, ...] = ()
    """Values of ``loss_terms`` that are logged and are no part of the loss."""
    refines: bool = False
    """True if training starts from a pretrained network, whose variances are untrained."""
    generates: ClassVar[bool] = False
    """True if it has a generative process: ``sample_latents``, ``components``."""
    latent_names: tuple[str, ...] = ()
    """Of the levels that ``sample_level`` varies, bottom first; none where there is one level."""
    watches_rows: ClassVar[bool] = True
    """False if the head learns from batches alone: between epochs it sees no rows, is not
    initialised from them, and their assignment is not followed."""
    compiles: ClassVar[bool] = True
    """False if XLA cannot compile ``forward`` and ``loss_terms``."""
    learns: ClassVar[bool] = True
    """False if ``initialise`` finds all there is: its stage has no epochs, and trains nothing."""
    views: int = 0
    """Augmented views of all rows that ``refresh`` reads beside the rows: its codes are then
    ``(1 + views, n, code)``, and the first are those of the rows as they are."""
    draws: int = 0
    """Samples of a row's latent in ``draw``; 0: the mean, and no variance is trained."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        names = {*getattr(cls, "term_names", ()), *cls.monitored_names}
        if taken := sorted(names & HISTORY_COLUMNS):
            raise TypeError(
                f"{cls.__name__} names terms of its loss like columns of every stage's history: "
                f"{', '.join(taken)}; rename them in term_names or monitored_names"
            )

    def __init__(self, config: Mapping[str, Any], plan: Plan, seed: int = 0) -> None:
        self.config = config
        self.answers = self.answers_under(plan.spec.supervision is not None)
        self.n_clusters: int = config.get("n_clusters", 0)
        self.latent_size = plan.latent_size
        self.reconstruction = plan.spec.reconstruction
        self.seed = seed
        self.scheduled: dict[str, Any] = {}
        """Variables that a schedule in ``config`` sets before every step, by field."""
        self.networks = self._built_parts(plan)
        """The head's own small networks, by the names of its ``parts``."""

    def _built_parts(self, plan: Plan) -> dict[str, Any]:
        parts = self.parts(self.config, plan)
        if not parts:
            return {}
        from archbuild.networks.parts import build_parts

        return build_parts(parts, np.random.default_rng([self.seed, len(self.name)]))

    @property
    def part_variables(self) -> list[Any]:
        """The variables of the head's own networks."""
        return [variable for each in self.networks.values() for variable in each.variables]

    def part_arrays(self) -> dict[str, np.ndarray]:
        """Return the weights of the head's own networks: ``NAME.0``, ``NAME.1``, and so on."""
        return {
            f"{name}.{index}": to_numpy(variable)
            for name, each in self.networks.items()
            for index, variable in enumerate(each.variables)
        }

    def restore_parts(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Restore the weights that ``part_arrays`` returned."""
        for name, each in self.networks.items():
            for index, variable in enumerate(each.variables):
                variable.assign(arrays[f"{name}.{index}"])

    @classmethod
    def scratch_problem(cls, config: Mapping[str, Any]) -> str | None:
        """Return why the head cannot train from scratch, and what to do; ``None`` if it can."""
        return (
            f"the {cls.name} head refines a network that is pretrained; ask for --pretrain 50 "
            "--cluster 20 in place of --train"
        )

    @property
    @abstractmethod
    def variables(self) -> list[Any]:
        """The head's own Keras variables, trained or not."""

    @property
    def n_parameters(self) -> int:
        """Number of values in ``variables``, trained or not."""
        return sum(prod(variable.shape) for variable in self.variables)

    @property
    def trains_decoder(self) -> bool:
        """True if the decoder is part of the loss."""
        return bool(self.config["reconstruction_weight"] > 0)

    @property
    def tolerance(self) -> float:
        """Share of rows that change cluster in an epoch below which the stage ends; 0: never."""
        return float(self.config.get("tolerance", 0.0))

    @property
    def warmup(self) -> Mapping[str, Any] | None:
        """The training from scratch before ``initialise``: its ``length`` and ``unit``."""
        return None

    @property
    def rounds(self) -> int | None:
        """Number of times that the stage's epochs run, with a full pass after each.

        ``None``: once, with a full pass every ``refresh_epochs``.
        """
        return None

    @property
    def warm_start(self) -> bool:
        """True if a round starts from the weights of the one before it."""
        return True

    @property
    def memory(self) -> Mapping[str, np.ndarray]:
        """State beside ``variables`` that an interrupted stage needs to resume."""
        return {}

    def remember(self, memory: Mapping[str, np.ndarray]) -> None:
        """Restore the state that ``memory`` returned."""

    @property
    def refresh_epochs(self) -> int:
        """Epochs between two full passes over the rows."""
        return int(self.config.get("refresh", 1))

    @property
    def is_initialised(self) -> bool:
        """True if ``initialise`` has set the head's first state, if it has one."""
        return True

    def code(self, encoding: Encoding) -> Any:
        """Return the code of each row, ``(batch, code)``, which begins with the latent."""
        return encoding.mean

    def draw(self, encoding: Encoding) -> Any:
        """Return the decoder's input in training, ``(draws * batch, latent)``: the mean."""
        return encoding.mean

    def forward(self, network: Network, inputs: Any, training: bool) -> Forward:
        """Pass a batch ``(batch, *input_shape)`` through the network: encode, draw once, decode.

        A head with a hierarchy of latents, an auxiliary variable or a sum over classes overrides it
        and passes further tensors to ``loss_terms`` in ``Forward.extras``.
        """
        return autoencode(network, inputs, self.draw, training)

    @abstractmethod
    def initialise(self, codes: np.ndarray) -> None:
        """Set the variables from the present codes ``(n, code)`` of all rows.

        Large codes are a memory map, here and in ``refresh``: ``data.spill.parts_of`` goes through
        them, ``heads/targets.py`` and ``clustering/moments.py`` have what most heads compute.
        """

    def refresh(self, codes: np.ndarray) -> dict[str, np.ndarray]:
        """Update what changes between epochs from all codes ``(n, code)``.

        Returns:
            Arrays with one row for each row of the data, constant until the next call; the rows of
            a batch become ``Batch.targets``.
        """
        return {}

    @abstractmethod
    def loss_terms(self, batch: Batch) -> dict[str, Any]:
        """Return the weighted terms of the loss by name: scalars whose sum is minimised.

        The values of ``monitored_names`` come with them; they are logged and drawn only.
        """

    def assign(self, codes: Any) -> Any:
        """Return ``(batch, n_clusters)`` probabilities for codes ``(batch, code)``, tensors both.

        A head with several ``labels_per_row`` returns ``(batch, labels, n_clusters)``.

        A row's answer never depends on chance or on the other rows. Codes may be symbolic; the
        graph then contains the present values of the variables. A head whose ``answers`` is
        ``nothing`` does not implement it.
        """
        raise NotImplementedError(f"the {self.name} head answers '{self.answers}' without assign()")

    def assignments(self, codes: np.ndarray) -> np.ndarray:
        """Return the probabilities for any number of codes ``(n, code)``, as NumPy."""
        return by_rows(self.assign, codes)

    @abstractmethod
    def arrays(self) -> dict[str, np.ndarray]:
        """Return the learned state, for ``head.npz``."""

    @abstractmethod
    def restore(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Restore the state that ``arrays`` returned."""

    # -- reconstruction and evidence -------------------------------------------------------

    def reconstruct(self, network: Network, inputs: Any) -> Reconstruction:
        """Return what the decoder makes of rows ``(batch, *input_shape)`` without chance."""
        encoding = network.encode(inputs)
        return network.decode(encoding.mean, encoding.switches)

    def evidence(self, network: Network, inputs: Any, draws: int, present: Any = None) -> Evidence:
        """Draw ``q(z | x)`` of rows ``(batch, *input_shape)``, for a bound on ``log p(x)``.

        Only heads with the field ``bound_samples`` have one.

        Args:
            network: with inference statistics.
            inputs: the rows.
            draws: number of draws of each row.
            present: as ``Batch.present``.
        """
        raise NotImplementedError(f"the {self.name} head bounds no likelihood")

    # -- figures, files and generation ----------------------------------------------------

    def centres(self) -> np.ndarray | None:
        """Return one point for each cluster, ``(cluster, latent)``; ``None`` without centres."""
        return None

    def figures(self) -> Sequence[str]:
        """Return the kinds of pictures (``figures/``) that this head has beside the common ones."""
        return ()

    def updates(self) -> Sequence[Update]:
        """Return the first and the last update of the modules above the network, if any."""
        return ()

    @property
    def writes_files(self) -> bool:
        """True if ``write_trained`` writes any files."""
        return False

    def write_trained(self, rows: TrainedRows, folder: Path) -> Sequence[Path]:
        """Write further files about the training rows into ``folder``; return their paths."""
        return ()

    def write_new(self, rows: NewRows, folder: Path) -> Sequence[Path]:
        """Write further files about new rows into ``folder``; return their paths.

        Raises:
            UsageError: the head has no such files.
        """
        raise UsageError(
            f"the {self.name} head exchanges no messages; leave --messages out, or choose a run of "
            "the messages head"
        )

    def components(self) -> tuple[np.ndarray, np.ndarray]:
        """Return means and variances of the prior's components, ``(cluster, latent)`` each.

        Only heads that set ``generates`` have them.
        """
        raise NotImplementedError(f"the {self.name} head has no generative process")

    def sample_latents(self, per_cluster: int, rng: np.random.Generator) -> np.ndarray:
        """Draw ``(cluster, per_cluster, latent)`` float32 from each cluster's prior.

        Only heads that set ``generates`` have one.
        """
        raise NotImplementedError(f"the {self.name} head has no generative process")

    def sample_rows(
        self, network: Network, per_cluster: int, rng: np.random.Generator
    ) -> np.ndarray:
        """Draw ``(cluster, per_cluster, *input_shape)`` rows, in the scale of the network's input.

        The rows are the means of ``p(x | z)`` at draws of ``sample_latents``, channels last.
        """
        latents = self.sample_latents(per_cluster, rng)
        rows = network.decode_rows(latents.reshape(-1, latents.shape[-1]))
        return rows.reshape(*latents.shape[:2], *rows.shape[1:])

    def sample_level(
        self, network: Network, level: int, per_cluster: int, rng: np.random.Generator
    ) -> np.ndarray:
        """Draw ``(cluster, per_cluster, *input_shape)`` rows in which one level of latents varies.

        The level is drawn from its prior; those above it are at the means of their priors, those
        below it at their means given what is above. Only heads with ``latent_names`` have levels.

        Args:
            network: with inference statistics.
            level: counted from 1 at the bottom, at most the number of ``latent_names``.
            per_cluster: number of rows for each cluster or class; a head without any has one.
            rng: of the draws.
        """
        raise NotImplementedError(f"the {self.name} head has one level of latents")

    def _reconstruction_term(self, batch: Batch) -> dict[str, Any]:
        if not self.trains_decoder:
            return {}
        loss = reconstruction_loss(
            self.reconstruction, batch.inputs, batch.reconstruction, batch.present
        )
        return {"reconstruction": self.config["reconstruction_weight"] * loss}
