"""The Markov module against sums over every sequence of states, and above a Gaussian mixture."""

from __future__ import annotations

import inspect
from itertools import product

import numpy as np
import pytest

from archbuild.errors import UsageError
from archbuild.evaluation.accuracy import clustering_accuracy, match_clusters
from archbuild.modules.gmm import GMM
from archbuild.modules.graph import exchange, recognise
from archbuild.modules.markov import Markov
from archbuild.modules.observation import Observation
from tests.modules.chains import enumerated, weigh

CYCLE = np.array([[0.04, 0.92, 0.04], [0.04, 0.04, 0.92], [0.92, 0.04, 0.04]])
CENTRES = np.array([[0.0, 0.0], [2.4, 0.0], [1.2, 2.1]])


def sequence(transitions, n, rng):
    """States ``(n,)`` of a chain."""
    states = [0]
    for _ in range(n - 1):
        states.append(int(rng.choice(len(transitions), p=transitions[states[-1]])))
    return np.array(states)


def posteriors(states, n_states, rng, spread=1.0):
    """``P(class | x)`` of a true mixture, ``x`` at the class's unit vector plus noise."""
    centres = np.eye(n_states)
    points = centres[states] + spread * rng.normal(size=(len(states), n_states))
    distances = np.square(points[:, None] - centres).sum(axis=2)
    weights = np.bincount(states, minlength=n_states) * np.exp(-distances / (2 * spread**2))
    return weights / weights.sum(axis=1, keepdims=True)


# sums over sequences


@pytest.mark.parametrize("starts", [(), (3,)])
def test_messages_of_the_module_are_those_of_what_it_learned(short_chain, starts):
    data, _ = short_chain
    data /= data.sum(axis=1, keepdims=True)
    module = Markov(data.shape[1], starts=starts)
    learned = module.learn(data)
    frequencies = 0.1 + data.sum(axis=0)
    breaks = np.isin(np.arange(5), starts)
    posterior, around, _ = enumerated(data / frequencies, module.learned_chain.transitions, breaks)
    np.testing.assert_allclose(learned.forward, posterior, rtol=1e-8)
    beyond = around / around.mean(axis=0)
    expected = beyond / beyond.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(learned.backward, expected, rtol=1e-8)


def test_modules_above_bias_the_states_but_not_the_forward_message(short_chain, rng):
    data, _ = short_chain
    data /= data.sum(axis=1, keepdims=True)
    k = data.shape[1]
    module, bias = Markov(k), rng.dirichlet(np.ones(k), size=5)
    module.receive(Markov(k), bias)
    learned = module.learn(data)
    likelihoods, no_breaks = data / (0.1 + data.sum(axis=0)), np.zeros(5, bool)
    posterior, _, _ = enumerated(likelihoods, module.learned_chain.transitions, no_breaks)
    np.testing.assert_allclose(learned.forward, posterior, rtol=1e-8)
    _, around, _ = enumerated(likelihoods * bias, module.learned_chain.transitions, no_breaks)
    expected = around / around.mean(axis=0) * bias
    expected /= expected.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(learned.backward, expected, rtol=1e-8)


# learning


def test_every_step_is_likelier_than_the_one_before(short_chain):
    data, _ = short_chain
    likelihoods, no_breaks = data / (0.1 + data.sum(axis=0)), np.zeros(5, bool)
    heights = []
    for steps in range(1, 8):
        module = Markov(data.shape[1], steps=steps)
        module.learn(data)
        total = sum(
            weigh(states, likelihoods, module.learned_chain.transitions, no_breaks)
            for states in product(range(data.shape[1]), repeat=5)
        )
        heights.append(np.log(total) + 0.1 * np.log(module.learned_chain.transitions).sum())
    assert np.all(np.diff(heights) > -1e-12)
    assert heights[-1] > heights[0]


def test_it_finds_the_transitions_that_made_the_data(rng):
    true = np.array([[0.9, 0.08, 0.02], [0.05, 0.6, 0.35], [0.5, 0.1, 0.4]])
    states = sequence(true, 3000, rng)
    seen = np.zeros((3, 3))
    np.add.at(seen, (states[:-1], states[1:]), 1)
    seen /= seen.sum(axis=1, keepdims=True)
    module = Markov(3)
    learned = module.learn(posteriors(states, 3, rng, spread=0.4))
    np.testing.assert_allclose(module.learned_chain.transitions, seen, atol=0.03)
    np.testing.assert_allclose(module.learned_chain.transitions.sum(axis=1), 1.0)
    np.testing.assert_array_equal(learned.texts["class"], learned.forward.argmax(axis=1))


def test_no_transition_is_learned_where_a_sequence_begins():
    crisp = np.eye(2)[[0] * 20 + [1] * 20]
    joined, apart = Markov(2), Markov(2, starts=[0, 20])
    joined.learn(crisp)
    apart.learn(crisp)
    assert joined.learned_chain.transitions[0, 1] == pytest.approx(1.1 / 20.2, rel=1e-6)
    assert apart.learned_chain.transitions[0, 1] == pytest.approx(0.1 / 19.2, rel=1e-6)


def test_a_class_without_rows_stays_without(rng):
    """Its frequency is 0 and so is what came for it; their quotient must not be 1."""
    states = sequence(CYCLE, 200, rng)
    data = np.concatenate([posteriors(states, 3, rng), np.zeros((200, 1))], axis=1)
    learned = Markov(4).learn(data)
    assert learned.forward[:, 3].max() < 1e-6
    assert clustering_accuracy(states, learned.forward.argmax(axis=1)) > 0.8


def test_certain_rows_and_long_sequences_are_finite(rng):
    crisp = np.eye(3, dtype="float32")[sequence(CYCLE, 2000, rng)]
    learned = Markov(3).learn(crisp)
    for message in (learned.forward, learned.backward):
        assert np.isfinite(message).all()
        np.testing.assert_allclose(message.sum(axis=1), 1.0)


def test_it_is_the_same_every_time(rng):
    data = rng.dirichlet(np.ones(3), size=50)
    first, second = Markov(3, seed=0).learn(data), Markov(3, seed=1).learn(data)
    assert first.forward.tobytes() == second.forward.tobytes()
    assert first.backward.tobytes() == second.backward.tobytes()


# what was learned


def test_new_rows_are_one_sequence_and_what_was_learned_comes_back(rng):
    data = posteriors(sequence(CYCLE, 200, rng), 3, rng)
    new = posteriors(sequence(CYCLE, 50, rng), 3, rng)
    module, again = Markov(3, starts=[20, 30]), Markov(3)
    module.learn(data)
    again.restore(module.arrays())
    found = module.recognise(new)
    assert found.backward is None
    assert again.recognise(new).forward.tobytes() == found.forward.tobytes()
    unbroken = Markov(3)
    unbroken.restore(module.arrays())
    np.testing.assert_array_equal(found.forward, unbroken.recognise(new).forward)
    np.testing.assert_array_equal(
        module.parameters()["trans_prob"], module.learned_chain.transitions
    )


def test_what_others_learned_has_as_many_classes(rng):
    module = Markov(3)
    module.learn(posteriors(sequence(CYCLE, 50, rng), 3, rng))
    with pytest.raises(ValueError, match=r"expected transitions of shape \[4, 4\]"):
        Markov(4).restore(module.arrays())


def test_nothing_learned_is_nothing_to_keep():
    module = Markov(3)
    module.restore(module.arrays())
    for ask in (lambda: module.recognise(np.ones((2, 3))), module.parameters):
        with pytest.raises(UsageError, match="learned nothing yet; update it first"):
            ask()


@pytest.mark.parametrize(
    "data", [np.ones((4, 2)), np.ones((4, 3, 1)), np.full((4, 3), -0.1), np.full((4, 3), np.nan)]
)
def test_data_that_are_no_class_probabilities_are_refused(data):
    with pytest.raises(UsageError, match="takes 3 class probabilities for each row"):
        Markov(3).learn(data)


def test_a_sequence_cannot_start_where_there_is_no_row():
    with pytest.raises(UsageError, match="cannot start at row 4 of 4"):
        Markov(2, starts=[0, 4]).learn(np.ones((4, 2)))


def test_the_fields_of_a_spec_are_the_arguments_of_python():
    arguments = inspect.signature(Markov).parameters
    assert {field.name: field.default for field in Markov.fields} == {
        name: arguments[name].default for name in ("concentration", "steps")
    }


# above a mixture


@pytest.mark.parametrize("seed", [0, 1])
def test_the_order_of_rows_tells_overlapping_classes_apart(seed):
    rng = np.random.default_rng(seed)
    states = sequence(CYCLE, 300, rng)
    observed = Observation(CENTRES[states] + rng.normal(size=(300, 2)))
    alone, mixture = (GMM(3, inference="gibbs", chains=1, sweeps=20, seed=seed) for _ in range(2))
    chain = Markov(3)
    alone.connect(observed)
    mixture.connect(observed)
    chain.connect(mixture)
    exchange(alone, chain, rounds=5)
    by_itself, told = (
        clustering_accuracy(states, each.latest.texts["class"]) for each in (alone, mixture)
    )
    assert told > by_itself
    # with the message of the latest round as well, and not only what it has taught the mixture
    assert clustering_accuracy(states, mixture.classes) > 0.85 > told
    assert clustering_accuracy(states, chain.latest.texts["class"]) > 0.85


def test_new_rows_go_through_mixture_and_chain():
    rng = np.random.default_rng(0)
    states = sequence(CYCLE, 500, rng)
    points = CENTRES[states] + rng.normal(size=(500, 2))
    observed = Observation(points[:300])
    mixture, chain = GMM(3, inference="gibbs", chains=1, sweeps=30), Markov(3)
    mixture.connect(observed)
    chain.connect(mixture)
    exchange(chain, rounds=5)
    names = match_clusters(states[:300], chain.latest.texts["class"])
    found = recognise(chain, {observed: points[300:]})
    accuracies = [
        np.mean([names[cluster] for cluster in found[each].texts["class"]] == states[300:])
        for each in (mixture, chain)
    ]
    assert accuracies[1] > 0.85 > accuracies[0]


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [
        ({"concentration": 0.0}, "concentration is 0.0; expected a number above 0"),
        ({"concentration": -1}, "concentration is -1; expected a number above 0"),
        ({"concentration": float("nan")}, "concentration is nan"),
        ({"concentration": float("inf")}, "concentration is inf"),
        ({"concentration": "a"}, "concentration is 'a'"),
        ({"steps": 0}, "steps is 0; expected a whole number from 1"),
        ({"steps": 1.5}, "steps is 1.5"),
        ({"starts": [3, -1]}, "a start is -1; expected a whole number from 0"),
        ({"starts": [1.5]}, "a start is 1.5"),
    ],
)
def test_what_is_no_setting_is_refused(wrong, expected):
    with pytest.raises(UsageError, match=expected):
        Markov(3, **wrong)


def test_starts_may_come_from_anywhere():
    assert Markov(3, starts=(row for row in (1, 2))).starts == [1, 2]
