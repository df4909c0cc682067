"""What heads with a prior ask of a network, and how they draw."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import special

from archbuild.errors import SpecError
from archbuild.heads import GMMHead, GMVAEHead
from archbuild.networks.builder import build_network
from archbuild.networks.rows import to_numpy
from archbuild.registry import default_vocabulary
from archbuild.spec import spec_from_tree
from tests.heads.conftest import PRIOR_PLAN, batch_for, bernoulli, encoding_of, head_of
from tests.objectives import references

INPUT = {"type": "Input", "output_shape": [1, 8, 8]}
GAUSSIAN = {"type": "Gaussian", "num_units": 4}


@pytest.fixture(params=["gmm", "gmvae"])
def problems(request):
    """A function from layers to what the head has against them."""

    def check(*layers):
        tree = {"spec_version": 1, "name": "test", "layers": [INPUT, *layers]}
        with pytest.raises(SpecError) as caught:
            spec_from_tree({**tree, "head": {"type": request.param}}, default_vocabulary())
        return caught.value.problems

    return check


def test_a_bottleneck_without_variance_is_refused_with_the_layer_to_write(problems):
    (problem,) = problems({"type": "Dense", "num_units": 4})
    assert problem.path == ("head",)
    assert "head draws latents, and the bottleneck has no variance" in problem.message
    assert "{type: Gaussian, num_units: 4} in place of its last layer" in problem.advice


def test_a_decoder_that_puts_maxima_back_is_refused(problems):
    pool = {"type": "MaxPool2D*", "filter_size": [2, 2]}
    (problem,) = problems(pool, GAUSSIAN)
    assert problem.path == ("head",)
    assert "generates rows from latents alone" in problem.message
    assert problem.advice == "use MaxPool2D in place of MaxPool2D*"
    assert len(problems(pool, {"type": "Dense", "num_units": 4})) == 2


@pytest.mark.parametrize("head", ["gmm", "gmvae"])
def test_what_the_advice_says_is_accepted(head):
    layers = [INPUT, {"type": "MaxPool2D", "filter_size": [2, 2]}, GAUSSIAN]
    tree = {"spec_version": 1, "name": "test", "layers": layers, "head": {"type": head}}
    assert spec_from_tree(tree, default_vocabulary()).head.type == head


@pytest.fixture
def head():
    return head_of(GMVAEHead, mc_samples=3)


def test_every_draw_holds_each_row_once_and_in_order(head, noise, rng):
    encoding = encoding_of(rng, rows=5)
    drawn = to_numpy(head.sampled(encoding)).reshape(3, 5, 2)
    for of_draw, deviates in zip(drawn, noise((3, 5, 2)), strict=True):
        spread = np.sqrt(np.exp(encoding.log_variance))
        np.testing.assert_allclose(of_draw, encoding.mean + spread * deviates, rtol=1e-5)
    rows = np.arange(5 * 4).reshape(5, 4)
    for repeated in to_numpy(head.repeated(rows)).reshape(3, 5, 4):
        np.testing.assert_array_equal(repeated, rows)


def test_without_noise_every_draw_is_the_mean(head, rng):
    encoding = encoding_of(rng)
    drawn = to_numpy(head.sampled(encoding, scale=0.0))
    np.testing.assert_array_equal(drawn, np.tile(encoding.mean, (3, 1)))


def test_draws_have_the_moments_of_the_encoding(rng):
    head, encoding = head_of(GMVAEHead, mc_samples=1000), encoding_of(rng)
    drawn = to_numpy(head.sampled(encoding)).reshape(1000, 6, 2)
    variance = np.exp(encoding.log_variance)
    scores = (drawn.mean(axis=0) - encoding.mean) / np.sqrt(variance / 1000)
    assert np.abs(scores).max() < 4
    np.testing.assert_allclose(drawn.var(axis=0), variance, rtol=0.25)


def test_noise_follows_the_seed_and_never_repeats(rng):
    encoding = encoding_of(rng)
    first, same, other = (head_of(GMMHead, seed=seed) for seed in (1, 1, 2))
    drawn = to_numpy(first.sampled(encoding))
    np.testing.assert_array_equal(drawn, to_numpy(same.sampled(encoding)))
    assert np.all(drawn != to_numpy(other.sampled(encoding)))
    assert np.all(drawn != to_numpy(first.sampled(encoding)))


def test_the_state_of_the_noise_is_one_of_the_heads_variables(rng):
    first, other = (head_of(GMMHead, seed=seed) for seed in (1, 2))
    for old, new in zip(first.variables, other.variables, strict=True):
        new.assign(old)
    encoding = encoding_of(rng)
    np.testing.assert_array_equal(first.sampled(encoding), other.sampled(encoding))


@pytest.mark.parametrize("draws", [1, 3])
def test_reconstruction_is_the_weighted_mean_over_draws_and_rows(draws, rng):
    head = head_of(GMVAEHead, mc_samples=draws, reconstruction_weight=2.5)
    batch = batch_for(head, encoding_of(rng), rng)
    logits = batch.reconstruction.value.reshape(draws, 6, 6)
    expected = 2.5 * np.mean([bernoulli(batch.inputs, each) for each in logits])
    np.testing.assert_allclose(head.reconstruction_term(batch)["reconstruction"], expected, 1e-5)


# evidence


def gaussian(pair, draws, noise):
    """Draws of a Gaussian, ``(draws * batch, size)``, and ``log q`` of each."""
    pair = [to_numpy(each).astype(float) for each in pair]
    drawn = references.reparameterised(*pair, noise((draws, *pair[0].shape)))
    log_q = np.concatenate([references.gaussian_log_density(each, *pair) for each in drawn])
    return drawn.reshape(-1, pair[0].shape[1]), log_q


def log_ratio_of_gmm(head, encoding, noise):
    latent, log_q = gaussian((encoding.mean, encoding.log_variance), 4, noise)
    means, variances = head.components()
    weights = to_numpy(head.log_weights)
    joints = references.component_log_joints(latent, weights, means, np.log(variances))
    return latent, log_q - special.logsumexp(joints, axis=1)


def log_ratio_of_gmvae(head, encoding, noise):
    latent, log_q = gaussian((encoding.mean, encoding.log_variance), 4, noise)
    style, log_q_style = gaussian(head._style(encoding), 4, noise)
    components = [to_numpy(each) for each in head.prior(style.astype("float32"))]
    joints = references.component_log_joints(latent, np.full(3, -np.log(3)), *components)
    log_p = references.gaussian_log_density(style, 0 * style, 0 * style)
    return latent, log_q + log_q_style - special.logsumexp(joints, axis=1) - log_p


@pytest.mark.parametrize("kind", [GMMHead, GMVAEHead])
def test_the_evidence_is_of_the_joint_density_and_the_posterior(kind, noise, rng):
    head = head_of(kind, **({"style_size": 3} if kind is GMVAEHead else {}))
    if kind is GMMHead:
        head.restore({name: rng.normal(size=array.shape) for name, array in head.arrays().items()})
    network = build_network(PRIOR_PLAN, default_vocabulary(), 0)
    rows = rng.random((5, 6)).astype("float32")
    of_kind = {GMMHead: log_ratio_of_gmm, GMVAEHead: log_ratio_of_gmvae}[kind]
    latent, log_ratio = of_kind(head, network.encode(rows), noise)
    logits = to_numpy(network.decode(latent.astype("float32")).value)
    expected = -bernoulli(np.tile(rows, (4, 1)), logits) - log_ratio
    found = head.evidence(network, rows, 4)
    assert found.divergences == ()
    np.testing.assert_allclose(found.log_weights, expected.reshape(4, 5), rtol=1e-4)
    present = np.zeros_like(rows)
    without = head.evidence(network, rows, 4, present).log_weights
    np.testing.assert_allclose(without, -log_ratio.reshape(4, 5), rtol=1e-3, atol=1e-3)


def test_a_bound_that_has_no_likelihood_is_refused():
    tree = {
        "spec_version": 1,
        "name": "test",
        "layers": [INPUT, GAUSSIAN],
        "head": {"type": "gmm", "bound_samples": 5},
    }
    with pytest.raises(SpecError) as caught:
        spec_from_tree(tree, default_vocabulary())
    (problem,) = caught.value.problems
    assert problem.path == ("head", "bound_samples")
    assert "squared_error is none" in problem.message
    assert spec_from_tree({**tree, "reconstruction": "gaussian"}, default_vocabulary())
