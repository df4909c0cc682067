from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from keras.ops import convert_to_numpy

from archbuild.errors import SpecError
from archbuild.layers import LAYERS
from archbuild.spec import ShapeError

IMAGE = {"type": "Input", "output_shape": [2, 3, 4]}


def test_reshape_and_flatten_keep_the_channels_last_order(plan_of: Callable[..., Any]) -> None:
    from archbuild.networks.builder import build_network
    from archbuild.registry import default_vocabulary

    back = {"type": "Reshape", "output_shape": [2, 3, 4]}
    plan = plan_of(IMAGE, {"type": "Flatten"}, decoder=[back])
    network = build_network(plan, default_vocabulary(), seed=0)
    x = np.arange(48, dtype="float32").reshape(2, 3, 4, 2)
    encoding = network.encode(x)
    np.testing.assert_array_equal(convert_to_numpy(encoding.mean), x.reshape(2, 24))
    np.testing.assert_array_equal(convert_to_numpy(network.decode(encoding.mean).value), x)


def test_concat_joins_in_the_order_given(plan_of: Callable[..., Any]) -> None:
    from archbuild.networks.builder import build_network
    from archbuild.registry import default_vocabulary

    plan = plan_of(IMAGE, {"type": "Dense", "num_units": 3}, {"type": "Concat", "of": [1, 0]})
    network = build_network(plan, default_vocabulary(), seed=0)
    x = np.arange(24, dtype="float32").reshape(1, 3, 4, 2)
    latent = convert_to_numpy(network.encode(x).mean)
    assert latent.shape == (1, 27)
    np.testing.assert_array_equal(latent[0, 3:], x.ravel())


def test_reshape_refuses_another_size() -> None:
    with pytest.raises(ShapeError, match=r"24 numbers, and .* 25") as caught:
        LAYERS["Reshape"].output_shape({"output_shape": [25]}, (2, 3, 4))
    assert "num_units 25" in str(caught.value.advice)


@pytest.mark.parametrize("index", [2, 3])
def test_concat_refuses_itself_and_later_layers(plan_of: Callable[..., Any], index: int) -> None:
    with pytest.raises(SpecError) as caught:
        plan_of(
            IMAGE,
            {"type": "Dense", "num_units": 3},
            {"type": "Concat", "of": [1, index]},
            {"type": "Dense", "num_units": 2},
        )
    assert caught.value.problems[0].path == ("layers", 2)
