"""Rows on their way into the network."""

from __future__ import annotations

import numpy as np

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
