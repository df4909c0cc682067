"""Small networks of a head's own, and extra inputs of the decoder, as data: no Keras."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

Initialiser = Literal["glorot_uniform", "torch_uniform"]


class PartLayer(NamedTuple):
    """One dense layer of a part: its width and its activation."""

    units: int
    activation: str = "linear"


@dataclass(frozen=True)
class Part:
    """A small dense network of a head's own.

    Attributes:
        name: unique in the head.
        inputs: numbers that it takes.
        layers: from below.
        initialiser: of kernels and biases. ``torch_uniform``: both uniform within
            ``1 / sqrt(inputs)`` either way; ``glorot_uniform``: biases are 0.
    """

    name: str
    inputs: int
    layers: tuple[PartLayer, ...]
    initialiser: Initialiser = "glorot_uniform"

    @property
    def widths(self) -> tuple[int, ...]:
        """The inputs, and the width of every layer."""
        return (self.inputs, *(layer.units for layer in self.layers))

    @property
    def outputs(self) -> int:
        """Number of outputs."""
        return self.widths[-1]

    @property
    def parameters(self) -> int:
        """Number of weights and biases."""
        return sum(
            (below + 1) * above for below, above in zip(self.widths, self.widths[1:], strict=False)
        )


@dataclass(frozen=True)
class Condition:
    """A further input of the decoder, beside the latent.

    Attributes:
        name: unique in the head.
        size: numbers for each row.
    """

    name: str
    size: int
