"""A network and its head as a stage left them, or as they were after its latest epoch."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from archbuild.errors import RunError
from archbuild.runs import Checkpoint, StageFolder
from archbuild.spec.resolve import filled

if TYPE_CHECKING:
    from archbuild.heads import Head
    from archbuild.networks.network import Network
    from archbuild.spec import Plan, Vocabulary
    from archbuild.training.feed import Feed

_ATTEMPTS = 5


@dataclass(frozen=True)
class Trained:
    """What can encode, assign and perhaps generate.

    Attributes:
        network: with the stage's weights.
        head: with what it learned; it may not have begun yet. ``None`` after pretraining.
        epoch: how many epochs are behind them.
        finished: whether their stage has ended.
    """

    network: Network
    head: Head | None
    epoch: int
    finished: bool = True

    def codes(self, feed: Feed, chosen: np.ndarray | None = None) -> np.ndarray:
        """``(n, code)`` of all rows, or of those ``chosen`` by index.

        The latent first, then what else the head assigns by.
        """
        from archbuild.training.encoding import encode

        return encode(self._read, feed, chosen)

    def codes_of(self, rows: np.ndarray) -> np.ndarray:
        """The same for rows ``(n, *input_shape)`` as the network takes them, scaled."""
        from archbuild.networks.rows import by_rows

        return by_rows(self._read, rows)

    def decode(self, latents: np.ndarray) -> np.ndarray:
        """``(n, *input_shape)`` rows from latents ``(n, latent)``, in the network's scale.

        They are the means of ``p(x | z)``.

        Raises:
            UsageError: the decoder puts maxima back where the encoder found them.
        """
        from archbuild.networks.rows import by_rows

        return by_rows(
            lambda part: self.network.expected(self.network.decode(part)),
            np.asarray(latents, "float32"),
        )

    def refuse_without_clusters(self) -> Head:
        """The head, once it is known that it can assign.

        Raises:
            RunError: there is none, or it has not begun.
        """
        if self.head is None:
            raise RunError("a pretrained network has no clusters; train a head (--cluster)")
        if not self.head.has_begun:
            raise RunError(
                f"the {self.head.name} head has not begun after epoch {self.epoch}, and has no "
                "clusters; let the stage go on first"
            )
        return self.head

    def generate(self, per_cluster: int, seed: int) -> np.ndarray:
        """``(cluster, per_cluster, *input_shape)`` rows of the generative process, channels last.

        They are the means of ``p(x | z)``, in the scale that the network sees.

        Raises:
            RunError: the head has no generative process, or has not begun.
        """
        head = self.generative_head
        self.refuse_without_clusters()
        latents = head.sample_latents(per_cluster, np.random.default_rng(seed))
        rows = self.decode(latents.reshape(-1, latents.shape[-1]))
        return rows.reshape(*latents.shape[:2], *rows.shape[1:])

    @property
    def generative_head(self) -> Any:
        """The head, if it has a prior to draw from.

        Raises:
            RunError: it has none.
        """
        if self.head is None:
            raise RunError("a pretrained network has nothing to draw from; train a head")
        from archbuild.heads import HEADS
        from archbuild.heads.generative import GenerativeHead

        if not isinstance(self.head, GenerativeHead):
            able = [name for name, kind in HEADS.items() if issubclass(kind, GenerativeHead)]
            raise RunError(
                f"the {self.head.name} head has no generative process; {', '.join(able)} have one "
                "(archbuild list heads)"
            )
        return self.head

    @cached_property
    def _read(self) -> Any:
        return self.network.reader(self.head.code) if self.head else self.network.predict_latents


def restore(folder: StageFolder, network: Network, plan: Plan, vocabulary: Vocabulary) -> Trained:
    """The state of a stage with a head, finished or not, or of a finished one without.

    Another process may be training it.

    Args:
        folder: of the stage.
        network: built for ``plan``; it is given the stage's weights.
        plan: of the network.
        vocabulary: where the head's type is found.

    Raises:
        RunError: there is no such state, or a file is missing or altered.
    """
    from archbuild.training.stage import restore_checkpoint

    manifest = folder.manifest()
    if manifest is None:
        raise RunError(f"{folder.path} holds no stage yet, not even its first epoch")
    request = manifest["request"]
    head = _head(request, plan, vocabulary) if "head" in request["spec"] else None
    checkpoint = _latest_checkpoint(folder)
    if checkpoint is not None:
        if head is None:
            raise RunError(f"{folder.path} is not finished; let it go on to its end first")
        restore_checkpoint(network, head, checkpoint.arrays)
        return Trained(network, head, checkpoint.epoch, finished=False)
    folder.verify()
    network.load_weights(folder.file("model.weights.h5"))
    if head is not None:
        with np.load(folder.file("head.npz"), allow_pickle=False) as arrays:
            head.restore(dict(arrays))
    return Trained(network, head, len(folder.history()))


def _head(request: Mapping[str, Any], plan: Plan, vocabulary: Vocabulary) -> Head:
    """The head that the stage was made with, which need not be the spec's of today."""
    entry = request["spec"]["head"]
    kind: Any = vocabulary.heads[entry["type"]]
    head: Head = kind(filled(entry, kind.fields), plan, request["seed"])
    return head


def _latest_checkpoint(folder: StageFolder) -> Checkpoint | None:
    """Of a stage that another process may be training; ``None`` once that has finished it."""
    for _ in range(_ATTEMPTS - 1):
        # it may be replaced between the manifest's word and the look
        with suppress(RunError, OSError):
            return folder.load_checkpoint()
    return folder.load_checkpoint()
