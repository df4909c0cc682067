from __future__ import annotations

from itertools import product

import pytest

from archbuild.layers.convolution_sizes import (
    convolved,
    deconvolved,
    mirror_padding,
    same_as_valid,
)


def _places(i: int, k: int, s: int, mode: str, p: int) -> int:
    """How many places a kernel finds, counted one by one."""
    if mode == "same":
        return len(range(0, i, s))
    return len([start for start in range(0, i + 2 * p, s) if start + k <= i + 2 * p])


@pytest.mark.parametrize("mode", ["valid", "same"])
def test_mirror_is_exact_for_every_small_convolution(mode: str) -> None:
    paddings = range(4) if mode == "valid" else [0]
    for i, k, s, p in product(range(1, 33), range(1, 8), range(1, 6), paddings):
        o = convolved(i, k, s, mode, p)
        if o < 1:
            assert k > i + 2 * p
            continue
        assert o == _places(i, k, s, mode, p)
        padding = mirror_padding(i, k, s, mode, p)
        assert padding is None or 0 <= padding < s
        assert deconvolved(o, k, s, mode, p, padding) == i


def test_same_as_valid_has_the_adjoint_s_borders() -> None:
    for i, k, s in product(range(1, 20), range(1, 7), range(1, 5)):
        o = convolved(i, k, s, "same")
        extra, (before, after) = same_as_valid(o, k, s, i)
        assert (o - 1) * s + k + extra - before - after == i
        zeros = max((o - 1) * s + k - i, 0)
        assert before == zeros // 2
        assert 0 <= extra < s
