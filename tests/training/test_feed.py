"""Rows on their way into the network."""

from __future__ import annotations

import numpy as np

from archbuild.data import Dataset
from archbuild.data.scaling import Scaler
from archbuild.training.feed import Feed, generator


def test_training_shows_moved_rows_and_wants_the_originals_back(feed, rng):
    seen, wanted = feed.training(np.arange(5), rng)
    assert seen.shape == wanted.shape == (5, 8, 8, 1)
    np.testing.assert_array_equal(wanted, feed.clean(np.arange(5)))
    assert np.abs(seen - wanted).max() > 0.1


def test_without_augmentation_both_are_the_same_array(feed, rng):
    plain = Feed(feed.dataset, feed.scaler)
    seen, wanted = plain.training(np.arange(5), rng)
    assert seen is wanted


def test_random_numbers_depend_on_seed_purpose_and_epoch_alone():
    draws = {
        generator(seed, purpose, epoch).random()
        for seed in (0, 1)
        for purpose in ("a", "b")
        for epoch in (0, 1)
    }
    assert len(draws) == 8
    assert generator(1, "a", 2).random() == generator(1, "a", 2).random()


def test_gaps_are_0_to_the_network_and_marked_for_the_loss(rng):
    values = np.array([[[1.0], [3.0]], [[5.0], [np.nan]]], np.float32)
    dataset = Dataset("own", values, gaps=True)
    feed = Feed(dataset, Scaler.fit(dataset, "standardise"))
    seen, wanted = feed.training(np.arange(2), rng)
    assert seen[1, 1, 0] == wanted[1, 1, 0] == 0
    np.testing.assert_allclose(seen[0, 1, 0], 0, atol=1e-6)  # 3 is the mean of what is there
    np.testing.assert_array_equal(feed.present(np.arange(2))[..., 0], [[1, 1], [1, 0]])


def test_without_gaps_nothing_is_marked(feed):
    assert feed.present(np.arange(5)) is None
