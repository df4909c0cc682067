"""Parts of a mapping behind their prefixes."""

from __future__ import annotations

import numpy as np

from archbuild.io.arrays import prefixed, unprefixed


def test_a_part_comes_back_from_the_whole_and_no_other():
    first, second = {"means": np.zeros(2), "1.x": np.ones(1)}, {"means": np.ones(3)}
    whole = prefixed("1.", first) | prefixed("11.", second)
    assert set(whole) == {"1.means", "1.1.x", "11.means"}
    for prefix, part in (("1.", first), ("11.", second)):
        found = unprefixed(prefix, whole)
        assert set(found) == set(part)
        assert all(found[name] is array for name, array in part.items())
