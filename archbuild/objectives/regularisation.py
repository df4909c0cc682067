"""Penalties on the weights themselves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from keras import ops


def sum_of_squares(weights: Sequence[Any]) -> Any:
    """Sum ``w²`` over all elements of all ``weights`` (L2 penalty of arXiv 1801.07648's code).

    Returns:
        A scalar; 0 for no weights.
    """
    total: Any = 0.0
    for weight in weights:
        total = total + ops.sum(ops.square(weight))
    return total
