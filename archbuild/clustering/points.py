"""Any array of values as a table of points, one row each."""

from __future__ import annotations

import numpy as np

from archbuild.errors import DataError


def as_points(values: np.ndarray) -> np.ndarray:
    """Flatten values (n, ...) to points (n, d), contiguous; whole numbers become float32.

    Raises:
        DataError: there is no point, or a value is not finite.
    """
    values = np.asarray(values)
    if values.ndim == 0 or values.size == 0:
        raise DataError(f"expected one row of values for each point; an array {values.shape} came")
    points = np.ascontiguousarray(values.reshape(len(values), -1))
    if points.dtype not in (np.float32, np.float64):
        points = points.astype(np.float32)
    broken = int(np.count_nonzero(~np.isfinite(points).all(axis=1)))
    if broken:
        raise DataError(
            f"{broken} of {len(points)} points hold values that are not finite, so nothing can be "
            "measured on them; look for NaN in the data, or train again with a lower learning rate"
        )
    return points
