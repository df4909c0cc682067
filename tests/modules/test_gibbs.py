"""The collapsed Gibbs sampler against the equations, point by point, and against all there is."""

from __future__ import annotations

import time
from itertools import product

import numpy as np
import pytest
from scipy import special

from archbuild.evaluation.accuracy import clustering_accuracy, match_clusters
from archbuild.modules import gibbs
from archbuild.modules.gibbs import CollapsedGibbs, GaussWishart, class_posterior
from tests.modules import gauss_wishart

pytestmark = pytest.mark.filterwarnings("error")

PRIOR = GaussWishart(np.array([0.3, -0.2]), np.array([[0.5, 0.1], [0.1, 0.3]]), 0.7, 3.5)
"""Of two dimensions, nothing in it as ``around`` would have it."""


def case(rng, n=40, size=3, n_classes=4):
    """Points in heaps, random classes, a prior, a concentration and a bias: a model's arguments."""
    points = rng.normal(size=(n, size)) + 2.0 * rng.normal(size=(n_classes, size))[np.arange(n) % 3]
    classes = rng.integers(0, n_classes, n)
    return points, classes, GaussWishart.around(points), 0.7, rng.normal(size=(n, n_classes))


def chain(points, classes, prior, concentration, log_bias, seed=0):
    rng = np.random.default_rng(seed)
    n_classes = log_bias.shape[1]
    return CollapsedGibbs(points, classes, n_classes, prior, concentration, log_bias, rng)


def unbiased(points, n_classes, concentration=1.0, seed=0):
    """A chain from random classes, as Serket starts it."""
    rng = np.random.default_rng(seed)
    classes, prior = rng.integers(0, n_classes, len(points)), GaussWishart.around(points)
    return CollapsedGibbs(points, classes, n_classes, prior, concentration, None, rng)


# the posterior of a class


def test_posterior_follows_its_equations_also_of_an_empty_class(rng):
    points, classes = rng.normal(size=(12, 2)), np.array([0, 3] * 6)
    found = class_posterior(points, classes, 5, PRIOR)
    np.testing.assert_array_equal(found.counts, [6, 0, 0, 6, 0])
    for k in range(5):
        *_, mean, scatter = gauss_wishart.posterior(points[classes == k], PRIOR)
        np.testing.assert_allclose(found.means[k], mean, rtol=1e-12)
        np.testing.assert_allclose(found.scatters[k], scatter, rtol=1e-12)


def test_posterior_loses_no_digits_far_from_0(rng):
    # on a grid that floats have also out there, so that nothing but the sums could lose any
    points, far = rng.integers(-64, 64, size=(30, 2)) / 32, 2.0**24
    classes = rng.integers(0, 3, 30)
    near = class_posterior(points, classes, 3, GaussWishart(np.zeros(2), np.eye(2), 1.0, 4.0))
    prior = GaussWishart(np.full(2, far), np.eye(2), 1.0, 4.0)
    moved = class_posterior(points + far, classes, 3, prior)
    np.testing.assert_array_equal(moved.scatters, near.scatters)
    np.testing.assert_allclose(moved.means - far, near.means, atol=1e-8)


def test_the_prior_around_points_is_serkets(rng):
    points = rng.normal(size=(9, 3))
    prior = GaussWishart.around(points)
    np.testing.assert_allclose(prior.mean, points.mean(axis=0))
    np.testing.assert_array_equal(prior.scatter, 0.1 * np.eye(3))
    assert (prior.strength, prior.freedom) == (1, 5)


# the conditional of a point's class, and a sweep over all


def test_conditionals_are_the_predictive_densities_without_the_point(rng):
    model = case(rng)
    got = chain(*model).log_conditionals()
    np.testing.assert_allclose(got, gauss_wishart.log_conditionals(*model), rtol=1e-9, atol=1e-9)


def test_conditionals_know_empty_classes_and_points_alone_in_theirs():
    points = np.array([[0.0, 1.0], [1.0, 0.5], [4.0, 4.0]])
    model = points, np.array([0, 0, 2]), PRIOR, 0.2, np.zeros((3, 4))
    got = chain(*model).log_conditionals()
    np.testing.assert_allclose(got, gauss_wishart.log_conditionals(*model), rtol=1e-9)


@pytest.mark.parametrize("block", [1, 7, 40, 1000])
def test_a_sweep_draws_what_a_point_after_point_sampler_draws(monkeypatch, rng, block):
    monkeypatch.setattr(gibbs, "_BLOCK", block)
    points, classes, *model = case(rng)
    sampler, twin = chain(points, classes, *model, seed=3), np.random.default_rng(3)
    for _ in range(3):
        drawn = gauss_wishart.sweep(twin.gumbel(size=(40, 4)), points, classes, *model)
        assert sampler.sweep() == np.sum(drawn != classes) > 0
        np.testing.assert_array_equal(sampler.classes, drawn)
        classes = drawn


def test_a_sweep_keeps_every_class_as_if_it_were_computed_afresh(rng):
    points, classes, *model = case(rng, n=300)
    sampler = chain(points, classes, *model)
    assert sampler.sweep() > 100
    counts, means, scatters = sampler.posterior()
    np.testing.assert_array_equal(sampler._counts, counts)
    np.testing.assert_allclose(sampler._means, means, rtol=1e-9)
    np.testing.assert_allclose(sampler._inverses, np.linalg.inv(scatters), rtol=1e-8, atol=1e-10)
    volumes = np.linalg.slogdet(scatters)[1]
    np.testing.assert_allclose(sampler._log_determinants, volumes, rtol=1e-9)


def test_a_sweep_begins_afresh_with_the_classes_that_it_finds(rng):
    model = case(rng)
    used, fresh = chain(*model), chain(*model)
    used.sweep()
    used.classes[:], used.rng = fresh.classes, np.random.default_rng(0)
    assert used.sweep() == fresh.sweep()
    np.testing.assert_array_equal(used.classes, fresh.classes)


def test_a_chain_leaves_the_arrays_that_it_is_given(rng):
    points, classes, *model = case(rng)
    before = classes.copy()
    chain(points, classes, *model).sweep()
    np.testing.assert_array_equal(classes, before)


def test_a_chain_is_its_generators(rng):
    model = case(rng)
    first, same, other = (chain(*model, seed=seed) for seed in (1, 1, 2))
    for each in (first, same, other):
        each.sweep()
    np.testing.assert_array_equal(first.classes, same.classes)
    assert np.any(first.classes != other.classes)


# all class vectors of a few points, with what the model says of each


SMALL = {
    "a line": (np.array([[-1.0], [-0.8], [-0.1], [0.2], [0.9], [1.4]]), False),
    "a line, biased": (np.array([[-1.0], [-0.8], [-0.1], [0.2], [0.9], [1.4]]), True),
    "a plane": (np.random.default_rng(5).normal(size=(6, 2)), False),
    "a plane, biased": (np.random.default_rng(5).normal(size=(6, 2)), True),
}


@pytest.fixture(params=SMALL)
def small(request):
    """Six points, a prior, a concentration and a bias; no classes."""
    points, biased = SMALL[request.param]
    size = points.shape[1]
    prior = GaussWishart(PRIOR.mean[:size], PRIOR.scatter[:size, :size], 0.7, 3.5)
    bias = np.random.default_rng(6).normal(size=(6, 2)) if biased else np.zeros((6, 2))
    return points, prior, 0.6, bias


def all_classes():
    """``(64, 6)``, in the order of the binary numbers."""
    return np.array(list(product(range(2), repeat=6)))


def exact(points, *model):
    """``p(classes | points)`` of each of the 64."""
    joints = [gauss_wishart.log_joint(points, classes, *model) for classes in all_classes()]
    return special.softmax(joints)


def test_conditionals_are_those_of_the_exact_posterior(small):
    points, *model = small
    posterior = np.log(exact(points, *model)).reshape((2,) * 6)
    for classes in all_classes():
        found = chain(points, classes, *model).log_conditionals()
        for row in range(6):
            line = posterior[(*classes[:row], slice(None), *classes[row + 1 :])]
            np.testing.assert_allclose(np.diff(found[row]), np.diff(line), rtol=1e-8, atol=1e-9)


def test_log_joints_are_the_exact_ones_but_for_a_constant(small):
    points, *model = small
    found = [chain(points, classes, *model).log_joint() for classes in all_classes()]
    np.testing.assert_allclose(special.softmax(found), exact(points, *model), rtol=1e-9)


def test_a_long_chain_visits_every_class_vector_as_often_as_is_probable(small):
    points, *model = small
    expected, sampler = exact(points, *model), chain(points, np.zeros(6, int), *model)
    visits = np.zeros(64)
    for _ in range(4000):
        sampler.sweep()
        visits[int("".join(map(str, sampler.classes)), 2)] += 1
    assert 0.5 * np.abs(visits / 4000 - expected).sum() < 0.06


def test_points_and_classes_drawn_in_turn_forget_that_they_were(rng):
    """Geweke's check: how many are in a class is beta-binomial, as if no points had been looked at.

    The posterior of the classes is nowhere written down for this.
    """
    n, concentration, rounds = 5, 0.8, 4000
    means, roots = gauss_wishart.drawn_gaussians(2 * rounds, PRIOR, rng)
    classes, visits = np.zeros(n, int), np.zeros(n + 1)
    for first in range(0, 2 * rounds, 2):
        own = first + classes
        points = means[own] + np.einsum("nij,nj->ni", roots[own], rng.normal(size=(n, 2)))
        sampler = CollapsedGibbs(points, classes, 2, PRIOR, concentration, None, rng)
        sampler.sweep()
        classes = sampler.classes
        visits[np.sum(classes == 0)] += 1
    counts = np.arange(n + 1)
    pairs = special.beta(counts + concentration, n - counts + concentration)
    expected = special.comb(n, counts) * pairs / special.beta(concentration, concentration)
    np.testing.assert_allclose(visits / rounds, expected, atol=0.03)


# what becomes of real and of awkward points


def test_without_concentration_an_empty_class_stays_empty(rng):
    points, classes = rng.normal(size=(60, 2)), rng.integers(0, 3, 60)
    sampler = CollapsedGibbs(points, classes, 5, GaussWishart.around(points), 0.0, None, rng)
    for _ in range(20):
        sampler.sweep()
    assert set(sampler.classes) <= {0, 1, 2}
    found = sampler.log_conditionals()
    assert np.all(np.isneginf(found[:, 3:]))
    assert np.all(np.isfinite(found.max(axis=1)))
    assert np.isfinite(sampler.log_joint())
    offsets, *rest = sampler.predictive()
    assert np.all(np.isneginf(offsets[3:]))
    assert all(np.all(np.isfinite(each)) for each in rest)


@pytest.mark.parametrize("size", [2, 3, 5])
def test_a_known_mixture_is_found_from_random_classes(rng, size):
    centres = 3.0 * np.eye(3, size) - 1.0
    labels = rng.integers(0, 3, 400)
    points = centres[labels] + 0.5 * rng.normal(size=(400, size))
    sampler = likeliest_of_several(points, 3)
    assert clustering_accuracy(labels, sampler.classes) > 0.95
    means = sampler.posterior().means
    for k, label in match_clusters(labels, sampler.classes).items():
        np.testing.assert_allclose(means[k], centres[label], atol=0.2)


def likeliest_of_several(points, n_classes):
    """Points move one by one: a chain that has two heaps in one class can stay there for long."""
    chains = [unbiased(points, n_classes, seed=seed) for seed in range(4)]
    for _ in range(40):
        for each in chains:
            each.sweep()
    return max(chains, key=CollapsedGibbs.log_joint)


def test_a_bias_decides_where_points_do_not(rng):
    points, wanted = np.zeros((30, 2)), rng.integers(0, 3, 30)
    sampler = unbiased(points, 3)
    sampler.log_bias = 40.0 * np.eye(3)[wanted]
    sampler.sweep()
    np.testing.assert_array_equal(sampler.classes, wanted)


AWKWARD = {
    "tiny": lambda rng: 1e-4 * rng.normal(size=(60, 3)),
    "large": lambda rng: 1e2 * rng.normal(size=(60, 3)),
    "far away": lambda rng: 1e6 + rng.normal(size=(60, 3)),
    "all the same": lambda rng: np.ones((60, 3)),
    "one of them many times": lambda rng: np.repeat(rng.normal(size=(3, 3)), [58, 1, 1], axis=0),
    "more dimensions than points": lambda rng: rng.normal(size=(8, 20)),
    "one dimension": lambda rng: rng.normal(size=(60, 1)),
    "one point": lambda rng: rng.normal(size=(1, 2)),
}


@pytest.mark.parametrize("kind", AWKWARD)
def test_awkward_points_leave_everything_finite(rng, kind):
    sampler = unbiased(AWKWARD[kind](rng), 6)
    for _ in range(10):
        sampler.sweep()
    assert np.all(np.isfinite(sampler.log_conditionals()))
    assert all(np.all(np.isfinite(each)) for each in sampler.predictive())


def test_a_sweep_is_fast(rng):
    points = rng.normal(size=(1500, 5)) + 3 * rng.normal(size=(10, 5))[np.arange(1500) % 10]
    sampler = unbiased(points, 10)
    began = time.process_time()
    for _ in range(10):
        sampler.sweep()
    assert time.process_time() - began < 20  # a predictive density at a time it is minutes
