"""Two dimensions for the eye: t-SNE of at most 5,000 points, the same points for every space."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archbuild.clustering.tsne import tsne
from archbuild.data.sample import drawn_rows
from archbuild.errors import DataError

LIMIT = 5000
_FEWEST_FOR_TSNE = 10
_WIDEST = 50

_MAPS: dict[bytes, NDArray[Any]] = {}  # by the digest of what was mapped
_MAPS_KEPT = 32  # of 80 kB at most


@dataclass(frozen=True)
class Projection:
    """Points of one space, laid out flat.

    Attributes:
        indices: (m,) rows of the dataset that were drawn from it, ascending.
        points: (m, 2) where they lie.
        method: ``t-SNE``; ``PCA`` for fewer than ten distinct rows; ``as is`` for spaces of one or
            two dimensions.
    """

    indices: NDArray[np.intp]
    points: NDArray[np.floating]
    method: str = "t-SNE"


def sample_indices(count: int, seed: int, limit: int = LIMIT) -> NDArray[np.intp]:
    """Draw (min(count, limit),) rows, ascending, which depend on the three numbers alone."""
    return drawn_rows(count, seed, limit)


def project(values: NDArray[Any], seed: int, limit: int = LIMIT) -> Projection:
    """Project a seeded sample of the rows of ``values`` (n, ...) to two dimensions.

    Every space of one dataset gets the same rows, as the sample depends on ``n``, ``seed`` and
    ``limit`` alone. Only the sampled rows are read, so ``values`` may be a memory map. Trailing
    axes are flattened. One dimension is spread vertically by chance, for points not to hide each
    other.

    Raises:
        DataError: when there are no rows, no columns, or values that are not finite.
    """
    indices, rows = sample_rows(values, seed, limit)
    points, method = _flatten(rows, seed)
    return Projection(indices, points, method)


def sample_rows(
    values: NDArray[Any], seed: int, limit: int = LIMIT
) -> tuple[NDArray[np.intp], NDArray[Any]]:
    """Return the rows of ``values`` (n, ...) to lay out: indices (m,), values (m, d).

    Raises:
        DataError: as ``project``.
    """
    indices = sample_indices(len(values), seed, limit)
    rows = np.asarray(values[indices])
    if rows.size == 0:
        raise DataError(
            f"there is nothing to draw: expected rows with at least one number, got an array of "
            f"shape {tuple(np.shape(values))}. Check the dataset."
        )
    # Single precision at least, and double only for data that came so: 5,000 photographs are large.
    rows = rows.astype(np.result_type(rows, np.float32)).reshape(len(indices), -1)
    broken = np.flatnonzero(~np.isfinite(rows).all(axis=1))
    if len(broken):
        raise DataError(
            f"{len(broken)} of the {len(rows)} rows to be drawn hold NaN or infinite values, the "
            f"first is row {indices[broken[0]]}; expected finite numbers. Check the data, and "
            f"whether the training that made them diverged."
        )
    return indices, rows


def _flatten(rows: NDArray[Any], seed: int) -> tuple[NDArray[Any], str]:
    if rows.shape[1] == 1:
        height = np.random.default_rng(seed).uniform(-1, 1, len(rows))
        return np.column_stack([rows[:, 0], height]), "as is"
    if rows.shape[1] == 2:
        return rows, "as is"
    rows = _scaled(rows)
    # Fewer distinct rows than neighbours to look for: their neighbourhoods mean nothing.
    if len(np.unique(rows, axis=0)) < _FEWEST_FOR_TSNE:
        return _principal(rows, 2, seed), "PCA"
    return _tsne(rows, seed), "t-SNE"


def _scaled(rows: NDArray[Any]) -> NDArray[Any]:
    """Move and stretch to within [-1, 1]: t-SNE and PCA depend on relative distances only.

    The first row goes to zero, and with it exactly every row that is equal to it.
    """
    # Divided before as well: differences of values near the largest float would overflow.
    rows = rows / (np.abs(rows).max() or 1)
    rows = rows - rows[0]
    return rows / (np.abs(rows).max() or 1)


def _tsne(rows: NDArray[Any], seed: int) -> NDArray[Any]:
    """Return a map; pictures and report show the same spaces, which are mapped once."""
    key = sha256(f"{rows.shape} {rows.dtype} {seed}".encode() + rows.tobytes()).digest()
    if key not in _MAPS:
        if len(_MAPS) == _MAPS_KEPT:
            _MAPS.pop(next(iter(_MAPS)))
        _MAPS[key] = _new_map(rows, seed)
    return _MAPS[key]


def _new_map(rows: NDArray[Any], seed: int) -> NDArray[Any]:
    if rows.shape[1] > _WIDEST and len(rows) > _WIDEST:
        rows = _principal(rows, _WIDEST, seed)
    return tsne(rows, seed)


def _principal(rows: NDArray[Any], width: int, seed: int) -> NDArray[Any]:
    """Return (m, width) principal components; columns beyond the rows' rank are zero."""
    from sklearn.decomposition import PCA

    filled = min(width, *rows.shape) if rows.any() else 0
    points = np.zeros((len(rows), width))
    if filled:
        solver = "randomized" if filled < min(rows.shape) else "full"
        pca = PCA(filled, svd_solver=solver, random_state=seed)
        points[:, :filled] = pca.fit_transform(rows)
    return points
