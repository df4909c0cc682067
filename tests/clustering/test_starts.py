"""Where clusters begin: each method finds what is plainly there, from a sample too."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import make_blobs
from sklearn.mixture import GaussianMixture

from archbuild.clustering import starts as start
from archbuild.clustering.moments import means
from archbuild.clustering.starts import START, first_clusters, mixture_of
from archbuild.data import sample
from archbuild.evaluation.accuracy import clustering_accuracy
from archbuild.heads import KLDHead
from tests.heads.conftest import plan_of
from tests.heads.test_kld import CONFIG

METHODS = [name for name in START.schema["enum"] if not name.startswith("manifold")]


def long_clusters():
    """Three parallel cigars, longer than they are apart: k-means cuts them across."""
    rng = np.random.default_rng(0)
    along, which = rng.normal(0, 2, 600), np.arange(600) % 3
    across = 2.0 * which + rng.normal(0, 0.2, 600)
    return np.stack([along, across], axis=1).astype("float32"), which


@pytest.mark.parametrize("method", METHODS)
def test_every_method_finds_round_clusters(method):
    values, labels = make_blobs(300, n_features=4, centers=5, cluster_std=0.3, random_state=1)
    clusters = first_clusters(values.astype("float32"), 5, method, seed=0)
    assert clustering_accuracy(labels, clusters) == 1.0


@pytest.mark.parametrize("method", METHODS)
def test_a_sample_is_enough(method, monkeypatch):
    monkeypatch.setattr(start, "_WARD_SAMPLE", 100)
    monkeypatch.setattr(start, "FITTED_ROWS", 100)
    values, labels = make_blobs(600, n_features=4, centers=5, cluster_std=0.3, random_state=1)
    clusters = first_clusters(values.astype("float32"), 5, method, seed=0)
    assert clusters.shape == (600,)
    assert clustering_accuracy(labels, clusters) == 1.0


@pytest.mark.parametrize("method", METHODS)
def test_beyond_a_number_of_rows_the_others_follow_a_sample(method, monkeypatch, caplog):
    monkeypatch.setattr(sample, "MOST_ROWS", 200)
    caplog.set_level("INFO", logger="archbuild")
    values, labels = make_blobs(600, n_features=4, centers=5, cluster_std=0.3, random_state=1)
    clusters = first_clusters(values.astype("float32"), 5, method, seed=0)
    assert clustering_accuracy(labels, clusters) == 1.0
    assert f"{method}, looks at 200 of 600 rows" in caplog.text


@pytest.mark.parametrize(("sample", "fitted"), [(None, 100), (80, 80), (250, 250)])
def test_a_mixture_is_fitted_to_every_row_of_the_sample_that_was_asked_for(
    sample, fitted, monkeypatch, rng
):
    seen = []

    class Watched(GaussianMixture):
        def fit(self, values):
            seen.append(len(values))
            return super().fit(values)

    monkeypatch.setattr(start, "FITTED_ROWS", 100)
    monkeypatch.setattr("sklearn.mixture.GaussianMixture", Watched)
    rows = rng.normal(size=(400, 2)).astype("float32")
    mixture_of(rows, 2, "diagonal-mixture", seed=0, sample=sample)
    assert seen == [fitted]


def test_a_mixture_follows_long_clusters_that_k_means_cuts():
    values, labels = long_clusters()
    accuracy = {
        method: clustering_accuracy(labels, first_clusters(values, 3, method, seed=0))
        for method in METHODS
    }
    assert accuracy["gaussian-mixture"] > 0.95 > 0.7 > accuracy["k-means"]


def test_a_diagonal_mixture_follows_the_axes_and_a_full_one_any_direction():
    values, labels = long_clusters()
    turn = np.array([[1, -1], [1, 1]], "float32") / np.sqrt(2, dtype="float32")
    found = {
        (method, name): clustering_accuracy(labels, first_clusters(rows, 3, method, seed=0))
        for method in ("gaussian-mixture", "diagonal-mixture")
        for name, rows in (("along", values), ("across", values @ turn))
    }
    assert found.pop(("diagonal-mixture", "across")) < 0.7 < 0.95 < min(found.values())


@pytest.mark.parametrize("method", METHODS)
def test_the_same_seed_gives_the_same_clusters(method):
    values, _ = long_clusters()
    first, second = (first_clusters(values, 3, method, seed=4) for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_ward_along_the_graph_follows_loops_that_the_others_cut():
    which, step = np.arange(216) % 3, np.arange(216) // 3
    angle = 2 * np.pi * step / 72  # three turntables above each other
    loops = np.stack([3 * np.cos(angle), 3 * np.sin(angle), which], axis=1).astype("float32")
    found = {m: clustering_accuracy(which, first_clusters(loops, 3, m, 0)) for m in METHODS}
    assert found.pop("ward-graph") > 0.75 > 0.5 > max(found.values())


def test_means_are_those_of_the_rows_and_zero_for_an_empty_cluster():
    latents = np.array([[1, 1], [3, 5], [7, 7]], "float32")
    got = means(latents, np.array([0, 0, 2]), 3)
    np.testing.assert_array_equal(got, [[2, 3], [0, 0], [7, 7]])


@pytest.mark.parametrize("method", ["k-means", "diagonal-mixture"])
def test_a_mixture_has_the_shares_and_moments_of_the_clusters(method):
    values, _ = long_clusters()
    clusters = first_clusters(values, 3, method, seed=0)
    mixture = mixture_of(values, 3, method, seed=0)
    members = [values[clusters == k].astype(float) for k in range(3)]
    np.testing.assert_allclose(mixture.weights, [len(each) / 600 for each in members], atol=0.002)
    np.testing.assert_allclose(mixture.means, [each.mean(axis=0) for each in members], atol=1e-5)
    np.testing.assert_allclose(mixture.variances, [each.var(axis=0) for each in members], 1e-3)


def test_a_cluster_that_the_start_left_empty_keeps_a_weight(monkeypatch):
    values, which = long_clusters()
    monkeypatch.setattr(start, "first_clusters", lambda *_: np.where(which == 1, 0, which))
    mixture = mixture_of(values, 3, "k-means", seed=0)
    assert 0 < mixture.weights[1] < 0.01
    assert mixture.weights.sum() == pytest.approx(1)
    assert np.all(np.isfinite([mixture.means, mixture.variances]))


def test_a_mixture_of_a_sample_takes_the_moments_of_the_sample_alone():
    values, _ = long_clusters()
    mixture = mixture_of(values, 2, "k-means", seed=3, sample=2)  # a row for each component
    np.testing.assert_array_equal(mixture.variances, np.zeros((2, 2)))
    np.testing.assert_allclose(mixture.weights, [0.5, 0.5])
    assert all(np.any(np.all(values == mean, axis=1)) for mean in mixture.means)


def test_a_start_that_is_not_k_means_is_the_first_target_once():
    values, _ = long_clusters()
    head = KLDHead({**CONFIG, "start": "ward"}, plan_of(2))
    head.initialise(values)
    clusters = first_clusters(values, 3, "ward", seed=0)
    np.testing.assert_array_equal(head.refresh(values)["target"], np.eye(3)[clusters])
    assert head.refresh(values)["target"].max() < 1.0
