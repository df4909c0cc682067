"""Parts of a mapping behind their prefixes, and the shapes of its arrays."""

from __future__ import annotations

import numpy as np
import pytest

from archbuild.io.arrays import of_shape, prefixed, unprefixed


def test_a_part_comes_back_from_the_whole_and_no_other():
    first, second = {"means": np.zeros(2), "1.x": np.ones(1)}, {"means": np.ones(3)}
    whole = prefixed("1.", first) | prefixed("11.", second)
    assert set(whole) == {"1.means", "1.1.x", "11.means"}
    for prefix, part in (("1.", first), ("11.", second)):
        found = unprefixed(prefix, whole)
        assert set(found) == set(part)
        assert all(found[name] is array for name, array in part.items())


def test_an_array_of_another_shape_is_refused():
    arrays = {"means": np.zeros((3, 2))}
    assert of_shape(arrays, "means", 3, None) is arrays["means"]
    for shape in ((3,), (None, 3), (3, 2, None)):
        with pytest.raises(ValueError, match=r"expected means of shape .* got \[3, 2\]"):
            of_shape(arrays, "means", *shape)
    with pytest.raises(ValueError, match=r"of shape \['any', 3\], got"):
        of_shape(arrays, "means", None, 3)
    with pytest.raises(KeyError):
        of_shape(arrays, "weights", 3)
