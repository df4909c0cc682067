"""A Keras user's first spec is mended by its own errors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from archbuild.errors import Problem, SpecError
from archbuild.registry import default_vocabulary
from archbuild.spec import hints
from archbuild.spec.sections import data_section
from archbuild.spec.top import DATA_FIELDS

ProblemsOf = Callable[..., tuple[Problem, ...]]


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("MaxPooling2D", "'MaxPool2D'"),
        ("MaxPooling1D", "'MaxPool1D'"),
        ("AveragePooling2D", "'AveragePool2D'"),
        ("AvgPool2d", "'AveragePool2D'"),
        ("GlobalAveragePooling2D", "'GlobalAveragePool'"),
        ("BatchNormalization", "'BatchNorm'"),
        ("LayerNormalization", "'LayerNorm'"),
        ("LeakyReLU", "'Activation'"),
        ("Concatenate", "'Concat'"),
        ("Linear", "'Dense'"),
        ("InputLayer", "'Input'"),
        ("Conv2DTranspose", "'Deconv2D'"),
        ("ConvTranspose1d", "'Deconv1D'"),
        ("UpSampling2D", "'Unpool2D' or 'UpSample'"),
        ("Upsampling2D", "'Unpool2D' or 'UpSample'"),
        ("RepeatVector", "'Repeat'"),
        ("EmbeddingBag", "'Embedding'"),
        ("CategoryEncoding", "'Embedding'"),
    ],
)
def test_types_of_other_libraries(
    problems_of: ProblemsOf, tree: dict[str, Any], theirs: str, ours: str
) -> None:
    tree["layers"][2] = {"type": theirs}
    (problem,) = problems_of(tree)
    assert str(problem.advice).startswith(f"did you mean {ours}?")


def test_a_type_of_the_decoder_is_said_to_be_one(
    problems_of: ProblemsOf, tree: dict[str, Any]
) -> None:
    tree["layers"][2] = {"type": "Conv2DTranspose"}
    tree["decoder"] = [{"type": "Conv2DTranspose"}]
    in_encoder, in_decoder = problems_of(tree)
    assert "the mirror of the encoder writes it" in str(in_encoder.advice)
    assert in_decoder.advice == "did you mean 'Deconv2D'?"


@pytest.mark.parametrize(
    ("layer", "theirs", "ours"),
    [
        (1, "kernel_size", "filter_size"),
        (1, "filters", "num_filters"),
        (1, "strides", "stride"),
        (1, "activation", "non_linearity"),
        (1, "dilation_rate", "dilation"),
        (1, "kernel_initializer", "initialiser"),
        (1, "kernel_regularizer", "regulariser"),
        (2, "pool_size", "filter_size"),
        (2, "strides", "stride"),
        (2, "padding", "conv_mode"),
        (3, "units", "num_units"),
        (3, "activation", "non_linearity"),
        (0, "shape", "output_shape"),
    ],
)
def test_keys_of_other_libraries(
    problems_of: ProblemsOf, tree: dict[str, Any], layer: int, theirs: str, ours: str
) -> None:
    tree["layers"][layer][theirs] = 3
    (problem,) = problems_of(tree)
    assert problem.advice == f"did you mean '{ours}'?"


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("padding", "same", "conv_mode: same"),
        ("padding", "valid", "conv_mode: valid"),
        ("non_linearity", "swish", "'silu'"),
        ("non_linearity", "leaky_rectify", "{type: leaky_rectify, slope: 0.01}"),
        ("non_linearity", "PReLU", "a PReLU as the next layer"),
        ("regulariser", "l2", "{l2: 0.01}"),
        ("initialiser", "xavier", "'glorot_uniform'"),
    ],
)
def test_values_of_other_libraries(
    problems_of: ProblemsOf, tree: dict[str, Any], key: str, value: str, words: str
) -> None:
    tree["layers"][1][key] = value
    (problem,) = problems_of(tree)
    assert words in str(problem.advice)


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("epochs", "pretrain: {epochs: ...}"),
        ("lr", "pretrain: {learning_rate: ...}"),
        ("loss", "'reconstruction'"),
        ("encoder", "'layers'"),
    ],
)
def test_keys_at_the_top(
    problems_of: ProblemsOf, tree: dict[str, Any], key: str, words: str
) -> None:
    tree[key] = 3
    (problem,) = problems_of(tree)
    assert words in str(problem.advice)


def test_the_loss_of_another_library(problems_of: ProblemsOf, tree: dict[str, Any]) -> None:
    tree["reconstruction"] = "mse"
    (problem,) = problems_of(tree)
    assert problem.advice == "did you mean 'squared_error'?"


def test_every_hint_names_a_type_or_a_key_that_there_is() -> None:
    layers = default_vocabulary().layers
    assert {ours for meant in hints._TYPES.values() for ours in meant} <= set(layers)
    assert not set(hints._TYPES) & set(layers)
    keys = {field.name for kind in layers.values() for field in kind.fields}
    keys |= {"layers", "reconstruction", "learning_rate", "epochs"}
    keys |= {field.name for field in DATA_FIELDS}
    assert {ours for meant in hints._KEYS.values() for ours in meant} <= keys


def test_keys_of_an_embedding(problems_of: ProblemsOf, tree: dict[str, Any]) -> None:
    tree["layers"][2] = {"type": "Embedding", "input_dim": 12, "output_dim": 3}
    advice = [str(problem.advice) for problem in problems_of(tree)]
    assert advice[:2] == ["did you mean 'blocks'?", "did you mean 'num_units'?"]


@pytest.mark.parametrize(
    ("key", "value", "advice"),
    [
        ("columns", {"city": "one-hot"}, "did you mean 'category'?"),
        ("columns", {"padding": "float"}, "did you mean 'number'?"),
        ("columns", {"code": "drop"}, "did you mean 'ignore'?"),
        ("columns", {"code": "categorical"}, "did you mean 'category'?"),
        ("gaps", "drop", "rows cannot be dropped here"),
        ("missing", "mask", "did you mean 'gaps'?"),
        ("delimiter", ";", "did you mean 'separator'?"),
    ],
)
def test_words_of_data_frames(
    problems_of: ProblemsOf, tree: dict[str, Any], key: str, value: Any, advice: str
) -> None:
    (problem,) = problems_of({**tree, "data": {key: value}})
    assert str(problem.advice).startswith(advice)


def test_words_of_data_frames_on_the_command_line() -> None:
    with pytest.raises(SpecError, match="did you mean 'gaps'"):
        data_section(["data.missing=mask"])
