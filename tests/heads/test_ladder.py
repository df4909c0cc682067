"""``ladder``: its levels and its loss against NumPy, and its bounds against a known evidence."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import special, stats

from archbuild.data import dataset_from_arrays
from archbuild.data.scaling import Scaler
from archbuild.errors import SpecError
from archbuild.heads import LadderHead
from archbuild.heads.batch import Batch
from archbuild.networks.builder import build_network
from archbuild.networks.rows import to_numpy
from archbuild.objectives import unbounded_log_variance
from archbuild.registry import default_vocabulary
from archbuild.spec import make_plan, spec_from_tree
from archbuild.training.bounds import bound_of
from archbuild.training.feed import Feed
from tests.heads.conftest import bernoulli, head_of
from tests.objectives import references

pytestmark = pytest.mark.graphs(False)
KINDS = ["top_down", "bottom_up"]
LAYERS = [
    {"type": "Input", "output_shape": [6]},
    {"type": "Dense", "num_units": 5},
    {"type": "Gaussian", "num_units": 4},
    {"type": "Dense", "num_units": 4, "non_linearity": "tanh"},
    {"type": "Gaussian", "num_units": 3},
    {"type": "Gaussian", "num_units": 2},
]


def spec_of(*layers, **keys):
    tree = {
        "spec_version": 1,
        "name": "small",
        "reconstruction": "bernoulli",
        "layers": list(layers or LAYERS),
        "head": {"type": "ladder"},
        **keys,
    }
    return spec_from_tree(tree, default_vocabulary())


def built(spec, **config):
    plan = make_plan(spec, default_vocabulary())
    return build_network(plan, default_vocabulary(), 0), head_of(LadderHead, plan, **config)


@pytest.fixture
def rows(rng):
    return rng.random((7, 6)).astype("float32")


def numpy_pair(pair):
    return tuple(to_numpy(each).astype(float) for each in pair)


def standard(like):
    return np.zeros_like(like), np.zeros_like(like)


def top_down(network, rows, draws, noise):
    """Draw, posterior and prior of each level, bottom first, from the paper's equations."""
    found, levels = [], network.encode(rows).levels
    for number in (3, 2, 1):
        level = levels[number - 1]
        own = tuple(np.tile(each, (draws, 1)) for each in numpy_pair(level[:2]))
        prior, posterior = standard(own[0]), own
        if found:
            prior = numpy_pair(network.prior(number, found[0][0].astype("float32")))
            posterior = references.merged_gaussians(*own, *prior)
        found.insert(0, (drawn(posterior, noise), posterior, prior))
    return found


def bottom_up(network, rows, draws, noise):
    posterior = tuple(
        np.tile(each, (draws, 1)) for each in numpy_pair(network.encode_above(0, rows))
    )
    found = [(drawn(posterior, noise), posterior)]
    for number in (1, 2):
        below = found[-1][0].astype("float32")
        posterior = numpy_pair(network.encode_above(number, below))
        found.append((drawn(posterior, noise), posterior))
    priors = [
        numpy_pair(network.prior(number, found[number][0].astype("float32"))) for number in (1, 2)
    ]
    priors.append(standard(found[-1][0]))
    return [(*one, prior) for one, prior in zip(found, priors, strict=True)]


def drawn(posterior, noise):
    mean, log_variance = posterior
    return mean + np.exp(log_variance / 2) * noise((1, *mean.shape))[0]


def parts(kind, network, rows, draws, noise):
    """``-log p(x | z_1)`` and ``log q - log p`` of each level, ``(draws, rows)`` each."""
    levels = {"top_down": top_down, "bottom_up": bottom_up}[kind](network, rows, draws, noise)
    logits = to_numpy(network.decode_lowest(levels[0][0].astype("float32")).value)
    loss = bernoulli(np.tile(rows, (draws, 1)), logits).reshape(draws, -1)
    ratios = [
        (
            references.gaussian_log_density(draw, *posterior)
            - references.gaussian_log_density(draw, *prior)
        ).reshape(draws, -1)
        for draw, posterior, prior in levels
    ]
    return loss, ratios


def terms_of(head, network, rows):
    found = head.loss_terms(Batch(rows, head.forward(network, rows, training=False), {}))
    assert set(found) == {*head.term_names, *head.monitored_names}
    return {name: float(value) for name, value in found.items()}


# its loss


@pytest.mark.parametrize("draws", [1, 3])
@pytest.mark.parametrize("kind", KINDS)
def test_the_terms_are_those_of_the_equation(kind, draws, noise, rows):
    network, head = built(spec_of(), inference=kind, mc_samples=draws, kl_weight=0.7)
    found = terms_of(head, network, rows)
    loss, ratios = parts(kind, network, rows, draws, noise)
    expected = {"reconstruction": loss.mean(), "elbo": -loss.mean() - sum(map(np.mean, ratios))}
    for number, ratio in enumerate(ratios, start=1):
        expected |= {f"kl_{number}": 0.7 * ratio.mean(), f"unweighted_kl_{number}": ratio.mean()}
    assert found == pytest.approx(expected, rel=1e-4, abs=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_the_terms_add_up_to_the_importance_weighted_bound(kind, noise, rows):
    config = {"mc_samples": 2, "importance_samples": 3, "kl_weight": 0.7}
    network, head = built(spec_of(), inference=kind, **config)
    found = terms_of(head, network, rows)
    loss, ratios = parts(kind, network, rows, 6, noise)
    weights = (-loss - 0.7 * sum(ratios)).reshape(3, 2, -1)
    bound = special.logsumexp(weights, axis=0) - np.log(3)
    assert sum(found[name] for name in head.term_names) == pytest.approx(-bound.mean(), rel=1e-4)
    assert found["importance"] < 0


def test_free_bits_keep_each_level_from_costing_less(rows):
    network, head = built(spec_of(), free_bits=2.5, kl_weight=0.5)
    found = terms_of(head, network, rows)
    for name in head.kl_names:
        assert found[name] == pytest.approx(0.5 * max(2.5, found[f"unweighted_{name}"]), rel=1e-5)
    assert any(found[name] == 1.25 for name in head.kl_names)


def test_a_divergence_that_is_estimated_below_0_is_not_clamped_without_free_bits(rows):
    """Else the mean over many batches would be too high."""
    network, head = built(spec_of(), inference="bottom_up")
    levels = [terms_of(head, network, rows[:1]) for _ in range(20)]
    assert min(terms["kl_2"] for terms in levels) < 0


def test_one_level_is_the_usual_autoencoder_whatever_the_inference(noise, rows):
    layers = [LAYERS[0], LAYERS[1], LAYERS[-1]]
    terms = [
        terms_of(built_head, network, rows)
        for network, built_head in (built(spec_of(*layers), inference=kind) for kind in KINDS)
    ]
    assert terms[0] == pytest.approx(terms[1], rel=1e-5)
    assert set(terms[0]) == {"reconstruction", "kl_1", "elbo", "unweighted_kl_1"}


# what others ask of it


@pytest.mark.parametrize("kind", KINDS)
def test_the_reconstruction_is_that_of_the_means(kind, rows):
    network, head = built(spec_of(), inference=kind)
    levels = {"top_down": top_down, "bottom_up": bottom_up}[kind](network, rows, 1, np.zeros)
    expected = network.decode_lowest(levels[0][0].astype("float32")).value
    found = head.reconstruct(network, rows).value
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)


def test_rows_are_drawn_level_by_level(rows, rng):
    """Their means differ from what the top latents alone decode to, unless priors are certain."""
    network, head = built(spec_of())
    drawn_rows = head.sample_rows(network, 5, np.random.default_rng(1))
    assert drawn_rows.shape == (1, 5, 6)
    assert np.all((drawn_rows > 0) & (drawn_rows < 1))
    top = head.sample_latents(5, np.random.default_rng(1))[0]
    assert not np.allclose(drawn_rows[0], network.decode_rows(top), atol=1e-3)
    for variable in network.decoder.variables:
        if "gaussian_log_variance/bias" in variable.path:
            variable.assign(np.full(variable.shape, -100.0))
        elif "gaussian_log_variance/kernel" in variable.path:
            variable.assign(np.zeros(variable.shape))
    certain = head.sample_rows(network, 5, np.random.default_rng(1))
    np.testing.assert_allclose(certain[0], network.decode_rows(top), atol=0.01)


@pytest.mark.parametrize("level", [1, 2, 3])
def test_one_level_varies_the_others_are_at_their_means(level):
    """Three levels by hand, those above at the means of their priors, with one noise."""
    network, head = built(spec_of())
    noise = np.random.default_rng(4).standard_normal((5, (4, 3, 2)[level - 1]))
    latent = np.zeros((5, 2))
    if level == 3:
        latent = noise
    for place in (2, 1):
        mean, log_variance = numpy_pair(network.prior(place, latent.astype("float32")))
        latent = mean + np.exp(log_variance / 2) * noise if place == level else mean
    expected = special.expit(to_numpy(network.decode_lowest(latent.astype("float32")).value))
    drawn = head.sample_level(network, level, 5, np.random.default_rng(4))
    np.testing.assert_allclose(drawn, expected[np.newaxis], rtol=1e-4)
    assert head.latent_names[level - 1] == f"z_{level}"


def test_a_single_level_is_not_varied_alone():
    _, head = built(spec_of(LAYERS[0], LAYERS[1], LAYERS[-1]))
    assert head.latent_names == ()
    assert head.figures() == ("generated",)


# what it refuses


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"reconstruction": "squared_error"}, "squared_error is none"),
        ({"layers": [*LAYERS[:2], {"type": "Dense", "num_units": 2}]}, "has no variance"),
        ({"head": {"type": "ladder", "free_bits": 1, "importance_samples": 2}}, "free_bits bound"),
    ],
)
def test_what_does_not_fit_is_refused_with_advice(keys, words):
    with pytest.raises(SpecError, match=words) as caught:
        spec_of(**keys)
    assert all(problem.advice for problem in caught.value.problems)


# the bounds, where the evidence is known


def set_weights(network, name, kernel, bias):
    for variable in network.variables:
        if variable.path == f"{name}/kernel":
            variable.assign(kernel)
        elif variable.path == f"{name}/bias":
            variable.assign(bias)


def linear_gaussian(rng):
    """A network of two levels whose every map is linear and every variance is the same anywhere.

    Returns:
        The spec, a function that builds network and head, 300 rows and ``log p(x)`` of each.
    """
    layers = [
        {"type": "Input", "output_shape": [3]},
        {"type": "Gaussian", "num_units": 2},
        {"type": "Gaussian", "num_units": 1},
    ]
    keys = {"reconstruction": "gaussian", "output_non_linearity": "linear"}
    prior, decoder = rng.normal(size=(1, 2)), rng.normal(size=(2, 3))
    inner, noise = 0.5, 0.3
    middle = prior.T @ prior + inner * np.eye(2)
    evidence = stats.multivariate_normal(
        np.zeros(3), decoder.T @ middle @ decoder + noise * np.eye(3)
    )
    data = evidence.rvs(300, random_state=rng).astype("float32")
    gain = middle @ decoder @ np.linalg.inv(evidence.cov)
    maps = {
        "encoder_1_gaussian": (gain.T, 0.3),
        "encoder_2_gaussian": (0.5 * np.linalg.pinv(prior), 0.6),
        "decoder_0_gaussian": (prior, inner),
    }

    def build(kind):
        network, head = built(spec_of(*layers, **keys), inference=kind)
        for name, (kernel, variance) in maps.items():
            set_weights(network, f"{name}_mean", kernel, np.zeros(kernel.shape[1]))
            set_spread(network, f"{name}_log_variance", kernel.shape, variance)
        set_weights(network, "decoder_1_dense", decoder, np.zeros(3))
        set_spread(network, "decoder_1_dense_log_variance", decoder.shape, noise)
        return network, head

    return build, data, evidence.logpdf(data)


def set_spread(network, name, shape, variance):
    bias = float(to_numpy(unbounded_log_variance(np.float32(np.log(variance)))))
    set_weights(network, name, np.zeros(shape), np.full(shape[1], bias))


@pytest.mark.graphs(True)
@pytest.mark.parametrize("kind", KINDS)
def test_the_bound_rises_to_the_evidence_of_a_linear_gaussian_model(kind, rng):
    build, data, evidence = linear_gaussian(rng)
    network, head = build(kind)
    dataset = dataset_from_arrays("rows", data)
    feed = Feed(dataset, Scaler.fit(dataset, "none"))
    found = [bound_of(network, head, feed, samples, 0) for samples in (1, 4, 1000)]
    nats = [bound.nats for bound in found]
    assert nats == sorted(nats)
    assert found[-1].elbo < nats[1] < evidence.mean() - 0.03
    assert nats[-1] == pytest.approx(evidence.mean(), abs=0.02)
    assert [len(units) for units in found[-1].divergences] == [2, 1]
