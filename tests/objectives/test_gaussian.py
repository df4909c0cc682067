"""Diagonal Gaussians against NumPy and SciPy, in float64."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from archbuild import objectives
from tests.objectives import references
from tests.objectives.cases import GAUSSIAN, arguments
from tests.objectives.tensors import evaluate, gradients, tensor


@pytest.mark.parametrize(("name", "given"), GAUSSIAN)
def test_function_is_its_equation(name, given):
    values = [each.astype("float64") for each in arguments(given)]
    expected = getattr(references, name)(*values)
    got = evaluate(getattr(objectives, name), *values)
    np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-6)


def test_bounded_log_variance_hardly_touches_what_is_usual_and_keeps_a_slope_beyond():
    usual, beyond = np.linspace(-1, 1, 9), np.array([-40.0, 40.0])
    got = evaluate(objectives.bounded_log_variance, usual)
    np.testing.assert_allclose(got, usual, rtol=4e-3)
    assert np.all(np.abs(evaluate(objectives.bounded_log_variance, 1e4 * usual)) <= 10)
    assert np.all(gradients(objectives.bounded_log_variance, beyond)[0] != 0)


def test_unbounded_log_variance_is_the_way_back_and_finite_at_the_bounds():
    values = np.linspace(-20, 20, 9)
    bounded = evaluate(objectives.bounded_log_variance, values)
    got = evaluate(objectives.unbounded_log_variance, bounded)
    np.testing.assert_allclose(got, values, rtol=1e-4)
    there = evaluate(objectives.unbounded_log_variance, np.array([-10.0, 10.0, 30.0]))
    assert np.all(np.abs(there) < 27)
    np.testing.assert_array_equal(np.sign(there), [-1, 1, 1])


def test_divergence_is_zero_only_between_equals(rng):
    mean, log_variance = rng.normal(size=(2, 6, 3))
    same = evaluate(objectives.gaussian_divergence, mean, log_variance, mean, log_variance)
    np.testing.assert_allclose(same, 0, atol=1e-6)
    for other in [(mean + 0.1, log_variance), (mean, log_variance + 0.1)]:
        assert np.all(evaluate(objectives.gaussian_divergence, mean, log_variance, *other) > 0.005)


def test_divergence_is_the_mean_of_the_log_ratio(rng):
    """Over draws: the two functions belong together, as a bound and its estimate need."""
    mean, log_variance, *other = rng.normal(size=(4, 5, 2))
    noise = rng.normal(size=(40_000, 5, 2))
    draws = evaluate(objectives.reparameterised, mean, log_variance, noise)
    here = evaluate(objectives.gaussian_log_density, draws, mean, log_variance)
    there = evaluate(objectives.gaussian_log_density, draws, *other)
    error = np.std(here - there, axis=0) / np.sqrt(len(noise))
    expected = references.gaussian_divergence(mean, log_variance, *other)
    assert np.all(np.abs(np.mean(here - there, axis=0) - expected) < 4 * error)


def test_no_noise_draws_the_mean(rng):
    mean, log_variance = rng.normal(size=(2, 5, 3))
    got = evaluate(objectives.reparameterised, mean, log_variance, np.zeros((5, 3)))
    np.testing.assert_array_equal(got, mean.astype("float32"))


@pytest.mark.parametrize("sign", [-1, 1])
def test_values_and_gradients_stay_finite_at_the_bounds(sign):
    """Means 2e4 apart, the narrowest variance against the widest."""
    far, bound = np.full((2, 3), 1e4), np.full((2, 3), sign * 10.0)
    for function, given in [
        (objectives.gaussian_divergence, (far, bound, -far, -bound)),
        (objectives.gaussian_log_density, (far, -far, bound)),
    ]:
        assert np.all(np.isfinite(evaluate(function, *given)))
        assert np.all(np.isfinite(gradients(function, *given)))


def test_merging_is_the_product_of_two_densities(rng):
    """By the equation, and on a grid: the product, normalised, has this mean and variance."""
    given = rng.normal(size=(4, 5, 3))
    mean, log_variance = map(np.asarray, objectives.merged_gaussians(*map(tensor, given)))
    for got, expected in zip(
        (mean, log_variance), references.merged_gaussians(*given), strict=True
    ):
        np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-6)
    grid = np.linspace(-30, 30, 60_001)
    one, other = ((m[0, 0], np.exp(v[0, 0] / 2)) for m, v in (given[:2], given[2:]))
    product = stats.norm.pdf(grid, *one) * stats.norm.pdf(grid, *other)
    product /= product.sum()
    centre = np.sum(grid * product)
    np.testing.assert_allclose(mean[0, 0], centre, rtol=1e-4)
    spread = np.sum((grid - centre) ** 2 * product)
    np.testing.assert_allclose(np.exp(log_variance[0, 0]), spread, rtol=1e-4)


def test_merging_with_something_certain_leaves_that():
    """At the bounds of log-variances neither value nor slope overflows."""
    given = [np.array([each]) for each in (3.0, -10.0, -2.0, 10.0)]
    mean, log_variance = objectives.merged_gaussians(*map(tensor, given))
    np.testing.assert_allclose([mean[0], log_variance[0]], [3.0, -10.0], rtol=1e-6)
    for which in range(2):
        slopes = gradients(lambda *of: objectives.merged_gaussians(*of)[which], *given)  # noqa: B023
        assert np.all(np.isfinite(slopes))


def test_log_ratios_of_units_sum_to_that_of_densities(rng):
    value, *given = rng.normal(size=(5, 6, 3))
    units = evaluate(objectives.gaussian_log_ratio, value, *given)
    densities = [references.gaussian_log_density(value, *each) for each in (given[:2], given[2:])]
    np.testing.assert_allclose(units.sum(axis=1), densities[0] - densities[1], rtol=1e-4)
