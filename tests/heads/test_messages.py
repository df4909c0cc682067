"""The messages head: its objective, its rounds, what it remembers, says and draws."""

from __future__ import annotations

import numpy as np
import pytest

from archbuild.errors import SpecError
from archbuild.evaluation.accuracy import clustering_accuracy
from archbuild.heads import MessagesHead
from archbuild.heads.messages import MODULES, PRIOR
from archbuild.networks.rows import to_numpy
from archbuild.registry import default_vocabulary
from archbuild.serket.vae import MessagePrior
from archbuild.spec import spec_from_tree
from tests.heads.conftest import batch_for, bernoulli, encoding_of, head_of

CENTRES = np.array([[-6.0, 0.0], [0.0, 5.0], [6.0, -3.0]])
MODULE = {"type": "gmm", "inference": "gibbs", "chains": 1, "sweeps": 20}


@pytest.fixture
def codes(rng):
    """Means of three blobs and log-variances, ``(90, 4)``, in turn of each."""
    means = np.tile(CENTRES, (30, 1)) + 0.3 * rng.normal(size=(90, 2))
    return np.concatenate([means, np.full((90, 2), -3.0)], axis=1).astype("float32")


def messages(**config):
    return head_of(MessagesHead, **{"modules": [MODULE], **config})


# what is minimised


def divergence(encoding, prior):
    """``KL( N(μ, v) || N(prior, I) )`` of each row, from the equation."""
    mean, log_variance = (part.astype(float) for part in encoding[:2])
    return -0.5 * np.sum(1 + log_variance - (mean - prior) ** 2 - np.exp(log_variance), axis=1)


@pytest.mark.parametrize("heard", [True, False])
def test_the_terms_are_those_of_the_equation(heard, rng):
    head, encoding = messages(alpha=0.7, reconstruction_weight=2.0), encoding_of(rng)
    batch = batch_for(head, encoding, rng)
    prior = rng.normal(size=(6, 2)).astype("float32")
    terms = head.loss_terms(batch._replace(targets={PRIOR: prior} if heard else {}))
    logits = to_numpy(batch.reconstruction.value)
    expected = 2.0 * np.mean(bernoulli(batch.inputs, logits))
    assert float(terms["reconstruction"]) == pytest.approx(expected, rel=1e-5)
    expected = 0.7 * np.mean(divergence(encoding, prior if heard else 0.0))
    assert float(terms["message_prior"]) == pytest.approx(expected, rel=1e-5)


def test_a_vae_alone_minimises_the_same(rng):
    head, alone = messages(alpha=0.7), MessagePrior("bernoulli", 0.7, seed=0)
    batch = batch_for(head, encoding_of(rng), rng)
    batch = batch._replace(targets={PRIOR: rng.normal(size=(6, 2)).astype("float32")})
    for name, value in head.loss_terms(batch).items():
        assert float(alone.loss_terms(batch)[name]) == pytest.approx(float(value), rel=1e-6)


def test_the_decoder_is_given_draws(rng, noise):
    encoding = encoding_of(rng)
    drawn = to_numpy(messages().draw(encoding))
    expected = encoding.mean + np.exp(0.5 * encoding.log_variance) * noise((1, 6, 2))[0]
    np.testing.assert_allclose(drawn, expected, rtol=1e-5)


# rounds


def test_back_come_the_means_of_the_classes(codes):
    head = messages()
    head.initialise(codes)
    prior = head.refresh(codes)[PRIOR]
    assert prior.dtype == np.float32
    np.testing.assert_allclose(prior, np.tile(CENTRES, (30, 1)), atol=0.5)
    assert clustering_accuracy(np.arange(90) % 3, head.classes[0]) == 1.0


def test_a_look_that_begins_is_one_update_and_each_later_look_another(codes):
    head = messages()
    head.initialise(codes)
    head.refresh(codes)
    assert len(head.classes) == 1
    head.refresh(codes)
    assert len(head.classes) == 2
    assert head.mixture.rounds == 2


@pytest.mark.parametrize("message", ["sample", "mean"])
def test_up_goes_a_draw_of_every_row_or_its_mean(message, codes):
    head = messages(message=message)
    head.initialise(codes)
    first = head.latents.forward_message
    error = first - codes[:, :2]
    if message == "mean":
        np.testing.assert_array_equal(error, 0)
    else:
        assert np.std(error) == pytest.approx(np.exp(-1.5), rel=0.15)
    head.refresh(codes)
    head.refresh(codes)
    assert np.array_equal(head.latents.forward_message, first) == (message == "mean")
    np.testing.assert_array_equal(head.first_message, first)


def test_modules_above_the_first_are_heard(codes):
    head = messages(modules=[MODULE, {"type": "markov"}])
    head.initialise(codes)
    transitions = head.modules[1].parameters()["trans_prob"]
    following = transitions.max(axis=1)
    assert np.all(following > 0.9)  # one after the other, round and round
    assert head.mixture.backward_message.shape == (90, 3)


# what it remembers


@pytest.mark.parametrize("above", list(MODULES))
def test_what_is_restored_answers_alike(above, codes):
    modules = [MODULE] if above == "gmm" else [MODULE, {"type": above}]
    head, other = messages(modules=modules), messages(modules=modules)
    assert not other.is_initialised
    head.initialise(codes)
    other.restore(head.arrays())
    assert other.is_initialised
    np.testing.assert_array_equal(other.assignments(codes), head.assignments(codes))
    for one, two in zip(head.modules, other.modules, strict=True):
        data = head.latents.forward_message if one is head.mixture else head.assignments(codes)
        np.testing.assert_array_equal(one.recognise(data).forward, two.recognise(data).forward)
    for name, values in head.arrays().items():
        np.testing.assert_array_equal(other.arrays()[name], values)


@pytest.mark.parametrize("above", list(MODULES))
def test_what_is_remembered_goes_on_alike(above, codes):
    modules = [MODULE] if above == "gmm" else [MODULE, {"type": above}]
    head, other = messages(modules=modules), messages(modules=modules)
    head.initialise(codes)
    head.refresh(codes)
    other.remember(head.memory)
    np.testing.assert_array_equal(head.refresh(codes)[PRIOR], other.refresh(codes)[PRIOR])


@pytest.mark.parametrize("above", sorted(set(MODULES) - {"gmm"}))
def test_received_messages_are_remembered_as_they_came(above, codes):
    """Joined messages are scaled; what is scaled again differs in the last digit."""
    modules = [{"type": "gmm", "chains": 1}, {"type": above}, {"type": above}]
    head, other = messages(modules=modules), messages(modules=modules)
    head.initialise(codes)
    other.remember(head.memory)
    for one, two in zip(head.modules[:-1], other.modules[:-1], strict=True):
        (came,), (again,) = one.received.values(), two.received.values()
        np.testing.assert_array_equal(again, came)
        np.testing.assert_array_equal(two.backward_message, one.backward_message)


def test_received_messages_keep_their_key_in_checkpoints(codes):
    """Older checkpoints have it, and the same seed gives the same bytes."""
    head = messages(modules=[MODULE, {"type": "markov"}])
    head.initialise(codes)
    assert [name for name in head.memory if name not in head.arrays()] == ["0.heard"]


def test_a_head_that_has_not_begun_remembers_nothing():
    assert messages().memory == {}


# what it says and draws


def test_assignments_are_the_first_module_s_at_the_mean(codes):
    head = messages()
    head.initialise(codes)
    expected = head.mixture.recognise(codes[:, :2]).forward
    np.testing.assert_array_equal(head.assignments(codes), expected)
    np.testing.assert_allclose(expected.sum(axis=1), 1, rtol=1e-5)


def test_draws_have_the_moments_of_the_classes(codes, rng):
    head = messages()
    head.initialise(codes)
    means, variances = head.components()
    drawn = head.sample_latents(20_000, rng)
    assert drawn.shape == (3, 20_000, 2)
    np.testing.assert_allclose(drawn.mean(axis=1), means, atol=0.05)
    np.testing.assert_allclose(drawn.var(axis=1), variances, rtol=0.05)


# its domain


def refused(**head):
    layers = [{"type": "Input", "output_shape": [6]}, {"type": "Gaussian", "num_units": 2}]
    tree = {"spec_version": 1, "name": "test", "layers": layers}
    with pytest.raises(SpecError) as caught:
        spec_from_tree({**tree, "head": {"type": "messages", **head}}, default_vocabulary())
    (problem,) = caught.value.problems
    return problem


def test_the_first_module_must_take_latents():
    problem = refused(modules=[{"type": "markov"}, {"type": "gmm"}])
    assert problem.path == ("head", "modules")
    assert "markov needs probabilities" in problem.message
    assert "gmm" in problem.advice


def test_an_unknown_module_is_named_with_its_place():
    problem = refused(modules=[{"type": "gmm"}, {"type": "markow"}])
    assert problem.path == ("head", "modules", 1, "type")
    assert "markov" in problem.advice
