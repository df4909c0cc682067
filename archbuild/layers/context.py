"""Tensors and seeds that the layers of a network share while it is built."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from archbuild.spec.plan import Plan


class Level(NamedTuple):
    """The output of one Gaussian layer for a batch.

    Attributes:
        mean: ``(batch, size)``.
        log_variance: ``(batch, size)``, within +-10.
        features: what both are made from, ``(batch, features)``.
    """

    mean: Any
    log_variance: Any
    features: Any


@dataclass
class BuildContext:
    """Tensors and seeds that the layers of a network share while it is built.

    Attributes:
        plan: what is being built.
        seed: the root of every seed in the network.
        outputs: index -> the layer's output, channels last, in the half that is being built.
        kernels: encoder index -> the Keras layer whose kernel a tied decoder shares.
        switches: encoder index -> what the layer keeps for its inverse (``Switches``).
        levels: what the Gaussian layers give, bottom first.
    """

    plan: Plan
    seed: int
    outputs: dict[int, Any] = field(default_factory=dict)
    kernels: dict[int, Any] = field(default_factory=dict)
    switches: dict[int, Any] = field(default_factory=dict)
    levels: list[Level] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._seeds = random.Random(self.seed)

    def next_seed(self) -> int:
        """Return the next of a stream of seeds that depends on ``seed`` alone."""
        return self._seeds.getrandbits(31)
