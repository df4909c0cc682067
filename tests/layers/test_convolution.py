from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from keras.ops import convert_to_numpy

from archbuild.layers import LAYERS
from archbuild.spec import ShapeError


def _config(**fields: Any) -> dict[str, Any]:
    given = {"num_filters": 4, "filter_size": 3, **fields}
    return {field.name: given.get(field.name, field.default) for field in LAYERS["Conv2D"].fields}


@pytest.mark.parametrize(
    ("fields", "shape"),
    [
        ({}, (4, 5, 6)),
        ({"stride": 2}, (4, 3, 3)),
        ({"conv_mode": "same", "stride": [1, 3]}, (4, 7, 3)),
        ({"padding": [0, 2], "filter_size": [1, 5]}, (4, 7, 8)),
    ],
)
def test_output_shape(fields: dict[str, Any], shape: tuple[int, ...]) -> None:
    assert LAYERS["Conv2D"].output_shape(_config(**fields), (2, 7, 8)) == shape


@pytest.mark.parametrize(
    ("fields", "shape", "words"),
    [
        ({"filter_size": [9, 3]}, (1, 8, 8), "9x3 kernel is larger than its 8x8 input"),
        ({"conv_mode": "same", "padding": 1}, (1, 8, 8), "contradict"),
        ({}, (64,), r"works on \[channels, height, width\], but \[64\] comes in"),
        ({}, (), "nothing below"),
    ],
)
def test_refuses_what_does_not_fit(
    fields: dict[str, Any], shape: tuple[int, ...], words: str
) -> None:
    with pytest.raises(ShapeError, match=words) as caught:
        LAYERS["Conv2D"].output_shape(_config(**fields), shape)
    assert caught.value.advice


@pytest.mark.parametrize(
    "fields",
    [
        {"stride": 2},
        {"stride": [2, 3], "padding": [1, 2], "filter_size": [3, 4]},
        {"stride": 2, "conv_mode": "same"},
        {"stride": 2, "conv_mode": "same", "filter_size": [3, 4]},
        {"stride": 3, "conv_mode": "same", "filter_size": [2, 1]},
        {"stride": 4, "filter_size": 2},
    ],
)
def test_mirror_is_the_adjoint(plan_of: Callable[..., Any], fields: dict[str, Any]) -> None:
    """<conv(x), y> = <x, deconv(y)> with the same kernel: sizes and borders both fit."""
    from archbuild.networks.builder import build_network
    from archbuild.registry import default_vocabulary

    layer = {"type": "Conv2D", "num_filters": 3, "filter_size": 3, "non_linearity": "linear"}
    plan = plan_of({"type": "Input", "output_shape": [2, 9, 10]}, {**layer, **fields})
    network = build_network(plan, default_vocabulary(), seed=0)
    kernel = network.encoder.get_layer("encoder_1_conv2d").kernel
    network.decoder.get_layer("decoder_0_deconv2d").kernel.assign(kernel)
    rng = np.random.default_rng(1)
    x = rng.normal(size=(2, 9, 10, 2)).astype("float32")
    y = rng.normal(size=(2, plan.latent_size)).astype("float32")
    forward = np.sum(convert_to_numpy(network.encode(x).mean) * y)
    backward = np.sum(x * convert_to_numpy(network.decode(y).value))
    np.testing.assert_allclose(forward, backward, rtol=1e-4, atol=1e-4)


def test_a_causal_convolution_does_not_see_what_comes_later(plan_of: Callable[..., Any]) -> None:
    from archbuild.networks.builder import build_network
    from archbuild.registry import default_vocabulary

    causal = {"type": "Conv1D", "num_filters": 3, "filter_size": 3, "conv_mode": "causal"}
    plan = plan_of({"type": "Input", "output_shape": [2, 12]}, {**causal, "dilation": 2})
    network = build_network(plan, default_vocabulary(), 0)
    x = np.random.default_rng(0).normal(size=(2, 12, 2)).astype("float32")
    x[1] = x[0]
    x[1, 7:] += 1
    one, other = convert_to_numpy(network.encode(x).mean).reshape(2, 12, 3)
    np.testing.assert_array_equal(one[:7], other[:7])
    assert (one[7] != other[7]).any()


@pytest.mark.parametrize(
    ("fields", "words"),
    [({"stride": 2}, "goes with stride 1 only"), ({"padding": 1}, "'causal' contradict")],
)
def test_causal_is_refused_beside_strides_and_padding(fields: dict[str, Any], words: str) -> None:
    given = {"num_filters": 4, "filter_size": 3, "conv_mode": "causal", **fields}
    layer = LAYERS["Conv1D"]
    config = {field.name: given.get(field.name, field.default) for field in layer.fields}
    with pytest.raises(ShapeError, match=words):
        layer.output_shape(config, (2, 12))
