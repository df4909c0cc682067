"""A latent-variable model whose likelihood, posterior and evidence bounds are known exactly."""

from __future__ import annotations

import numpy as np
from scipy import special, stats


class LinearGaussian:
    """``k ~ π``, ``h | k ~ N(m_k, C_k)``, ``x | h ~ N(W h, σ² I)``.

    Args:
        log_weights: ``log π_k``, ``(cluster,)``.
        means: ``(cluster, hidden)``.
        covariances: ``(cluster, hidden, hidden)``.
        decoder: ``W``, ``(data, hidden)``.
        noise: ``σ²``.
    """

    def __init__(self, log_weights, means, covariances, decoder, noise):
        self.log_weights, self.means, self.covariances = log_weights, means, covariances
        self.decoder, self.noise = decoder, noise

    def log_joint(self, data):
        """``log π_k + log N(x | W m_k, W C_k Wᵀ + σ² I)``, ``(batch, cluster)``."""
        covariances = self.decoder @ self.covariances @ self.decoder.T
        covariances = covariances + self.noise * np.eye(len(self.decoder))
        components = zip(self.means @ self.decoder.T, covariances, strict=True)
        columns = [stats.multivariate_normal.logpdf(data, *each) for each in components]
        return self.log_weights + np.stack(columns, axis=1)

    def log_likelihood(self, data):
        """``log p(x)``, ``(batch,)``."""
        return special.logsumexp(self.log_joint(data), axis=1)

    def posterior(self, data):
        """Mean and covariance of ``p(h | x, k)``, for every row and cluster; for every cluster."""
        prior = np.linalg.inv(self.covariances)
        covariances = np.linalg.inv(prior + self.decoder.T @ self.decoder / self.noise)
        pull = (
            np.einsum("kij,kj->ki", prior, self.means) + data[:, None] @ self.decoder / self.noise
        )
        return np.einsum("kij,bkj->bki", covariances, pull), covariances

    def bound(self, data, mean, log_variance, log_assignment):
        """What ``q(h) q(k)`` makes of ``log p(x)``: less ``KL(q(h) q(k) || p(h, k | x))``.

        ``Σ_k q_k [log p(x, k) - log q_k - KL(q(h) || p(h | x, k))]``, ``(batch,)``.
        """
        evidence = (
            self.log_joint(data) - log_assignment - self._divergences(data, mean, log_variance)
        )
        return np.sum(np.exp(log_assignment) * evidence, axis=1)

    def _divergences(self, data, mean, log_variance):
        means, covariances = self.posterior(data)
        precisions = np.linalg.inv(covariances)
        shift = mean[:, None] - means
        distance = np.einsum("bki,kij,bkj->bk", shift, precisions, shift)
        trace = np.exp(log_variance) @ np.diagonal(precisions, axis1=1, axis2=2).T
        volumes = np.linalg.slogdet(covariances)[1] - log_variance.sum(axis=1)[:, None]
        return 0.5 * (trace + distance - mean.shape[1] + volumes)
