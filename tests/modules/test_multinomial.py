"""The multinomial module against the equations of its topics, and above two noisy views."""

from __future__ import annotations

import inspect

import numpy as np
import pytest
from scipy.special import digamma

from archbuild.errors import UsageError
from archbuild.evaluation.accuracy import clustering_accuracy
from archbuild.modules.gmm import GMM
from archbuild.modules.graph import exchange, recognise
from archbuild.modules.multinomial import Multinomial
from archbuild.modules.observation import Observation

CENTRES = np.array([[0.0, 0.0], [3.0, 0.0], [1.5, 2.6]])


def next_proportions(proportions, histograms, topics, concentration):
    """``θ`` after a step of Hoffman, Blei and Bach (2010), equations 5, row by row."""
    expected = digamma(topics) - digamma(topics.sum(axis=1, keepdims=True))
    found = []
    for theta, counts in zip(proportions, histograms, strict=True):
        gamma = theta * (len(topics) * concentration + counts.sum())
        weights = np.exp(digamma(gamma)[:, None] + expected)
        found.append(concentration + weights / weights.sum(axis=0) @ counts)
    return as_distributions(np.array(found))


def as_distributions(weights):
    return weights / weights.sum(axis=1, keepdims=True)


def histograms(labels, widths, rng, counts=50):
    """Counts of each class's own bins, the parents' side by side."""
    parts = []
    for width in widths:
        bins = rng.dirichlet(np.full(width, 0.3), size=labels.max() + 1)
        parts.append(np.stack([rng.multinomial(counts, bins[label]) for label in labels]))
    return parts


@pytest.fixture
def parts(rng):
    """Sixty rows of three classes, as seen by parents of 4 and of 6 bins."""
    return histograms(np.arange(60) % 3, (4, 6), rng)


def above(parts, n_clusters=3, **settings):
    """A module that has learned once above observations, and the observations."""
    module, observed = Multinomial(n_clusters, **settings), [Observation(part) for part in parts]
    module.connect(*observed)
    module.update()
    return module, observed


def scaled(parts, *weights):
    return np.concatenate(
        [weight * as_distributions(part) for part, weight in zip(parts, weights, strict=True)],
        axis=1,
    )


# what it says


def test_forward_message_is_the_fixed_point_of_its_equations(parts):
    module, _ = above(parts, weights=[30.0, 90.0])
    found = module.forward_message
    stepped = next_proportions(found, scaled(parts, 30, 90), module.topics, 1 / 3)
    np.testing.assert_allclose(found, stepped, atol=1e-3)
    np.testing.assert_allclose(found.sum(axis=1), 1.0)
    classes = module.latest.texts["class"]
    np.testing.assert_array_equal(classes, found.argmax(axis=1))
    assert clustering_accuracy(np.arange(60) % 3, classes) > 0.95


def test_backward_messages_are_what_each_parent_is_expected_to_see(parts):
    module, observed = above(parts)
    phi = np.split(module.parameters()["phi"], [4], axis=1)
    for each, multinomials, counts in zip(observed, phi, (4, 6), strict=True):
        assert multinomials.shape == (3, counts)
        np.testing.assert_allclose(multinomials.sum(axis=1), 1.0)
        expected = module.forward_message @ multinomials
        message = as_distributions(expected / expected.mean(axis=0))
        np.testing.assert_allclose(each.backward_message, message, rtol=1e-9)


def test_a_view_that_is_missing_is_expected_from_the_other(parts):
    first, second = (np.array(part) for part in parts)
    second[:6] = 0
    module, observed = above([first, second])
    present, phi = np.arange(60) % 3, np.split(module.parameters()["phi"], [4], axis=1)
    expected = module.forward_message[:6] @ phi[1]
    for row in range(6):
        of_its_class = as_distributions(second[6:][present[6:] == present[row]]).mean(axis=0)
        np.testing.assert_allclose(expected[row], of_its_class, atol=0.05)
    assert np.isfinite(observed[1].backward_message).all()


def test_a_row_of_which_nothing_was_seen_has_every_topic_alike(parts):
    module, _ = above(parts)
    np.testing.assert_allclose(module.recognise(np.zeros((2, 10))).forward, 1 / 3, rtol=1e-6)


def test_a_parent_counts_as_much_as_its_weight(rng):
    """Two parents that disagree: the heavier one prevails."""
    labels = np.arange(60) % 3
    wrong = rng.permutation(labels)
    (first,), (second,) = histograms(labels, (6,), rng), histograms(wrong, (6,), rng)
    accuracies = [
        clustering_accuracy(
            labels, above([first, second], weights=weights)[0].learned.texts["class"]
        )
        for weights in ([200.0, 10.0], [10.0, 200.0])
    ]
    assert accuracies[0] > 0.9 > 0.6 > accuracies[1]


@pytest.mark.parametrize("n_clusters", [2, 5])
def test_its_topics_need_not_be_as_many_as_its_parents_classes(parts, n_clusters):
    module, observed = above(parts, n_clusters)
    assert module.forward_message.shape == (60, n_clusters)
    assert [each.backward_message.shape for each in observed] == [(60, 4), (60, 6)]


@pytest.mark.parametrize("attribute", [0, 1])
def test_modules_above_bias_the_topics_but_not_the_forward_message(attribute, rng):
    """Four kinds of rows in two topics: a module above says by which of two attributes."""
    kinds = rng.integers(0, 2, size=(90, 2))
    observed = Observation(np.eye(4)[kinds @ [2, 1]] + 0.05)
    module = Multinomial(2)
    module.connect(observed)
    module.receive(Multinomial(2), np.eye(2)[kinds[:, attribute]] * 0.9 + 0.05)
    module.update()
    found = module.forward_message
    assert clustering_accuracy(kinds[:, attribute], found.argmax(axis=1)) == 1.0
    again = module.recognise(observed.forward_message)
    np.testing.assert_array_equal(again.forward, found)
    assert module.parameters()["phi"].shape == (2, 4)


# learning


def test_it_is_the_same_for_a_seed_and_another_in_each_update(parts):
    (first, _), (second, _), (other, _) = above(parts), above(parts), above(parts, seed=1)
    assert first.forward_message.tobytes() == second.forward_message.tobytes()
    assert first.forward_message.tobytes() != other.forward_message.tobytes()
    before = first.forward_message
    first.update()
    assert first.forward_message.tobytes() != before.tobytes()


def test_new_rows_are_recognised_and_what_was_learned_comes_back(parts, rng):
    module, _ = above(parts, weights=[30.0, 90.0])
    new = np.concatenate(histograms(np.arange(9) % 3, (4, 6), rng), axis=1)
    found = module.recognise(new)
    again = Multinomial(3, weights=[30.0, 90.0])
    again.restore(module.arrays())
    assert again.recognise(new).forward.tobytes() == found.forward.tobytes()
    assert found.backward is None
    np.testing.assert_array_equal(again.parameters()["phi"], module.parameters()["phi"])
    seen = module.recognise(np.concatenate(parts, axis=1)).forward
    np.testing.assert_array_equal(seen, module.forward_message)


def test_a_row_is_recognised_alone_as_among_others(parts):
    module, _ = above(parts)
    rows = np.concatenate(parts, axis=1)
    np.testing.assert_array_equal(module.recognise(rows[7:8]).forward[0], module.forward_message[7])


def test_what_others_learned_has_as_many_topics(parts):
    module, _ = above(parts)
    with pytest.raises(ValueError, match=r"expected topics of shape \[4, 10\]"):
        Multinomial(4).restore(module.arrays())


def test_nothing_learned_is_nothing_to_keep():
    module = Multinomial(3)
    module.restore(module.arrays())
    for ask in (lambda: module.recognise(np.ones((2, 3))), module.parameters):
        with pytest.raises(UsageError, match="learned nothing yet; update it first"):
            ask()


def test_values_that_are_no_counts_are_refused(parts):
    broken = parts[1].astype(float)
    broken[3, 2] = -1.0
    with pytest.raises(UsageError, match=r"takes 10 counts or probabilities .* none below 0"):
        above([parts[0], broken])


def test_new_rows_of_another_width_are_refused(parts):
    module, _ = above(parts)
    with pytest.raises(UsageError, match=r"takes 10 counts or probabilities .* 9 came"):
        module.recognise(np.ones((2, 9)))


def test_weights_are_as_many_as_parents(parts):
    with pytest.raises(UsageError, match="3 weights for 2 parents; give one number for all"):
        above(parts, weights=[1.0, 2.0, 3.0])


def test_the_fields_of_a_spec_are_the_arguments_of_python():
    arguments = inspect.signature(Multinomial).parameters
    assert {field.name: field.default for field in Multinomial.fields} == {
        name: arguments[name].default for name in ("weights", "steps")
    }


# above two mixtures


@pytest.fixture(scope="module", params=[0, 3])
def views(request):
    """Two noisy views of the same classes under one module, by round: labels and accuracies."""
    rng = np.random.default_rng(request.param)
    labels = rng.integers(0, 3, 300)
    observed = [Observation(CENTRES[labels] + rng.normal(size=(300, 2))) for _ in range(2)]
    mixtures = [
        GMM(3, inference="gibbs", chains=1, sweeps=20, seed=request.param) for _ in observed
    ]
    for mixture, each in zip(mixtures, observed, strict=True):
        mixture.connect(each)
    joint = Multinomial(3, seed=request.param)
    joint.connect(*mixtures)
    rounds = []
    for _ in range(3):
        exchange(joint)
        classes = [each.latest.texts["class"] for each in (*mixtures, joint)]
        rounds.append([clustering_accuracy(labels, each) for each in classes])
    new = rng.integers(0, 3, 200)
    rows = {each: CENTRES[new] + rng.normal(size=(200, 2)) for each in observed}
    found = recognise(joint, rows)
    unseen = [clustering_accuracy(new, found[each].texts["class"]) for each in (*mixtures, joint)]
    return np.array(rounds), unseen


def test_the_joint_class_is_more_accurate_than_each_views(views):
    rounds, unseen = views
    for first, second, joint in [*rounds, unseen]:
        assert joint > max(first, second)
    assert rounds[-1, 2] > 0.93


def test_the_views_improve_over_rounds(views):
    rounds, _ = views
    assert rounds[-1, :2].mean() > rounds[0, :2].mean()
