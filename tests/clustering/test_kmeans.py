from __future__ import annotations

import gzip
import os
import warnings
from pathlib import Path

import numpy as np
import pytest

from archbuild.clustering import kmeans as module
from archbuild.clustering.kmeans import kmeans
from archbuild.errors import DataError


def blobs(n=400, features=5, n_blobs=4, dtype=np.float32):
    random = np.random.default_rng(0)
    centres = random.normal(scale=10, size=(n_blobs, features))
    truth = np.arange(n) % n_blobs
    return (centres[truth] + random.normal(size=(n, features))).astype(dtype), truth


@pytest.fixture
def mnist():
    folder = Path(os.environ.get("ARCHBUILD_DATA", "")) / "MNIST"
    images = folder / "t10k-images-idx3-ubyte.gz"
    if not os.environ.get("ARCHBUILD_DATA") or not images.is_file():
        pytest.skip("ARCHBUILD_DATA names no folder with MNIST")
    pixels = np.frombuffer(gzip.decompress(images.read_bytes()), np.uint8, offset=16)
    return pixels.reshape(-1, 784)[:4000].astype(np.float32) / 255


def assert_fixed_point(points, fit):
    """Lloyd's two steps leave a converged fit as it is."""
    distances = np.square(points[:, None] - fit.centres[None]).sum(-1, dtype=np.float64)
    np.testing.assert_array_equal(fit.clusters, distances.argmin(1))
    means = [points[fit.clusters == k].mean(0) for k in range(len(fit.centres))]
    np.testing.assert_allclose(fit.centres, means, rtol=1e-4, atol=1e-4)
    assert fit.inertia == pytest.approx(distances.min(1).sum(), rel=1e-6)


@pytest.mark.parametrize("features", [2, 120], ids=["lloyd", "elkan"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_fit_is_a_fixed_point_that_finds_the_blobs(features, dtype):
    points, truth = blobs(features=features, dtype=dtype)
    fit = kmeans(points, 4, seed=0)
    assert_fixed_point(points, fit)
    assert fit.centres.dtype == dtype
    assert fit.clusters.dtype == np.int64
    assert len({*zip(fit.clusters.tolist(), truth.tolist(), strict=True)}) == 4


def test_both_algorithms_agree(monkeypatch):
    points, _ = blobs(features=20)
    monkeypatch.setattr(module, "_ELKAN_FROM_FEATURES", 1)
    elkan = kmeans(points, 4, seed=0)
    monkeypatch.setattr(module, "_ELKAN_FROM_FEATURES", 1000)
    lloyd = kmeans(points, 4, seed=0)
    np.testing.assert_array_equal(elkan.clusters, lloyd.clusters)
    np.testing.assert_allclose(elkan.centres, lloyd.centres, rtol=1e-5)


@pytest.mark.parametrize("features", [3, 120])
def test_it_is_the_same_to_the_last_bit_with_any_number_of_workers(monkeypatch, features):
    points = np.random.default_rng(1).normal(size=(3000, features)).astype(np.float32)
    fits = []
    for workers in (1, 2, 4, 4):
        monkeypatch.setattr(module, "_workers", lambda *_, workers=workers: workers)
        fits.append(kmeans(points, 7, seed=3, n_init=6))
    for fit in fits[1:]:
        assert fit.clusters.tobytes() == fits[0].clusters.tobytes()
        assert fit.centres.tobytes() == fits[0].centres.tobytes()
        assert fit.inertia == fits[0].inertia


def test_the_seed_decides_the_starts():
    points = np.random.default_rng(1).normal(size=(300, 4))
    inertias = {kmeans(points, 9, seed=seed, n_init=1).inertia for seed in range(4)}
    assert len(inertias) > 1


def test_the_best_of_all_starts_is_kept():
    points = np.random.default_rng(1).normal(size=(300, 4))
    seeds = np.random.SeedSequence(5).generate_state(8)
    alone = [module._one_start(points, 9, seed).inertia for seed in seeds]
    assert len(set(alone)) > 1
    assert kmeans(points, 9, seed=5, n_init=8).inertia == min(alone)


def test_images_and_whole_numbers_are_accepted():
    images = np.random.default_rng(0).integers(256, size=(50, 4, 4, 1), dtype=np.uint8)
    fit = kmeans(images, 3, seed=0, n_init=2)
    assert fit.centres.shape == (3, 16)
    assert fit.centres.dtype == np.float32


def test_coinciding_points_give_fewer_clusters_without_a_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fit = kmeans(np.ones((20, 3)), 4, seed=0)
    assert np.unique(fit.clusters).size == 1
    assert fit.inertia == 0


@pytest.mark.parametrize("features", [2, 120])
def test_one_cluster_is_the_mean(features):
    points, _ = blobs(features=features, dtype=np.float64)
    np.testing.assert_allclose(kmeans(points, 1, seed=0).centres[0], points.mean(0))


@pytest.mark.parametrize("n_clusters", [0, 6])
def test_an_impossible_number_of_clusters_is_refused(n_clusters):
    with pytest.raises(DataError, match=f"{n_clusters} clusters of 5 points"):
        kmeans(np.zeros((5, 2)), n_clusters, seed=0)


def test_points_that_are_not_finite_are_refused():
    with pytest.raises(DataError, match="not finite"):
        kmeans(np.array([[0.0], [np.nan]]), 1, seed=0)


def test_the_points_are_left_as_they_were():
    points, _ = blobs()
    before = points.copy()
    kmeans(points, 4, seed=0)
    np.testing.assert_array_equal(points, before)


def test_real_images_are_clustered_the_same_twice(mnist):
    first, again = (kmeans(mnist, 10, seed=0, n_init=3) for _ in range(2))
    assert first.centres.tobytes() == again.centres.tobytes()
    assert np.bincount(first.clusters, minlength=10).min() > 0
