from __future__ import annotations

import numpy as np
import pytest

from archbuild.data import Dataset, find_datasets, load_dataset


@pytest.fixture(scope="module")
def spiral(tmp_path_factory) -> Dataset:
    return load_dataset("spiral", tmp_path_factory.mktemp("nothing"))


def test_five_arms_of_a_thousand_points_are_there_without_files(spiral, tmp_path):
    assert (len(spiral), spiral.shape, spiral.arch_stem) == (5000, (2,), "spiral")
    assert np.bincount(spiral.labels).tolist() == [1000] * 5
    assert spiral.class_names == ("arm 1", "arm 2", "arm 3", "arm 4", "arm 5")
    assert ("SPIRAL", True, "generated") in find_datasets(tmp_path)


def test_it_is_the_same_for_everyone(spiral, tmp_path):
    first = [[0.44924012, -0.40998742], [-0.02913688, -0.44001648]]
    again = load_dataset("SPIRAL", tmp_path)
    np.testing.assert_array_equal(again.values, spiral.values)
    np.testing.assert_array_equal(again.labels, spiral.labels)
    np.testing.assert_allclose(spiral.values[:2], first, atol=1e-6)


def test_its_size_is_that_of_the_points_that_gmvae_clustered(spiral):
    np.testing.assert_allclose(spiral.values.mean(axis=0), 0, atol=0.02)
    np.testing.assert_allclose(spiral.values.std(axis=0), 0.51, atol=0.01)
    assert (np.abs(spiral.values) <= 1).all(axis=1).mean() > 0.95


def test_untwisted_arms_are_five_narrow_rays(spiral):
    x, y = spiral.values.astype(np.float64).T * np.sqrt((1 + 0.3**2 + 0.05**2) / 2) / 0.51
    radius, clockwise = np.hypot(x, y), -np.arctan2(y, x)
    off = clockwise - 2 * np.pi * spiral.labels / 5 - 0.25 * np.exp(radius)
    beside = radius * np.sin(off)
    far = radius > 0.5  # nearer the middle, the radius is no longer the place along the arm
    assert np.cos(off[far]).min() > 0.8
    np.testing.assert_allclose(beside[far].std(), 0.05, rtol=0.05)
    np.testing.assert_allclose((radius.mean(), radius.std()), (1, 0.3), rtol=0.02)


def test_rows_are_shuffled(spiral):
    assert np.bincount(spiral.labels[:500], minlength=5).min() > 70
