"""A trained model: opened from a stage's folder, it encodes, assigns, decodes and generates.

It needs neither the spec file nor the data that it was trained on, and it owns its network: two
opened models never share weights.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from archbuild.data.origin import Origin
from archbuild.errors import DataError, RunError, UsageError
from archbuild.heads import HEADS
from archbuild.heads.base import Head
from archbuild.io.reading import fitting, guarded, read_npz
from archbuild.registry import default_vocabulary
from archbuild.runs import Checkpoint, RunFolder, StageFolder
from archbuild.spec import NETWORK_KEYS, Plan, Spec, make_plan, spec_from_tree
from archbuild.spec.resolve import filled
from archbuild.training.progress import LOGGER

if TYPE_CHECKING:
    from archbuild.data import Dataset
    from archbuild.networks.network import Glimpses, Network
    from archbuild.training.encoding import Reader
    from archbuild.training.feed import Feed

CHUNK = 4096
"""Rows that are read and assigned at a time, by default."""
_ATTEMPTS = 5


class Prediction(NamedTuple):
    """The predictions for some rows.

    Attributes:
        start: the number of the first of them.
        probabilities: ``(rows, cluster)`` float32; of sequences of labels ``(rows, label, class)``.
        latents: ``(rows, latent)`` float32.
    """

    start: int
    probabilities: np.ndarray
    latents: np.ndarray

    @property
    def clusters(self) -> np.ndarray:
        """The most probable cluster of each row, ``(rows,)`` or ``(rows, label)``."""
        clusters: np.ndarray = self.probabilities.argmax(axis=-1)
        return clusters

    @property
    def confidence(self) -> np.ndarray:
        """The probability of that cluster, ``(rows,)``; of a sequence, the product of all."""
        highest: np.ndarray = self.probabilities.max(axis=-1)
        return highest if highest.ndim == 1 else highest.prod(axis=1)


class Model:
    """A network and its head, with the weights that a stage left.

    Args:
        plan: of the network.
        network: with the stage's weights, not shared with another model.
        head: with its learned state, which may not be initialised yet; ``None`` after pretraining.
        origin: the properties of the training data that predictions need.
        epoch: the number of epochs of training so far.
        finished: whether its stage has ended.
    """

    def __init__(
        self,
        plan: Plan,
        network: Network,
        head: Head | None,
        origin: Origin,
        epoch: int,
        finished: bool = True,
    ) -> None:
        self.plan, self.network, self.head, self.origin = plan, network, head, origin
        self.epoch, self.finished = epoch, finished

    @classmethod
    def open(cls, folder: StageFolder) -> Model:
        """Return the model of a finished stage, or of the latest epoch of one with a head.

        Another process may be training it.

        Raises:
            RunError: there is none, or a file is missing or altered.
        """
        from archbuild.networks.builder import build_network

        vocabulary = default_vocabulary()
        with guarded(folder.path):
            manifest = _manifest_of(folder)
            plan = make_plan(_spec_of(folder, manifest), vocabulary)
            network, head = build_network(plan, vocabulary, seed=0), _head_of(manifest, plan)
            epoch, finished = _restore(folder, network, head)
            origin = Origin.from_json(manifest["origin"])
            return cls(plan, network, head, origin, epoch, finished)

    # -- heads -----------------------------------------------------------------------------

    @property
    def assigning_head(self) -> Head:
        """The head, if it can assign rows to clusters.

        Raises:
            RunError: there is none, or it is not initialised yet.
        """
        if self.head is not None and self.head.answers == "nothing":
            raise RunError(f"the {self.head.name} head assigns rows to no clusters or classes")
        return self.begun_head

    @property
    def begun_head(self) -> Head:
        """The head, if it is initialised.

        Raises:
            RunError: there is none, or it is not initialised yet.
        """
        if self.head is None:
            raise RunError(
                "a pretrained network has no clusters; train a head (--cluster on the command line)"
            )
        if not self.head.is_initialised:
            raise RunError(
                f"the {self.head.name} head has not begun after epoch {self.epoch}, and has no "
                "clusters; continue the stage first"
            )
        return self.head

    @property
    def class_names(self) -> tuple[str, ...]:
        """The names of the classes that the head answers; ``()`` where it answers clusters."""
        head = self.assigning_head
        if head.answers != "classes":
            return ()
        named = self.origin.classes
        return (*named, *map(str, range(len(named), head.n_clusters)))

    @property
    def n_clusters(self) -> int:
        """The number of clusters of the head.

        Raises:
            RunError: the model has no head, or one that is not initialised yet.
        """
        return self.assigning_head.n_clusters

    # -- rows to latents and clusters ------------------------------------------------------

    def feed(self, dataset: Dataset) -> Feed:
        """Return the rows of a dataset, scaled as the training rows were.

        Raises:
            DataError: their shape or their columns are not those that the model was trained on.
        """
        from archbuild.training.feed import Feed

        self.origin.refuse_other_columns(dataset)
        return Feed.of(self._fitted(dataset), self.plan.spec, self.origin.scaler)

    def _fitted(self, dataset: Dataset) -> Dataset:
        """Return the rows in the shape of the network's input; refuse others."""
        shape = self.plan.spec.input_shape
        try:
            return dataset.fitted_to(shape)
        except DataError as error:
            raise DataError(
                f"{dataset.source} has rows of shape {list(dataset.shape)}, and the model was "
                f"trained on {self.origin.name}, whose rows have shape {list(shape)} (channels "
                "first); give it rows of that shape, or choose another model"
            ) from error

    def codes(self, feed: Feed, chosen: np.ndarray | None = None) -> np.ndarray:
        """Return ``(n, code)`` of all rows, or of those ``chosen`` by index.

        A code is the latent, and after it what else the head assigns by.
        """
        from archbuild.training.encoding import encode

        return encode(self._read, feed, chosen)

    def codes_of(self, rows: np.ndarray) -> np.ndarray:
        """Return ``(n, code)`` of rows ``(n, *input_shape)`` as the network takes them, scaled."""
        from archbuild.networks.rows import by_rows

        return by_rows(self._read, rows)

    @cached_property
    def _read(self) -> Reader:
        return self.network.reader(self.head.code) if self.head else self.network.predict_latents

    def predict(
        self, dataset: Dataset, start: int = 0, stop: int | None = None, chunk: int = CHUNK
    ) -> Iterator[Prediction]:
        """Assign the rows from ``start`` to before ``stop``.

        At most ``chunk`` rows are held at a time, and the answers do not depend on it.

        Raises:
            DataError: as ``feed``.
            RunError: the model has no head, or one that is not initialised yet.
        """
        feed, _ = self.feed(dataset), self.assigning_head
        stop = len(feed) if stop is None else stop
        return self._answers(feed, start, stop, chunk)

    def _answers(self, feed: Feed, start: int, stop: int, chunk: int) -> Iterator[Prediction]:
        warned = False
        for first in range(start, stop, chunk):
            rows = feed.clean(slice(first, min(first + chunk, stop)))
            strange = None if warned else self.origin.range_warning(rows)
            if strange:
                LOGGER.warning("%s: %s", feed.dataset.source, strange)
                warned = True
            yield self.answer(first, rows)

    def answer(self, start: int, rows: np.ndarray) -> Prediction:
        """Assign rows ``(n, *input_shape)`` as ``feed`` gives them, the first of number ``start``.

        Raises:
            RunError: the model has no head, or one that is not initialised yet.
        """
        codes = self.codes_of(rows)
        probabilities = self.assigning_head.assignments(codes)
        return Prediction(start, probabilities, codes[:, : self.plan.latent_size])

    # -- latents to rows -------------------------------------------------------------------

    def decode(self, latents: np.ndarray) -> np.ndarray:
        """Return rows ``(n, *input_shape)``, channels last, in the units of the data.

        They are the means of ``p(x | z)``.

        Args:
            latents: ``(n, latent)``.

        Raises:
            DataError: they have another width.
            UsageError: the decoder puts maxima back where the encoder found them, or reads more
                than the latent.
        """
        size = self.plan.latent_size
        if self.plan.conditions:
            names = " and ".join(f"'{condition.name}'" for condition in self.plan.conditions)
            raise UsageError(
                f"this decoder reads {names} beside the latent, so it cannot decode a latent "
                "alone; draw rows of each class with 'archbuild generate', without --latents"
            )
        if latents.ndim != 2 or latents.shape[1] != size:
            raise DataError(
                f"the decoder takes latents of shape (n, {size}), and these have shape "
                f"{latents.shape}"
            )
        return self.origin.scaler.undo(self.network.decode_rows(latents))

    def reconstruct(self, rows: np.ndarray) -> np.ndarray:
        """Return reconstructions of rows ``(n, *input_shape)``, both in the network's scale.

        The latent is the mean of ``q(z | x)``, and the output the mean of ``p(x | z)``.
        """
        from archbuild.networks.rows import to_numpy

        if self.head is not None:
            decoded = self.head.reconstruct(self.network, rows)
        else:
            encoding = self.network.encode(rows)
            decoded = self.network.decode(encoding.mean, encoding.switches)
        return to_numpy(self.network.expected(decoded, rows))

    def glimpses(self, rows: np.ndarray) -> Glimpses:
        """Return what a spatial transformer takes of rows in the network's scale.

        Raises:
            ValueError: the encoder has none.
        """
        return self.network.glimpses(rows)

    def generate(self, per_cluster: int, seed: int, level: int | None = None) -> np.ndarray:
        """Draw ``(cluster, per_cluster, *input_shape)`` rows, in the units of the data.

        They are the means of ``p(x | z)`` at latents drawn from each cluster, channels last; those
        of a head without clusters stand where the first cluster's would.

        Args:
            per_cluster: number of rows from each cluster.
            seed: of the draws.
            level: the only level of latents that is drawn, counted from 1 at the bottom, where a
                head has several: those above it are at the means of their priors, those below it at
                their means given what is above. ``None``: all are drawn.

        Raises:
            RunError: there is no head, it has no generative process, or is not initialised yet.
            UsageError: the head has no such level.
        """
        self._refuse_without_process()
        head, rng = self.begun_head, np.random.default_rng(seed)
        if level is None:
            rows = head.sample_rows(self.network, per_cluster, rng)
        else:
            _refuse_level(level, head)
            rows = head.sample_level(self.network, level, per_cluster, rng)
        return self.origin.scaler.undo(rows)

    def _refuse_without_process(self) -> None:
        if self.head is None:
            raise RunError(
                "a pretrained network has nothing to draw from; train a head (--cluster on the "
                "command line)"
            )
        if not self.head.generates:
            able = [name for name, kind in HEADS.items() if kind.generates]
            raise RunError(
                f"the {self.head.name} head has no generative process; {', '.join(able)} have one "
                "(archbuild list heads)"
            )


def _refuse_level(level: int, head: Head) -> None:
    names = head.latent_names
    if not names:
        raise UsageError(
            f"level is {level}, and this {head.name} head has one level of latents; leave the "
            "level out to draw it"
        )
    if not 1 <= level <= len(names):
        there = ", ".join(f"{place} ({name})" for place, name in enumerate(names, start=1))
        raise UsageError(
            f"level is {level}, and this {head.name} head has, from the bottom, the levels "
            f"{there}; choose one of them"
        )


def _manifest_of(folder: StageFolder) -> dict[str, Any]:
    manifest = folder.manifest()
    if manifest is None:
        raise RunError(f"{folder.path} holds no stage yet, not even its first epoch")
    if not manifest.get("origin"):
        raise RunError(
            f"{folder.path} was made before archbuild kept the scaling of the data with the "
            "model; train it again (with --fresh on the command line)"
        )
    return manifest


def _spec_of(folder: StageFolder, manifest: Mapping[str, Any]) -> Spec:
    """Return the spec that a stage was made with; the run's own may have changed since."""
    of_run = RunFolder(folder.path.parent).read_spec()
    rest = {key: value for key, value in of_run.items() if key not in NETWORK_KEYS}
    return spec_from_tree(rest | manifest["request"]["spec"], default_vocabulary())


def _head_of(manifest: Mapping[str, Any], plan: Plan) -> Head | None:
    """Return the head that a stage was made with, untrained; ``None`` for pretraining."""
    entry = manifest["request"]["spec"].get("head")
    if entry is None:
        return None
    kind = HEADS[entry["type"]]
    return kind(filled(entry, kind.fields), plan, manifest["request"]["seed"])


def _restore(folder: StageFolder, network: Network, head: Head | None) -> tuple[int, bool]:
    """Load what a stage left into both; return its epochs, and whether it is finished."""
    from archbuild.networks.weights import load_weights
    from archbuild.training.head_stage import restore_checkpoint

    checkpoint = _latest_checkpoint(folder)
    if checkpoint is not None:
        if head is None:
            raise RunError(f"{folder.path} is not finished; continue the stage to its end first")
        with fitting(folder.path, "the network and the head of its spec"):
            restore_checkpoint(network, head, checkpoint.arrays)
        return checkpoint.epoch, False
    folder.verify()
    load_weights(network, folder.file("model.weights.h5"))
    if head is not None:
        path = folder.file("head.npz")
        arrays = read_npz(path)
        with fitting(path, f"the {head.name} head of its spec"):
            head.restore(arrays)
    return len(folder.history()), True


def _latest_checkpoint(folder: StageFolder) -> Checkpoint | None:
    """Return the checkpoint of a stage that may be in training; ``None`` once it is finished."""
    for _ in range(_ATTEMPTS - 1):
        # it may be replaced between reading the manifest and opening the file
        with suppress(RunError, OSError):
            return folder.load_checkpoint()
    return folder.load_checkpoint()
