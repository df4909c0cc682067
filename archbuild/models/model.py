"""A trained model: opened from its folder alone, it encodes, assigns, decodes and generates.

It needs neither the spec file nor the data that it was trained on.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from archbuild.data.origin import Origin
from archbuild.errors import DataError, RunError
from archbuild.models.trained import Trained, restore
from archbuild.registry import default_vocabulary
from archbuild.runs import RunFolder, StageFolder
from archbuild.spec import Plan, Spec, make_plan, spec_from_tree
from archbuild.training.progress import LOGGER

if TYPE_CHECKING:
    from archbuild.data import Dataset
    from archbuild.heads import Head
    from archbuild.training.feed import Feed

CHUNK = 4096
"""Rows that are read and answered at a time, unless told otherwise."""


class Prediction(NamedTuple):
    """What a model says of some rows.

    Attributes:
        start: the number of the first of them.
        probabilities: ``(rows, cluster)`` float32.
        latents: ``(rows, latent)`` float32.
    """

    start: int
    probabilities: np.ndarray
    latents: np.ndarray

    @property
    def clusters(self) -> np.ndarray:
        """``(rows,)`` the most probable cluster of each."""
        return self.probabilities.argmax(axis=1)

    @property
    def confidence(self) -> np.ndarray:
        """``(rows,)`` its probability."""
        return self.probabilities.max(axis=1)


class Model:
    """A network and its head as a stage left them.

    Args:
        plan: of the network.
        trained: network and head.
        origin: what is to be remembered of the training data.
    """

    def __init__(self, plan: Plan, trained: Trained, origin: Origin) -> None:
        self.plan, self.trained, self.origin = plan, trained, origin

    @classmethod
    def open(cls, folder: StageFolder) -> Model:
        """The model of a finished stage, or of the latest epoch of one with a head.

        Raises:
            RunError: there is none, or a file is missing or altered.
        """
        from archbuild.networks.builder import build_network

        vocabulary = default_vocabulary()
        spec, origin = _request_of(folder)
        plan = make_plan(spec, vocabulary)
        network = build_network(plan, vocabulary, seed=0)
        return cls(plan, restore(folder, network, plan, vocabulary), origin)

    @property
    def n_clusters(self) -> int:
        """How many clusters the head has.

        Raises:
            RunError: the model has no head, or one that has not begun.
        """
        return self.trained.refuse_without_clusters().n_clusters

    def feed(self, dataset: Dataset) -> Feed:
        """The rows of a dataset, scaled as the training rows were.

        Raises:
            DataError: their shape or their columns are not those that the model was trained on.
        """
        from archbuild.training.feed import Feed

        self.origin.refuse_other_columns(dataset)
        return Feed(self._fitted(dataset), self.origin.scaler)

    def _fitted(self, dataset: Dataset) -> Dataset:
        """The same rows in the shape of the network's input; others are refused."""
        shape = self.plan.spec.input_shape
        try:
            return dataset.fitted_to(shape)
        except DataError as error:
            raise DataError(
                f"{dataset.source} has rows of shape {list(dataset.shape)}, and the model was "
                f"trained on {self.origin.name}, whose rows have shape {list(shape)} (channels "
                "first); give it rows of that shape, or choose another model"
            ) from error

    def predict(
        self, dataset: Dataset, start: int = 0, stop: int | None = None, chunk: int = CHUNK
    ) -> Iterator[Prediction]:
        """What the model says of the rows from ``start`` to before ``stop``.

        At most ``chunk`` rows are held at a time, and the answers do not depend on it.

        Raises:
            DataError: as ``feed``.
            RunError: the model has no head, or one that has not begun.
        """
        feed, head = self.feed(dataset), self.trained.refuse_without_clusters()
        stop = len(feed) if stop is None else stop
        return self._answers(feed, head, start, stop, chunk)

    def _answers(
        self, feed: Feed, head: Head, start: int, stop: int, chunk: int
    ) -> Iterator[Prediction]:
        warned = False
        for first in range(start, stop, chunk):
            rows = feed.clean(slice(first, min(first + chunk, stop)))
            strange = None if warned else self.origin.strange(rows)
            if strange:
                LOGGER.warning("%s: %s", feed.dataset.source, strange)
                warned = True
            codes = self.trained.codes_of(rows)
            yield Prediction(first, head.assignments(codes), codes[:, : self.plan.latent_size])

    def decode(self, latents: np.ndarray) -> np.ndarray:
        """Rows ``(n, *input_shape)``, channels last, in the units of the data.

        Args:
            latents: ``(n, latent)``.

        Raises:
            DataError: they have another width.
            UsageError: the decoder puts maxima back where the encoder found them.
        """
        size = self.plan.latent_size
        if latents.ndim != 2 or latents.shape[1] != size:
            raise DataError(
                f"the decoder takes latents of shape (n, {size}), and these have shape "
                f"{latents.shape}"
            )
        return self.origin.scaler.undo(self.trained.decode(latents))

    def generate(self, per_cluster: int, seed: int) -> np.ndarray:
        """``(cluster, per_cluster, *input_shape)`` rows drawn from each cluster, likewise.

        Raises:
            RunError: as ``Trained.generate``.
        """
        return self.origin.scaler.undo(self.trained.generate(per_cluster, seed))


def _request_of(folder: StageFolder) -> tuple[Spec, Origin]:
    """The spec and the origin that a stage was made with: the run's spec may have moved on."""
    manifest = folder.manifest()
    if manifest is None:
        raise RunError(f"{folder.path} holds no stage yet, not even its first epoch")
    if not manifest.get("origin"):
        raise RunError(
            f"{folder.path} was made before archbuild kept the scaling of the data with the "
            "model; train it again with --fresh"
        )
    tree: dict[str, Any] = RunFolder(folder.path.parent).read_spec() | manifest["request"]["spec"]
    return spec_from_tree(tree, default_vocabulary()), Origin.from_json(manifest["origin"])
