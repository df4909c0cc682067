"""The gmm head: its start, its domain, its terms, gamma-training, what it says and draws."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import special

from archbuild.errors import SpecError
from archbuild.heads import GMMHead
from archbuild.heads.batch import Batch, Forward
from archbuild.networks.builder import build_network
from archbuild.networks.network import Encoding
from archbuild.networks.rows import to_numpy
from archbuild.registry import default_vocabulary
from archbuild.spec import spec_from_tree
from tests.heads.conftest import (
    PRIOR_PLAN,
    batch_for,
    bernoulli,
    encoding_of,
    head_of,
    slopes,
    trained_variables,
)
from tests.objectives import references

RESPONSIBILITIES = ["sample", "tightest", "inverse_min_max"]
GAMMA = {"weight": 0.25, "length": 2.0, "unit": "epochs"}

WEIGHTS = np.array([0.2, 0.3, 0.5])
MEANS = np.array([[-4.0, 0.0], [0.0, 3.0], [4.0, -2.0]])
VARIANCES = np.array([[0.2, 0.8], [0.5, 0.1], [1.0, 0.3]])


def mixture_rows(rng, rows=3000):
    """Draws of the mixture above, and which component each is of."""
    which = rng.choice(3, size=rows, p=WEIGHTS)
    latents = MEANS[which] + np.sqrt(VARIANCES[which]) * rng.normal(size=(rows, 2))
    return latents.astype("float32"), which


@pytest.fixture
def begun(rng):
    """A function that makes a head whose mixture is the one above, roughly."""
    latents, _ = mixture_rows(rng)

    def make(**changes):
        head = head_of(GMMHead, start="k-means", **changes)
        head.initialise(latents)
        return head

    return make


# its start and its domain


@pytest.mark.parametrize("start", ["k-means", "gaussian-mixture", "diagonal-mixture"])
def test_the_start_recovers_a_mixture(start, rng):
    head = head_of(GMMHead, start=start)
    head.initialise(mixture_rows(rng)[0])
    means, variances = head.components()
    order = np.argsort(means[:, 0])
    weights = np.exp(to_numpy(head.log_weights))
    np.testing.assert_allclose(weights[order], WEIGHTS, atol=0.03)
    np.testing.assert_allclose(means[order], MEANS, atol=0.1)
    np.testing.assert_allclose(variances[order], VARIANCES, rtol=0.15)


@pytest.mark.parametrize("scale", [0.03, 30.0])
def test_the_first_variances_are_those_of_the_clusters_at_any_scale(scale, rng):
    latents, _ = mixture_rows(rng)
    head = head_of(GMMHead, start="k-means")
    head.initialise(scale * latents)
    members = head.assignments(scale * latents).argmax(axis=1)
    expected = [latents[members == k].var(axis=0) * scale**2 for k in range(3)]
    np.testing.assert_allclose(head.components()[1], expected, rtol=0.03)


def test_the_start_looks_at_a_sample_if_it_is_told_to(monkeypatch, rng):
    latents, seen = mixture_rows(rng)[0], []

    def halves(codes, n_clusters, start, seed, mixture_sample):
        seen.append(codes)
        return np.arange(len(codes)) % n_clusters

    monkeypatch.setattr("archbuild.clustering.starts.first_clusters", halves)
    for sample, seed in ((40, 0), (40, 0), (40, 1), (None, 0), (5000, 0)):
        head_of(GMMHead, start_sample=sample, seed=seed).initialise(latents)
    first, same, other, whole, more = seen
    assert [len(each) for each in seen] == [40, 40, 40, 3000, 3000]
    np.testing.assert_array_equal(first, same)
    assert not np.array_equal(first, other)
    for everything in (whole, more):
        np.testing.assert_array_equal(everything, latents)


@pytest.mark.parametrize(
    ("changes", "message", "advice"),
    [
        ({"start_sample": 9}, "10 clusters cannot start from 9 rows", "write at least 10"),
        (
            {"start_sample": 10, "start_epochs": 1},
            "needs a cluster for every row",
            "start_epochs: 0",
        ),
    ],
)
def test_a_sample_too_small_for_what_is_asked_of_it_is_refused(changes, message, advice):
    layers = [{"type": "Input", "output_shape": [6]}, {"type": "Gaussian", "num_units": 2}]
    tree = {"spec_version": 1, "name": "test", "layers": layers}
    head = {"type": "gmm", "n_clusters": 10}
    with pytest.raises(SpecError, match=message) as caught:
        spec_from_tree({**tree, "head": {**head, **changes}}, default_vocabulary())
    (problem,) = caught.value.problems
    assert problem.path == ("head", "start_sample")
    assert advice in problem.advice
    spec_from_tree({**tree, "head": {**head, "start_sample": 10}}, default_vocabulary())


@pytest.mark.parametrize("value", [1e6, -1e6])
def test_weights_and_variances_cannot_leave_their_domain(value, begun, rng):
    head = begun()
    for variable in (head.weight_logits, head.free_log_variances):
        values = to_numpy(variable)
        values[0] = value
        variable.assign(values)
    weights, (_, variances) = np.exp(to_numpy(head.log_weights)), head.components()
    assert weights.sum() == pytest.approx(1)
    assert np.all(weights >= 0)
    assert np.all((variances >= 0.999 * np.exp(-10)) & (variances <= 1.001 * np.exp(10)))
    terms = head.loss_terms(batch_for(head, encoding_of(rng), rng))
    assert np.all(np.isfinite([to_numpy(term) for term in terms.values()]))


@pytest.mark.parametrize("latents", [np.ones((30, 2)), np.repeat([[0.0, 0], [5, 5]], 15, axis=0)])
def test_rows_that_are_alike_make_no_component_without_width(latents):
    head = head_of(GMMHead)
    head.initialise(latents.astype("float32"))
    _, variances = head.components()
    assert variances.min() > 0.99 * max(1e-4 * latents.var(axis=0).mean(), np.exp(-9.91))
    assert all(np.all(np.isfinite(values)) for values in head.arrays().values())
    np.testing.assert_allclose(head.assignments(latents.astype("float32")).sum(axis=1), 1, 1e-5)


# its terms


def components_of(head):
    """log-weights, means and log-variances in float64, from the free parameters."""
    arrays = {name: values.astype(float) for name, values in head.arrays().items()}
    log_variances = references.bounded_log_variance(arrays["free_log_variances"])
    return special.log_softmax(arrays["weight_logits"]), arrays["means"], log_variances


def reference_assignment(kind, latent, mean, divergences, mixture):
    if kind == "tightest":
        return references.tightest_log_responsibilities(mixture[0], divergences)
    if kind == "inverse_min_max":
        joints = references.component_log_joints(mean, *mixture)
        return references.inverse_min_max_log_responsibilities(joints)
    return references.log_responsibilities(references.component_log_joints(latent, *mixture))


def reference_terms(head, batch):
    mean, log_variance = (batch.encoding[part].astype(float) for part in range(2))
    mixture = components_of(head)
    divergences = references.component_divergences(mean, log_variance, *mixture[1:])
    kind = head.config["responsibilities"]
    q = reference_assignment(kind, batch.latent.astype(float), mean, divergences, mixture)
    weight = head.config["kl_weight"]
    reconstruction = bernoulli(batch.inputs, batch.reconstruction.value)
    return {
        "reconstruction": head.config["reconstruction_weight"] * np.mean(reconstruction),
        "standard_prior": 0.0,
        "conditional_prior": weight * np.mean(references.expected_divergence(q, divergences)),
        "cluster_prior": weight * np.mean(references.categorical_divergence(q, mixture[0])),
    }


@pytest.mark.parametrize("weights", [(1.0, 1.0), (0.3, 2.0)], ids=["as they are", "weighted"])
@pytest.mark.parametrize("kind", RESPONSIBILITIES)
def test_the_terms_are_those_of_the_bound(kind, weights, begun, rng):
    head = begun(responsibilities=kind, kl_weight=weights[0], reconstruction_weight=weights[1])
    batch = batch_for(head, encoding_of(rng), rng)
    found = {name: to_numpy(term) for name, term in head.loss_terms(batch).items()}
    assert tuple(found) == head.term_names
    assert found == pytest.approx(reference_terms(head, batch), rel=1e-4)


def test_the_three_responsibilities_differ(begun, rng):
    batch = batch_for(begun(), encoding_of(rng), rng)
    costs = [
        float(begun(responsibilities=kind).loss_terms(batch)["conditional_prior"])
        for kind in RESPONSIBILITIES
    ]
    assert len(set(costs)) == 3


@pytest.mark.parametrize("kind", RESPONSIBILITIES)
def test_the_loss_lies_above_the_negative_log_likelihood(kind, begun, rng):
    """Which importance sampling finds: ``log mean_s p(x | z_s) p(z_s) / q(z_s | x)``."""
    network = build_network(PRIOR_PLAN, default_vocabulary(), seed=3)
    rows = np.repeat((rng.random((8, 6)) > 0.5).astype("float32"), 500, axis=0)
    head, encoding = begun(responsibilities=kind), network.encode(rows)
    latent = head.draw(encoding)
    reconstruction = network.decode(latent)
    batch = batch_for(head, Encoding(*map(to_numpy, encoding[:3]), ()), rng)
    batch = Batch(rows, Forward(batch.encoding, latent, reconstruction), batch.targets)
    loss = sum(float(term) for term in head.loss_terms(batch).values())
    prior = special.logsumexp(
        references.component_log_joints(to_numpy(latent), *components_of(head)), axis=1
    )
    posterior = references.gaussian_log_density(latent, *map(to_numpy, encoding[:2]))
    likelihood = -bernoulli(rows, to_numpy(reconstruction.value))
    ratios = (likelihood + prior - posterior).reshape(8, 500)
    log_likelihood = np.mean(special.logsumexp(ratios, axis=1) - np.log(500))
    assert -log_likelihood + 0.1 < loss < -log_likelihood + 50


def far_rows(rng):
    encoding = encoding_of(rng)
    signs = rng.choice([-1, 1], size=(2, 6, 2)).astype("float32")
    return encoding._replace(mean=1e4 * signs[0], log_variance=10 * signs[1])


def with_an_empty_cluster(head):
    for variable, value in ((head.means, 1e4), (head.weight_logits, -80.0)):
        values = to_numpy(variable)
        values[0] = value
        variable.assign(values)


@pytest.mark.parametrize("empty", [False, True], ids=["all in use", "one empty"])
@pytest.mark.parametrize("make", [encoding_of, far_rows], ids=["near", "far"])
@pytest.mark.parametrize("kind", RESPONSIBILITIES)
def test_every_gradient_is_finite(kind, make, empty, begun, rng):
    head = begun(responsibilities=kind)
    if empty:
        with_an_empty_cluster(head)
    batch = batch_for(head, make(rng), rng)

    def loss(mean, log_variance):
        encoding = batch.encoding._replace(mean=mean, log_variance=log_variance)
        forward = batch.forward._replace(encoding=encoding, latent=head.draw(encoding))
        drawn = batch._replace(forward=forward)
        return sum(head.loss_terms(drawn).values())

    found = slopes(head, loss, batch.encoding.mean, batch.encoding.log_variance)
    assert len(found) == 5
    assert all(np.all(np.isfinite(gradient)) for gradient in found)


def test_all_of_the_mixture_is_trained(begun, rng):
    head = begun()
    batch = batch_for(head, encoding_of(rng), rng)
    found = slopes(head, lambda: sum(head.loss_terms(batch).values()))
    assert [variable.name for variable in trained_variables(head)] == [
        "weights",
        "means",
        "log_variances",
    ]
    assert all(np.all(gradient != 0) for gradient in found)


# the epochs in which the start's clusters stand


def test_the_starts_clusters_are_the_assignment_until_the_second_look(rng):
    latents, _ = mixture_rows(rng, rows=60)
    head = head_of(GMMHead, start="k-means", start_epochs=4)
    head.initialise(latents)
    targets = head.refresh(latents)["start"]
    clusters = targets.argmax(axis=1)
    np.testing.assert_array_equal(targets, np.eye(3)[clusters])
    np.testing.assert_allclose(head.components()[0][1], latents[clusters == 1].mean(axis=0), 1e-4)
    batch = batch_for(head, encoding_of(rng), rng)._replace(targets={"start": targets[:6]})
    terms = {name: float(term) for name, term in head.loss_terms(batch).items()}
    mixture, rows = components_of(head), (np.arange(6), clusters[:6])
    divergences = references.component_divergences(*batch.encoding[:2], *mixture[1:])
    assert terms["conditional_prior"] == pytest.approx(divergences[rows].mean(), rel=1e-4)
    assert terms["cluster_prior"] == pytest.approx(-mixture[0][clusters[:6]].mean(), rel=1e-4)
    assert head.refresh_epochs == 4
    assert head.refresh(latents) == {}


def test_without_such_epochs_the_assignment_is_free_at_once(begun, rng):
    head = begun()
    assert head.refresh(mixture_rows(rng)[0]) == {}
    assert head.refresh_epochs == 1


# gamma-training


def test_in_gamma_training_the_mean_is_decoded_and_the_mixture_stands_still(rng):
    head, encoding = head_of(GMMHead, gamma_training=GAMMA), encoding_of(rng)
    np.testing.assert_array_equal(head.draw(encoding), encoding.mean)
    batch = batch_for(head, encoding, rng)
    terms = {name: float(term) for name, term in head.loss_terms(batch).items()}
    standard = references.standard_gaussian_divergence(*encoding[:2]).mean()
    assert terms == pytest.approx(
        {
            "reconstruction": bernoulli(batch.inputs, batch.reconstruction.value).mean(),
            "standard_prior": 0.25 * standard,
            "conditional_prior": 0,
            "cluster_prior": 0,
        },
        rel=1e-5,
    )
    found = slopes(head, lambda: sum(head.loss_terms(batch).values()))
    assert all(np.all(gradient == 0) for gradient in found)
    assert not head.is_initialised


def test_after_gamma_training_the_mixture_takes_its_place(begun, rng):
    head, encoding = begun(gamma_training=GAMMA), encoding_of(rng)
    assert head.is_initialised
    assert np.all(to_numpy(head.draw(encoding)) != encoding.mean)
    batch = batch_for(head, encoding, rng)
    found = {name: float(term) for name, term in head.loss_terms(batch).items()}
    assert found == pytest.approx(reference_terms(head, batch), rel=1e-4)


@pytest.mark.parametrize("gamma", [None, GAMMA])
def test_from_scratch_it_needs_gamma_training(gamma):
    config = {"gamma_training": gamma}
    assert (GMMHead.scratch_problem(config) is None) == (gamma is not None)
    assert head_of(GMMHead, **config).warmup == gamma


# what it says and draws


@pytest.mark.parametrize("kind", RESPONSIBILITIES)
def test_assignments_are_the_posterior_whatever_the_loss_takes_for_it(kind, begun, rng):
    head = begun(responsibilities=kind)
    codes, which = mixture_rows(rng, rows=200)
    found = head.assignments(codes)
    joints = references.component_log_joints(codes.astype(float), *components_of(head))
    np.testing.assert_allclose(found, special.softmax(joints, axis=1), rtol=1e-3, atol=1e-6)
    np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-5)
    np.testing.assert_array_equal(found[7:9], head.assignments(codes[7:9]))
    pairs = set(zip(found.argmax(axis=1).tolist(), which.tolist(), strict=True))
    assert len(pairs) == 3


def test_samples_have_the_moments_of_their_component(begun):
    head = begun()
    means, variances = head.components()
    drawn = head.sample_latents(5000, np.random.default_rng(0))
    assert drawn.shape == (3, 5000, 2)
    assert drawn.dtype == "float32"
    scores = (drawn.mean(axis=1) - means) / np.sqrt(variances / 5000)
    assert np.abs(scores).max() < 4
    np.testing.assert_allclose(drawn.var(axis=1), variances, rtol=0.1)
    np.testing.assert_array_equal(drawn, head.sample_latents(5000, np.random.default_rng(0)))


def test_arrays_bring_the_head_back(begun, rng):
    head, other = begun(), head_of(GMMHead, gamma_training=GAMMA, seed=5)
    other.restore(head.arrays())
    codes, _ = mixture_rows(rng, rows=50)
    np.testing.assert_array_equal(head.assignments(codes), other.assignments(codes))
    assert other.is_initialised
    assert set(head.arrays()) == {"weight_logits", "means", "free_log_variances"}
