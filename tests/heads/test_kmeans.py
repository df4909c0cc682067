"""The kmeans head: Lloyd's step, its terms, its posterior."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import make_blobs

from archbuild.heads import KMeansHead
from archbuild.heads.batch import Batch, Forward
from archbuild.networks.network import Encoding, Reconstruction
from tests.heads.conftest import plan_of

CONFIG = {
    "n_clusters": 3,
    "start": "k-means",
    "cluster_weight": 0.5,
    "reconstruction_weight": 1.0,
    "distance": "squared",
    "refresh": 1,
    "tolerance": 0.001,
}


@pytest.fixture
def latents():
    values, _ = make_blobs(150, n_features=2, centers=3, cluster_std=1.5, random_state=3)
    return values.astype("float32")


def make_head(**changes):
    return KMeansHead({**CONFIG, **changes}, plan_of(2))


def test_a_look_is_one_step_of_lloyd(latents):
    head = make_head()
    start = latents[:3]
    head.centre_variable.assign(start)
    nearest = np.argmin(((latents[:, None] - start) ** 2).sum(axis=2), axis=1)
    expected = np.stack([latents[nearest == k].mean(axis=0) for k in range(3)])
    targets = head.refresh(latents)
    np.testing.assert_allclose(head.centres(), expected, rtol=1e-5)
    again = np.argmin(((latents[:, None] - expected) ** 2).sum(axis=2), axis=1)
    np.testing.assert_allclose(targets["centre"], expected[again], rtol=1e-5)


def test_the_centres_move_when_the_latents_do(latents):
    head = make_head()
    head.initialise(latents)
    before = head.centres()
    head.refresh(latents + 5)
    assert np.abs(head.centres() - before).max() > 1


def test_an_empty_cluster_keeps_its_centre(latents):
    head = make_head()
    far = np.full((1, 2), 1e3, "float32")
    head.centre_variable.assign(np.concatenate([latents[:2], far]))
    head.refresh(latents)
    np.testing.assert_array_equal(head.centres()[2], far[0])


@pytest.mark.parametrize("distance", ["squared", "norm"])
def test_terms_follow_dcn_and_tum(latents, rng, distance):
    head = make_head(distance=distance)
    head.initialise(latents)
    targets = head.refresh(latents)
    inputs, outputs = rng.normal(size=(2, 150, 5)).astype("float32")
    forward = Forward(Encoding(latents, None, None, ()), latents, Reconstruction(outputs, None))
    batch = Batch(inputs, forward, targets)
    terms = head.loss_terms(batch)
    gap = np.linalg.norm(latents.astype(float) - targets["centre"], axis=1)
    expected = np.mean(0.5 * gap**2 if distance == "squared" else gap)
    np.testing.assert_allclose(terms["distance"], 0.5 * expected, rtol=1e-4)
    np.testing.assert_allclose(terms["reconstruction"], np.mean((inputs - outputs) ** 2), rtol=1e-5)


def test_the_posterior_is_that_of_a_spherical_mixture(latents):
    head = make_head()
    head.initialise(latents)
    head.refresh(latents)
    centres, variance = head.centres().astype(float), float(head.variance)
    kernel = np.exp(-((latents[:, None] - centres) ** 2).sum(axis=2) / (2 * variance))
    got = head.assignments(latents)
    np.testing.assert_allclose(got, kernel / kernel.sum(axis=1, keepdims=True), atol=1e-5)


def test_arrays_bring_the_head_back(latents):
    head, other = make_head(), make_head()
    head.initialise(latents)
    head.refresh(latents)
    other.restore(head.arrays())
    np.testing.assert_array_equal(head.assignments(latents), other.assignments(latents))
