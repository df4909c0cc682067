"""The precision of layers that are made in a block, and of what leaves a network."""

from __future__ import annotations

import keras
import pytest

from archbuild.environment import BFLOAT16, FLOAT32
from archbuild.layers.precision import computing_in, in_float32


def test_layers_of_a_block_compute_in_its_precision() -> None:
    with computing_in(BFLOAT16):
        inside = keras.layers.Dense(2)
    outside = keras.layers.Dense(2)
    assert (inside.compute_dtype, inside.variable_dtype) == ("bfloat16", "float32")
    assert outside.compute_dtype == "float32"


def test_the_precision_of_before_comes_back_after_an_error() -> None:
    with pytest.raises(KeyError), computing_in(BFLOAT16):
        raise KeyError
    assert keras.config.dtype_policy().name == FLOAT32


def test_a_tensor_of_float32_stays_the_same_and_others_become_it() -> None:
    exact = keras.Input((2,), dtype="float32")
    coarse = keras.Input((2,), dtype="bfloat16")
    assert in_float32(exact) is exact
    assert in_float32(coarse).dtype == "float32"
