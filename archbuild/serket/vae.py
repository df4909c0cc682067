"""``VAE``: any spec with a Gaussian bottleneck, or the network of Serket's ``VAE``, as a module.

The forward message is ``z`` of every row, ``(n, J)``; the backward message is its decoding, in the
units of the data. A backward message from above, ``(n, J)``, is the mean of each row's prior.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from numbers import Integral
from os import PathLike
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np

from archbuild.data.arrays import dataset_from_arrays
from archbuild.data.scaling import Scaler
from archbuild.errors import UsageError
from archbuild.heads.messages import (
    MESSAGES,
    PRIOR,
    mean_and_log_variance,
    sampled_message,
)
from archbuild.io.arrays import prefixed, unprefixed
from archbuild.modules.checks import one_of
from archbuild.modules.module import Learned
from archbuild.modules.texts import VAE_NAME
from archbuild.networks.rows import to_numpy
from archbuild.registry import default_vocabulary
from archbuild.serket.files import FileModule, refuse_given
from archbuild.serket.objective import MessagePrior
from archbuild.serket.original import OriginalNetwork, original_network
from archbuild.spec import Plan, Spec, make_plan, spec_of

if TYPE_CHECKING:
    from archbuild.networks.network import Network
    from archbuild.training.feed import Feed
    from archbuild.training.stage import StageTrainer

_SCALING = "scaling_"
_NOT_SERKET = "only Serket's VAE(18, ...) takes it; give epochs, alpha or the spec"


class _Trained(NamedTuple):
    """A network and what belongs to it.

    Attributes:
        network: the autoencoder.
        objective: what it is trained with.
        read: from rows as the network takes them to means and log-variances, ``(n, 2 * J)``.
    """

    network: Network
    objective: MessagePrior
    read: Callable[[np.ndarray], np.ndarray]


class VAE(FileModule):
    """A variational autoencoder whose prior is ``N(message, I)``, row by row.

    ``VAE(18, itr=200, batch_size=500)`` is Serket's own: a number of latent dimensions in place of
    a spec means the network of ``original.py``, and each update writes the files of
    ``files.py``. Its arguments are those from ``weight_stddev`` to ``mode``; with a spec all of
    them but ``batch_size`` are refused, as ``epochs`` and ``alpha`` are without one.

    Args:
        arch: a spec: a file, ``file:name``, the name of a shipped one, or what a file would hold;
            or a number of latent dimensions.
        weight_stddev: standard deviation of the first weights; ``None``: Serket's 0.1.
        itr: passes through the data in each update; ``None``: Serket's 5,000.
        name: end of the folder's name; ``None``: ``vae``.
        hidden_encoder_dim: units of the encoder's hidden layer; ``None``: Serket's 100.
        hidden_decoder_dim: units of the decoder's hidden layer; ``None``: Serket's 100.
        batch_size: rows of a step; ``None``: the spec's, or all rows as in Serket.
        KL_param: weight of the divergence from the prior; ``None``: Serket's 1.
        mode: ``learn`` (the default), or ``recog``: encode the data by the model in the folder.
        epochs: number of every update; ``None``: the spec's ``train.epochs``.
        alpha: weight of the divergence from the prior; ``None``: 1.
        message: the forward message while learning: ``sample``, a draw of ``q(z | row)``, as in
            Serket, or ``mean``. On new rows it is always the mean.
        warm_start: whether an update starts from the weights of the one before.
        overrides: changes of the spec, as ``--set`` takes them.
        seed: random seed.

    Raises:
        SpecError: the spec has problems; all of them are named.
        UsageError: its bottleneck is not Gaussian, an argument is invalid or belongs to the other
            way of making a ``VAE``, or a subclass has ``build_encoder`` or ``build_decoder``.
    """

    name: ClassVar[str] = VAE_NAME
    _original: OriginalNetwork | None = None
    _trained: _Trained | None = None
    _trainer: StageTrainer | None = None
    _scaler: Scaler | None = None

    def __init__(
        self,
        arch: str | PathLike[str] | Mapping[str, Any] | int,
        weight_stddev: float | None = None,
        itr: int | None = None,
        name: str | None = None,
        hidden_encoder_dim: int | None = None,
        hidden_decoder_dim: int | None = None,
        batch_size: int | None = None,
        KL_param: float | None = None,
        mode: str | None = None,
        *,
        epochs: int | None = None,
        alpha: float | None = None,
        message: str = "sample",
        warm_start: bool = True,
        overrides: Sequence[str] = (),
        seed: int = 0,
    ) -> None:
        super().__init__()
        self._refuse_own_layers()
        network = {
            "weight_stddev": weight_stddev,
            "itr": itr,
            "hidden_encoder_dim": hidden_encoder_dim,
            "hidden_decoder_dim": hidden_decoder_dim,
        }
        if isinstance(arch, Integral):
            refuse_given({"epochs": epochs, "alpha": alpha}, "VAE(18, ...) takes itr and KL_param")
            self._original = original_network(int(arch), batch_size, network)
            self.write_files(name, mode)
        else:
            refuse_given({**network, "name": name, "KL_param": KL_param, "mode": mode}, _NOT_SERKET)
        settings = {"train.epochs": epochs, "train.batch_size": batch_size}
        given = [f"{key}={value}" for key, value in settings.items() if value is not None]
        self._arch, self._overrides = arch, [*overrides, *given]
        self.alpha = next((weight for weight in (alpha, KL_param) if weight is not None), 1.0)
        self.message = one_of("message", message, MESSAGES)
        self.warm_start, self.seed = warm_start, seed
        self.losses: list[float] = []
        if self._original is None:
            self._refuse_without_variance()

    @cached_property
    def spec(self) -> Spec:
        """The spec; that of Serket's own network depends on the data.

        Raises:
            UsageError: there are no data, as ``incoming`` says.
        """
        arch: Any = self._arch
        if self._original is not None:
            arch = self._original.spec(self.incoming().shape)
        return spec_of(arch, default_vocabulary(), overrides=self._overrides)

    @cached_property
    def plan(self) -> Plan:
        """The layers of the network, planned."""
        return make_plan(self.spec, default_vocabulary())

    def learn(self, data: np.ndarray) -> Learned:
        """Train for the spec's epochs on rows ``(n, ...)``."""
        feed = self._feed(data)
        trainer = self._training(feed)
        done = len(trainer.history)
        trainer.epochs = done + self.spec.tree["train"]["epochs"]
        if self.backward_message is not None:
            trainer.targets = {PRIOR: self.backward_message.astype("float32")}
        trainer.train()
        self.losses += [row["loss"] for row in trainer.history[done:]]
        trained = self._latest_network
        latents, log_variance = _encoded(trained, feed)
        if self.message == "sample":
            latents = sampled_message(latents, log_variance, self.generator())
        decoded = _decoded(trained, latents, feed, data.shape)
        return Learned(latents, decoded, {"z": latents, "x_hat": decoded})

    def recognise(self, data: np.ndarray) -> Learned:
        """Return ``z`` of new rows, at its mean.

        Raises:
            UsageError: nothing was learned.
        """
        trained = self._latest_network
        feed = self._feed(data)
        latents, _ = _encoded(trained, feed)
        decoded = _decoded(trained, latents, feed, data.shape)
        return Learned(latents, None, {"z": latents, "x_hat": decoded})

    def parameters(self) -> dict[str, np.ndarray]:
        """Return ``loss``: of every epoch so far, ``(epochs,)``."""
        return {"loss": np.array(self.losses)}

    @property
    def identity(self) -> dict[str, Any]:
        """The kind of module and the keys of the spec that decide the network, as JSON."""
        return {**super().identity, **{key: self.spec.tree[key] for key in self.spec.network_keys}}

    def arrays(self) -> dict[str, np.ndarray]:
        """Return weights, noise state, scaling and losses; empty before the first update."""
        if self._trained is None or self._scaler is None:
            return {}
        from archbuild.training.stage import named_variables

        variables = named_variables(self._trained.network, self._trained.objective)
        weights = {name: to_numpy(variable) for name, variable in variables}
        scaling = prefixed(_SCALING, self._scaler.to_arrays())
        return weights | scaling | {"losses": np.array(self.losses)}

    def restore(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Restore the state that ``arrays`` returned; the optimiser begins anew."""
        if not arrays:
            return
        from archbuild.training.stage import restore_variables

        trained = self._build()
        restore_variables(trained.network, trained.objective, arrays)
        self._scaler = Scaler.from_arrays(unprefixed(_SCALING, arrays))
        self.losses = arrays["losses"].tolist()

    @property
    def _latest_network(self) -> _Trained:
        if self._trained is None:
            raise self.refusal()
        return self._trained

    def _refuse_own_layers(self) -> None:
        own = [name for name in ("build_encoder", "build_decoder") if hasattr(self, name)]
        if own:
            raise UsageError(
                f"{type(self).__name__} builds its own layers ({own[0]}), which archbuild does not "
                "take; declare the encoder in a spec, VAE({...}) or VAE('file.yaml'), or set "
                "hidden_encoder_dim and hidden_decoder_dim"
            )

    def _refuse_without_variance(self) -> None:
        if self.plan.stochastic:
            return
        raise UsageError(
            f"the vae module needs a Gaussian bottleneck, and {self.spec.name} has none; end the "
            f"encoder with {{type: Gaussian, num_units: {self.plan.latent_size}}} in place of its "
            "last layer"
        )

    def _feed(self, data: np.ndarray) -> Feed:
        """Return rows as the network takes them; the first rows decide the scaling."""
        from archbuild.training.feed import Feed

        shape = self.spec.input_shape
        dataset = dataset_from_arrays("observation", data, input_shape=shape, least_rows=1)
        dataset = dataset.fitted_to(shape)
        self._scaler = self._scaler or Scaler.fit(dataset, self.spec.scaling)
        return Feed.of(dataset, self.spec, self._scaler)

    def _training(self, feed: Feed) -> StageTrainer:
        """Return the trainer of the updates before, or a new one."""
        trained = self._trained
        if trained is None or not self.warm_start:
            trained = self._build()
        trainer = self._trainer or self._new_trainer(trained, feed)
        if len(feed) != len(trainer.feed):
            raise UsageError(
                f"the vae module learned from {len(trainer.feed)} rows before, and now there "
                f"are {len(feed)}; connect a new module to other rows"
            )
        trainer.feed = feed
        self._trainer = trainer
        return trainer

    def _new_trainer(self, trained: _Trained, feed: Feed) -> StageTrainer:
        from archbuild.training.progress import log_event
        from archbuild.training.stage import StageTrainer

        return StageTrainer(
            self.name,
            self.spec.settings("train"),
            trained.network,
            trained.objective,
            feed,
            None,
            self.seed,
            log_event,
        )

    def _build(self) -> _Trained:
        """Build a network with its first weights, and drop the trainer of the one before."""
        from archbuild.networks.builder import build_network

        network = build_network(self.plan, default_vocabulary(), self.seed)
        if self._original is not None:
            self._original.draw_weights(network, self.seed)
        objective = MessagePrior(self.spec.reconstruction, self.alpha, self.seed)
        self._trained = _Trained(network, objective, network.reader(mean_and_log_variance))
        self._trainer = None
        return self._trained


def _encoded(trained: _Trained, feed: Feed) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and log-variance of ``q(z | row)``, ``(n, J)`` each."""
    from archbuild.training.encoding import encode

    mean, log_variance = np.split(encode(trained.read, feed), 2, axis=1)
    return mean, log_variance


def _decoded(
    trained: _Trained, latents: np.ndarray, feed: Feed, shape: tuple[int, ...]
) -> np.ndarray:
    """Decode latents, in the units and in the shape of the data."""
    rows = feed.scaler.undo(trained.network.decode_rows(latents))
    return rows.reshape(len(latents), *shape[1:])
