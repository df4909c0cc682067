"""A network and its head as a stage left them, or as they were after its latest epoch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from archbuild.errors import RunError
from archbuild.runs import StageFolder
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
        head: with what it learned; it may not have begun yet.
        epoch: how many epochs are behind them.
    """

    network: Network
    head: Head
    epoch: int

    def codes(self, feed: Feed, chosen: np.ndarray | None = None) -> np.ndarray:
        """``(n, code)`` of all rows, or of those ``chosen`` by index.

        The latent first, then what else the head assigns by.
        """
        from archbuild.training.encoding import encode

        return encode(self._read, feed, chosen)

    def generate(self, per_cluster: int, seed: int) -> np.ndarray:
        """``(cluster, per_cluster, *input_shape)`` rows of the generative process, channels last.

        They are the means of ``p(x | z)``, in the scale that the network sees.

        Raises:
            RunError: the head has no generative process.
        """
        latents = self.generative_head.sample_latents(per_cluster, np.random.default_rng(seed))
        flat = latents.reshape(-1, latents.shape[-1])
        rows = np.asarray(self.network.expected(self.network.decode(flat)))
        return rows.reshape(*latents.shape[:2], *rows.shape[1:])

    @property
    def generative_head(self) -> Any:
        """The head, if it has a prior to draw from.

        Raises:
            RunError: it has none.
        """
        from archbuild.heads.generative import GenerativeHead

        if not isinstance(self.head, GenerativeHead):
            raise RunError(
                f"the {self.head.name} head has no generative process; gmm and gmvae have one "
                "(archbuild list heads)"
            )
        return self.head

    @cached_property
    def _read(self) -> Any:
        return self.network.reader(self.head.code)


def restore(folder: StageFolder, network: Network, plan: Plan, vocabulary: Vocabulary) -> Trained:
    """The state of a stage with a head, finished or not.

    Args:
        folder: of the stage.
        network: built for ``plan``; it is given the stage's weights.
        plan: of the network.
        vocabulary: where the head's type is found.

    Raises:
        RunError: there is no such state, or a file is missing or altered.
    """
    manifest = folder.manifest()
    if manifest is None:
        raise RunError(f"{folder.path} holds no stage yet, not even its first epoch")
    request = manifest["request"]
    head = _head(request["spec"]["head"], plan, vocabulary, request["seed"])
    if manifest["state"] == "running":
        return Trained(network, head, _restore_running(folder, network, head))
    folder.verify()
    network.load_weights(folder.file("model.weights.h5"))
    with np.load(folder.file("head.npz"), allow_pickle=False) as arrays:
        head.restore(dict(arrays))
    return Trained(network, head, manifest["epoch"])


def _head(entry: Mapping[str, Any], plan: Plan, vocabulary: Vocabulary, seed: int) -> Head:
    """The head that the stage was made with, which need not be the spec's of today."""
    kind: Any = vocabulary.heads[entry["type"]]
    head: Head = kind(filled(entry, kind.fields), plan, seed)
    return head


def _restore_running(folder: StageFolder, network: Network, head: Head) -> int:
    """Take the checkpoint's state; returns its epoch. Another process may be writing the next."""
    from archbuild.training.stage import restore_checkpoint

    for attempt in range(_ATTEMPTS):
        try:
            checkpoint = folder.load_checkpoint()
            break
        except (RunError, OSError):  # it was replaced between the manifest's word and the look
            if attempt == _ATTEMPTS - 1:
                raise
    if checkpoint is None:
        raise RunError(f"{folder.path} was finished at this moment; ask again")
    restore_checkpoint(network, head, checkpoint.arrays)
    return checkpoint.epoch
