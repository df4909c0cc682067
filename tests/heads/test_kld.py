"""The kld head: its start, its target, its terms, its weights."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import make_blobs

from archbuild.heads import KLDHead
from archbuild.heads.batch import Batch, Forward
from archbuild.networks.network import Encoding, Reconstruction
from tests.heads.conftest import plan_of

CONFIG = {
    "n_clusters": 3,
    "start": "k-means",
    "cluster_weight": 0.1,
    "reconstruction_weight": 1.0,
    "reduction": "mean",
    "degrees_of_freedom": 1.0,
    "refresh": 1,
    "tolerance": 0.001,
}


@pytest.fixture
def blobs():
    values, labels = make_blobs(150, n_features=2, centers=3, cluster_std=0.4, random_state=3)
    return values.astype("float32"), labels


def make_head(**changes):
    return KLDHead({**CONFIG, **changes}, plan_of(2))


def make_batch(latents, targets, rng):
    inputs, outputs = rng.normal(size=(2, len(latents), 5)).astype("float32")
    encoding = Encoding(latents, None, None, ())
    return Batch(inputs, Forward(encoding, latents, Reconstruction(outputs, None)), targets)


def test_starts_at_the_clusters_that_k_means_finds(blobs):
    latents, labels = blobs
    head = make_head()
    head.initialise(latents)
    clusters = head.assignments(latents).argmax(axis=1)
    pairs = set(zip(clusters.tolist(), labels.tolist(), strict=True))
    assert len(pairs) == 3


def test_assignments_are_distributions_and_do_not_depend_on_other_rows(blobs):
    latents, _ = blobs
    head = make_head()
    head.initialise(latents)
    together = head.assignments(latents)
    np.testing.assert_allclose(together.sum(axis=1), 1, rtol=1e-5)
    np.testing.assert_array_equal(together[7:9], head.assignments(latents[7:9]))


def test_the_target_sharpens_the_assignment(blobs):
    latents, _ = blobs
    head = make_head()
    head.initialise(latents)
    target = head.refresh(latents)["target"]
    assert target.shape == (150, 3)
    assert np.mean(target.max(axis=1)) > np.mean(head.assignments(latents).max(axis=1))


@pytest.mark.parametrize(("reduction", "factor"), [("mean", 1), ("sum", 20)])
def test_terms_are_weighted_and_reduced_as_the_spec_says(blobs, rng, reduction, factor):
    latents = blobs[0][:20]
    head = make_head(reduction=reduction, cluster_weight=0.5, reconstruction_weight=2.0)
    head.initialise(latents)
    targets = head.refresh(latents)
    batch = make_batch(latents, targets, rng)
    terms = head.loss_terms(batch)
    p, q = targets["target"].astype(float), head.assignments(latents).astype(float)
    divergence = np.sum(p * np.log(np.maximum(p, 1e-30) / q)) / 20 * factor
    error = np.mean((batch.inputs - batch.reconstruction.value) ** 2)
    np.testing.assert_allclose(terms["divergence"], 0.5 * divergence, rtol=1e-3)
    np.testing.assert_allclose(terms["reconstruction"], 2 * error, rtol=1e-5)


def test_without_reconstruction_it_is_dec(blobs, rng):
    head = make_head(reconstruction_weight=0.0)
    head.initialise(blobs[0])
    batch = make_batch(blobs[0], head.refresh(blobs[0]), rng)
    assert set(head.loss_terms(batch)) == {"divergence"}
    assert not head.trains_decoder


def test_arrays_bring_the_head_back(blobs):
    head, other = make_head(), make_head()
    head.initialise(blobs[0])
    other.restore(head.arrays())
    np.testing.assert_array_equal(head.assignments(blobs[0]), other.assignments(blobs[0]))
