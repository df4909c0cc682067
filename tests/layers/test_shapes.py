from __future__ import annotations

import pytest

from archbuild.layers.shapes import by_axes, channels_last, flat_size, per_axis, require_axes
from archbuild.spec import ShapeError


def test_channels_go_last() -> None:
    assert channels_last((3, 28, 27)) == (28, 27, 3)
    assert channels_last((3, 28)) == (28, 3)
    assert channels_last((7,)) == (7,)


def test_sizes() -> None:
    assert flat_size((3, 4, 5)) == 60
    assert per_axis(3, 2) == (3, 3)
    assert per_axis([3, 4], 2) == (3, 4)
    assert by_axes((3, 4)) == "3x4"


def test_require_axes_gives_the_spatial_part() -> None:
    assert require_axes("Conv1D", (2, 9), 1) == (9,)
    with pytest.raises(ShapeError, match="Conv1D works on"):
        require_axes("Conv1D", (2, 9, 9), 1)
