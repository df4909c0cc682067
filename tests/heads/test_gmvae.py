"""The gmvae head: its five terms, clamps and posteriors, its codes, what it says and draws."""

from __future__ import annotations

import numpy as np
import pytest
from keras import ops
from scipy import special

from archbuild.heads import GMVAEHead
from archbuild.networks.rows import to_numpy
from tests.heads.conftest import (
    batch_for,
    bernoulli,
    encoding_of,
    head_of,
    slopes,
    trained_variables,
)
from tests.objectives import references

UNIFORM = np.full(3, -np.log(3))
STYLE = 4
POSTERIORS = ["network", "bayes"]


def make_head(**changes):
    """With components that differ: as they begin they nearly coincide."""
    head = head_of(GMVAEHead, **{"style_size": STYLE, "prior_units": 7, "eta": 0.7, **changes})
    for layer in (head.networks["prior_means"], head.networks["prior_log_variances"]):
        layer.bias.assign(np.random.default_rng(5).normal(size=6))
    return head


# the head in NumPy, from its arrays


def in_doubles(head):
    return {name: values.astype(float) for name, values in head.arrays().items()}


def dense(arrays, name, rows):
    return rows @ arrays[f"{name}.0"] + arrays[f"{name}.1"]


def style_of(arrays, features):
    log_variance = references.bounded_log_variance(dense(arrays, "style_log_variance", features))
    return dense(arrays, "style_mean", features), log_variance


def network_assignment(arrays, features):
    return special.log_softmax(dense(arrays, "cluster_logits", features), axis=1)


def prior(arrays, style):
    """Means and log-variances, ``(batch, cluster, latent)``."""
    hidden = np.tanh(dense(arrays, "prior_hidden", style))
    means = dense(arrays, "prior_means", hidden).reshape(-1, 3, 2)
    log_variances = dense(arrays, "prior_log_variances", hidden).reshape(-1, 3, 2)
    return means, references.bounded_log_variance(log_variances)


def posterior_at(arrays, latent, style):
    joints = references.component_log_joints(latent, UNIFORM, *prior(arrays, style))
    return references.log_responsibilities(joints)


def reference_draws(head, arrays, encoding, noise):
    """For each draw: ``log q(z)``, the divergences, and ``log p(z | x, w)``."""
    mean, log_variance, features = (part.astype(float) for part in encoding[:3])
    deviates = (noise((head.draws, len(mean), size)) for size in (2, STYLE))
    latents = references.reparameterised(mean, log_variance, next(deviates))
    styles = references.reparameterised(*style_of(arrays, features), next(deviates))
    for latent, style in zip(latents, styles, strict=True):
        posterior = posterior_at(arrays, latent, style)
        network = network_assignment(arrays, features)
        assignment = network if head.config["posterior"] == "network" else posterior
        components = prior(arrays, style)
        yield (
            assignment,
            references.component_divergences(mean, log_variance, *components),
            posterior,
        )


def reference_terms(head, batch, noise, arrays=None):
    arrays = in_doubles(head) if arrays is None else arrays
    assignments, divergences, posteriors = zip(
        *reference_draws(head, arrays, batch.encoding, noise), strict=True
    )
    logits = batch.reconstruction.value.reshape(head.draws, -1, 6)
    style = style_of(arrays, batch.encoding.features.astype(float))
    clusters = [references.categorical_divergence(q, UNIFORM) for q in assignments]
    return {
        "reconstruction": np.mean([bernoulli(batch.inputs, each) for each in logits]),
        "conditional_prior": np.mean(
            list(map(references.expected_divergence, assignments, divergences))
        ),
        "style_prior": np.mean(references.standard_gaussian_divergence(*style)),
        "cluster_prior": head.config["eta"] * np.mean(clusters),
        "consistency_violation": head.config["alpha"]
        * np.mean(list(map(references.categorical_entropy, posteriors))),
    }


def terms_of(head, batch):
    found = head.loss_terms(batch)
    return {name: float(found[name]) for name in head.term_names}


# its terms


@pytest.mark.parametrize("draws", [1, 3])
@pytest.mark.parametrize("posterior", POSTERIORS)
def test_the_five_terms_are_those_of_the_equation(posterior, draws, noise, rng):
    head = make_head(posterior=posterior, mc_samples=draws, alpha=1.7)
    batch = batch_for(head, encoding_of(rng), rng)
    found = terms_of(head, batch)
    assert set(head.loss_terms(batch)) == {*head.term_names, *head.monitored_names}
    assert found == pytest.approx(reference_terms(head, batch, noise), rel=1e-4)


def test_the_violation_is_monitored_whatever_its_weight(rng):
    head, without = make_head(alpha=1.7), make_head(alpha=0.0)
    batch = batch_for(head, encoding_of(rng), rng)
    without.noise.state.assign(head.noise.state)
    found, unweighted = head.loss_terms(batch), without.loss_terms(batch)
    (name,) = GMVAEHead.monitored_names
    assert float(unweighted["consistency_violation"]) == 0.0
    assert float(unweighted[name]) > 0.01
    assert float(found["consistency_violation"]) == pytest.approx(1.7 * float(unweighted[name]))


@pytest.mark.parametrize("posterior", POSTERIORS)
def test_plain_backpropagation_gives_the_gradients_of_the_equation(posterior, noise, rng):
    """The original's own gradient of the conditional prior had the wrong sign under ``bayes``."""
    head = make_head(posterior=posterior, mc_samples=2)
    batch = batch_for(head, encoding_of(rng), rng)
    arrays = in_doubles(head)
    trained = [variable.path for variable in trained_variables(head)]
    names = [path.replace("/bias", ".1") for path in trained if path.endswith("/bias")]
    for term in ("conditional_prior", "cluster_prior", "consistency_violation"):

        def of_biases(*biases, term=term):
            changed = arrays | dict(zip(names, biases, strict=True))
            return reference_terms(head, batch, noise, changed)[term]

        expected = references.numerical_gradients(of_biases, *(arrays[name] for name in names))
        gradients = slopes(head, lambda term=term: head.loss_terms(batch)[term])
        found = [each for path, each in zip(trained, gradients, strict=True) if "bias" in path]
        for gradient, by_difference in zip(found, expected, strict=True):
            np.testing.assert_allclose(gradient, by_difference, rtol=2e-3, atol=1e-4)


def test_each_draw_weighs_its_divergences_with_its_own_posterior(noise, rng):
    """The original's first form took one for all draws."""
    head = make_head(posterior="bayes", mc_samples=3)
    batch = batch_for(head, encoding_of(rng), rng)
    draws = list(reference_draws(head, in_doubles(head), batch.encoding, noise))
    own = np.mean([references.expected_divergence(q, divergences) for q, divergences, _ in draws])
    first = np.mean([references.expected_divergence(draws[0][0], each) for _, each, _ in draws])
    assert abs(own - first) > 0.005 * own
    assert terms_of(head, batch)["conditional_prior"] == pytest.approx(own, rel=1e-4)


@pytest.mark.parametrize("weight", ["eta", "alpha"])
def test_a_weight_of_zero_removes_its_term_and_no_other(weight, noise, rng):
    head, without = make_head(), make_head(**{weight: 0.0})
    batch = batch_for(head, encoding_of(rng), rng)
    name = {"eta": "cluster_prior", "alpha": "consistency_violation"}[weight]
    expected = terms_of(head, batch)
    assert expected[name] > 0.01
    assert terms_of(without, batch) == {**expected, name: 0.0}


@pytest.mark.parametrize("posterior", POSTERIORS)
def test_what_is_trained_has_a_gradient(posterior, rng):
    """Under ``bayes`` that leaves out ``q(z | y)``; Keras would warn of it in every run."""
    head = make_head(posterior=posterior)
    batch = batch_for(head, encoding_of(rng), rng)
    gradients = slopes(head, lambda: sum(head.loss_terms(batch).values()))
    assert len(gradients) == (12 if posterior == "network" else 10)
    assert all(np.any(gradient != 0) for gradient in gradients)


# minimum information


def cluster_divergences(head, encoding, noise):
    draws = reference_draws(head, in_doubles(head), encoding, noise)
    return np.concatenate([references.categorical_divergence(q, UNIFORM) for q, _, _ in draws])


@pytest.mark.parametrize("posterior", POSTERIORS)
def test_below_the_minimum_the_batchs_divergence_is_constant(posterior, noise, rng):
    encoding, free = encoding_of(rng), make_head(posterior=posterior, mc_samples=2)
    average = float(cluster_divergences(free, encoding, noise).mean())
    batch = batch_for(free, encoding, rng)
    cost, pull = cluster_prior(free, batch)
    assert cost == pytest.approx(0.7 * average, rel=1e-4)
    for minimum, reached in ((1.01 * average, False), (0.99 * average, True)):
        head = make_head(posterior=posterior, mc_samples=2, minimum_information=minimum)
        found, gradients = cluster_prior(head, batch)
        assert found == pytest.approx(cost if reached else 0.7 * minimum, rel=1e-4)
        for gradient, unclamped in zip(gradients, pull, strict=True):
            np.testing.assert_array_equal(gradient, unclamped if reached else 0 * unclamped)


def test_rows_below_the_minimum_are_free_each_for_itself(noise, rng):
    encoding, free = encoding_of(rng), make_head()
    divergences = cluster_divergences(free, encoding, noise)
    minimum = float(np.median(divergences))
    head = make_head(minimum_information=minimum, minimum_over="row")
    batch = batch_for(head, encoding, rng)
    cost, gradients = cluster_prior(head, batch)
    assert cost == pytest.approx(0.7 * np.maximum(divergences, minimum).mean(), rel=1e-4)
    moved = np.any(gradients[-1] != 0, axis=1)
    np.testing.assert_array_equal(moved, divergences > minimum)
    np.testing.assert_array_equal(gradients[-1][moved], cluster_prior(free, batch)[1][-1][moved])


def cluster_prior(head, batch):
    """The term, and its gradients by the head's weights and, last, by the features."""

    def term(features):
        encoding = batch.encoding._replace(features=features)
        forward = batch.forward._replace(encoding=encoding)
        return head.loss_terms(batch._replace(forward=forward))["cluster_prior"]

    features = batch.encoding.features
    return float(term(features)), slopes(head, term, features)


# what it says of rows, and draws


@pytest.fixture
def codes(rng):
    """A function from a head to the encoding of 40 rows and their codes."""
    encoding = encoding_of(rng, rows=40)
    return lambda head: (encoding, to_numpy(head.code(encoding)))


def test_a_code_is_latent_style_and_assignment(codes):
    head = make_head()
    encoding, found = codes(head)
    arrays, features = in_doubles(head), encoding.features.astype(float)
    parts = encoding.mean, style_of(arrays, features)[0], network_assignment(arrays, features)
    np.testing.assert_allclose(found, np.concatenate(parts, axis=1), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("posterior", POSTERIORS)
def test_assignments_are_those_of_the_posterior_at_the_means(posterior, codes):
    head = make_head(posterior=posterior)
    encoding, rows = codes(head)
    arrays, features = in_doubles(head), encoding.features.astype(float)
    expected = network_assignment(arrays, features)
    if posterior == "bayes":
        expected = posterior_at(arrays, encoding.mean, style_of(arrays, features)[0])
    found = head.assignments(rows)
    np.testing.assert_allclose(found, np.exp(expected), rtol=1e-3, atol=1e-6)
    np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-5)
    np.testing.assert_allclose(found[7:9], head.assignments(rows[7:9]), rtol=1e-6)


def test_the_components_are_those_of_the_middle_style():
    head = make_head()
    means, variances = head.components()
    expected, log_variances = prior(in_doubles(head), np.zeros((1, STYLE)))
    np.testing.assert_allclose(means, expected[0], rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(variances, np.exp(log_variances[0]), rtol=1e-4)


def test_variances_cannot_leave_their_domain(rng):
    head = make_head()
    head.networks["prior_log_variances"].bias.assign([1e6, -1e6] * 3)
    _, variances = head.components()
    np.testing.assert_allclose(variances, np.exp([[10, -10]] * 3), rtol=1e-3)
    batch = batch_for(head, encoding_of(rng), rng)
    assert np.all(np.isfinite(list(terms_of(head, batch).values())))


def test_samples_of_all_clusters_share_their_styles():
    head = make_head()
    narrow = np.full(head.networks["prior_log_variances"].bias.shape, -1e6)
    head.networks["prior_log_variances"].bias.assign(
        narrow
    )  # what is left is the mean that the style makes
    drawn = head.sample_latents(50, np.random.default_rng(0))
    assert drawn.shape == (3, 50, 2)
    style = np.random.default_rng(0).standard_normal((50, STYLE))
    means, _ = prior(in_doubles(head), style)
    np.testing.assert_allclose(drawn, np.swapaxes(means, 0, 1), atol=0.05)
    assert np.ptp(means[:, 0], axis=0).min() > 0.5


def test_samples_spread_as_the_prior_says():
    head = make_head()
    head.networks["prior_means"].kernel.assign(np.zeros((7, 2 * 3)))
    head.networks["prior_log_variances"].kernel.assign(
        np.zeros((7, 2 * 3))
    )  # no style: plain components
    means, variances = head.components()
    drawn = head.sample_latents(5000, np.random.default_rng(1))
    assert np.abs((drawn.mean(axis=1) - means) / np.sqrt(variances / 5000)).max() < 4
    np.testing.assert_allclose(drawn.var(axis=1), variances, rtol=0.1)


def test_arrays_bring_the_head_back(codes):
    head, other = (
        make_head(posterior="bayes"),
        head_of(GMVAEHead, seed=3, style_size=STYLE, prior_units=7, posterior="bayes"),
    )
    other.restore(head.arrays())
    encoding, rows = codes(head)
    np.testing.assert_array_equal(ops.convert_to_numpy(other.code(encoding)), rows)
    np.testing.assert_array_equal(other.assignments(rows), head.assignments(rows))


def test_first_weights_follow_the_seed():
    first, same, other = (head_of(GMVAEHead, seed=seed).arrays() for seed in (1, 1, 2))
    for name, values in first.items():
        np.testing.assert_array_equal(values, same[name])
        assert np.all(values != other[name])


def test_from_scratch_is_how_it_is_meant():
    assert GMVAEHead.scratch_problem({}) is None
    assert head_of(GMVAEHead).warmup is None
