"""The mirror: architectures whose decoder is known, and what is said of those that have none."""

from __future__ import annotations

from typing import Any

import pytest

from archbuild.errors import Problem, SpecError
from archbuild.spec import Plan, Vocabulary, make_plan, resolve
from archbuild.spec.decoder import output_index

Tree = dict[str, Any]

IMAGE = {"type": "Input", "output_shape": [1, 28, 28]}
POOL = {"type": "MaxPool2D", "filter_size": 2}
SWITCHED = {"type": "MaxPool2D*", "filter_size": 2}


def conv(filters: int, kernel: int, **fields: Any) -> Tree:
    return {"type": "Conv2D", "num_filters": filters, "filter_size": kernel, **fields}


def dense(units: int, **fields: Any) -> Tree:
    return {"type": "Dense", "num_units": units, **fields}


def inputs(*shape: int) -> Tree:
    return {"type": "Input", "output_shape": list(shape)}


def plan_of(vocabulary: Vocabulary, *layers: Tree, **keys: Any) -> Plan:
    """Plan without the semantic checks, which would come first and call ``make_plan``."""
    tree = {"spec_version": 1, "name": "test", "layers": list(layers), **keys}
    return make_plan(resolve(tree, vocabulary), vocabulary)


def problems_of(vocabulary: Vocabulary, *layers: Tree, **keys: Any) -> tuple[Problem, ...]:
    with pytest.raises(SpecError) as caught:
        plan_of(vocabulary, *layers, **keys)
    return caught.value.problems


def listed(plan: Plan) -> list[str]:
    """The decoder in a few words for each layer."""
    words = []
    for layer in plan.decoder:
        config = layer.config
        if layer.type == "Reshape":
            words.append(f"Reshape {list(layer.output_shape)}")
        elif layer.type == "Dense":
            words.append(f"Dense {config['num_units']} {config['non_linearity']}")
        elif layer.type.startswith("Deconv"):
            size, mode = config["filter_size"], config["conv_mode"]
            kind = f"{config['num_filters']}@{size} {mode} {config['non_linearity']}"
            words.append(f"{layer.type} {kind}")
        else:
            words.append(layer.type)
    return words


def test_tum_arch_0(vocabulary: Vocabulary) -> None:
    same = {"conv_mode": "same"}
    layers = [IMAGE, conv(32, 3, **same), POOL, conv(64, 3, **same), POOL, dense(3136), dense(32)]
    plan = plan_of(vocabulary, *layers)
    assert listed(plan) == [
        "Dense 3136 rectify",
        "Reshape [64, 7, 7]",
        "Unpool2D",
        "Deconv2D 32@3 same rectify",
        "Unpool2D",
        "Deconv2D 1@3 same rectify",
    ]
    assert [layer.mirrors for layer in plan.decoder] == [5, 4, 4, 3, 2, 1]
    assert plan.parameters == 10_079_073


def test_tum_arch_1(vocabulary: Vocabulary) -> None:
    last = conv(120, 4, non_linearity="linear")
    plan = plan_of(
        vocabulary,
        IMAGE,
        conv(50, 5),
        SWITCHED,
        conv(50, 5),
        SWITCHED,
        last,
        use_batch_norm=True,
    )
    assert listed(plan) == [
        "Deconv2D 50@4 valid linear",
        "InverseMaxPool2D",
        "Deconv2D 50@5 valid rectify",
        "InverseMaxPool2D",
        "Deconv2D 1@5 valid rectify",
    ]
    assert [layer.batch_norm for layer in plan.decoder] == [True, False, True, False, False]
    assert [layer.config.get("inverse_of") for layer in plan.decoder] == [None, 4, None, 2, None]
    assert plan.latent_size == 120
    assert plan.needs_switches


def test_dense_autoencoder(vocabulary: Vocabulary) -> None:
    layers = [dense(500), dense(500), dense(2000), dense(10, non_linearity="linear")]
    plan = plan_of(vocabulary, IMAGE, *layers, output_non_linearity="sigmoid")
    assert listed(plan) == [
        "Dense 2000 rectify",
        "Dense 500 rectify",
        "Dense 500 rectify",
        "Dense 784 sigmoid",
        "Reshape [1, 28, 28]",
    ]
    flat = plan_of(vocabulary, inputs(784), *layers)
    assert listed(flat)[-1] == "Dense 784 rectify"


def test_names_and_parameters(vocabulary: Vocabulary) -> None:
    plan = plan_of(vocabulary, IMAGE, conv(4, 3), SWITCHED, dense(5), use_batch_norm=True)
    names = [layer.name for layer in plan.encoder + plan.decoder]
    assert names[2:5] == ["encoder_2_maxpool2d_switched", "encoder_3_dense", "decoder_0_dense"]
    assert len(set(names)) == len(names)
    # 3x3 weights for 4 filters without bias, four numbers of batch normalisation for each.
    assert plan.encoder[1].parameters == 9 * 4 + 4 * 4
    assert plan.decoder[-1].parameters == 9 * 4 + 1


def test_convolutions_come_back_to_odd_sizes(vocabulary: Vocabulary) -> None:
    layers = [
        inputs(1, 15, 14),
        conv(2, 3, stride=2, conv_mode="same"),
        conv(3, 4, stride=3, padding=1),
    ]
    plan = plan_of(vocabulary, *layers)
    assert [layer.output_shape for layer in plan.decoder] == [(2, 8, 7), (1, 15, 14)]


def test_completion_takes_the_non_linearity_of_what_it_rebuilds(vocabulary: Vocabulary) -> None:
    plan = plan_of(vocabulary, IMAGE, conv(4, 3, non_linearity="elu"), POOL, dense(9))
    assert listed(plan)[:2] == ["Dense 676 elu", "Reshape [4, 13, 13]"]


@pytest.mark.parametrize("bottleneck", [[], [{"type": "Flatten"}], [{"type": "BatchNorm"}]])
def test_what_only_reshapes_or_scales_the_code_is_passed_over(
    vocabulary: Vocabulary, bottleneck: list[Tree]
) -> None:
    after_dense = plan_of(vocabulary, inputs(8), dense(6), dense(3), *bottleneck)
    assert listed(after_dense) == ["Dense 6 rectify", "Dense 8 rectify"]
    after_conv = plan_of(vocabulary, inputs(1, 6, 6), conv(2, 3), *bottleneck)
    assert listed(after_conv)[-1] == "Deconv2D 1@3 valid rectify"


@pytest.mark.parametrize("shape", [(64,), (1, 8, 8)])
def test_a_code_as_long_as_the_input_is_decoded_all_the_same(
    vocabulary: Vocabulary, shape: tuple[int, ...]
) -> None:
    plan = plan_of(vocabulary, inputs(*shape), dense(64))
    assert listed(plan)[0] == "Dense 64 rectify"
    assert plan.decoder[-1].output_shape == shape


def test_dropout_and_concat_have_no_inverse(vocabulary: Vocabulary) -> None:
    layers = [
        inputs(8),
        dense(6),
        {"type": "Dropout", "rate": 0.1},
        dense(4),
        {"type": "Concat", "of": [1, 3]},
        dense(2),
    ]
    plan = plan_of(vocabulary, *layers)
    assert plan.encoder[4].output_shape == (10,)
    assert listed(plan) == ["Dense 4 rectify", "Dense 6 rectify", "Dense 8 rectify"]


def test_bernoulli_works_on_logits(vocabulary: Vocabulary) -> None:
    keys = {"reconstruction": "bernoulli", "output_non_linearity": "sigmoid"}
    assert listed(plan_of(vocabulary, inputs(8), dense(2), **keys)) == ["Dense 8 linear"]
    own = plan_of(vocabulary, inputs(8), dense(2), decoder=[dense(5), dense(8)], **keys)
    assert listed(own) == ["Dense 5 rectify", "Dense 8 linear"]


def test_gaussian_reconstruction_doubles_the_output_layer(vocabulary: Vocabulary) -> None:
    layers = [inputs(1, 2, 4), dense(3), dense(2)]
    plan = plan_of(vocabulary, *layers, reconstruction="gaussian")
    assert [layer.parameters for layer in plan.decoder] == [9, 2 * 32, 0]


def test_counts_are_reconstructed_by_logits_and_a_dispersion(vocabulary: Vocabulary) -> None:
    keys = {"reconstruction": "negative_binomial", "output_non_linearity": "sigmoid"}
    plan = plan_of(vocabulary, inputs(8), dense(3), dense(2), **keys)
    assert listed(plan) == ["Dense 3 rectify", "Dense 8 linear"]
    assert [layer.parameters for layer in plan.decoder] == [9, 32 + 8]
    keys["reconstruction"] = "zero_inflated_negative_binomial"
    plan = plan_of(vocabulary, inputs(8), dense(3), dense(2), **keys)
    assert [layer.parameters for layer in plan.decoder] == [9, 2 * 32 + 8]


def test_output_index_is_the_last_layer_with_a_non_linearity(vocabulary: Vocabulary) -> None:
    plan = plan_of(vocabulary, IMAGE, POOL, conv(2, 3), dense(4))
    assert [layer.type for layer in plan.decoder] == ["Dense", "Reshape", "Deconv2D", "Unpool2D"]
    assert output_index(plan.decoder) == 2
    assert output_index([]) is None


# --- problems ---------------------------------------------------------------------------------


def test_all_problems_are_found_at_once(vocabulary: Vocabulary) -> None:
    problems = problems_of(
        vocabulary,
        IMAGE,
        conv(4, 29),
        POOL,
        dense(6),
        {"type": "Reshape", "output_shape": [7]},
        {"type": "MaxPool2D", "filter_size": 2},
        dense(2),
        decoder=[dense(5), conv(3, 3), dense(9), {"type": "Reshape", "output_shape": [1, 3, 4]}],
    )
    assert [problem.path for problem in problems] == [
        ("layers", 1),
        ("layers", 4),
        ("layers", 5),
        ("decoder", 1),
        ("decoder", 3),
    ]
    assert all(problem.message and problem.advice and not problem.line for problem in problems)


@pytest.mark.parametrize(
    ("decoder", "advice"),
    [
        ([dense(9)], "end with {type: Dense, num_units: 64} and {type: Reshape, output_shape: "),
        ([dense(64)], "end with {type: Reshape, output_shape: [1, 8, 8]}"),
    ],
)
def test_a_decoder_must_end_with_the_inputs_shape(
    vocabulary: Vocabulary, decoder: list[Tree], advice: str
) -> None:
    (problem,) = problems_of(vocabulary, inputs(1, 8, 8), dense(2), decoder=decoder)
    assert problem.path == ("decoder", 0)
    assert str(list(decoder[0].values())[1]) in problem.message
    assert "[1, 8, 8]" in problem.message
    assert str(problem.advice).startswith(advice)


def test_a_layer_on_the_wrong_side(vocabulary: Vocabulary) -> None:
    unpool = {"type": "Unpool2D", "filter_size": 2}
    (problem,) = problems_of(vocabulary, IMAGE, unpool, dense(2))
    assert (problem.path, problem.message) == (
        ("layers", 1),
        "Unpool2D cannot stand in the encoder",
    )


def test_gaussian_reconstruction_needs_weights(vocabulary: Vocabulary) -> None:
    unpool = {"type": "Unpool2D", "filter_size": 2}
    keys = {"decoder": [unpool], "reconstruction": "gaussian"}
    (problem,) = problems_of(vocabulary, IMAGE, POOL, **keys)
    assert problem.path == ("reconstruction",)


@pytest.mark.parametrize("layers", [[], [POOL], [{"type": "BatchNorm"}]])
def test_an_encoder_without_weights_is_refused(vocabulary: Vocabulary, layers: list[Tree]) -> None:
    (problem,) = problems_of(vocabulary, IMAGE, *layers)
    assert problem.path == ("layers",)
    assert "nothing to learn" in problem.message


def test_a_mirrored_batch_norm_is_no_decoder_yet(vocabulary: Vocabulary) -> None:
    plan = plan_of(vocabulary, inputs(3), {"type": "BatchNorm"}, dense(3))
    assert listed(plan) == ["BatchNorm", "Dense 3 linear"]


def test_a_layer_that_nobody_reads(vocabulary: Vocabulary) -> None:
    layers = [inputs(4), dense(3), dense(2), {"type": "Concat", "of": [0, 1]}]
    (problem,) = problems_of(vocabulary, *layers)
    assert problem.path == ("layers", 2)
    assert "2" in str(problem.advice)
    assert plan_of(vocabulary, *layers[:-1], {"type": "Concat", "of": [0, 2]}).latent_size == 6


def test_an_example_must_not_grow_without_bounds(vocabulary: Vocabulary) -> None:
    unpool = {"type": "Unpool2D", "filter_size": 30_000}
    problem = problems_of(vocabulary, IMAGE, conv(1, 5), decoder=[unpool])[0]
    assert problem.path == ("decoder", 0)
    assert "518,400,000,000 numbers" in problem.message


def test_too_many_parameters_in_a_mirrored_layer(vocabulary: Vocabulary) -> None:
    layers = [inputs(1, 1000, 1000), conv(8, 3, stride=2), dense(50)]
    problem = problems_of(vocabulary, *layers, max_parameters=10_000_000)[0]
    assert problem.path in {("layers", 1), ("layers", 2)}
    assert "parameters" in problem.message


# hierarchies of Gaussian layers


def gaussian(units: int, **fields: Any) -> Tree:
    return {"type": "Gaussian", "num_units": units, **fields}


LADDER = {"head": {"type": "ladder"}, "reconstruction": "bernoulli"}


def test_the_mirror_of_an_inner_gaussian_is_its_prior(vocabulary: Vocabulary) -> None:
    inner = gaussian(8, batch_norm=True)
    layers = [inputs(20), dense(12), inner, dense(6), gaussian(4), dense(5), gaussian(2)]
    plan = plan_of(vocabulary, *layers, **LADDER)
    names = [(layer.type, layer.output_shape[0]) for layer in plan.decoder]
    assert names == [
        ("Dense", 5),
        ("Gaussian", 4),
        ("Dense", 6),
        ("Gaussian", 8),
        ("Dense", 12),
        ("Dense", 20),
    ]
    assert [layer.mirrors for layer in plan.priors] == [4, 2]
    assert [layer.batch_norm for layer in plan.priors] == [False, True]
    assert plan.level_sizes == (8, 4, 2)
    assert plan.latent_size == 2


def test_a_lowest_level_as_long_as_the_input_is_decoded_all_the_same(
    vocabulary: Vocabulary,
) -> None:
    plan = plan_of(vocabulary, inputs(8), gaussian(8), dense(5), gaussian(2), **LADDER)
    assert [layer.type for layer in plan.decoder] == ["Dense", "Gaussian", "Dense"]


def test_inner_gaussians_are_for_heads_of_hierarchies(vocabulary: Vocabulary) -> None:
    (problem,) = problems_of(vocabulary, inputs(8), gaussian(4), gaussian(2))
    assert problem.path == ("layers", 1)
    assert "must be the last" in problem.message


@pytest.mark.parametrize("kind", ["Concat", "Add"])
def test_a_layer_must_not_read_past_a_level(vocabulary: Vocabulary, kind: str) -> None:
    past = {"type": kind, "of": [1, 2]}
    layers = [inputs(8), dense(4), gaussian(4), past, gaussian(2)]
    (problem,) = problems_of(vocabulary, *layers, **LADDER)
    assert problem.path == ("layers", 3)
    assert "on the other side of a Gaussian" in problem.message
    layers[3] = {"type": kind, "of": [2, 3]}
    layers.insert(3, dense(4))
    layers[4] = {"type": kind, "of": [2, 3]}
    assert plan_of(vocabulary, *layers, **LADDER).level_sizes == (4, 2)


@pytest.mark.parametrize(
    ("decoder", "path"),
    [
        ([dense(5), dense(8)], ("decoder",)),
        ([dense(5), gaussian(3), dense(8)], ("decoder",)),
        ([gaussian(4), gaussian(4), dense(8)], ("decoder",)),
        ([dense(5), gaussian(4), {"type": "Reshape", "output_shape": [4]}], ("decoder", 2)),
    ],
)
def test_a_stated_decoder_has_the_priors_of_the_levels(
    vocabulary: Vocabulary, decoder: list[Tree], path: tuple[str | int, ...]
) -> None:
    size = decoder[-1].get("num_units", 4)
    layers = [inputs(size), gaussian(4), gaussian(2)]
    problems = problems_of(vocabulary, *layers, decoder=decoder, **LADDER)
    assert path in [problem.path for problem in problems]
    right = [dense(5), gaussian(4), dense(size)]
    assert len(plan_of(vocabulary, *layers, decoder=right, **LADDER).priors) == 1


def test_a_gaussian_has_no_place_in_the_decoder_of_another_head(vocabulary: Vocabulary) -> None:
    decoder = [gaussian(4), dense(8)]
    (problem,) = problems_of(vocabulary, inputs(8), gaussian(2), decoder=decoder)
    assert "expected none, and it has [4]" in problem.message


def test_the_output_of_a_mirror_is_not_normalised(vocabulary: Vocabulary) -> None:
    layers = [inputs(6), dense(6, batch_norm=True), dense(4, batch_norm=True), dense(2)]
    plan = plan_of(vocabulary, *layers)
    assert [layer.batch_norm for layer in plan.decoder] == [True, False]
    stated = [dense(4, batch_norm=True), dense(6, batch_norm=True)]
    plan = plan_of(vocabulary, *layers, decoder=stated)
    assert [layer.batch_norm for layer in plan.decoder] == [True, True]


def test_what_has_the_places_of_the_input_is_mapped_place_by_place(vocabulary: Vocabulary) -> None:
    lstm = {"type": "LSTM", "num_units": 5}
    assert listed(plan_of(vocabulary, inputs(3, 12), lstm))[-1] == "Deconv1D 3@1 valid linear"
