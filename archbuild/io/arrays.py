"""Arrays of several parts in one mapping, as in an ``.npz`` file: each part behind a prefix."""

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
