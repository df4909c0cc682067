"""Rows on their way into the network."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from archbuild.data import Dataset
from archbuild.data.scaling import Scaler
from archbuild.errors import DataError
from archbuild.training.feed import Feed, generator


def test_training_is_given_and_wants_the_rows_as_they_are(feed, rng):
    seen, wanted = feed.training(np.arange(5), rng)
    assert seen is wanted
    np.testing.assert_array_equal(wanted, feed.clean(np.arange(5)))


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


@pytest.fixture
def binary(feed):
    return replace(feed, binarises=True)


def test_binarised_rows_are_drawn_for_training_and_fixed_for_the_rest(binary):
    plain, rows = replace(binary, augmentation=None), np.arange(5)
    (seen, wanted), (again, _) = (
        plain.training(rows, generator(0, "a", epoch)) for epoch in (0, 1)
    )
    assert seen is wanted
    assert set(np.unique(seen)) == {0, 1}
    assert np.any(seen != again)
    np.testing.assert_array_equal(seen, plain.training(rows, generator(0, "a", 0))[0])
    np.testing.assert_array_equal(plain.clean(rows)[2:3], plain.clean([2]))
    assert set(np.unique(plain.clean(rows))) == {0, 1}


def test_rows_that_are_augmented_are_binarised_after_that(binary, rng):
    seen, wanted = binary.training(np.arange(5), rng)
    np.testing.assert_array_equal(seen, binary.unbinarised(np.arange(5)))
    assert set(np.unique(wanted)) == {0, 1}


def test_values_that_are_no_probabilities_are_not_binarised(digits):
    feed = Feed(replace(digits, scale=16.0), Scaler.fit(digits, "none"), binarises=True)
    for read in (feed.clean, lambda rows: feed.training(rows, generator(0, "a", 0))):
        with pytest.raises(DataError, match="binarise: sample"):
            read(np.arange(5))
