"""Mixtures of full covariances, and what an algorithm that learns one takes and returns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from archbuild import objectives
from archbuild.io.arrays import of_shape


class Mixture(NamedTuple):
    """A mixture of Gaussian or Student-t components, as ``objectives/whitened.py`` takes it.

    Attributes:
        offsets: ``(K,)``.
        means: ``(K, J)``.
        whitening: ``(K, J, J)``.
        powers: ``(K,)`` of Student-t components; 0 for Gaussian ones.
        shrinks: ``(K,)`` of Student-t components; 0 for Gaussian ones.
    """

    offsets: np.ndarray
    means: np.ndarray
    whitening: np.ndarray
    powers: np.ndarray
    shrinks: np.ndarray

    @classmethod
    def gaussian(cls, offsets: np.ndarray, means: np.ndarray, whitening: np.ndarray) -> Mixture:
        """Return a mixture of Gaussian components."""
        none = np.zeros(len(offsets))
        return cls(offsets, means, whitening, none, none)

    def log_joints(self, points: Any) -> Any:
        """Return ``log P(class, point)``, a tensor ``(n, K)`` for ``(n, J)``."""
        from keras import ops

        state = Mixture(*(ops.convert_to_tensor(array.astype("float32")) for array in self))
        distances = objectives.whitened_distances(points, state.means, state.whitening)
        if self.powers.any():
            return objectives.student_t_log_joints(
                distances, state.offsets, state.powers, state.shrinks
            )
        return objectives.gaussian_log_joints(distances, state.offsets)

    @classmethod
    def of(cls, arrays: Mapping[str, np.ndarray], n_clusters: int) -> Mixture:
        """Return the mixture of arrays by name, whose shapes are checked."""
        size = arrays["means"].shape[-1]
        shapes = {"means": [size], "whitening": [size, size]}
        return cls(
            *(of_shape(arrays, name, n_clusters, *shapes.get(name, ())) for name in cls._fields)
        )

    def in_units(self, unit: float) -> Mixture:
        """Return the mixture of points that are ``unit`` times as large."""
        offsets = self.offsets - self.means.shape[1] * np.log(unit)
        whitening = self.whitening / unit
        return Mixture(offsets, self.means * unit, whitening, self.powers, self.shrinks)

    def in_order(self, order: np.ndarray) -> Mixture:
        """Return the mixture with its components in another order, ``(K,)``."""
        return Mixture(*(array[order] for array in self))

    def covariances(self) -> np.ndarray:
        """Return ``(K, J, J)``; of a Student-t ``1 / (2 p s - J s - 2 s)`` times its ``S``."""
        factors = np.linalg.inv(self.whitening)
        scatters: np.ndarray = factors @ np.swapaxes(factors, 1, 2)
        if not self.powers.any():
            return scatters
        # v = 2p - J degrees of freedom and the scale S / (s v): a variance of v / (v - 2) of it
        freedom = 2.0 * self.powers - self.means.shape[1]
        variances: np.ndarray = scatters / (self.shrinks * (freedom - 2.0))[:, None, None]
        return variances


class MixtureProblem(NamedTuple):
    """Points to learn a mixture from.

    Attributes:
        points: ``(n, J)``.
        start: the class of every point that learning starts from, ``(n,)``.
        n_classes: ``K``.
        log_bias: ``(n, K)``, added to the log-joints of every point, up to a constant for each;
            ``None``: nothing.
    """

    points: np.ndarray
    start: np.ndarray
    n_classes: int
    log_bias: np.ndarray | None


class MixtureFit(NamedTuple):
    """A mixture that was learned from points.

    Attributes:
        log_evidence: the objective, bias included, by which fits of one algorithm compare.
        mixture: the mixture.
        classes: ``(n,)``, of the points.
    """

    log_evidence: float
    mixture: Mixture
    classes: np.ndarray
