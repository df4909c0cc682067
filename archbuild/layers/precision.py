"""The precision in which layers compute: their weights, and what leaves a network, are float32."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def computing_in(precision: str) -> Iterator[None]:
    """Have the layers that are made in the block compute in a precision.

    Args:
        precision: one of ``PRECISIONS`` (``environment.py``), Keras's name of a dtype policy.
    """
    import keras

    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(precision)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def in_float32(tensor: Any) -> Any:
    """Return a tensor as float32; the very same where it is that already."""
    import keras

    if keras.backend.standardize_dtype(tensor.dtype) == "float32":
        return tensor
    return keras.ops.cast(tensor, "float32")
