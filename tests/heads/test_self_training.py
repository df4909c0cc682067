"""The self_training head: its start, its beliefs, whom it trusts, its loss."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import make_blobs

from archbuild.clustering.neighbours import neighbour_shares
from archbuild.evaluation.accuracy import clustering_accuracy
from archbuild.heads.batch import Batch, Forward
from archbuild.heads.self_training import SelfTrainingHead, trusted_rows
from archbuild.networks.network import Encoding, Reconstruction
from tests.heads.conftest import head_of, plan_of


@pytest.fixture
def blobs():
    values, labels = make_blobs(150, n_features=2, centers=3, cluster_std=0.4, random_state=3)
    return values.astype("float32"), labels


def make_head(augment=None, **config):
    plan = plan_of(2, augment=augment) if augment else plan_of(2)
    return head_of(SelfTrainingHead, plan, **{"start": "k-means", **config})


def sharpened(beliefs):
    """DEC's target distribution, equation 3."""
    weight = beliefs.astype(float) ** 2 / beliefs.sum(axis=0)
    return weight / weight.sum(axis=1, keepdims=True)


def test_it_starts_as_the_clusters_that_were_found(blobs):
    latents, labels = blobs
    head = make_head()
    head.initialise(latents)
    assert clustering_accuracy(labels, head.assignments(latents).argmax(axis=1)) == 1.0
    shares = neighbour_shares(latents, head.assignments(latents).argmax(axis=1), 3)
    np.testing.assert_allclose(head.beliefs, shares, atol=1e-6)


def test_the_first_targets_are_the_starts_whatever_the_network_says(blobs):
    latents, _ = blobs
    head = make_head(confidence=0.8)
    head.initialise(latents)
    head.beliefs[:5] = [0.5, 0.3, 0.2]
    targets = head.refresh(latents)
    np.testing.assert_allclose(targets["target"], sharpened(head.beliefs), rtol=1e-4, atol=1e-6)
    np.testing.assert_array_equal(targets["trusted"], head.beliefs.max(axis=1) >= 0.8)
    assert targets["trusted"][:5].sum() == 0


def test_beliefs_are_averaged_over_views_and_epochs(blobs):
    latents, _ = blobs
    head = make_head(augment={"jitter": 0.1}, views=2, momentum=0.75)
    head.initialise(latents)
    views = np.stack([latents, latents[::-1], latents + 1])
    head.refresh(views)
    first = head.beliefs.copy()
    head.refresh(views)
    found = np.mean([head.assignments(view) for view in views], axis=0)
    np.testing.assert_allclose(head.beliefs, 0.75 * first + 0.25 * found, atol=1e-6)


def test_there_are_no_views_where_nothing_is_changed():
    assert make_head(views=3).views == 0
    assert make_head(augment={"jitter": 0.1}, views=3).views == 3


@pytest.mark.parametrize("trusted", [[1, 0, 1, 1], [0, 0, 0, 0]])
def test_terms_are_means_over_the_rows_that_are_trusted(blobs, rng, trusted):
    latents = blobs[0][:4]
    head = make_head(cluster_weight=0.5, reconstruction_weight=2.0)
    head.initialise(blobs[0])
    target = rng.dirichlet(np.ones(3), size=4).astype("float32")
    trusted = np.array(trusted, "float32")
    inputs, outputs = rng.normal(size=(2, 4, 6)).astype("float32")
    forward = Forward(Encoding(latents, None, None, ()), latents, Reconstruction(outputs, None))
    terms = head.loss_terms(Batch(inputs, forward, {"target": target, "trusted": trusted}))
    q = head.assignments(latents).astype(float)
    divergence = np.sum(target * np.log(target / q), axis=1)
    expected = 0.5 * np.sum(trusted * divergence) / max(trusted.sum(), 1)
    np.testing.assert_allclose(terms["divergence"], expected, rtol=1e-3)
    np.testing.assert_allclose(
        terms["reconstruction"], 2 * np.mean((inputs - outputs) ** 2), rtol=1e-4
    )
    np.testing.assert_allclose(terms["confident"], trusted.mean())


def test_beliefs_are_remembered(blobs):
    head, other = make_head(), make_head()
    head.initialise(blobs[0])
    assert dict(other.memory) == {}
    other.remember(head.memory)
    np.testing.assert_array_equal(other.memory["beliefs"], head.beliefs)


def test_a_cluster_without_a_sure_row_is_learned_from_its_surer_half():
    beliefs = np.array([[0.95, 0.05], [0.8, 0.2], [0.3, 0.7], [0.4, 0.6], [0.2, 0.8], [0.45, 0.55]])
    assert trusted_rows(beliefs, 0.9).tolist() == [True, False, True, False, True, False]
    assert trusted_rows(beliefs, 0.7).tolist() == [True, True, True, False, True, False]


def test_a_single_cluster_warns_of_nothing(recwarn, rng):
    head = head_of(SelfTrainingHead, plan_of(2), start="k-means", n_clusters=1)
    latents = rng.normal(size=(40, 2)).astype("float32")
    head.initialise(latents)
    np.testing.assert_allclose(head.assignments(latents), 1.0)
    assert not recwarn.list
