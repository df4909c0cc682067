"""Mixtures of full covariances against SciPy's Gaussian and Student-t, in float64."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from archbuild import objectives
from tests.objectives import references
from tests.objectives.tensors import evaluate, gradients, tensor

BATCH, CLUSTERS, LATENT = 5, 4, 3


class Model:
    """Values, means, scale matrices that lean every way, log weights, powers and shrinks."""

    def __init__(self, rng):
        roots = rng.normal(size=(CLUSTERS, LATENT, LATENT))
        self.values = 2 * rng.normal(size=(BATCH, LATENT))
        self.means = rng.normal(size=(CLUSTERS, LATENT))
        self.scales = roots @ np.swapaxes(roots, 1, 2) + 0.2 * np.eye(LATENT)
        self.whitening = np.linalg.inv(np.linalg.cholesky(self.scales))
        self.log_weights = np.log(rng.dirichlet(np.ones(CLUSTERS)))
        self.freedoms = rng.uniform(1.5, 9, CLUSTERS)
        self.shrinks = rng.uniform(0.2, 1, CLUSTERS)

    @property
    def distances(self):
        return distances(self.values, self.means, self.whitening)


@pytest.fixture
def model(rng):
    return Model(rng)


def distances(values, means, whitening):
    found = np.empty((len(values), len(means)))
    for i, value in enumerate(values):
        for k, (mean, matrix) in enumerate(zip(means, whitening, strict=True)):
            found[i, k] = np.sum((matrix @ (value - mean)) ** 2)
    return found


def test_distances_are_those_of_mahalanobis(model):
    got = evaluate(objectives.whitened_distances, model.values, model.means, model.whitening)
    assert got.shape == (BATCH, CLUSTERS)
    for k, scale in enumerate(model.scales):
        differences = model.values - model.means[k]
        expected = np.einsum("bi,ij,bj->b", differences, np.linalg.inv(scale), differences)
        np.testing.assert_allclose(got[:, k], expected, rtol=1e-4)


def test_gaussian_log_joints_are_the_weighted_densities(model):
    volumes = np.linalg.slogdet(2 * np.pi * model.scales)[1]
    offsets = model.log_weights - 0.5 * volumes
    got = evaluate(objectives.gaussian_log_joints, model.distances, offsets)
    assert got.shape == (BATCH, CLUSTERS)
    for k, scale in enumerate(model.scales):
        density = stats.multivariate_normal.logpdf(model.values, model.means[k], scale)
        np.testing.assert_allclose(got[:, k], model.log_weights[k] + density, rtol=1e-5)


def test_student_t_log_joints_are_the_weighted_densities(model):
    """Of ``v`` degrees of freedom and scale ``S / (s v)``; the offset is that at the mean."""
    spreads = model.scales / (model.shrinks * model.freedoms)[:, None, None]
    components = list(zip(model.means, spreads, model.freedoms, strict=True))
    at_mean = [stats.multivariate_t.logpdf(mean, mean, *others) for mean, *others in components]
    offsets, powers = model.log_weights + at_mean, (model.freedoms + LATENT) / 2
    given = model.distances, offsets, powers, model.shrinks
    got = evaluate(objectives.student_t_log_joints, *given)
    assert got.shape == (BATCH, CLUSTERS)
    for k, component in enumerate(components):
        density = stats.multivariate_t.logpdf(model.values, *component)
        np.testing.assert_allclose(got[:, k], model.log_weights[k] + density, rtol=1e-5)


def test_a_student_t_of_much_freedom_is_a_gaussian(model):
    many = np.full(CLUSTERS, 1e6)
    student = evaluate(
        objectives.student_t_log_joints, model.distances, model.log_weights, many / 2, 1 / many
    )
    gaussian = evaluate(objectives.gaussian_log_joints, model.distances, model.log_weights)
    np.testing.assert_allclose(student, gaussian, rtol=1e-3)


def test_gradients_are_those_of_the_equations(model):
    """What a network that is trained against a mixture would follow."""
    given, powers = (model.values, model.means, model.whitening), model.freedoms

    def joints(*arguments):
        found = objectives.whitened_distances(*arguments)
        return objectives.student_t_log_joints(found, 0.0, *map(tensor, (powers, model.shrinks)))

    def reference(*arguments):
        return -powers * np.log(1 + model.shrinks * distances(*arguments))

    slopes = references.numerical_gradients(reference, *given)
    for gradient, slope in zip(gradients(joints, *given), slopes, strict=True):
        np.testing.assert_allclose(gradient, slope, rtol=1e-3, atol=1e-3)


def test_a_row_of_its_own_does_not_depend_on_the_batch(model):
    given = model.means, model.whitening
    whole = evaluate(objectives.whitened_distances, model.values, *given)
    alone = [
        evaluate(objectives.whitened_distances, each[None], *given)[0] for each in model.values
    ]
    np.testing.assert_allclose(whole, alone, rtol=1e-6)


def test_distance_is_0_on_a_mean_far_from_0(model):
    means = (model.means + 1e4).astype("float32")
    got = evaluate(objectives.whitened_distances, means, means, model.whitening)
    np.testing.assert_array_equal(np.diag(got), 0)
    assert np.all(got >= 0)


@pytest.mark.parametrize("away", [1e4, 1e6, 1e12])
def test_far_values_have_finite_log_joints_and_probabilities(model, away):
    found = evaluate(
        objectives.whitened_distances, away * model.values, model.means, model.whitening
    )
    powers = (model.freedoms + LATENT) / 2
    gaussian = evaluate(objectives.gaussian_log_joints, found, model.log_weights)
    student = evaluate(
        objectives.student_t_log_joints, found, model.log_weights, powers, model.shrinks
    )
    for joints in (gaussian, student):
        assert np.all(np.isfinite(joints))
        log_shares = evaluate(objectives.log_responsibilities, joints)
        np.testing.assert_allclose(np.exp(log_shares).sum(axis=1), 1, rtol=1e-5)


def test_small_distances_keep_their_logarithm(model):
    """``log1p``, where ``log(1 + x)`` would be 0."""
    got = evaluate(objectives.student_t_log_joints, [[1e-10]], [0.0], [1.0], [1.0])
    np.testing.assert_allclose(got, -1e-10, rtol=1e-5)
