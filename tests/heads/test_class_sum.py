"""``auxiliary`` and ``cluster_aware``: the loss and the bound against a loop over the classes."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import log_softmax, logsumexp

from archbuild.errors import SpecError
from archbuild.heads import HEADS
from archbuild.heads.batch import Batch
from archbuild.networks.builder import build_network
from archbuild.networks.rows import to_numpy
from archbuild.registry import default_vocabulary
from archbuild.spec import make_plan, spec_from_tree
from tests.heads.conftest import bernoulli
from tests.objectives import references

pytestmark = pytest.mark.graphs(False)
K, SIZE = 3, 2
LABELS = np.array([-1, 2, -1, 0, -1], "int32")
CASES = [
    {"type": "auxiliary"},
    {"type": "auxiliary", "skip": True, "reads": "rows"},
    {"type": "cluster_aware"},
    {"type": "cluster_aware", "skip": True, "class_prior": "uniform"},
]
IDS = ["ADGM", "SDGM", "CaGeM", "CaGeM with skip"]


def tree_of(head, supervised=False, **keys):
    section = {"supervision": {"labels": 2, "batch_size": 2}} if supervised else {}
    return {
        "spec_version": 1,
        "name": "small",
        "reconstruction": "bernoulli",
        "layers": [
            {"type": "Input", "output_shape": [6]},
            {"type": "Dense", "num_units": 5},
            {"type": "Gaussian", "num_units": SIZE},
        ],
        "head": {"n_clusters": K, "hidden_units": [4], **head},
        **section,
        **keys,
    }


def built(head, supervised=False, **keys):
    spec = spec_from_tree(tree_of(head, supervised, **keys), default_vocabulary())
    plan = make_plan(spec, default_vocabulary())
    made = HEADS[head["type"]](spec.head.config, plan, 0)
    made.kl_weight.assign(spec.head.config["kl_weight"])
    return build_network(plan, default_vocabulary(), 0), made


@pytest.fixture
def rows(rng):
    return rng.random((5, 6)).astype("float32")


class Equations:
    """One draw of each row, from the equations, a class at a time."""

    def __init__(self, network, head, rows, noise, draws=1):
        self.head, self.network = head, network
        encoding = network.encode(rows)
        self.rows = np.tile(rows, (draws, 1))
        read = encoding.features if head.config["reads"] == "features" else rows
        self.read = np.tile(to_numpy(read), (draws, 1))
        self.q_u = [np.tile(to_numpy(each), (draws, 1)) for each in encoding[:2]]
        self.u = self._drawn(self.q_u, noise)
        self.log_q = self._log_classes("class_logits", self.read, self.u)
        self.noise = noise

    @staticmethod
    def _drawn(gaussian, noise):
        mean, log_variance = gaussian
        drawn = mean + np.exp(log_variance / 2) * noise((1, *mean.shape))[0]
        return drawn.astype("float32")

    def _part(self, name, *inputs):
        return to_numpy(self.head.networks[name](np.concatenate(inputs, axis=1)))

    def _gaussian(self, name, *inputs):
        mean, log_variance = np.split(self._part(name, *inputs), 2, axis=1)
        return mean, references.bounded_log_variance(log_variance)

    def _log_classes(self, name, *inputs):
        return log_softmax(self._part(name, *inputs).astype(float), axis=1)

    def of_class(self, k):
        """``-log p(x | ·)`` and ``log q - log p`` of ``u`` and ``v``, ``(rows,)`` each."""
        y = np.tile(np.eye(K, dtype="float32")[k], (len(self.u), 1))
        q_v = self._gaussian("v_posterior", self.read, self.u, y)
        mean, log_variance = q_v
        v = (mean + np.exp(log_variance / 2) * self.noise(mean.shape)).astype("float32")
        p_u = p_v = (np.zeros_like(v), np.zeros_like(v))
        if self.head.name == "cluster_aware":
            p_v = self._gaussian("v_prior", self.u, y)
        elif self.head.config["skip"]:
            p_u = self._gaussian("u_prior", v, y)
        else:
            p_u = self._gaussian("u_prior", self.read, v, y)
        conditions = [{"class": y, "u": self.u}[each.name] for each in self.network.plan.conditions]
        logits = to_numpy(self.network.decode(v, (), conditions).value)
        density = references.gaussian_log_density
        of_u = density(self.u, *self.q_u) - density(self.u, *p_u)
        of_v = density(v, *q_v) - density(v, *p_v)
        return bernoulli(self.rows, logits), of_u, of_v

    @property
    def log_prior(self):
        if self.head.config.get("class_prior") == "latent":
            return self._log_classes("class_prior_logits", self.u)
        return np.full((len(self.u), K), -np.log(K))


def terms_of(head, network, rows, labels=None):
    batch = Batch(rows, head.forward(network, rows, training=False), {}, labels)
    found = head.loss_terms(batch)
    assert set(found) == {*head.term_names, *head.monitored_names}
    return {name: float(value) for name, value in found.items()}


def expected_terms(head, network, rows, noise, labels, draws):
    found = Equations(network, head, rows, noise, draws)
    labels = np.tile(np.full(len(rows), -1) if labels is None else labels, draws)
    known = labels >= 0
    weights = np.exp(found.log_q)
    weights[known] = np.eye(K)[labels[known]]
    loss, of_u, of_v = (
        np.sum([weights[:, k] * found.of_class(k)[place] for k in range(K)], axis=0)
        for place in range(3)
    )
    of_class = np.sum(
        weights * (np.where(known[:, None], 0, found.log_q) - found.log_prior), axis=1
    )

    def mean(values):
        kinds = ((known, head.config["labelled_weight"]), (~known, 1))
        return sum(weight * values[kind].mean() for kind, weight in kinds if kind.any())

    u, v = head.names
    terms = {"reconstruction": mean(loss), "elbo": -np.mean(loss + of_u + of_v + of_class)}
    for name, values in ((u, of_u), (v, of_v), ("class", of_class)):
        terms |= {f"kl_{name}": 0.7 * mean(values), f"unweighted_kl_{name}": mean(values)}
    if known.any():
        by_draw = np.exp(found.log_q).reshape(draws, -1, K).mean(axis=0)
        chosen = labels[: len(rows)]
        rights = by_draw[chosen >= 0, chosen[chosen >= 0]]
        terms["classification"] = 5 * -np.log(rights).mean()
    if head.name == "cluster_aware":
        share = np.exp(found.log_q).mean(axis=0)
        terms["balance"] = 2 * (np.log(K) + np.sum(share * np.log(share)))
    return terms


@pytest.mark.parametrize("draws", [1, 3])
@pytest.mark.parametrize("labels", [None, LABELS], ids=["clusters", "classes"])
@pytest.mark.parametrize("head", CASES, ids=IDS)
def test_the_terms_are_those_of_the_equation(head, labels, draws, noise, rows):
    config = {**head, "mc_samples": draws, "kl_weight": 0.7, "labelled_weight": 0.3}
    config |= {"classification_weight": 5}
    config |= {"balance": 2} if head["type"] == "cluster_aware" else {}
    network, made = built(config, supervised=labels is not None)
    found = terms_of(made, network, rows, labels)
    expected = expected_terms(made, network, rows, noise, labels, draws)
    assert found == pytest.approx(expected, rel=1e-4, abs=1e-5)


@pytest.mark.parametrize("head", CASES, ids=IDS)
def test_the_evidence_sums_over_the_classes(head, noise, rows):
    network, made = built(head)
    found = made.evidence(network, rows, 4)
    equations = Equations(network, made, rows, noise, 4)
    joints = np.stack([-np.sum(equations.of_class(k), axis=0) for k in range(K)], axis=1)
    expected = logsumexp(joints + equations.log_prior, axis=1).reshape(4, -1)
    np.testing.assert_allclose(to_numpy(found.log_weights), expected, rtol=1e-4, atol=1e-4)
    weights = np.exp(equations.log_q)
    places = (1, 2) if made.name == "auxiliary" else (2, 1)  # from the bottom
    for units, place in zip(found.divergences, places, strict=True):
        ratios = sum(weights[:, k] * equations.of_class(k)[place] for k in range(K))
        means = ratios.reshape(4, -1).mean(axis=0)
        np.testing.assert_allclose(to_numpy(units).sum(axis=1), means, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("head", CASES, ids=IDS)
def test_answers_and_reconstructions_are_those_of_the_means(head, rows):
    network, made = built(head)
    equations = Equations(network, made, rows, np.zeros)
    answers = made.assignments(network.reader(made.code)(rows))
    np.testing.assert_allclose(answers, np.exp(equations.log_q), rtol=1e-4, atol=1e-6)
    likeliest = np.argmax(answers, axis=1)
    losses = np.stack([equations.of_class(k)[0] for k in range(K)])
    logits = to_numpy(made.reconstruct(network, rows).value)
    expected = losses[likeliest, np.arange(len(rows))]
    np.testing.assert_allclose(bernoulli(rows, logits), expected, rtol=1e-4)


@pytest.mark.parametrize("head", CASES, ids=IDS)
def test_rows_are_drawn_from_each_class(head):
    network, made = built(head)
    drawn = made.sample_rows(network, 50, np.random.default_rng(1))
    assert drawn.shape == (K, 50, 6)
    assert np.all((drawn > 0) & (drawn < 1))
    assert not np.allclose(drawn[0], drawn[1])
    np.testing.assert_array_equal(made.sample_rows(network, 50, np.random.default_rng(1)), drawn)


def test_the_upper_latents_of_a_class_are_those_that_its_prior_prefers():
    _, made = built({"type": "cluster_aware", "hidden_units": []})
    kernel, bias = made.networks["class_prior_logits"].variables
    kernel.assign(np.array([[8.0, -8.0, 0.0], [0.0, 0.0, 0.0]]))
    bias.assign(np.array([0.0, 0.0, -50.0]))
    u, _ = made.drawn(100, np.random.default_rng(0))
    assert np.mean(u[0, :, 0] > 0) > 0.95
    assert np.mean(u[1, :, 0] < 0) > 0.95


@pytest.mark.parametrize("head", CASES[1:], ids=IDS[1:])
def test_the_level_that_does_not_vary_is_at_its_mean(head):
    network, made = built(head)
    for level, varied in enumerate(made.levels, start=1):
        latents = dict(zip("uv", made.drawn(20, np.random.default_rng(0), [varied]), strict=True))
        assert np.all(np.ptp(latents[varied], axis=1) > 0)
        if level == 1:  # what is above stays where it is
            assert np.ptp(latents[made.levels[1]], axis=1).max() == 0
        rows = made.sample_level(network, level, 20, np.random.default_rng(0))
        assert rows.shape == (K, 20, 6)


def test_labels_make_classes_of_clusters():
    for supervised, answers in ((False, "clusters"), (True, "classes")):
        _, made = built({"type": "auxiliary"}, supervised)
        assert made.answers == answers
        assert ("classification" in made.term_names) == supervised
        assert HEADS["auxiliary"].answers_under(supervised) == answers


def test_the_decoder_has_no_batch_normalisation_whatever_the_encoder_has():
    rows, code = {"type": "Input", "output_shape": [1, 4, 4]}, {"type": "Gaussian", "num_units": 2}
    dense = {"type": "Dense", "num_units": 5, "batch_norm": True}
    convolution = {"type": "Conv2D", "num_filters": 2, "filter_size": 2}
    apart = [{"type": "Dense", "num_units": 5}, {"type": "BatchNorm", "non_linearity": "tanh"}]
    cases = ([convolution] * 2, {"use_batch_norm": True}), ([dense] * 2, {}), (apart, {})
    for layers, keys in cases:
        network, _ = built({"type": "auxiliary"}, layers=[rows, *layers, code], **keys)
        assert any(each.batch_norm or each.type == "BatchNorm" for each in network.plan.encoder)
        assert not any(each.type == "BatchNorm" for each in network.plan.decoder)
        assert not any(layer.batch_norm for layer in network.plan.decoder)
        assert not any("batch_norm" in layer.name for layer in network.decoder.layers)


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"reconstruction": "squared_error"}, "squared_error is none"),
        ({"decoder": [{"type": "Dense", "num_units": 4, "batch_norm": True},
                      {"type": "Dense", "num_units": 6}]}, "rows of classes that they do not"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused_with_advice(keys, words):
    with pytest.raises(SpecError, match=words) as caught:
        built({"type": "auxiliary"}, **keys)
    assert all(problem.advice for problem in caught.value.problems)
