from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from keras.ops import convert_to_numpy

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


@pytest.mark.parametrize(
    "fields",
    [
        {"groups": 2, "stride": [2, 3]},
        {"groups": 2, "stride": [3, 2], "conv_mode": "same"},
        {"groups": 2, "padding": [1, 4], "stride": 2},
        {"dilation": [2, 3]},
        {"dilation": [3, 1], "conv_mode": "same", "groups": 4, "num_filters": 4},
        {"groups": 4, "num_filters": 8, "stride": 2},
    ],
)
def test_by_a_convolution_it_is_the_adjoint_of_the_convolution(
    plan_of: Callable[..., Any], fields: dict[str, Any]
) -> None:
    """The inner products ``<conv(x), y>`` and ``<x, deconv(y)>`` agree for the same kernel."""
    from archbuild.networks.builder import build_network
    from archbuild.registry import default_vocabulary

    own = {"num_filters": 6, "filter_size": [3, 2], "non_linearity": "linear", **fields}
    conv = {"type": "Conv2D", **own}
    network = build_network(
        plan_of({"type": "Input", "output_shape": [4, 9, 10]}, conv), default_vocabulary(), 0
    )
    forward, back = _kernels(network.encoder), _kernels(network.decoder)
    kernel = np.concatenate([convert_to_numpy(part) for part in forward], axis=-1)
    for part, turned in zip(back, np.split(_turned(kernel, own), len(back), axis=-1), strict=True):
        part.assign(turned.reshape(part.shape))
    rng = np.random.default_rng(0)
    x = rng.normal(size=(2, 9, 10, 4)).astype("float32")
    above = convert_to_numpy(network.encode(x).mean)
    y = rng.normal(size=above.shape).astype("float32")
    returned = convert_to_numpy(network.decode(y).value)
    assert np.sum(above * y) == pytest.approx(np.sum(x * returned), rel=1e-3)


def _kernels(half: Any) -> list[Any]:
    """The kernels of one half's layers: one for each group, or one in all."""
    return [layer.kernel for layer in half.layers if layer.weights]


def _turned(kernel: np.ndarray, own: dict[str, Any]) -> np.ndarray:
    """The kernel of the adjoint: turned round, and within each group transposed."""
    groups = own.get("groups", 1)
    outs, ins = own["num_filters"] // groups, 4 // groups
    full = kernel.reshape(*kernel.shape[:2], ins, groups, outs)
    turned = full[::-1, ::-1].transpose(0, 1, 4, 3, 2)
    return turned.reshape(*turned.shape[:2], outs, groups * ins)


@pytest.mark.parametrize("dilation", [1, 3])
def test_a_causal_one_is_the_adjoint_too(plan_of: Callable[..., Any], dilation: int) -> None:
    from archbuild.networks.builder import build_network
    from archbuild.registry import default_vocabulary

    series = {"type": "Input", "output_shape": [4, 11]}
    own = {"num_filters": 5, "filter_size": 3, "non_linearity": "linear", "dilation": dilation}
    plan = plan_of(series, {"type": "Conv1D", **own, "conv_mode": "causal"})
    network = build_network(plan, default_vocabulary(), 0)
    (kernel,), (back,) = _kernels(network.encoder), _kernels(network.decoder)
    if dilation > 1:  # by a convolution, whose kernel is turned round
        back.assign(convert_to_numpy(kernel)[::-1].transpose(0, 2, 1))
    else:
        back.assign(convert_to_numpy(kernel))
    rng = np.random.default_rng(0)
    x = rng.normal(size=(2, 11, 4)).astype("float32")
    above = convert_to_numpy(network.encode(x).mean)
    y = rng.normal(size=above.shape).astype("float32")
    returned = convert_to_numpy(network.decode(y).value)
    assert np.sum(above * y) == pytest.approx(np.sum(x * returned), rel=1e-3)
