"""What the layers of one network leave for each other while it is built."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

from archbuild.spec.plan import Plan


@dataclass
class BuildContext:
    """What layers leave for each other while a network is built.

    Attributes:
        plan: what is being built.
        seed: the root of every seed in the network.
        outputs: encoder index -> the layer's output, channels last.
        switches: encoder index -> 1 where the pool found a maximum, else 0, in its input's shape.
        mean: the mean of a Gaussian bottleneck, ``(batch, latent)``.
        log_variance: its log-variance, ``(batch, latent)``.
        features: what both are made from, ``(batch, features)``.
    """

    plan: Plan
    seed: int
    outputs: dict[int, Any] = field(default_factory=dict)
    switches: dict[int, Any] = field(default_factory=dict)
    mean: Any = None
    log_variance: Any = None
    features: Any = None

    def __post_init__(self) -> None:
        self._seeds = random.Random(self.seed)

    def next_seed(self) -> int:
        """The next of a stream of seeds that depends on ``seed`` alone."""
        return self._seeds.getrandbits(31)
