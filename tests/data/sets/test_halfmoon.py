from __future__ import annotations

import numpy as np
import pytest

from archbuild.data import Dataset, find_datasets, held_out, load_dataset


@pytest.fixture(scope="module")
def moons(tmp_path_factory) -> Dataset:
    return load_dataset("halfmoon", tmp_path_factory.mktemp("nothing"))


def test_two_moons_are_there_without_files(moons, tmp_path):
    assert (len(moons), moons.shape, moons.arch_stem) == (10_000, (2,), "halfmoon")
    assert np.bincount(moons.labels).tolist() == [5000, 5000]
    assert moons.class_names == ("upper moon", "lower moon")
    assert np.bincount(moons.labels[:500]).min() > 200
    names = ("HALFMOON", "HALFMOON-TEST", "HALFMOON-CLEAR", "HALFMOON-CLEAR-TEST")
    for name in names:
        assert (name, True, "generated") in find_datasets(tmp_path)


def test_they_are_the_same_for_everyone(moons, tmp_path):
    first = [[1.78801942, 0.10705137], [-0.36191913, 1.14586925]]
    again = load_dataset("HALFMOON", tmp_path)
    np.testing.assert_array_equal(again.values, moons.values)
    np.testing.assert_array_equal(again.labels, moons.labels)
    np.testing.assert_allclose(moons.values[:2], first, atol=1e-6)


def test_the_test_points_are_others_of_one_distribution(moons, tmp_path):
    test = held_out("HALFMOON", tmp_path)
    assert (test.name, len(test), test.class_names) == ("HALFMOON-TEST", 10_000, moons.class_names)
    assert not set(map(tuple, test.values.tolist())) & set(map(tuple, moons.values.tolist()))
    for label in (0, 1):
        ours, theirs = moons.values[moons.labels == label], test.values[test.labels == label]
        np.testing.assert_allclose(ours.mean(axis=0), theirs.mean(axis=0), atol=0.02)


@pytest.mark.parametrize(("label", "centre", "side"), [(0, (0, 0), 1), (1, (1, 0.5), -1)])
def test_each_moon_is_half_a_circle_with_noise(moons, label, centre, side):
    points = moons.values[moons.labels == label] - centre
    tip = np.abs(points[:, 0]) < 0.3  # where the circle is level, the noise across is vertical
    assert np.all(np.sign(points[tip, 1]) == side)
    off = side * points[tip, 1] - np.sqrt(1 - points[tip, 0] ** 2)
    np.testing.assert_allclose(off.std(), 0.2, rtol=0.07)
    np.testing.assert_allclose((points[:, 0] ** 2).mean(), 0.5 + 0.2**2, rtol=0.05)


def test_the_clear_moons_have_half_the_noise(moons, tmp_path):
    clear, test = load_dataset("HALFMOON-CLEAR", tmp_path), held_out("HALFMOON-CLEAR", tmp_path)
    assert (test.name, clear.arch_stem) == ("HALFMOON-CLEAR-TEST", "halfmoon")
    for points in (clear, test):
        radius = np.hypot(*points.values[points.labels == 0].T)
        np.testing.assert_allclose(radius.std(), 0.1, rtol=0.05)
