from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from archbuild.errors import SpecError
from archbuild.networks.rows import to_numpy

IMAGE = {"type": "Input", "output_shape": [2, 7, 8]}
CONV = {"type": "Conv2D", "num_filters": 3, "filter_size": 3, "conv_mode": "same"}
DENSE = {"type": "Dense", "num_units": 4, "non_linearity": "linear"}


def test_the_sum_of_two_layers(plan_of: Callable[..., Any]) -> None:
    from archbuild.networks.builder import build_network
    from archbuild.registry import default_vocabulary

    row = {"type": "Input", "output_shape": [4]}
    plan = plan_of(row, DENSE, {"type": "Add", "of": [0, 1]})
    network = build_network(plan, default_vocabulary(), seed=0)
    rows = np.random.default_rng(0).normal(size=(5, 4)).astype("float32")
    dense = to_numpy(network.encoder.get_layer("encoder_1_dense")(rows))
    np.testing.assert_allclose(network.predict_latents(rows), rows + dense, rtol=1e-5, atol=1e-6)


def test_the_mirror_adds_where_the_branch_began(plan_of: Callable[..., Any]) -> None:
    add = {"type": "Add", "of": [1, 3]}
    plan = plan_of(IMAGE, CONV, CONV, CONV, add, DENSE)
    assert [layer.type for layer in plan.decoder] == [
        "Dense",
        "Reshape",
        "Deconv2D",
        "Deconv2D",
        "Add",
        "Deconv2D",
    ]
    assert plan.decoder[4].config["of"] == [1, 3]
    assert plan.decoder[4].parameters == 0


def test_the_mirror_of_a_projection_is_one(plan_of: Callable[..., Any]) -> None:
    strided = {**CONV, "num_filters": 5, "stride": [2, 3]}
    add = {"type": "Add", "of": [1, 2], "shortcut": "projection"}
    plan = plan_of(IMAGE, CONV, strided, add)
    assert plan.encoder[3].output_shape == (5, 4, 3)
    assert [layer.type for layer in plan.decoder] == ["Reshape", "Deconv2D", "Add", "Deconv2D"]
    assert plan.decoder[2].parameters == plan.encoder[3].parameters == 15
    assert plan.decoder[2].output_shape == (3, 7, 8)


def test_a_sum_from_the_input_on_is_not_added_to_the_output(plan_of: Callable[..., Any]) -> None:
    plan = plan_of(IMAGE, {**CONV, "num_filters": 2}, {"type": "Add", "of": [0, 1]}, DENSE)
    assert [layer.type for layer in plan.decoder] == ["Dense", "Reshape", "Deconv2D"]


@pytest.mark.parametrize(
    ("add", "words"),
    [
        ({"of": [1, 2]}, r"layer 1 gives \[3, 7, 8\], which cannot be added to \[4\]"),
        ({"of": [0, 1]}, r"layer 0 gives \[2, 7, 8\], which cannot be added to \[3, 7, 8\]"),
        ({"of": [1, 7]}, "there is no usable earlier layer 7"),
    ],
)
def test_what_cannot_be_added(plan_of: Callable[..., Any], add: dict[str, Any], words: str) -> None:
    with pytest.raises(SpecError, match=words):
        plan_of(IMAGE, CONV, DENSE, {"type": "Add", **add})
