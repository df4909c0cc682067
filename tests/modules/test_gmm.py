"""The GMM module against SciPy and scikit-learn, alone and with what modules above it say."""

from __future__ import annotations

import inspect

import numpy as np
import pytest
from scipy import special, stats
from sklearn.mixture import BayesianGaussianMixture, GaussianMixture

from archbuild.errors import UsageError
from archbuild.evaluation.accuracy import clustering_accuracy, match_clusters
from archbuild.modules.biased import biased_mixture
from archbuild.modules.gibbs import GaussWishart
from archbuild.modules.gmm import GMM, INFERENCES
from archbuild.modules.mixture import MixtureProblem
from archbuild.modules.observation import Observation
from tests.modules import gauss_wishart

SERKET = {"inference": "gibbs", "start": "random", "chains": 1}

CENTRES = np.array([[0.0, 0.0], [3.0, 0.0], [0.0, 3.0]])

pytestmark = pytest.mark.filterwarnings("error")


@pytest.fixture
def heaps(rng):
    """300 points of three classes that touch each other, of different size and shape; labels."""
    labels = rng.choice(3, 300, p=[0.5, 0.3, 0.2])
    spreads = np.array([[0.8, 0.8], [1.0, 0.5], [0.4, 0.9]])
    return CENTRES[labels] + spreads[labels] * rng.normal(size=(300, 2)), labels


def updated(points, n_clusters=3, **settings):
    """A module that has learned these points."""
    module = GMM(n_clusters, **{**SERKET, **settings})
    module.connect(Observation(points))
    module.update()
    return module


def told(points, start, message=None, **settings):
    """The same from given classes, as if an update before had left them, under a message."""
    module = GMM(3, **{**SERKET, **settings}, warm_start=True)
    module.connect(Observation(points))
    module.classes = start
    if message is not None:
        module.receive(Observation(message), message)
    module.update()
    return module


def log_joints(module, points):
    return np.asarray(module.learned_mixture.log_joints(points.astype("float32")))


def likeliest_mixture(points, start, steps, log_bias):
    """Weights, means and covariances by expectation maximisation, class by class."""
    members = np.eye(3)[start]
    for step in range(steps + 1):
        weights = members.mean(axis=0)
        means = np.array([np.average(points, axis=0, weights=own) for own in members.T])
        covariances = [
            np.cov(points.T, aweights=own, ddof=0) + 1e-6 * np.eye(2) for own in members.T
        ]
        if step < steps:
            joints = normal_log_joints(points, weights, means, covariances)
            members = special.softmax(joints + log_bias, axis=1)
    return weights, means, np.array(covariances)


def normal_log_joints(points, weights, means, covariances):
    components = zip(means, covariances, strict=True)
    columns = [stats.multivariate_normal.logpdf(points, *each) for each in components]
    return np.log(weights) + np.stack(columns, axis=1)


# what it learns


@pytest.mark.parametrize("start", ["random", "k-means"])
@pytest.mark.parametrize("inference", INFERENCES)
def test_every_inference_finds_a_known_mixture(rng, inference, start):
    labels = rng.integers(0, 3, 300)
    points = CENTRES[labels] + 0.4 * rng.normal(size=(300, 2))
    module = updated(points, inference=inference, start=start)
    found = module.forward_message
    assert found.shape == (300, 3)
    np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-5)
    assert clustering_accuracy(labels, found.argmax(axis=1)) > 0.95
    assert clustering_accuracy(labels, module.classes) > 0.95
    for k, label in match_clusters(labels, module.classes).items():
        np.testing.assert_allclose(module.parameters()["mu"][k], CENTRES[label], atol=0.2)


def test_of_several_chains_the_most_probable_is_kept(rng):
    labels = rng.integers(0, 3, 300)
    points = 6 * np.eye(3, 5)[labels] + rng.normal(size=(300, 5))
    alone = [updated(points, sweeps=40, seed=seed).classes for seed in range(4)]
    assert min(clustering_accuracy(labels, each) for each in alone) < 0.8
    together = [updated(points, sweeps=40, seed=seed, chains=6).classes for seed in range(2)]
    assert min(clustering_accuracy(labels, each) for each in together) > 0.95


@pytest.mark.parametrize("concentration", [0.3, 20.0])
def test_gibbs_leaves_the_student_t_of_every_class(heaps, concentration):
    points, prior = heaps[0], GaussWishart.around(heaps[0])
    module = updated(points, sweeps=3, concentration=concentration)
    elsewhere = 3 * points
    for k, column in enumerate(log_joints(module, elsewhere).T):
        members = points[module.classes == k]
        density = gauss_wishart.log_predictive(elsewhere, members, prior)
        weight = np.log(len(members) + concentration)
        np.testing.assert_allclose(column, weight + density, rtol=1e-4, atol=1e-4)
        strength, freedom, mean, scatter = gauss_wishart.posterior(members, prior)
        scale = scatter * (strength + 1) / (strength * (freedom - 1))
        variance = scale * stats.t.var(freedom - 1)
        np.testing.assert_allclose(module.parameters()["mu"][k], mean, rtol=1e-9)
        np.testing.assert_allclose(module.learned_mixture.covariances()[k], variance, rtol=1e-9)


@pytest.mark.parametrize("biased", [False, True])
@pytest.mark.parametrize("steps", [1, 3])
def test_em_is_its_equations(heaps, rng, steps, biased):
    points, start = heaps[0], rng.integers(0, 3, 300)
    message = rng.dirichlet(np.ones(3), 300) if biased else None
    bias = np.log(message) if biased else 0.0
    module = told(points, start, message, inference="em", sweeps=steps)
    weights, means, covariances = likeliest_mixture(points, start, steps, bias)
    joints = normal_log_joints(points, weights, means, covariances)
    np.testing.assert_allclose(log_joints(module, points), joints, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(module.parameters()["mu"], means, rtol=1e-6)
    np.testing.assert_allclose(module.learned_mixture.covariances(), covariances, rtol=1e-6)
    np.testing.assert_array_equal(module.classes, (joints + bias).argmax(axis=1))


REFERENCES = {
    "em": lambda: GaussianMixture(3, random_state=0),
    "variational": lambda: BayesianGaussianMixture(
        n_components=3,
        weight_concentration_prior_type="dirichlet_distribution",
        weight_concentration_prior=0.2,
        random_state=0,
    ),
}


@pytest.mark.parametrize("inference", REFERENCES)
def test_probabilities_are_scikit_learns(heaps, inference):
    points, elsewhere = heaps[0], 1.5 * heaps[0] - 0.5
    reference = REFERENCES[inference]().fit(points)
    module = updated(points, inference=inference, start="k-means", concentration=0.2)
    matching = match_clusters(reference.predict(points), module.classes)
    order = [matching[k] for k in range(3)]
    np.testing.assert_allclose(module.learned_mixture.means, reference.means_[order], atol=1e-3)
    covariances = module.learned_mixture.covariances()
    np.testing.assert_allclose(covariances, reference.covariances_[order], atol=1e-3)
    found = module.recognise(elsewhere).forward
    np.testing.assert_allclose(found, reference.predict_proba(elsewhere)[:, order], atol=1e-3)


# what goes up, what comes down


def test_down_goes_the_mean_of_the_class_that_each_point_was_learned_with(heaps):
    module = updated(heaps[0], sweeps=5)
    np.testing.assert_array_equal(
        module.learned.backward, module.learned_mixture.means[module.classes]
    )
    np.testing.assert_array_equal(module.parents[0].backward_message, module.learned.backward)
    texts = module.learned.texts
    np.testing.assert_array_equal(texts["Pdz"], module.forward_message)
    np.testing.assert_array_equal(texts["class"], module.forward_message.argmax(axis=1))


@pytest.mark.parametrize("inference", INFERENCES)
def test_a_message_decides_where_points_do_not_and_does_not_come_back(rng, inference):
    sides = np.repeat([[-3.0, 0.0], [3.0, 0.0]], 40, axis=0) + 0.5 * rng.normal(size=(80, 2))
    points, named = np.concatenate([sides, np.zeros((20, 2))]), rng.integers(0, 2, 20)
    start = np.concatenate([np.repeat([0, 1], 40), rng.integers(0, 2, 20)])
    message = np.concatenate([np.full((80, 2), 0.5), np.eye(2)[named]])
    module = GMM(2, inference=inference, start="random", chains=1, warm_start=True, sweeps=20)
    module.connect(Observation(points))
    module.classes = start
    module.receive(Observation(message), message)
    module.update()
    np.testing.assert_array_equal(module.classes[80:], named)
    means = module.parameters()["mu"][named]
    np.testing.assert_array_equal(module.learned.backward[80:], means)
    # points that are alike are alike to the modules above, whatever was said of them
    found = module.forward_message[80:]
    np.testing.assert_array_equal(found, np.repeat(found[:1], 20, axis=0))
    np.testing.assert_array_equal(module.recognise(points).forward, module.forward_message)


def test_what_two_modules_above_say_is_multiplied(rng):
    first, second = rng.dirichlet(np.ones(4), size=(2, 6))
    module = GMM(4)
    for message in (first, second):
        module.receive(Observation(message), message)
    together = first * second
    expected = together / together.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(module.backward_message, expected, rtol=1e-12)


def test_what_is_multiplied_may_be_too_small_for_a_float():
    first, second = np.array([[1e-100, 3e-100, 1, 1e-300]]), np.array([[1e-100, 1e-100, 1e-300, 1]])
    module = GMM(4)
    for message in (first, first, second, second):
        module.receive(Observation(message), message)
    np.testing.assert_allclose(module.backward_message, [[0.1, 0.9, 0, 0]], atol=1e-12)


def test_modules_above_that_exclude_each_other_say_nothing():
    module = GMM(2)
    for message in (np.array([[1.0, 0.0]]), np.array([[0.0, 1.0]])):
        module.receive(Observation(message), message)
    np.testing.assert_array_equal(module.backward_message, [[0.5, 0.5]])


# what is kept, and what another update does


@pytest.mark.parametrize("inference", INFERENCES)
def test_what_was_learned_can_be_taken_elsewhere(heaps, inference):
    module, other = updated(heaps[0], inference=inference, sweeps=5), GMM(3, inference=inference)
    assert other.arrays() == {}
    other.restore({})
    other.restore(module.arrays())
    elsewhere = heaps[0] + 1
    expected = module.recognise(elsewhere).forward
    np.testing.assert_array_equal(other.recognise(elsewhere).forward, expected)
    np.testing.assert_array_equal(other.classes, module.classes)


@pytest.mark.parametrize("inference", INFERENCES)
def test_what_others_learned_has_as_many_classes(heaps, inference):
    module = updated(heaps[0], inference=inference, sweeps=5)
    with pytest.raises(ValueError, match=r"expected \w+ of shape \[4"):
        GMM(4, inference=inference).restore(module.arrays())


@pytest.mark.parametrize("settings", [{}, {"inference": "em"}, {"start": "k-means"}], ids=str)
def test_the_same_seed_draws_the_same(heaps, settings):
    first, same = (updated(heaps[0], sweeps=5, seed=1, **settings) for _ in range(2))
    np.testing.assert_array_equal(first.forward_message, same.forward_message)
    np.testing.assert_array_equal(first.classes, same.classes)


def test_another_seed_or_round_draws_anew(heaps):
    first, other = (updated(heaps[0], sweeps=2, seed=seed) for seed in (0, 1))
    before = first.classes
    assert np.mean(before != other.classes) > 0.02
    first.update()
    assert np.mean(before != first.classes) > 0.02


def test_a_warm_start_goes_on_from_the_classes_of_the_round_before(rng):
    labels = np.repeat([0, 1, 2], 40)
    points = 2 * CENTRES[labels] + 0.3 * rng.normal(size=(120, 2))
    for start in np.array([[0, 1, 2], [2, 0, 1]]):
        np.testing.assert_array_equal(told(points, start[labels], sweeps=2).classes, start[labels])


def test_a_class_of_no_points_is_never_likely_without_a_concentration(heaps):
    module = told(heaps[0], heaps[1] % 2, concentration=0.0, sweeps=5)
    assert set(module.classes) == {0, 1}
    np.testing.assert_array_equal(module.forward_message[:, 2], 0)
    assert np.all(np.isfinite(module.learned_mixture.covariances()))


# where it could break


@pytest.mark.parametrize("inference", INFERENCES)
def test_points_far_from_everything_have_a_likeliest_class(heaps, inference):
    points, labels = heaps
    module = told(points, labels, inference=inference, sweeps=20)
    angles = np.linspace(0, 2 * np.pi, 16, endpoint=False)
    far = 1e6 * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    found = module.recognise(far).forward
    assert np.all(np.isfinite(found))
    np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-5)
    np.testing.assert_array_equal(found.argmax(axis=1), exact_joints(module, far).argmax(axis=1))
    assert np.any(found.argmax(axis=1) != 0)


def exact_joints(module, points):
    """``log_joints`` in float64, from its equation."""
    offsets, means, whitening, powers, shrinks = module.learned_mixture
    distances = np.square(np.einsum("kij,nkj->nki", whitening, points[:, None] - means)).sum(2)
    if not powers.any():
        return offsets - distances / 2
    return offsets - powers * np.log1p(shrinks * distances)


@pytest.mark.parametrize("inference", INFERENCES)
def test_a_message_that_excludes_a_class_leaves_everything_finite(heaps, inference):
    points, labels = heaps
    message = np.eye(3)[labels].astype("float32")
    module = told(points, labels[::-1].copy(), message, inference=inference, sweeps=5)
    np.testing.assert_array_equal(module.classes, labels)
    assert np.all(np.isfinite(module.forward_message))


def test_the_module_says_what_is_wrong():
    with pytest.raises(UsageError, match="learned nothing yet"):
        GMM(3).recognise(np.zeros((2, 2)))
    with pytest.raises(UsageError, match="inference is 'vb'; expected one of gibbs, em"):
        GMM(3, inference="vb")
    with pytest.raises(UsageError, match="start is 'zeros'; expected one of random"):
        GMM(3, start="zeros")


def test_a_spec_may_say_what_python_may_say():
    parameters = inspect.signature(GMM).parameters.values()
    keywords = {each.name: each.default for each in parameters if each.kind is each.KEYWORD_ONLY}
    assert keywords.pop("seed") == 0
    assert {each.name: each.default for each in GMM.fields} == keywords


@pytest.mark.parametrize("inference", ["gibbs", "em", "variational"])
@pytest.mark.parametrize("scale", [1e-3, 1e4])
def test_points_of_any_scale_are_told_apart(inference, scale):
    kinds = np.arange(150) % 3
    noise = np.random.default_rng(0).normal(size=(150, 3))
    points = scale * (noise + 12 * np.eye(3)[kinds])
    module = updated(points, 3, inference=inference, start="k-means", sweeps=20)
    assert clustering_accuracy(kinds, module.learned.texts["class"]) == 1.0
    mine = module.mixture.means[module.classes]
    np.testing.assert_allclose(mine, 12 * scale * np.eye(3)[kinds], atol=0.7 * scale)


def test_a_bias_counts_when_variational_chains_are_compared(rng):
    points, bias = rng.normal(size=(40, 2)), np.log(np.full((40, 2), 0.05))
    start = np.arange(40) % 2
    without, with_bias = (
        biased_mixture(MixtureProblem(points, start, 2, each), steps=5, concentration=1.0)
        for each in (None, bias)
    )
    assert with_bias.log_evidence == pytest.approx(
        without.log_evidence + 40 * np.log(0.05), abs=1e-6
    )


@pytest.mark.parametrize(
    "wrong",
    [{"n_clusters": 0}, {"n_clusters": "3"}, {"chains": 0}, {"sweeps": 1.5}, {"concentration": -1}],
)
def test_arguments_that_make_no_sense_are_named(wrong):
    with pytest.raises(UsageError, match=f"{next(iter(wrong))} is .*; expected a"):
        GMM(**{"n_clusters": 2, **wrong})


def test_more_classes_than_points_are_refused():
    with pytest.raises(UsageError, match="3 classes were asked for, and there are 2 points"):
        updated(np.ones((2, 2)), 3)


def test_classes_keep_their_numbers_from_round_to_round(heaps):
    module = updated(heaps[0], 3, inference="em", chains=3, start="k-means")
    before = module.classes
    for _ in range(3):
        module.update()
        assert np.mean(module.classes == before) > 0.9
        np.testing.assert_allclose(
            module.mixture.means[module.classes], module.learned.backward, rtol=1e-12
        )
        found = module.learned.texts["class"]
        assert np.mean(found == before) > 0.9


def test_variational_inference_needs_a_concentration():
    with pytest.raises(UsageError, match="needs a concentration above 0"):
        GMM(2, inference="variational", concentration=0.0)


def test_a_chain_cannot_start_from_the_classes_of_other_rows(heaps):
    points, _ = heaps
    module = updated(points, warm_start=True)
    module.parents[0].observe(points[:100])
    with pytest.raises(UsageError, match="cannot start 100 rows from the classes of 300"):
        module.update()
    again = updated(points, warm_start=False)
    again.parents[0].observe(points[:100])
    again.update()
    assert again.forward_message.shape == (100, 3)


def test_new_rows_of_another_width_are_refused(heaps):
    points, _ = heaps
    with pytest.raises(UsageError, match="learned from rows of 2 numbers, and these have 1"):
        updated(points).recognise(points[:, :1])
