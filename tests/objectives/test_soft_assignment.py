"""DEC's equations against NumPy references, written from the paper in float64."""

from __future__ import annotations

import numpy as np
import pytest

from archbuild import objectives
from tests.objectives.tensors import evaluate


def soft_assignment(latent, centres, freedom):
    kernel = np.empty((len(latent), len(centres)))
    for i, point in enumerate(latent):
        for k, centre in enumerate(centres):
            distance = np.sum((point - centre) ** 2)
            kernel[i, k] = (1 + distance / freedom) ** (-(freedom + 1) / 2)
    return kernel / kernel.sum(axis=1, keepdims=True)


@pytest.fixture
def points(rng):
    return rng.normal(size=(7, 3)), rng.normal(size=(4, 3))


@pytest.mark.parametrize("freedom", [0.5, 1.0, 5.0])
def test_log_soft_assignment_is_equation_1(points, freedom):
    latent, centres = points
    found = evaluate(objectives.log_soft_assignment, latent, centres, freedom)
    got = np.exp(found)
    np.testing.assert_allclose(got, soft_assignment(latent, centres, freedom), rtol=2e-5)


def test_the_kernel_has_one_degree_of_freedom_unless_told(points):
    got = np.exp(evaluate(objectives.log_soft_assignment, *points))
    np.testing.assert_allclose(got, soft_assignment(*points, 1.0), rtol=2e-5)


def test_log_soft_assignment_stays_finite_at_extreme_latents():
    latent = np.array([[1e4, -1e4], [0.0, 0.0]], "float32")
    got = evaluate(objectives.log_soft_assignment, latent, np.zeros((3, 2), "float32"))
    np.testing.assert_allclose(got, np.log(1 / 3), rtol=1e-5)


def test_squared_distances_is_zero_on_a_centre(points):
    latent = points[0].astype("f") + 1000
    assert np.all(np.diag(evaluate(objectives.squared_distances, latent, latent)) == 0)


def test_target_distribution_is_equation_3(points):
    q = soft_assignment(*points, 1.0)
    weight = q**2 / q.sum(axis=0)
    expected = weight / weight.sum(axis=1, keepdims=True)
    got = evaluate(objectives.target_distribution, q.astype("f"))
    np.testing.assert_allclose(got, expected, rtol=1e-5)


def test_target_distribution_gives_nothing_to_an_empty_cluster():
    q = np.array([[1.0, 0.0], [1.0, 0.0]], "float32")
    np.testing.assert_array_equal(evaluate(objectives.target_distribution, q), q)


def test_assignment_divergence_is_equation_2(rng):
    p, q = rng.dirichlet(np.ones(4), 6), rng.dirichlet(np.ones(4), 6)
    got = evaluate(objectives.assignment_divergence, p.astype("f"), np.log(q).astype("f"))
    np.testing.assert_allclose(got, np.sum(p * np.log(p / q), axis=1), rtol=1e-4)


def test_assignment_divergence_takes_zero_targets_as_zero():
    p = np.array([[1.0, 0.0]], "float32")
    log_q = np.log(np.array([[0.5, 0.5]], "float32"))
    got = evaluate(objectives.assignment_divergence, p, log_q)
    np.testing.assert_allclose(got, [np.log(2)], rtol=1e-6)
