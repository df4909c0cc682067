"""The importance-weighted bound against the evidence of a model where that is known."""

from __future__ import annotations

import numpy as np
import pytest

from archbuild import objectives
from tests.objectives.linear_gaussian import LinearGaussian
from tests.objectives.tensors import evaluate

DRAWS = 20_000
MODEL = LinearGaussian(
    np.zeros(1),
    np.zeros((1, 2)),
    np.eye(2)[None],
    np.array([[1.0, 0.4], [0.3, -1.0], [0.5, 0.2]]),
    0.4,
)


@pytest.fixture(scope="module")
def log_weights():
    """``log p(x, z) - log q(z | x)`` of 20,000 draws for four rows, and ``log p(x)`` of each.

    ``q`` is the exact posterior's diagonal, with its mean moved: a bound that leaves a gap.
    """
    rng = np.random.default_rng(3)
    data = rng.normal(size=(4, 2)) @ MODEL.decoder.T + rng.normal(size=(4, 3)) * np.sqrt(0.4)
    means, covariances = MODEL.posterior(data)
    mean, log_variance = means[:, 0] + 0.5, np.log(np.diagonal(covariances[0])) + 0 * means[:, 0]
    noise = rng.normal(size=(DRAWS, *mean.shape))
    latent = evaluate(objectives.reparameterised, mean, log_variance, noise)
    wanted = np.full(3, np.log(MODEL.noise))
    likelihood = evaluate(objectives.gaussian_log_density, data, latent @ MODEL.decoder.T, wanted)
    zero = np.zeros_like(mean)
    ratio = evaluate(objectives.gaussian_log_ratio, latent, mean, log_variance, zero, zero)
    return likelihood - ratio.sum(axis=-1), MODEL.log_likelihood(data)


def bounds(log_weights, samples):
    """The mean of ``L_S`` over as many disjoint sets of draws as there are, for each row."""
    sets = log_weights.reshape(samples, -1, 4)
    found = evaluate(objectives.importance_bound, sets)
    return found.mean(axis=0)


def test_one_sample_gives_the_evidence_lower_bound(log_weights):
    weights, evidence = log_weights
    np.testing.assert_allclose(bounds(weights, 1), weights.mean(axis=0), rtol=1e-5)
    assert np.all(weights.mean(axis=0) < evidence)


def test_the_bound_rises_with_the_samples_and_stays_below_the_evidence(log_weights):
    weights, evidence = log_weights
    found = np.array([bounds(weights, samples) for samples in (1, 2, 5, 20, 100, 1000)])
    assert np.all(np.diff(found.mean(axis=1)) > 0)
    assert np.all(found[:4].mean(axis=1) < evidence.mean())


def test_the_bound_converges_to_the_evidence(log_weights):
    weights, evidence = log_weights
    np.testing.assert_allclose(bounds(weights, DRAWS), evidence, atol=0.03)
    assert np.all(evidence - bounds(weights, 1) > 0.2)


def test_weights_far_below_the_smallest_float_do_not_vanish(rng):
    weights = rng.normal(size=(50, 3)) - 10_000
    expected = -10_000 + np.log(np.mean(np.exp(weights + 10_000), axis=0))
    np.testing.assert_allclose(evaluate(objectives.importance_bound, weights), expected, rtol=1e-6)
