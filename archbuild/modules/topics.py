"""scikit-learn's latent Dirichlet allocation, started from given topics in place of random ones.

From a random start it often ends with one topic for two classes and one for their confusions.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import digamma
from sklearn.decomposition import LatentDirichletAllocation


def fitted_topics(
    histograms: np.ndarray, clusters: np.ndarray, n_topics: int, steps: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Learn topics, started from one for each cluster of rows.

    Args:
        histograms: ``(n, bins)``.
        clusters: ``(n,)`` from 0 to ``n_topics - 1``.
        n_topics: ``K``; ``1 / K`` is the concentration of both Dirichlet priors.
        steps: of variational inference, each through all rows.
        seed: random seed of the rows' first proportions in each step.

    Returns:
        Expected counts ``(K, bins)``, and the rows' proportions ``(n, K)``.
    """
    first = np.eye(n_topics)[clusters].T @ histograms + 1.0 / n_topics
    model = _Started(n_topics, max_iter=steps, learning_method="batch", random_state=seed)
    model.first = first
    proportions = model.fit_transform(histograms)
    return model.components_, proportions


def topic_proportions(histograms: np.ndarray, topics: np.ndarray) -> np.ndarray:
    """Return proportions ``(n, K)`` of rows ``(n, bins)``, under learned topics ``(K, bins)``."""
    model = _Started(len(topics), random_state=0)
    model.first, model.n_features_in_ = topics, topics.shape[1]
    model._init_latent_vars(topics.shape[1])
    found: np.ndarray = model.transform(histograms)
    return found


class _Started(LatentDirichletAllocation):
    first: Any = None

    # not public in scikit-learn, which has no other way to set the first topics
    def _init_latent_vars(self, *args: Any, **others: Any) -> None:
        super()._init_latent_vars(*args, **others)
        # inference reads no other attribute of the topics
        totals = self.first.sum(axis=1, keepdims=True)
        self.exp_dirichlet_component_ = np.exp(digamma(self.first) - digamma(totals))
