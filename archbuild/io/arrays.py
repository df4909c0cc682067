"""Arrays of several parts in one mapping, as in an ``.npz`` file: their prefixes, their shapes."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np


def prefixed(prefix: str, arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return one part's arrays under their names in the whole."""
    return {f"{prefix}{name}": array for name, array in arrays.items()}


def unprefixed(prefix: str, arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return the part of the whole that has this prefix, under its own names again."""
    found = {name: array for name, array in arrays.items() if name.startswith(prefix)}
    return {name.removeprefix(prefix): array for name, array in found.items()}


def of_shape(arrays: Mapping[str, np.ndarray], name: str, *shape: int | None) -> np.ndarray:
    """Return an array of the mapping whose shape is as told; an axis ``None`` has any length.

    Raises:
        KeyError: there is no array of this name.
        ValueError: it has another shape.
    """
    found = arrays[name]
    expected = [n if told is None else told for told, n in zip(shape, found.shape, strict=False)]
    if len(shape) != found.ndim or list(found.shape) != expected:
        told = ["any" if n is None else n for n in shape]
        raise ValueError(f"expected {name} of shape {told}, got {list(found.shape)}")
    return found
