"""A Gaussian mixture under a Gauss-Wishart prior, written from the equations, point by point.

The prior is ``messages.gibbs.GaussWishart``; everything else is SciPy's or a sum.
"""

from __future__ import annotations

import numpy as np
from scipy import special, stats


def posterior(points, prior):
    """``r``, ``ν``, ``m`` and ``S`` of one class that has these points."""
    strength, freedom = prior.strength, prior.freedom
    total = prior.strength * prior.mean
    squares = prior.scatter + prior.strength * np.outer(prior.mean, prior.mean)
    for point in points:
        strength, freedom = strength + 1, freedom + 1
        total, squares = total + point, squares + np.outer(point, point)
    mean = total / strength
    return strength, freedom, mean, squares - strength * np.outer(mean, mean)


def log_predictive(point, points, prior):
    """``log t(x)`` of a class that has these points; of several ``x`` at once, too."""
    strength, freedom, mean, scatter = posterior(points, prior)
    left = freedom - len(mean) + 1
    scale = scatter * (strength + 1) / (strength * left)
    return stats.multivariate_t.logpdf(point, mean, scale, df=left)


def log_conditional(row, points, classes, prior, concentration, log_bias):
    """``(K,)``: what the next class of one point is drawn from."""
    others = np.arange(len(points)) != row
    scores = []
    for k, bias in enumerate(log_bias[row]):
        members = points[others & (classes == k)]
        weight = np.log(len(members) + concentration)
        scores.append(weight + log_predictive(points[row], members, prior) + bias)
    return np.array(scores)


def log_conditionals(points, classes, *model):
    """Of every point, ``(n, K)``."""
    rows = range(len(points))
    return np.stack([log_conditional(row, points, classes, *model) for row in rows])


def sweep(noise, points, classes, *model):
    """The classes after one sweep, point after point, that is decided by noise ``(n, K)``."""
    classes = classes.copy()
    for row, own in enumerate(noise):
        classes[row] = np.argmax(log_conditional(row, points, classes, *model) + own)
    return classes


def log_evidence(points, prior):
    """``log p(points)`` of one class, its mean and precision integrated out."""
    (n, size), (strength, freedom, _, scatter) = points.shape, posterior(points, prior)
    gammas = special.multigammaln(freedom / 2, size) - special.multigammaln(prior.freedom / 2, size)
    before, after = np.linalg.slogdet(prior.scatter)[1], np.linalg.slogdet(scatter)[1]
    volumes = prior.freedom / 2 * before - freedom / 2 * after
    return (
        gammas
        + volumes
        + size / 2 * np.log(prior.strength / strength)
        - n * size / 2 * np.log(np.pi)
    )


def log_joint(points, classes, prior, concentration, log_bias):
    """``log p(points, classes)`` but for a constant: evidence, Dirichlet-multinomial, bias."""
    total = log_bias[np.arange(len(points)), classes].sum()
    for k in range(log_bias.shape[1]):
        members = points[classes == k]
        total += log_evidence(members, prior) + special.gammaln(len(members) + concentration)
    return total


def drawn_gaussians(number, prior, rng):
    """Means ``(number, J)`` and roots of covariances ``(number, J, J)``, drawn from the prior."""
    wishart = stats.wishart(prior.freedom, np.linalg.inv(prior.scatter))
    roots = np.linalg.cholesky(np.linalg.inv(wishart.rvs(number, random_state=rng)))
    noise = rng.normal(size=(number, len(prior.mean))) / np.sqrt(prior.strength)
    return prior.mean + np.einsum("nij,nj->ni", roots, noise), roots
