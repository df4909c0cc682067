"""Encoding is by inference statistics and does not depend on how rows are cut."""

from __future__ import annotations

import numpy as np

from archbuild.networks.rows import by_rows
from archbuild.training.encoding import encode
from tests.training.conftest import ROWS


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
