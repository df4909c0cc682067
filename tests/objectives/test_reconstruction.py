"""The likelihoods against NumPy and SciPy, in float64."""

from __future__ import annotations

import numpy as np
from scipy import stats

from archbuild import objectives
from tests.objectives.tensors import evaluate


def test_squared_error_is_a_mean_over_everything(rng):
    x, y = rng.normal(size=(2, 5, 4, 4, 1))
    expected = np.sum((x - y) ** 2) / x.size
    np.testing.assert_allclose(
        evaluate(objectives.squared_error, x.astype("f"), y.astype("f")), expected, rtol=1e-5
    )


def test_bernoulli_sums_a_row_and_averages_the_batch(rng):
    x, logits = rng.uniform(size=(5, 12)), rng.normal(size=(5, 12))
    p = 1 / (1 + np.exp(-logits))
    expected = -np.sum(x * np.log(p) + (1 - x) * np.log(1 - p)) / 5
    got = evaluate(objectives.bernoulli_negative_log_likelihood, x.astype("f"), logits.astype("f"))
    np.testing.assert_allclose(got, expected, rtol=1e-5)


def test_bernoulli_is_finite_for_certain_logits():
    x, logits = np.ones((1, 2), "float32"), np.array([[1e4, -1e4]], "float32")
    np.testing.assert_allclose(
        evaluate(objectives.bernoulli_negative_log_likelihood, x, logits), 1e4
    )


def test_gaussian_is_the_density_of_scipy(rng):
    x, mean, log_variance = rng.normal(size=(3, 5, 6, 2))
    densities = stats.norm.logpdf(x, mean, np.exp(0.5 * log_variance))
    expected = -np.sum(densities) / 5
    arguments = (part.astype("f") for part in (x, mean, log_variance))
    got = evaluate(objectives.gaussian_negative_log_likelihood, *arguments)
    np.testing.assert_allclose(got, expected, rtol=1e-5)


def test_elements_that_are_not_present_are_left_out(rng):
    x, mean, log_variance = rng.normal(size=(3, 5, 6, 2))
    present = rng.integers(0, 2, size=(5, 6, 2))
    densities = stats.norm.logpdf(x, mean, np.exp(0.5 * log_variance))
    p = 1 / (1 + np.exp(-mean))
    chances = x * np.log(p) + (1 - x) * np.log(1 - p)
    arguments = [part.astype("f") for part in (x, mean, log_variance)]
    mask = present.astype("f")
    np.testing.assert_allclose(
        evaluate(objectives.squared_error, *arguments[:2], mask),
        np.sum(present * (x - mean) ** 2) / present.sum(),
        rtol=1e-5,
    )
    np.testing.assert_allclose(
        evaluate(objectives.gaussian_negative_log_likelihood, *arguments, mask),
        -np.sum(present * densities) / 5,
        rtol=1e-5,
    )
    np.testing.assert_allclose(
        evaluate(objectives.bernoulli_negative_log_likelihood, *arguments[:2], mask),
        -np.sum(present * chances) / 5,
        rtol=1e-5,
    )
    assert float(evaluate(objectives.squared_error, *arguments[:2], 0 * mask)) == 0


def test_losses_of_rows_have_the_loss_of_the_batch_as_their_mean(rng):
    x, mean, log_variance = rng.normal(size=(3, 5, 6)).astype("f")
    counts = rng.poisson(3.0, size=(5, 6)).astype("f")
    present = rng.integers(0, 2, size=(5, 6)).astype("f")
    for function, given in [
        (objectives.bernoulli_negative_log_likelihood, (x, mean)),
        (objectives.gaussian_negative_log_likelihood, (x, mean, log_variance)),
        (objectives.negative_binomial_negative_log_likelihood, (counts, mean, log_variance)),
        (objectives.zero_inflated_negative_log_likelihood, (counts, mean, log_variance, mean)),
    ]:
        rows = np.asarray(function(*given, present, by_row=True))
        assert rows.shape == (5,)
        np.testing.assert_allclose(rows.mean(), function(*given, present), rtol=1e-5)
        one = [each[2:3] for each in given]
        np.testing.assert_allclose(rows[2], function(*one, present[2:3]), rtol=1e-5)
