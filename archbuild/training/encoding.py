"""Encoding a whole dataset, always with inference statistics and in chunks of one fixed size."""

from __future__ import annotations

import numpy as np

from archbuild.data.batches import ordered_batches
from archbuild.networks.network import Network
from archbuild.training.feed import Feed

# One fixed size: kernels may choose their algorithm by the batch's size, and a row's latent must
# not depend on which rows it is encoded with.
CHUNK = 512


def encode(network: Network, feed: Feed) -> np.ndarray:
    """The latents of all rows, ``(n, latent)`` float32; the mean of a Gaussian bottleneck."""
    latents = np.empty((len(feed), network.plan.latent_size), "float32")
    for indices in ordered_batches(len(feed), CHUNK):
        latents[indices] = encode_rows(network, feed.clean(indices))
    return latents


def encode_rows(network: Network, rows: np.ndarray) -> np.ndarray:
    """The latents of at most ``CHUNK`` rows; fewer are filled up with zeros for the kernel."""
    padded = np.zeros((CHUNK, *rows.shape[1:]), "float32")
    padded[: len(rows)] = rows
    return network.predict_latents(padded)[: len(rows)]
