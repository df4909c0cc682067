"""``ClassModule``: what modules have in common whose messages are classes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from archbuild.modules.checks import at_least
from archbuild.modules.module import Module
from archbuild.modules.probabilities import distributions, logarithms


class ClassModule(Module):
    """A module whose forward message is a probability for each of its classes, ``(n, K)``.

    Args:
        n_clusters: ``K``.

    Raises:
        UsageError: it is no whole number from 1.
    """

    def __init__(self, n_clusters: int) -> None:
        super().__init__()
        self.n_clusters = at_least("n_clusters", n_clusters, 1)

    @property
    def identity(self) -> dict[str, Any]:
        """The kind of module and its number of classes, as JSON."""
        return {**super().identity, "n_clusters": self.n_clusters}

    def combine(self, messages: Sequence[np.ndarray]) -> np.ndarray:
        """Return the product of the class probabilities of several modules, normalised."""
        return distributions(np.sum([logarithms(message) for message in messages], axis=0))
