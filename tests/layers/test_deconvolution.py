from __future__ import annotations

from typing import Any

import pytest

from archbuild.layers import LAYERS
from archbuild.spec import ShapeError


def _config(**fields: Any) -> dict[str, Any]:
    given = {"num_filters": 2, "filter_size": 3, "stride": 2, **fields}
    return {field.name: given.get(field.name, field.default) for field in LAYERS["Deconv2D"].fields}


@pytest.mark.parametrize(
    ("fields", "shape"),
    [
        ({}, (2, 9, 11)),
        ({"output_padding": [1, 0]}, (2, 10, 11)),
        ({"conv_mode": "same"}, (2, 8, 10)),
        ({"conv_mode": "same", "output_padding": 0}, (2, 7, 9)),
        ({"conv_mode": "same", "output_padding": [0, None]}, (2, 7, 10)),
        ({"padding": 2}, (2, 5, 7)),
        ({"filter_size": 1, "stride": 3}, (2, 12, 15)),
    ],
)
def test_output_shape(fields: dict[str, Any], shape: tuple[int, ...]) -> None:
    assert LAYERS["Deconv2D"].output_shape(_config(**fields), (5, 4, 5)) == shape


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"output_padding": 2}, "less than the stride, 2 is not less than 2"),
        ({"padding": 5}, "nothing is left"),
        ({"conv_mode": "same", "padding": 1}, "contradict"),
    ],
)
def test_refuses_what_does_not_fit(fields: dict[str, Any], words: str) -> None:
    with pytest.raises(ShapeError, match=words):
        LAYERS["Deconv2D"].output_shape(_config(**fields), (5, 4, 5))
