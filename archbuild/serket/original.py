"""The network of Serket's own ``VAE``: one hidden layer on either side of the bottleneck."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from archbuild.modules.checks import above_zero, at_least

if TYPE_CHECKING:
    from archbuild.networks.network import Network


@dataclass(frozen=True)
class OriginalNetwork:
    """Settings of Serket's ``VAE``, under their names and with their defaults there.

    Attributes:
        latent_dim: dimensions of the latent.
        weight_stddev: standard deviation of the first weights, drawn from a normal distribution
            that is cut off at two of it; biases begin at 0.
        itr: passes through the data in each update.
        hidden_encoder_dim: units of the encoder's hidden layer.
        hidden_decoder_dim: units of the decoder's.
        batch_size: rows of a step; ``None``: all.
    """

    latent_dim: int
    weight_stddev: float = 0.1
    itr: int = 5000
    hidden_encoder_dim: int = 100
    hidden_decoder_dim: int = 100
    batch_size: int | None = None

    def spec(self, shape: tuple[int, ...]) -> dict[str, Any]:
        """Return the spec for data of ``shape``, ``(n, width)``."""
        width = int(np.prod(shape[1:]))
        return {
            "spec_version": 1,
            "name": "serket-vae",
            "batch_size": self.batch_size or shape[0],
            "reconstruction": "bernoulli",
            "layers": [
                {"type": "Input", "output_shape": [width]},
                _dense(self.hidden_encoder_dim, "rectify"),
                {"type": "Gaussian", "num_units": self.latent_dim},
            ],
            "decoder": [_dense(self.hidden_decoder_dim, "rectify"), _dense(width, "linear")],
            "train": {"epochs": self.itr, "optimizer": "adam", "learning_rate": 1e-3},
        }

    def draw_weights(self, network: Network, seed: int) -> None:
        """Set the first weights of a network that was just built."""
        from keras import initializers

        seeds = np.random.default_rng(seed)
        for variable in network.variables:
            if len(variable.shape) > 1:
                number = int(seeds.integers(2**31))
                normal = initializers.TruncatedNormal(stddev=self.weight_stddev, seed=number)
                variable.assign(normal(variable.shape))


def original_network(
    latent_dim: int, batch_size: int | None, settings: Mapping[str, Any]
) -> OriginalNetwork:
    """Make the network's settings; ``None`` among ``settings`` means Serket's default.

    Raises:
        UsageError: a number is no whole number from 1, or the standard deviation not above 0.
    """
    given = {name: value for name, value in settings.items() if value is not None}
    if "weight_stddev" in given:
        above_zero("weight_stddev", given["weight_stddev"])
    whole = {name: value for name, value in given.items() if name != "weight_stddev"}
    if batch_size is not None:
        whole["batch_size"] = batch_size
    for name, value in {"latent_dim": latent_dim, **whole}.items():
        at_least(name, value, 1)
    return OriginalNetwork(latent_dim, batch_size=batch_size, **given)


def _dense(units: int, non_linearity: str) -> dict[str, Any]:
    return {"type": "Dense", "num_units": units, "non_linearity": non_linearity}
