"""The small networks of heads."""

from __future__ import annotations

import numpy as np
import pytest

from archbuild.networks.parts import build_parts, over_sets
from archbuild.networks.rows import to_numpy
from archbuild.spec.parts import Part, PartLayer

pytestmark = pytest.mark.graphs(False)


@pytest.mark.parametrize("hidden", [[], [5, 4]])
def test_sets_that_share_inputs_get_what_each_row_gets_alone(rng, hidden):
    layers = (*(PartLayer(units, "relu") for units in hidden), PartLayer(2))
    network = build_parts([Part("part", 7, layers)], np.random.default_rng(0))["part"]
    shared = rng.normal(size=(6, 4)).astype("float32")
    varying = rng.normal(size=(3, 6, 3)).astype("float32")
    expected = [to_numpy(network(np.concatenate([shared, each], axis=1))) for each in varying]
    got = to_numpy(over_sets(network, shared, varying))
    np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-6)
    alike = to_numpy(over_sets(network, shared, varying[:, :1]))
    np.testing.assert_allclose(alike[:, 0], got[:, 0], rtol=1e-4, atol=1e-6)
    joined = np.concatenate([np.broadcast_to(shared, (3, 6, 4)), varying], axis=2)
    np.testing.assert_allclose(
        to_numpy(over_sets(network, None, joined)), got, rtol=1e-4, atol=1e-6
    )
