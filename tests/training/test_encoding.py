"""Encoding is by inference statistics and does not depend on how rows are cut."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from archbuild.networks.rows import by_rows, to_numpy
from archbuild.training.augmentation import Augmentation
from archbuild.training.encoding import encode, encode_views
from tests.training.conftest import ROWS, plan_of


def test_latents_do_not_depend_on_their_company(network, feed):
    together = encode(network.predict_latents, feed)
    assert together.shape == (ROWS, 4)
    for rows in (np.arange(3), np.arange(20, 50)):
        np.testing.assert_array_equal(
            together[rows], by_rows(network.predict_latents, feed.clean(rows))
        )


def test_batch_normalisation_uses_its_running_statistics(network, feed):
    before = encode(network.predict_latents, feed)
    network.encode(feed.clean(np.arange(32)), training=True)
    moved = encode(network.predict_latents, feed)
    assert np.abs(moved - before).max() > 1e-4  # the running statistics have moved
    np.testing.assert_array_equal(
        moved, encode(network.predict_latents, feed)
    )  # encoding does not move them


@pytest.fixture
def change(network):
    return Augmentation.of(network.plan.spec.augmentation, network.plan, 0)


def views(network, feed, change, **of):
    which = {"seed": 0, "purpose": "test", "epoch": 0, **of}
    return list(encode_views(network.predict_latents, feed, change, 2, **which))


def test_views_are_of_changed_rows_each_of_its_own_draw(network, feed, change):
    clean = encode(network.predict_latents, feed)
    first, second = views(network, feed, change)
    assert first.shape == second.shape == clean.shape
    for one, other in ((first, clean), (second, clean), (first, second)):
        assert np.abs(one - other).max() > 0.01


def test_views_depend_on_seed_purpose_and_epoch_alone(network, feed, change):
    before = to_numpy(change.noise.state)
    first, again = views(network, feed, change), views(network, feed, change)
    np.testing.assert_array_equal(first, again)
    np.testing.assert_array_equal(to_numpy(change.noise.state), before)
    for of in ({"seed": 1}, {"purpose": "other"}, {"epoch": 1}):
        assert np.any(views(network, feed, change, **of)[0] != first[0])


def test_without_augmentation_views_are_the_rows(network, feed):
    clean = encode(network.predict_latents, feed)
    for view in views(network, feed, None):
        np.testing.assert_array_equal(view, clean)


def test_views_of_binary_rows_are_binary(network, feed, binary_change):
    binary, seen = replace(feed, binarises=True), []

    def read(rows):
        seen.append(rows[:ROWS])
        return rows[:, 0, 0]

    of = {"seed": 0, "purpose": "test", "epoch": 0}
    list(encode_views(read, binary, binary_change, 1, **of))
    assert set(np.unique(seen[0])) == {0, 1}
    assert np.any(seen[0] != binary.clean(np.arange(ROWS)))


@pytest.fixture
def binary_change():
    plan = plan_of(binarise="sample")
    return Augmentation.of(plan.spec.augmentation, plan, 0)
