"""The type of the numbers of a table: float32, where that is enough."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from archbuild.data.dataset import chunk_slices
from archbuild.data.precision import needs_double
from archbuild.data.spill import read_part, release, room_for


def as_narrow(values: np.ndarray, path: Path) -> np.ndarray:
    """Return the numbers as float32, unless that would blur a column or channel."""
    if values.dtype == np.float32:
        return values
    parts = list(chunk_slices(len(values), values[:1].nbytes))
    if needs_double(read_part(values, part) for part in parts):
        return values
    single = room_for(values.shape, np.float32, str(path))
    for part in parts:
        single[part] = values[part]
        release(single)
        release(values)
    return single
