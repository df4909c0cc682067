"""What a call of the command line comes to, and a spec to call it with."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[2]
SPEC: dict[str, Any] = {
    "spec_version": 1,
    "name": "tiny",
    "batch_size": 599,  # a third of DIGITS: of a smaller last batch TensorFlow traces a graph more
    "layers": [
        {"type": "Input", "output_shape": [1, 8, 8]},
        {"type": "Dense", "num_units": 4},
    ],
}
PRIOR: dict[str, Any] = {
    **SPEC,
    "name": "prior",
    "layers": [
        {"type": "Input", "output_shape": [1, 8, 8]},
        {"type": "Dense", "num_units": 16},
        {"type": "Gaussian", "num_units": 4},
    ],
    "head": {"type": "gmm", "start": "k-means"},
}
"""With a mixture over the bottleneck."""
SHORT = ("pretrain.epochs=1", "cluster.epochs=1")
"""Overrides of a spec: an epoch of each stage."""


class Ended(NamedTuple):
    """How a command ended."""

    status: int
    out: str
    err: str


Archbuild = Callable[..., Ended]
"""The fixture that calls ``archbuild`` with arguments."""
