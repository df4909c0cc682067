"""The likelihood of counts against NumPy and SciPy, in float64."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import special, stats

from archbuild import objectives
from archbuild.objectives.counts import _stirling_rest
from tests.objectives.tensors import evaluate, gradients


def test_rows_are_brought_to_one_sum():
    counts = np.array([[1, 3, 0], [10, 30, 0], [0, 0, 0]], "float32")
    got = evaluate(objectives.log_normalised_counts, counts)
    np.testing.assert_allclose(got[0], np.log([2501, 7501, 1]), rtol=1e-6)
    np.testing.assert_allclose(got[1], got[0], rtol=1e-6)
    np.testing.assert_array_equal(got[2], [0, 0, 0])


@pytest.mark.parametrize("start", [1e-4, 0.3, 1.0, 7.5, 20_000.0])
def test_log_gamma_ratio_is_that_of_scipy(start):
    steps = np.array([0, 1, 2, 30, 5000], "float64")
    expected = special.gammaln(start + steps) - special.gammaln(start)
    got = evaluate(
        objectives.log_gamma_ratio, np.full(5, start, "float32"), steps.astype("float32")
    )
    np.testing.assert_allclose(got, expected, rtol=2e-5, atol=1e-5)


def test_what_stirling_leaves_out_is_that_of_scipy():
    value = np.array([8.0, 12.0, 40.0])
    stirling = (value - 0.5) * np.log(value) - value + 0.5 * np.log(2 * np.pi)
    got = evaluate(_stirling_rest, value)
    np.testing.assert_allclose(got, special.gammaln(value) - stirling, rtol=1e-6)


def test_negative_binomial_is_the_mass_of_scipy(rng):
    counts = rng.poisson(rng.gamma(0.5, 8, size=(6, 9)))
    logits, log_dispersion = rng.normal(size=(2, 6, 9))
    mean = counts.sum(axis=1, keepdims=True) * special.softmax(logits, axis=1)
    dispersion = np.exp(log_dispersion)
    masses = stats.nbinom.logpmf(counts, dispersion, dispersion / (dispersion + mean))
    arguments = [part.astype("float32") for part in (counts, logits, log_dispersion)]
    got = evaluate(objectives.negative_binomial_negative_log_likelihood, *arguments)
    np.testing.assert_allclose(got, -masses.sum() / 6, rtol=1e-5)
    present = rng.integers(0, 2, size=(6, 9))
    got = evaluate(
        objectives.negative_binomial_negative_log_likelihood, *arguments, present.astype("f")
    )
    np.testing.assert_allclose(got, -(present * masses).sum() / 6, rtol=1e-5)


def test_zero_inflation_is_that_of_the_equation(rng):
    counts = rng.poisson(rng.gamma(0.5, 8, size=(6, 9)))
    logits, log_dispersion, dropout = rng.normal(size=(3, 6, 9))
    mean = counts.sum(axis=1, keepdims=True) * special.softmax(logits, axis=1)
    dispersion, lost = np.exp(log_dispersion), special.expit(dropout)
    kept = stats.nbinom.pmf(counts, dispersion, dispersion / (dispersion + mean))
    masses = np.log(lost * (counts == 0) + (1 - lost) * kept)
    arguments = [part.astype("float32") for part in (counts, logits, log_dispersion, dropout)]
    got = evaluate(objectives.zero_inflated_negative_log_likelihood, *arguments)
    np.testing.assert_allclose(got, -masses.sum() / 6, rtol=1e-5)
    present = rng.integers(0, 2, size=(6, 9))
    got = evaluate(
        objectives.zero_inflated_negative_log_likelihood, *arguments, present.astype("f")
    )
    np.testing.assert_allclose(got, -(present * masses).sum() / 6, rtol=1e-5)


def test_extremes_are_finite():
    counts = np.array([[0, 0, 0], [1e6, 0, 1]], "float32")
    logits = np.array([[0, 90, -90], [-90, 90, 0]], "float32")
    for bound in (-10.0, 10.0):
        spread = np.full((2, 3), bound, "float32")
        loss = evaluate(
            objectives.negative_binomial_negative_log_likelihood, counts, logits, spread
        )
        assert np.isfinite(float(loss))
        for dropout in (-90.0, 90.0):
            lost = np.full((2, 3), dropout, "float32")
            given = (counts, logits, spread, lost)
            slopes = gradients(objectives.zero_inflated_negative_log_likelihood, *given)
            assert all(np.isfinite(slope).all() for slope in slopes)
