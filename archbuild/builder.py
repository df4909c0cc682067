"""Specs and their networks for those who write Python: ``load_spec`` and ``NetworkBuilder``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from os import PathLike, fspath
from typing import TYPE_CHECKING, Any, NamedTuple

from archbuild.environment import start_keras
from archbuild.errors import UsageError
from archbuild.heads import HEADS
from archbuild.registry import default_vocabulary
from archbuild.spec import Plan, Spec, make_plan, spec_from_tree, spec_of

if TYPE_CHECKING:
    import keras

    from archbuild.heads import Head
    from archbuild.networks.network import Network
    from archbuild.training.clustering_model import ClusteringModel

Arch = str | PathLike[str] | Mapping[str, Any]


class Autoencoder(NamedTuple):
    """The Keras models of a network; they share their weights.

    Rows are ``(batch, height, width, channels)``, ``(batch, length, channels)`` or
    ``(batch, features)``, scaled as for training. A model with several inputs takes a list.

    Attributes:
        encoder: rows to latents ``(batch, latent)``. Under a Gaussian bottleneck to a list of mean
            and log-variance; the switches that the decoder reads follow (of ``MaxPool2D*``, or the
            maps of a ``SpatialTransformer``).
        decoder: latents to the means of the rows; where it reads switches, they are
            further inputs, and after them the conditions, ``(batch, size)`` each, where the spec's
            head has some.
        autoencoder: rows, and the conditions where there are some, to the means of the
            reconstructions, from the means of the latents.
    """

    encoder: keras.Model
    decoder: keras.Model
    autoencoder: keras.Model


def load_spec(
    arch: Arch,
    index: int | None = None,
    name: str | None = None,
    *,
    head: str | None = None,
    overrides: Sequence[str] = (),
) -> Spec:
    """Read, check and resolve a spec.

    Args:
        arch: the path of a JSON or YAML file; the name of a shipped spec, such as ``vade-mnist``;
            with ``index`` or ``name``, also a dataset whose specs are shipped, such as ``mnist``;
            or a mapping that holds what a file would.
        index: place of the spec in a file that holds a list, from 0.
        name: name of the spec in a file that holds a list.
        head: type of head in place of the spec's.
        overrides: changes as ``--set`` takes them, such as ``"pretrain.epochs=20"``.

    Returns:
        The spec with every default filled in; ``tree`` is its JSON form.

    Raises:
        SpecError: the spec has problems; all of them are named, each with its place.
        UsageError: ``arch``, ``index`` and ``name`` denote no spec, or more than one.
    """
    address, where = _address(arch, index, name)
    return spec_of(address, default_vocabulary(), **where, head=head, overrides=overrides)


def _address(arch: Arch, index: int | None, name: str | None) -> tuple[Arch, dict[str, str]]:
    """Return what ``spec_of`` takes for a spec: its address and, by name, the dataset's."""
    which = name if index is None else index
    if which is None:
        return arch, {}
    if index is not None and name is not None:
        raise UsageError(f"index={index} and name={name!r} are both given; give one of them")
    if isinstance(arch, Mapping):
        raise UsageError("index and name choose from a file, and arch is a mapping: leave them out")
    text = fspath(arch)
    return (f"{text}:{which}", {}) if _is_path(arch) else (str(which), {"stem": text})


class NetworkBuilder:
    """A spec, the plan of its network, and the Keras models that are built from it.

    Args:
        arch: a path, the name of a shipped spec or of a dataset, or a mapping: see ``load_spec``.
        index: place of the spec in a file that holds a list, from 0.
        name: name of the spec in a file that holds a list.
        head: type of head in place of the spec's.
        overrides: changes as ``--set`` takes them.
        seed: random seed of the first weights, and of the heads of ``attach``.

    Raises:
        SpecError: the spec has problems; all of them are named, each with its place.
        UsageError: ``arch``, ``index`` and ``name`` denote no spec, or more than one.

    Attributes:
        spec: with every default filled in.
        plan: encoder and decoder layer by layer, with shapes and parameters; no Keras yet.
    """

    def __init__(
        self,
        arch: Arch,
        index: int | None = None,
        name: str | None = None,
        *,
        head: str | None = None,
        overrides: Sequence[str] = (),
        seed: int = 0,
    ) -> None:
        self.spec = load_spec(arch, index, name, head=head, overrides=overrides)
        self.plan: Plan = make_plan(self.spec, default_vocabulary())
        self.seed = seed

    def build(self) -> Autoencoder:
        """Return the Keras models; every call returns models of the same weights."""
        return self._models

    def attach(self, head: str, n_clusters: int, **fields: Any) -> ClusteringModel:
        """Put a new clustering head on the network that ``build`` returns.

        Args:
            head: its type, as ``archbuild list heads`` names it.
            n_clusters: number of clusters.
            **fields: other fields of the head, as a spec takes them.

        Returns:
            A Keras model with the head's loss: ``compile``, ``fit`` and ``predict`` it. It trains
            the models of ``build`` in place.

        Raises:
            SpecError: there is no such head or field, or the head does not fit the network.
            UsageError: training needs what ``fit`` of a Keras model does not provide: rounds,
                labels, or further inputs of the decoder; or there is nothing to train.
        """
        vocabulary = default_vocabulary()
        entry = {"type": head, "n_clusters": n_clusters, **fields}
        spec = spec_from_tree({**self.spec.tree, "head": entry}, vocabulary, source="attach")
        plan = make_plan(spec, vocabulary)
        network = self._network
        from archbuild.training.clustering_model import ClusteringModel

        made = HEADS[head](spec.head.config, plan, self.seed)
        self._refuse_unprovided(made, plan)
        return ClusteringModel(network, made, spec.settings("cluster")["batch_size"], self.seed)

    def _refuse_unprovided(self, head: Head, plan: Plan) -> None:
        if not head.learns:
            raise UsageError(
                f"the {head.name} head trains nothing, so there is nothing to fit; use it with "
                "archbuild.DeepClustering or the command line"
            )
        needed = {
            "rounds": head.rounds,
            "labels": head.labels_used != "never",
            "further inputs of the decoder": self.plan.conditions or plan.conditions,
        }
        for what, is_needed in needed.items():
            if is_needed:
                raise UsageError(
                    f"the {head.name} head needs {what}, which fit has not; train it with "
                    "archbuild.DeepClustering or the command line"
                )

    @cached_property
    def _network(self) -> Network:
        start_keras()
        from archbuild.networks.builder import build_network

        return build_network(self.plan, default_vocabulary(), self.seed)

    @cached_property
    def _models(self) -> Autoencoder:
        network = self._network
        if network.decoder is None:
            raise UsageError(
                "there is no autoencoder: the spec has no decoder (decoder: none); train its head "
                "with the command line, and open the run"
            )
        import keras

        rows = keras.Input(network.encoder.input.shape[1:], name="rows")
        encoding = network.encode(rows)
        given = encoding.mean, encoding.log_variance, *encoding.switches
        latent, *further = [
            keras.Input(each.shape[1:], name=each.name) for each in network.decoder.inputs
        ]
        n_switches = len(encoding.switches)
        switches, conditions = further[:n_switches], further[n_switches:]
        decoded = network.decode(latent, switches, conditions)
        reconstruction = network.decode(encoding.mean, encoding.switches, conditions)
        return Autoencoder(
            _model("encoder", [rows], [of for of in given if of is not None]),
            _model("decoder", [latent, *switches, *conditions], [network.expected(decoded)]),
            _model("autoencoder", [rows, *conditions], [network.expected(reconstruction, rows)]),
        )


def _model(name: str, inputs: list[Any], outputs: list[Any]) -> keras.Model:
    import keras

    return keras.Model(_one_or_all(inputs), _one_or_all(outputs), name=name)


def _is_path(arch: str | PathLike[str]) -> bool:
    """Return whether ``arch`` is a file rather than the name of a dataset."""
    text = fspath(arch)
    return isinstance(arch, PathLike) or "/" in text or "\\" in text or "." in text


def _one_or_all(tensors: list[Any]) -> Any:
    return tensors[0] if len(tensors) == 1 else tensors
