"""Pretraining: the autoencoder learns to reconstruct, nothing else."""

from __future__ import annotations

from typing import Any

from archbuild.heads.batch import Batch, Forward, autoencode, reconstruction_loss
from archbuild.networks.network import Network


class Reconstruct:
    """The objective of the ``pretrain`` stage.

    Args:
        kind: the spec's ``reconstruction``.
    """

    term_names: tuple[str, ...] = ("reconstruction",)
    monitored_names: tuple[str, ...] = ()
    trains_decoder = True
    compiles = True
    draws = 0

    def __init__(self, kind: str) -> None:
        self._kind = kind

    @property
    def variables(self) -> list[Any]:
        """An empty list: reconstruction has no variables."""
        return []

    def forward(self, network: Network, inputs: Any, training: bool) -> Forward:
        """Encode and decode the mean: an autoencoder, whether or not its bottleneck is Gaussian."""
        return autoencode(network, inputs, lambda encoding: encoding.mean, training)

    def loss_terms(self, batch: Batch) -> dict[str, Any]:
        """Return the reconstruction loss."""
        loss = reconstruction_loss(self._kind, batch.inputs, batch.reconstruction, batch.present)
        return {"reconstruction": loss}
