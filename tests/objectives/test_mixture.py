"""Mixtures against NumPy and SciPy, in float64, and where they could break."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from scipy import optimize, special

from archbuild import objectives
from tests.objectives import references
from tests.objectives.cases import (
    ASSIGNMENTS,
    CLUSTERS,
    EXTREMES,
    MIXTURE,
    ORDINARY,
    arguments,
    chain,
)
from tests.objectives.tensors import evaluate, gradients


@pytest.mark.parametrize(("name", "given"), MIXTURE)
def test_function_is_its_equation(name, given):
    values = [each.astype("float64") for each in arguments(given)]
    expected = getattr(references, name)(*values)
    got = evaluate(getattr(objectives, name), *values)
    np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("assignment", ASSIGNMENTS)
@pytest.mark.parametrize("model", EXTREMES)
def test_rows_of_every_assignment_sum_to_1(assignment, model):
    log_assignment = evaluate(ASSIGNMENTS[assignment], *EXTREMES[model])
    np.testing.assert_allclose(np.exp(log_assignment).sum(axis=1), 1, rtol=1e-5)


@pytest.mark.parametrize("assignment", ASSIGNMENTS)
def test_an_empty_cluster_gets_nothing_and_pulls_at_nothing(assignment):
    model = EXTREMES["empty cluster"]
    share = np.exp(evaluate(ASSIGNMENTS[assignment], *model))[:, 0]
    np.testing.assert_allclose(share, 0, atol=1e-8)
    means = gradients(chain(assignment, "entropy"), *model)[3]
    np.testing.assert_allclose(means[0], 0, atol=1e-6)


def test_vanishing_shares_keep_their_logarithm():
    joints, equal = np.array([[0.0, -500.0, -1e6]]), np.zeros(3)
    for got in [
        evaluate(objectives.log_responsibilities, joints),
        evaluate(objectives.tightest_log_responsibilities, equal, -joints),
    ]:
        np.testing.assert_allclose(got, joints, rtol=1e-6)


def test_responsibilities_forget_a_constant_per_row(rng):
    joints = ORDINARY["log_joints"]
    moved = joints + rng.normal(size=(len(joints), 1)) * 100
    got = evaluate(objectives.log_responsibilities, moved)
    expected = references.log_responsibilities(joints)
    np.testing.assert_allclose(got, expected, atol=1e-4)


def test_inverse_min_max_forgets_one_constant_and_scale_of_the_whole_batch():
    joints = ORDINARY["log_joints"]
    got = evaluate(objectives.inverse_min_max_log_responsibilities, 7 * joints - 1000)
    expected = references.inverse_min_max_log_responsibilities(joints)
    np.testing.assert_allclose(got, expected, atol=1e-2)


def test_inverse_min_max_is_exact_for_densities_in_many_dimensions():
    joints = np.array([[0.0, -1.0, -3.0], [-2.0, -5.0, -13.0]])
    got = evaluate(objectives.inverse_min_max_log_responsibilities, joints - 2.0**20)
    expected = references.inverse_min_max_log_responsibilities(joints)
    np.testing.assert_allclose(got, expected, atol=1e-5)  # float32 has steps of 1/8 there


def test_inverse_min_max_is_as_sharp_as_20_nats():
    got = evaluate(ASSIGNMENTS["inverse min-max"], *EXTREMES["far latents"])
    assert 15 < np.ptp(got, axis=1).max() <= 20 + 1e-5


@pytest.mark.parametrize("size", [0.01, 1.0, 100.0])
def test_inverse_min_max_takes_the_whole_scale_whatever_the_range(size):
    joints = size * np.array([[0.0, -0.25], [-0.5, -1.0]])
    got = evaluate(objectives.inverse_min_max_log_responsibilities, joints)
    expected = references.inverse_min_max_log_responsibilities(joints)
    np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-4)


def test_inverse_min_max_is_undecided_where_all_is_alike():
    got = evaluate(objectives.inverse_min_max_log_responsibilities, np.full((3, 4), -7.0))
    np.testing.assert_allclose(got, -np.log(4), rtol=1e-6)


def test_tightest_responsibilities_are_where_an_optimiser_ends():
    log_weights, divergences = ORDINARY["log_weights"], ORDINARY["divergences"]
    got = np.exp(evaluate(objectives.tightest_log_responsibilities, log_weights, divergences))
    for assignment, row in zip(got, divergences, strict=True):
        cost = partial(assignment_cost, log_weights, row)
        found = optimize.minimize(cost, np.zeros(CLUSTERS), tol=1e-10)
        np.testing.assert_allclose(special.softmax(found.x), assignment, atol=1e-4)


def assignment_cost(log_weights, divergences, logits):
    q = special.softmax(logits)
    return np.sum(q * divergences) + np.sum(special.rel_entr(q, np.exp(log_weights)))


def test_what_the_tightest_responsibilities_cost_is_a_log_sum():
    log_weights, divergences = ORDINARY["log_weights"], ORDINARY["divergences"]
    got = evaluate(least_cost, log_weights, divergences)
    expected = -np.log(np.exp(-divergences) @ np.exp(log_weights))
    np.testing.assert_allclose(got, expected, rtol=1e-5)


def least_cost(log_weights, divergences):
    log_assignment = objectives.tightest_log_responsibilities(log_weights, divergences)
    return objectives.expected_divergence(
        log_assignment, divergences
    ) + objectives.categorical_divergence(log_assignment, log_weights)


def test_divergence_from_equal_weights_is_what_the_entropy_lacks():
    log_assignment, equal = ORDINARY["log_assignment"], np.full(CLUSTERS, -np.log(CLUSTERS))
    divergence = evaluate(objectives.categorical_divergence, log_assignment, equal)
    entropy = evaluate(objectives.categorical_entropy, log_assignment)
    np.testing.assert_allclose(divergence, np.log(CLUSTERS) - entropy, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(("divergence", "slope"), [(0.3, 0), (1.9, 0), (2.1, 1), (40.0, 1)])
def test_at_least_pulls_only_above_the_minimum(divergence, slope):
    clamped = partial(objectives.at_least, minimum=2.0)
    assert evaluate(clamped, divergence) == pytest.approx(max(divergence, 2.0))
    assert gradients(clamped, divergence)[0] == slope


def test_at_least_clamps_rows_each_for_itself():
    got = evaluate(partial(objectives.at_least, minimum=2.0), [0.0, 1.0, 3.0])
    np.testing.assert_array_equal(got, [2, 2, 3])
