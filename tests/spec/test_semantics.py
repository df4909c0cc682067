from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from archbuild.errors import Problem, SpecError
from archbuild.spec import Vocabulary, spec_from_tree
from archbuild.spec.top import OF_COUNTS

ProblemsOf = Callable[..., tuple[Problem, ...]]


def dense(*units: int, inputs: int = 4) -> list[dict[str, Any]]:
    layers: list[dict[str, Any]] = [{"type": "Input", "output_shape": [inputs]}]
    return layers + [{"type": "Dense", "num_units": count} for count in units]


def test_kernel_larger_than_its_input(problems_of: ProblemsOf, tree: dict[str, Any]) -> None:
    tree["layers"][1]["filter_size"] = [9, 3]
    (problem,) = problems_of(tree)
    assert problem.path[:2] == ("layers", 1)
    assert "9x3" in problem.message
    assert "8x8" in problem.message
    assert problem.advice


def test_pooling_to_zero(problems_of: ProblemsOf, tree: dict[str, Any]) -> None:
    tree["layers"][2]["filter_size"] = [7, 7]
    (problem,) = problems_of(tree)
    assert problem.path[:2] == ("layers", 2)
    assert problem.advice


def test_input_comes_first_and_once(problems_of: ProblemsOf, tree: dict[str, Any]) -> None:
    (late,) = problems_of({**tree, "layers": [*tree["layers"], tree["layers"][0]]})
    assert late.path == ("layers", 4, "type")
    (absent,) = problems_of({**tree, "layers": tree["layers"][1:]})
    assert absent.path == ("layers", 0, "type")
    assert "must be Input" in absent.message


def test_gaussian_is_the_last_layer(problems_of: ProblemsOf, tree: dict[str, Any]) -> None:
    tree["layers"].insert(3, {"type": "Gaussian", "num_units": 5})
    (problem,) = problems_of(tree)
    assert problem.path == ("layers", 3)
    assert "a Gaussian layer must be the last" in problem.message


def test_tables_are_not_rotated(problems_of: ProblemsOf, tree: dict[str, Any]) -> None:
    change = {"layers": dense(3), "augment": {"rotate": 10, "jitter": 0.1}}
    (problem,) = problems_of({**tree, **change})
    assert problem.path == ("augment", "rotate")
    assert problem.message == "rotate does not change tables"
    assert problem.received == "an Input of shape [4]"
    assert problem.allowed == "an Input of shape [channels, height, width]"
    assert "such rows can have jitter, magnitude, mask; or give the Input" in str(problem.advice)


def test_images_take_no_changes_of_series(problems_of: ProblemsOf, tree: dict[str, Any]) -> None:
    problems = problems_of({**tree, "augment": {"time_warp": 0.1, "jitter": 0.1, "noise": 0.1}})
    assert {problem.path for problem in problems} == {
        ("augment", "time_warp"),
        ("augment", "jitter"),
    }
    jitter = next(problem for problem in problems if problem.path[1] == "jitter")
    assert jitter.allowed == "an Input of shape [features] or [channels, length]"
    assert "noise" in str(jitter.advice)


def test_counts_are_not_jittered(problems_of: ProblemsOf, tree: dict[str, Any]) -> None:
    tree |= {"layers": dense(3), "reconstruction": OF_COUNTS[0]}
    tree |= {"output_non_linearity": "linear", "augment": {"jitter": 0.1, "magnitude": 0.1}}
    (problem,) = problems_of(tree)
    assert problem.path == ("augment", "jitter")
    assert "use magnitude or mask" in str(problem.advice)


def test_specs_of_before_resolve_to_what_they_were(
    vocabulary: Vocabulary, tree: dict[str, Any]
) -> None:
    spec = spec_from_tree({**tree, "augment": {"rotate": 10, "flip": False}}, vocabulary)
    assert spec.tree["augment"] == {"rotate": 10.0, "shift": 0.0}
    assert spec.augmentation == {"rotate": 10.0}
    assert spec_from_tree(spec.tree, vocabulary) == spec
    spec = spec_from_tree({**tree, "augment": {"flip": True}}, vocabulary)
    assert spec.augmentation == {"flip": True}
    assert spec_from_tree(tree, vocabulary).augmentation == {}


def test_augmenting_by_nothing_needs_no_images(
    vocabulary: Vocabulary, tree: dict[str, Any]
) -> None:
    for nothing in ({}, {"rotate": 0, "shift": 0}):
        spec_from_tree({**tree, "layers": dense(3), "augment": nothing}, vocabulary)


@pytest.mark.parametrize(
    ("key", "value"), [("scaling", "standardise"), ("reconstruction", OF_COUNTS[0])]
)
def test_what_is_binarised_lies_between_0_and_1(
    problems_of: ProblemsOf, vocabulary: Vocabulary, tree: dict[str, Any], key: str, value: str
) -> None:
    tree |= {"layers": dense(3), "binarise": "sample", "output_non_linearity": "linear"}
    assert spec_from_tree(tree, vocabulary).binarise == "sample"
    (problem,) = problems_of({**tree, key: value})
    assert problem.path == (key,)
    assert "binarise: sample" in problem.message


def test_a_batch_of_labelled_rows_is_filled(
    problems_of: ProblemsOf,
    vocabulary: Vocabulary,
    tree: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(vocabulary.heads["kld"], "labels_used", "some")
    section = {"labels": 6, "batch_size": 7}
    (problem,) = problems_of({**tree, "supervision": section})
    assert problem.path == ("supervision", "batch_size")
    assert problem.allowed == "at most 6"


def test_specs_that_binarise_nothing_are_those_of_before(
    vocabulary: Vocabulary, tree: dict[str, Any]
) -> None:
    spec = spec_from_tree({**tree, "binarise": "none"}, vocabulary)
    assert spec == spec_from_tree(tree, vocabulary)
    assert "binarise" not in spec.tree
    assert "binarise" not in spec.network_keys


@pytest.mark.parametrize("head", ["gmm", "gmvae"])
def test_a_prior_needs_a_bottleneck_with_a_variance(
    problems_of: ProblemsOf, vocabulary: Vocabulary, tree: dict[str, Any], head: str
) -> None:
    (problem,) = problems_of({**tree, "head": {"type": head}})
    assert problem.path == ("head",)
    assert "the bottleneck has no variance" in problem.message
    assert "{type: Gaussian, num_units: 5}" in str(problem.advice)
    tree["layers"][3] = {"type": "Gaussian", "num_units": 5}
    spec_from_tree({**tree, "head": {"type": head}}, vocabulary)


@pytest.mark.parametrize("head", ["gmm", "gmvae"])
def test_a_prior_needs_a_decoder_without_places_of_maxima(
    problems_of: ProblemsOf, tree: dict[str, Any], head: str
) -> None:
    tree["layers"][2]["type"] = "MaxPool2D*"
    tree["layers"][3] = {"type": "Gaussian", "num_units": 5}
    (problem,) = problems_of({**tree, "head": {"type": head}})
    assert "generates rows from latents alone" in problem.message
    assert problem.advice == "use MaxPool2D in place of MaxPool2D*"


def test_a_million_million_parameters(problems_of: ProblemsOf, tree: dict[str, Any]) -> None:
    tree["layers"] = dense(1_000_000, 1_000_000, 10)
    (problem,) = problems_of(tree)
    assert problem.path == ("layers", 2)
    assert "1,000,001,000,000" in problem.message
    assert "Dense" in problem.message
    assert "500,000,000" in str(problem.allowed)


def test_the_limit_of_parameters_can_be_moved(
    vocabulary: Vocabulary, problems_of: ProblemsOf, tree: dict[str, Any]
) -> None:
    tree["layers"] = dense(30_000, 30_000, 10)
    assert "900,030,000" in problems_of(tree)[0].message
    spec_from_tree({**tree, "max_parameters": 10**10}, vocabulary)
    (problem,) = problems_of({**tree, "layers": dense(3), "max_parameters": 5})
    assert str(problem.allowed).startswith("5 parameters")


def test_the_decoders_own_layer_is_named(problems_of: ProblemsOf, tree: dict[str, Any]) -> None:
    tree["layers"] = dense(10)
    tree["decoder"] = [
        {"type": "Dense", "num_units": 10_000_000},
        {"type": "Dense", "num_units": 4},
    ]
    tree["max_parameters"] = 1000
    (problem,) = problems_of(tree)
    assert problem.path == ("decoder", 0)
    assert "150,000,054 parameters, 110,000,000 of them in this Dense" in problem.message


def test_a_row_that_no_machine_can_hold(problems_of: ProblemsOf, tree: dict[str, Any]) -> None:
    tree["layers"][0]["output_shape"] = [100, 100_000, 100_000]
    problem = problems_of(tree)[0]
    assert problem.path == ("layers", 0)
    assert "1,000,000,000,000 numbers" in problem.message


def test_the_bottleneck_can_be_clustered(problems_of: ProblemsOf, tree: dict[str, Any]) -> None:
    tree["layers"] = [
        {"type": "Input", "output_shape": [1, 400, 400]},
        {"type": "Conv2D", "num_filters": 1, "filter_size": 3, "conv_mode": "same"},
    ]
    (problem,) = problems_of(tree)
    assert problem.path == ("layers", 1)
    assert "160,000" in problem.message


def test_a_head_says_what_it_cannot_do(problems_of: ProblemsOf, tree: dict[str, Any]) -> None:
    tree["head"] = {"type": "picky", "n_clusters": 6}
    (problem,) = problems_of(tree)
    assert problem.path == ("head", "n_clusters")
    assert (problem.message, problem.received) == ("more clusters than dimensions", "6")
    assert problem.advice == "ask for fewer"


def test_shapes_are_followed_although_other_parts_are_wrong(
    problems_of: ProblemsOf, tree: dict[str, Any]
) -> None:
    tree["layers"][1]["filter_size"] = 99
    tree |= {"name": "a b", "batch_size": 0, "head": {"type": "none"}, "augment": 3, "what": 1}
    assert {problem.path[0] for problem in problems_of(tree)} == {
        "name",
        "batch_size",
        "head",
        "augment",
        "what",
        "layers",
    }


@pytest.mark.parametrize("name", [None, "bad name"])
def test_a_name_does_not_hide_the_rest(
    problems_of: ProblemsOf, tree: dict[str, Any], name: str | None
) -> None:
    tree["layers"][1]["filter_size"] = 99
    tree = {**tree, "name": name} if name else {k: v for k, v in tree.items() if k != "name"}
    assert len(problems_of(tree)) == 2


def test_a_stated_decoder_says_its_own_output(vocabulary):
    layers = [{"type": "Input", "output_shape": [6]}, {"type": "Dense", "num_units": 2}]
    decoder = [{"type": "Dense", "num_units": 6, "non_linearity": "linear"}]
    tree = {"spec_version": 1, "name": "s", "layers": layers, "decoder": decoder}
    assert spec_from_tree(tree, vocabulary).output_non_linearity == "linear"
    with pytest.raises(SpecError, match="ends with its own non-linearity"):
        spec_from_tree({**tree, "output_non_linearity": "sigmoid"}, vocabulary)


def test_standardised_data_need_an_output_below_zero(vocabulary):
    layers = [{"type": "Input", "output_shape": [6]}, {"type": "Dense", "num_units": 2}]
    tree = {"spec_version": 1, "name": "s", "layers": layers, "scaling": "standardise"}
    with pytest.raises(SpecError, match="output_non_linearity: linear"):
        spec_from_tree(tree, vocabulary)
    spec_from_tree({**tree, "output_non_linearity": "linear"}, vocabulary)


def test_a_head_with_problems_leaves_those_of_the_network_to_be_found(
    tree: dict[str, Any], problems_of: ProblemsOf
) -> None:
    tree["head"] = {"type": "picky", "n_clusters": "many"}
    tree["supervision"] = {"labels": "all"}
    tree["layers"].append({"type": "Reshape", "output_shape": [7]})
    paths = [problem.path for problem in problems_of(tree)]
    assert paths == [("head", "n_clusters"), ("layers", len(tree["layers"]) - 1)]


@pytest.mark.parametrize("kind", OF_COUNTS)
def test_a_likelihood_of_counts_takes_tables_of_counts_as_they_are(vocabulary, kind):
    layers = [{"type": "Input", "output_shape": [6]}, {"type": "Dense", "num_units": 2}]
    tree = {"spec_version": 1, "name": "s", "layers": layers, "reconstruction": kind}
    spec_from_tree(tree, vocabulary)
    image = [{"type": "Input", "output_shape": [1, 4, 4]}, *layers[1:]]
    for change, path in (
        ({"layers": image}, "reconstruction"),
        ({"scaling": "minmax"}, "scaling"),
        ({"data": {"counts": "log_normalise"}}, "data.counts"),
    ):
        with pytest.raises(SpecError) as caught:
            spec_from_tree({**tree, **change}, vocabulary)
        assert path in str(caught.value)


def test_an_embedded_column_needs_its_layer(problems_of: ProblemsOf, tree: dict[str, Any]) -> None:
    columns = {"city": "embedding", "shop": "embedding", "age": "number"}
    layers = dense(3, inputs=6)
    layers.insert(1, {"type": "Embedding", "blocks": {"shop": [0, 4]}})
    plain = {key: tree[key] for key in ("spec_version", "name")}
    (problem,) = problems_of({**plain, "layers": layers, "data": {"columns": columns}})
    assert problem.path == ("data", "columns", "city")
    assert "archbuild new --for DATA --set data.columns.city=embedding" in (problem.advice or "")
