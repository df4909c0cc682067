"""The evidence bounds of VaDE and GMVAE, against likelihoods that are known exactly.

Two toy models whose every distribution is Gaussian and every map linear. What the objectives add up
to must be what the equation of the bound gives in closed form, and lie below ``log p(x)``.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy import special

from archbuild import objectives
from tests.objectives.linear_gaussian import LinearGaussian
from tests.objectives.tensors import evaluate

LOG_WEIGHTS = np.log([0.2, 0.3, 0.5])
MEANS = np.array([[-1.5, 0.5], [1.0, 1.0], [0.5, -1.5]])
LOG_VARIANCES = np.log([[0.3, 0.5], [0.6, 0.2], [0.4, 0.4]])
VARIANCES = np.exp(LOG_VARIANCES)[:, :, None] * np.eye(2)
# orthogonal columns: the posterior of one component is then a diagonal Gaussian, as encoders are
DECODER = np.array([[1.0, 1.0], [1.0, -1.0], [0.5, 0.0]])
NOISE = 0.3
VADE = LinearGaussian(LOG_WEIGHTS, MEANS, VARIANCES, DECODER, NOISE)

SLOPES = np.array([[[0.5, 0], [0, 0.5]], [[0, 0.8], [-0.8, 0]], [[0.3, 0.3], [-0.4, 0.2]]])
"""What moves GMVAE's components: ``m_k + A_k w``."""
EQUAL = np.full(3, -np.log(3))
GMVAE = LinearGaussian(  # hidden is x and, after it, w
    EQUAL,
    np.concatenate([MEANS, np.zeros_like(MEANS)], axis=1),
    np.block(
        [
            [VARIANCES + SLOPES @ SLOPES.transpose(0, 2, 1), SLOPES],
            [SLOPES.transpose(0, 2, 1), np.broadcast_to(np.eye(2), SLOPES.shape)],
        ]
    ),
    np.concatenate([DECODER, np.zeros_like(DECODER)], axis=1),
    NOISE,
)

DRAWS = 4000


@pytest.fixture
def data(rng):
    """Six rows, two of each component."""
    latent = np.repeat(MEANS, 2, axis=0) + rng.normal(size=(6, 2)) * 0.5
    return latent @ DECODER.T + rng.normal(size=(6, 3)) * np.sqrt(NOISE)


@pytest.fixture
def noise(rng):
    """Standard normal draws of x and w, whose mean and covariance are exactly 0 and 1.

    So the mean over them of a quadratic, such as a Gaussian log-likelihood, has no sampling error.
    """
    drawn = rng.normal(size=(DRAWS, 6 * 4))
    drawn -= drawn.mean(axis=0)
    root = np.linalg.cholesky(drawn.T @ drawn / DRAWS)
    return np.linalg.solve(root, drawn.T).T.reshape(DRAWS, 6, 4)


def encoder(model, data, shift=0.0):
    """Of each row's likeliest component, what a diagonal Gaussian takes of the exact posterior.

    ``shift`` spoils the mean and the log-variance alike.
    """
    likeliest = np.argmax(model.log_joint(data), axis=1)
    means, covariances = model.posterior(data)
    variances = np.diagonal(covariances, axis1=1, axis2=2)[likeliest]
    return means[np.arange(len(data)), likeliest] + shift, np.log(variances) + shift


def of_every_draw(rows):
    """``(batch, size)`` to ``(draws * batch, size)``, as the decoder is given its draws."""
    return np.tile(rows, (DRAWS, 1))


def mean_of_draws(values):
    return values.reshape(DRAWS, -1).mean(axis=0)


def draw(mean, log_variance, noise):
    drawn = evaluate(objectives.reparameterised, mean, log_variance, noise)
    return drawn.reshape(-1, drawn.shape[-1])


def log_likelihood(data, latent):
    """``log p(x | z)`` for each row."""
    log_variance = np.full(len(DECODER), np.log(NOISE))
    return evaluate(objectives.gaussian_log_density, data, latent @ DECODER.T, log_variance)


def cluster_cost(log_assignment, divergences, log_weights):
    """``Σ_k q_k KL_k + KL(q(k) || π)`` for each row."""
    conditional = evaluate(objectives.expected_divergence, log_assignment, divergences)
    return conditional + evaluate(objectives.categorical_divergence, log_assignment, log_weights)


def log_mean_exp(log_weights):
    """Over the draws, for each row of the data."""
    return special.logsumexp(log_weights.reshape(DRAWS, -1), axis=0) - np.log(DRAWS)


# VaDE


def vade_assignment(kind, latent, mean, divergences):
    """What is taken for ``q(k | x)``, where ``latent`` was drawn."""
    if kind == "tightest":
        return evaluate(objectives.tightest_log_responsibilities, LOG_WEIGHTS, divergences)
    at, function = {
        "sample": (latent, objectives.log_responsibilities),
        "inverse min-max": (mean, objectives.inverse_min_max_log_responsibilities),
    }[kind]
    joints = evaluate(objectives.component_log_joints, at, LOG_WEIGHTS, MEANS, LOG_VARIANCES)
    return evaluate(function, joints)


def vade(kind, data, mean, log_variance, noise):
    """The bound for each row and draw, and the assignments in it."""
    latent = draw(mean, log_variance, noise)
    q = of_every_draw(mean), of_every_draw(log_variance)
    divergences = evaluate(objectives.component_divergences, *q, MEANS, LOG_VARIANCES)
    log_assignment = vade_assignment(kind, latent, q[0], divergences)
    cost = cluster_cost(log_assignment, divergences, LOG_WEIGHTS)
    return log_likelihood(of_every_draw(data), latent) - cost, log_assignment


KINDS = ["sample", "inverse min-max", "tightest"]
SHIFTS = [0.0, 0.3, 1.5]


@pytest.mark.parametrize("shift", SHIFTS)
@pytest.mark.parametrize("kind", KINDS)
def test_vade_bound_is_the_exact_one_below_the_likelihood(kind, shift, data, noise):
    mean, log_variance = encoder(VADE, data, shift)
    bound, log_assignment = vade(kind, data, mean, log_variance, noise[:, :, :2])
    everywhere = (of_every_draw(part) for part in (data, mean, log_variance))
    expected = mean_of_draws(VADE.bound(*everywhere, log_assignment))
    np.testing.assert_allclose(mean_of_draws(bound), expected, atol=1e-3)
    assert np.all(mean_of_draws(bound) < VADE.log_likelihood(data))


@pytest.mark.parametrize("shift", SHIFTS)
def test_tightest_responsibilities_make_the_largest_bound(shift, data, noise):
    encoding = encoder(VADE, data, shift)
    *others, tightest = (
        mean_of_draws(vade(kind, data, *encoding, noise[:, :, :2])[0]) for kind in KINDS
    )
    assert np.all(tightest >= np.array(others) - 1e-4)


def test_vade_bound_loses_at_most_the_other_components(data, noise):
    """``log p(x, k) <= bound`` where q is the exact posterior of component k."""
    bound, _ = vade("tightest", data, *encoder(VADE, data), noise[:, :, :2])
    assert np.all(mean_of_draws(bound) > VADE.log_joint(data).max(axis=1) - 1e-4)


def test_importance_sampling_finds_the_likelihood_of_vade(data, rng):
    """``log mean_s p(x | z_s) Σ_k π_k N(z_s | k) / q(z_s | x)``."""
    mean, log_variance = encoder(VADE, data)
    wide = mean, log_variance + 0.5  # it has to reach the other components
    latent = draw(*wide, rng.normal(size=(DRAWS, *mean.shape)))
    joints = evaluate(objectives.component_log_joints, latent, LOG_WEIGHTS, MEANS, LOG_VARIANCES)
    log_q = evaluate(objectives.gaussian_log_density, latent, *map(of_every_draw, wide))
    likelihood = log_likelihood(of_every_draw(data), latent)
    estimate = log_mean_exp(likelihood + special.logsumexp(joints, axis=1) - log_q)
    np.testing.assert_allclose(estimate, VADE.log_likelihood(data), atol=0.05)


# GMVAE: a mixture for each row


def gmvae_components(w):
    """Means and log-variances of ``p(x | w, k)``, ``(rows, cluster, latent)``."""
    means = MEANS + np.einsum("kij,nj->nki", SLOPES, w)
    return means, np.broadcast_to(LOG_VARIANCES, means.shape)


def gmvae_posterior(x, w):
    """``p(k | x, w)``, in which the final version's assignments consist."""
    joints = evaluate(objectives.component_log_joints, x, EQUAL, *gmvae_components(w))
    return evaluate(objectives.log_responsibilities, joints)


def gmvae(data, mean, log_variance, noise, log_assignment=None):
    """The mean over the draws for each row; without an assignment, with ``p(k | x, w)``."""
    x, w = np.split(draw(mean, log_variance, noise), 2, axis=1)
    q_x, q_w = zip(*(np.split(part, 2, axis=1) for part in (mean, log_variance)), strict=True)
    divergences = evaluate(
        objectives.component_divergences, *map(of_every_draw, q_x), *gmvae_components(w)
    )
    log_assignment = gmvae_posterior(x, w) if log_assignment is None else log_assignment
    cost = cluster_cost(log_assignment, divergences, EQUAL)
    bound = mean_of_draws(log_likelihood(of_every_draw(data), x) - cost)
    return bound - evaluate(objectives.standard_gaussian_divergence, *q_w)


@pytest.mark.parametrize("shift", SHIFTS)
def test_gmvae_bound_is_the_exact_one_below_the_likelihood(shift, data, noise, rng):
    encoding = encoder(GMVAE, data, shift)
    log_assignment = special.log_softmax(GMVAE.log_joint(data) + rng.normal(size=(6, 3)), axis=1)
    bound = gmvae(data, *encoding, noise, of_every_draw(log_assignment))
    expected = GMVAE.bound(data, *encoding, log_assignment)
    np.testing.assert_allclose(bound, expected, atol=1e-3)
    assert np.all(bound < GMVAE.log_likelihood(data))


@pytest.mark.parametrize("shift", SHIFTS)
def test_gmvae_bound_with_bayes_rule_lies_below_the_likelihood(shift, data, noise):
    assert np.all(gmvae(data, *encoder(GMVAE, data, shift), noise) < GMVAE.log_likelihood(data))


def test_importance_sampling_finds_the_likelihood_of_gmvae(data, rng):
    """``log mean_s p(y | x_s) p(w_s) Σ_k p(x_s, k | w_s) / q(x_s, w_s | y)``."""
    mean, log_variance = encoder(GMVAE, data)
    wide = mean, log_variance + 0.5
    hidden = draw(*wide, rng.normal(size=(DRAWS, *mean.shape)))
    x, w = np.split(hidden, 2, axis=1)
    joints = evaluate(objectives.component_log_joints, x, EQUAL, *gmvae_components(w))
    log_prior = evaluate(objectives.gaussian_log_density, w, 0 * w, 0 * w)
    log_q = evaluate(objectives.gaussian_log_density, hidden, *map(of_every_draw, wide))
    likelihood = log_likelihood(of_every_draw(data), x) + special.logsumexp(joints, axis=1)
    estimate = log_mean_exp(likelihood + log_prior - log_q)
    np.testing.assert_allclose(estimate, GMVAE.log_likelihood(data), atol=0.1)
