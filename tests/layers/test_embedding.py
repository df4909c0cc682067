from __future__ import annotations

import numpy as np
import pytest

from archbuild.errors import SpecError
from archbuild.registry import default_vocabulary
from tests.layers.contract import plan_of

ROW = {"type": "Input", "output_shape": [6]}
CODE = {"type": "Dense", "num_units": 3}


def embedding(**fields):
    return {"type": "Embedding", "blocks": {"b": [3, 3], "a": [1, 2]}, **fields}


def problem_of(*layers):
    with pytest.raises(SpecError) as caught:
        plan_of(*layers)
    return str(caught.value)


def test_a_category_is_given_its_row_of_the_matrix_and_others_pass():
    from archbuild.networks.builder import build_network

    network = build_network(plan_of(ROW, embedding(), CODE), default_vocabulary(), seed=0)
    inside = network.encoder.get_layer("encoder_1_embedding")
    import keras

    read = keras.Model(network.encoder.input, inside.output)
    kernels = {
        place: network.encoder.get_layer(f"encoder_1_embedding_{place}").get_weights()[0]
        for place in (1, 2)
    }
    rows = np.array([[7, 0, 1, 1, 0, 0], [8, 1, 0, 0, 0, 0]], np.float32)
    given = read.predict(rows, verbose=0)
    np.testing.assert_allclose(given[0], [7, *kernels[1][1], *kernels[2][0]], rtol=1e-6)
    np.testing.assert_allclose(given[1], [8, *kernels[1][0], 0, 0], rtol=1e-6)  # unknown: nothing


def test_blocks_decide_the_number_of_outputs_unless_it_is_told():
    wide = {"type": "Input", "output_shape": [1000]}
    blocks = {"zip": [0, 998], "sex": [998, 2]}
    assert plan_of(wide, embedding(blocks=blocks)).latent_size == 51
    assert plan_of(wide, embedding(blocks=blocks, num_units=4)).latent_size == 8


def test_the_mirror_gives_all_features_from_whatever_comes():
    plan = plan_of(ROW, embedding(), {"type": "Dense", "num_units": 5}, CODE)
    widths = [(layer.type, layer.output_shape, layer.mirrors) for layer in plan.decoder]
    assert widths == [("Dense", (5,), 2), ("Dense", (6,), 1)]


@pytest.mark.parametrize(
    "blocks",
    [{"a": [0, 0]}, {"a": [0, 3], "b": [2, 2]}, {"a": [4, 3]}],
    ids=["empty", "overlap", "behind the end"],
)
def test_blocks_that_cannot_be_are_refused(blocks):
    assert "is empty, overlaps with another, or ends" in problem_of(ROW, embedding(blocks=blocks))


def test_it_stands_behind_the_input():
    assert "a Dense stands below it" in problem_of(ROW, {**CODE, "num_units": 6}, embedding(), CODE)
    image = {"type": "Input", "output_shape": [1, 2, 3]}
    assert "works on [features]" in problem_of(image, embedding(), CODE)
    noise = {"type": "GaussianNoise", "stddev": 0.1}
    assert plan_of(ROW, noise, embedding(), CODE).latent_size == 3
