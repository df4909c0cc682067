from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from keras.ops import convert_to_numpy

from archbuild.layers import LAYERS
from archbuild.spec import ShapeError

SERIES = {"type": "Input", "output_shape": [3, 12]}
CODE = {"type": "Dense", "num_units": 2, "non_linearity": "linear"}


def _lstm(units: int, *, sequences: bool = False) -> dict[str, Any]:
    return {"type": "LSTM", "num_units": units, "return_sequences": sequences}


def _mirror(plan: Any) -> list[tuple[str, tuple[int, ...]]]:
    return [(layer.type, layer.output_shape) for layer in plan.decoder]


def test_the_mirror_repeats_the_code_and_ends_with_a_dense_at_each_place(
    plan_of: Callable[..., Any],
) -> None:
    plan = plan_of(SERIES, _lstm(8, sequences=True), _lstm(5), CODE)
    assert _mirror(plan) == [
        ("Repeat", (2, 12)),
        ("LSTM", (5, 12)),
        ("LSTM", (8, 12)),
        ("Deconv1D", (3, 12)),
    ]
    assert plan.decoder[-1].config["filter_size"] == 1


def test_a_recurrent_bottleneck_is_undone_too(plan_of: Callable[..., Any]) -> None:
    back = [("Repeat", (5, 12)), ("LSTM", (5, 12)), ("Deconv1D", (3, 12))]
    assert _mirror(plan_of(SERIES, _lstm(5))) == back
    assert _mirror(plan_of(SERIES, _lstm(5, sequences=True))) == back[1:]


def test_the_output_is_no_recurrent_layer_though_the_shapes_agree(
    plan_of: Callable[..., Any],
) -> None:
    assert _mirror(plan_of(SERIES, _lstm(3)))[-1] == ("Deconv1D", (3, 12))


def test_only_a_series_comes_in() -> None:
    config = {"num_units": 2, "return_sequences": False, "bidirectional": False}
    with pytest.raises(ShapeError, match=r"LSTM works on \[channels, length\]"):
        LAYERS["LSTM"].output_shape(config, (3, 4, 5))
    with pytest.raises(ShapeError, match=r"Repeat works on \[features\]"):
        LAYERS["Repeat"].output_shape({"times": 2}, (3, 4))


def test_in_two_directions_the_second_half_has_seen_what_comes_later(
    plan_of: Callable[..., Any],
) -> None:
    from archbuild.networks.builder import build_network
    from archbuild.registry import default_vocabulary

    plan = plan_of(SERIES, {**_lstm(4, sequences=True), "bidirectional": True})
    assert _mirror(plan) == [("LSTM", (8, 12)), ("Deconv1D", (3, 12))]
    network = build_network(plan, default_vocabulary(), 0)
    x = np.random.default_rng(0).normal(size=(2, 12, 3)).astype("float32")
    x[1] = x[0]
    x[1, 7:] += 1
    one, other = convert_to_numpy(network.encode(x).mean).reshape(2, 12, 8)
    np.testing.assert_array_equal(one[:7, :4], other[:7, :4])
    assert (one[:7, 4:] != other[:7, 4:]).all()
    x[1] = x[0, ::-1]
    one, other = convert_to_numpy(network.encode(x).mean).reshape(2, 12, 8)
    assert not np.allclose(one[:, :4], other[::-1, 4:])  # each direction has its own weights
