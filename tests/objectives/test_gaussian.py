"""Diagonal Gaussians against NumPy and SciPy, in float64."""

from __future__ import annotations

import numpy as np
import pytest

from archbuild import objectives
from tests.objectives import references
from tests.objectives.cases import GAUSSIAN, arguments
from tests.objectives.tensors import evaluate, gradients


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
