from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from archbuild.errors import Problem

ProblemsOf = Callable[..., tuple[Problem, ...]]


@pytest.mark.parametrize("document", [None, 3, "text", True, [1]])
def test_a_spec_is_a_mapping(problems_of: ProblemsOf, document: Any) -> None:
    (problem,) = problems_of(document)
    assert "mapping" in problem.message


def test_misspelt_key(problems_of: ProblemsOf, tree: dict[str, Any]) -> None:
    tree["layers"][3]["num_unit"] = 3
    (problem,) = problems_of(tree)
    assert problem.message == "unknown key 'num_unit'"
    assert problem.dotted_path == "layers[3].num_unit"
    assert str(problem.allowed).startswith("type, num_units, non_linearity, use_bias")
    assert problem.advice == "did you mean 'num_units'?"


@pytest.mark.parametrize(
    ("key", "meant"),
    [("batchsize", "batch_size"), ("Layer", "layers"), ("zebra", None), ("pre_train", "pretrain")],
)
def test_misspelt_top_key(
    problems_of: ProblemsOf, tree: dict[str, Any], key: str, meant: str | None
) -> None:
    tree[key] = 1
    (problem,) = problems_of(tree)
    assert problem.path == (key,)
    assert problem.advice == (f"did you mean '{meant}'?" if meant else "leave it out")
    assert "batch_size, use_batch_norm" in str(problem.allowed)


def test_unknown_layer(problems_of: ProblemsOf, tree: dict[str, Any]) -> None:
    tree["layers"][1] = {"type": "conv2d", "anything": 1}
    (problem,) = problems_of(tree)
    assert problem.dotted_path == "layers[1].type"
    assert problem.received == '"conv2d"'
    assert problem.advice == "did you mean 'Conv2D'?"
    assert "MaxPool2D*" in str(problem.allowed)
    assert "Unpool2D" not in str(problem.allowed)


def test_layer_of_the_other_side(problems_of: ProblemsOf, tree: dict[str, Any]) -> None:
    tree["layers"][2] = {"type": "Unpool2D", "filter_size": 2}
    tree["decoder"] = [{"type": "Input", "output_shape": [64]}]
    on_encoder, on_decoder = problems_of(tree)
    assert on_encoder.message == "Unpool2D can stand in the decoder only"
    assert on_decoder.message == "Input can stand in the encoder only"


@pytest.mark.parametrize(
    ("key", "value", "path", "words", "allowed"),
    [
        ("num_filters", "many", "num_filters", "wrong type", "a whole number from 1"),
        ("num_filters", True, "num_filters", "wrong type", "a whole number"),
        ("num_filters", 4.5, "num_filters", "wrong type", "a whole number"),
        ("num_filters", -4, "num_filters", "too small", "from 1"),
        ("num_filters", 0, "num_filters", "too small", "from 1"),
        ("num_filters", 10**12, "num_filters", "too large", "to 10,000,000"),
        ("num_filters", None, "num_filters", "wrong type", "a whole number"),
        ("filter_size", [3], "filter_size", "too few", "a list of 2"),
        ("filter_size", [3, 3, 3], "filter_size", "too many", "a list of 2"),
        ("filter_size", [3, -3], "filter_size[1]", "too small", "from 1"),
        ("filter_size", [3, "x"], "filter_size[1]", "wrong type", "a whole number"),
        ("filter_size", 0, "filter_size", "too small", "from 1"),
        ("filter_size", "big", "filter_size", "wrong type", " or a list of 2"),
        ("non_linearity", "rectified", "non_linearity", "not on offer", "rectify, relu"),
        ("non_linearity", 3, "non_linearity", "wrong type", "rectify, relu"),
    ],
)
def test_leaf_problems(
    problems_of: ProblemsOf,
    tree: dict[str, Any],
    key: str,
    value: Any,
    path: str,
    words: str,
    allowed: str,
) -> None:
    tree["layers"][1][key] = value
    problem = problems_of(tree)[0]
    assert problem.dotted_path == f"layers[1].{path}"
    assert words in problem.message
    assert allowed in str(problem.allowed)
    assert problem.received


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_numbers_are_finite(problems_of: ProblemsOf, tree: dict[str, Any], value: float) -> None:
    tree["pretrain"] = {"learning_rate": value}
    (problem,) = problems_of(tree)
    assert problem.message == "learning_rate is not a finite number"


@pytest.mark.parametrize(
    ("change", "path", "advice"),
    [
        ({"use_batch_norm": 1}, "use_batch_norm", "write true"),
        ({"use_batch_norm": "off"}, "use_batch_norm", "write false"),
        ({"batch_size": 64.0}, "batch_size", "write 64"),
        ({"batch_size": "64"}, "batch_size", "leave the quotes out"),
        ({"pretrain": {"learning_rate": "1e-3"}}, "pretrain.learning_rate", "leave the quotes out"),
        ({"batch_size": "many"}, "batch_size", None),
        ({"batch_size": [64]}, "batch_size", None),
        ({"reconstruction": "bernouli"}, "reconstruction", "did you mean 'bernoulli'?"),
        ({"scaling": "standardize"}, "scaling", "did you mean 'standardise'?"),
    ],
)
def test_advice(
    problems_of: ProblemsOf, tree: dict[str, Any], change: Any, path: str, advice: str | None
) -> None:
    (problem,) = problems_of({**tree, **change})
    assert problem.dotted_path == path
    assert problem.advice == advice


@pytest.mark.parametrize(
    ("value", "allowed"),
    [
        ("automatic", "auto or a whole number from 1 to 10,000"),
        (2.5, "auto or a whole number from 1 to 10,000"),
        (0, "a whole number from 1 to 10,000"),
    ],
)
def test_a_word_in_place_of_a_number_is_offered(
    problems_of: ProblemsOf, tree: dict[str, Any], value: Any, allowed: str
) -> None:
    (problem,) = problems_of({**tree, "head": {"n_clusters": value}})
    assert problem.dotted_path == "head.n_clusters"
    assert problem.allowed == allowed


@pytest.mark.parametrize("name", ["", "a/b", "../up", ".hidden", "two words", "-x", "é", "x" * 121])
def test_names_can_be_folders(problems_of: ProblemsOf, tree: dict[str, Any], name: str) -> None:
    (problem,) = problems_of({**tree, "name": name})
    assert problem.path == ("name",)
    assert "letters, digits" in str(problem.allowed)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"layers": {}}, "layers has the wrong type"),
        ({"layers": []}, "layers has the wrong number of entries"),
        ({"layers": [{"type": "Input", "output_shape": [4]}]}, "layers has the wrong number"),
        ({"layers": [{"type": "Input", "output_shape": [4]}] * 501}, "layers has the wrong number"),
        ({"layers": ["Input", "Dense"]}, "each layer is a mapping"),
        ({"layers": [{"num_units": 3}] * 2}, "the layer's type is missing"),
        ({"layers": [{"type": ["Dense"]}] * 2}, "no such layer type"),
        ({"decoder": "miror"}, "decoder has the wrong type"),
        ({"decoder": []}, "decoder has the wrong number of entries"),
        ({"head": "kld"}, "head has the wrong type"),
        ({"head": {"type": "kldd"}}, "there is no such head"),
        ({"head": {"type": {}}}, "there is no such head"),
        ({"augment": True}, "augment has the wrong type"),
        ({"augment": {"rotate": 200}}, "rotate is too large"),
        ({"augment": {"crop": 1.0}}, "crop is too large"),
        ({"augment": {"flip": 0.5}}, "flip has the wrong type"),
        ({"augment": {"jiter": 0.5}}, "unknown key 'jiter'"),
        ({"pretrain": []}, "pretrain has the wrong type"),
        ({"cluster": {"optimizer": "lion"}}, "not on offer"),
        ({"train": {"lowest_rate": -1}}, "lowest_rate is too small"),
        ({"train": {"decay_steps": 0}}, "decay_steps is too small"),
        ({"spec_version": 1.5}, "version"),
    ],
)
def test_shapes_of_sections(
    problems_of: ProblemsOf, tree: dict[str, Any], change: Any, words: str
) -> None:
    assert words in problems_of({**tree, **change})[0].message


def test_required_keys(problems_of: ProblemsOf, tree: dict[str, Any]) -> None:
    del tree["name"], tree["layers"][3]["num_units"]
    assert {problem.message for problem in problems_of(tree)} == {
        "name is missing",
        "num_units is missing",
    }


def prior(**head: Any) -> dict[str, Any]:
    """A head whose weights may be schedules."""
    return {"head": {"type": "gmm", **head}}


@pytest.mark.parametrize(
    ("schedule", "path", "message", "allowed", "advice"),
    [
        (
            {"end": 1, "rmap": 5},
            "rmap",
            "unknown key 'rmap'",
            "start, end, ramp, hold",
            "did you mean 'ramp'?",
        ),
        ({"ramp": 5}, "end", "end is missing", "a number from 0", "add end: Value at the end"),
        ({"end": 1, "ramp": -5}, "ramp", "ramp is too small", "a number above 0", ""),
        ({"end": 1, "ramp": 0}, "ramp", "ramp is too small", "a number above 0", ""),
        ({"end": "one", "ramp": 5}, "end", "wrong type", "a number from 0", ""),
        ({"end": "1", "ramp": 5}, "end", "wrong type", "a number", "leave the quotes out"),
        ({"end": 1, "ramp": 5, "repeat": 1}, "repeat", "wrong type", "true or", "write true"),
        (
            {"end": 1, "ramp": 5, "unit": "epoch"},
            "unit",
            "not on offer",
            "epochs, steps",
            "did you mean 'epochs'?",
        ),
        ({"end": float("nan"), "ramp": 5}, "end", "end is not a finite number", "", ""),
    ],
)
def test_a_schedule_is_looked_at_key_by_key(
    problems_of: ProblemsOf,
    tree: dict[str, Any],
    schedule: dict[str, Any],
    path: str,
    message: str,
    allowed: str,
    advice: str,
) -> None:
    problem = problems_of({**tree, **prior(kl_weight=schedule)})[0]
    assert problem.dotted_path == f"head.kl_weight.{path}"
    assert message in problem.message
    assert allowed in str(problem.allowed)
    assert advice in str(problem.advice)


@pytest.mark.parametrize("value", ["big", [0, 1], True, None])
def test_what_is_no_schedule_at_all(
    problems_of: ProblemsOf, tree: dict[str, Any], value: Any
) -> None:
    (problem,) = problems_of({**tree, **prior(kl_weight=value)})
    assert problem.dotted_path == "head.kl_weight"
    assert problem.message == "kl_weight has the wrong type"
    assert problem.allowed == (
        "a number from 0 or a mapping with end and ramp "
        "(optional: start, hold, power, repeat, unit)"
    )


def test_a_negative_weight(problems_of: ProblemsOf, tree: dict[str, Any]) -> None:
    (problem,) = problems_of({**tree, **prior(kl_weight=-1)})
    assert (problem.message, problem.allowed) == ("kl_weight is too small", "a number from 0")


def test_a_section_of_a_head_is_looked_at_key_by_key(
    problems_of: ProblemsOf, tree: dict[str, Any]
) -> None:
    problems = problems_of({**tree, **prior(gamma_training={"weight": -1, "lenght": 4})})
    assert {problem.dotted_path: problem.message for problem in problems} == {
        "head.gamma_training.lenght": "unknown key 'lenght'",
        "head.gamma_training.length": "length is missing",
        "head.gamma_training.weight": "weight is too small",
    }
    (whole,) = problems_of({**tree, **prior(gamma_training=5)})
    assert whole.allowed == "a mapping with weight and length (optional: unit) or null"


GMM = {"type": "gmm"}


@pytest.mark.parametrize(
    ("modules", "path", "message", "allowed", "advice"),
    [
        ("gmm", "", "modules has the wrong type", "a list of 1 to 3, each a mapping", ""),
        (None, "", "modules has the wrong type", "(type: gmm, markov, topics)", ""),
        (GMM, "", "modules has the wrong type", "a list of 1 to 3", ""),
        ([], "", "modules has too few entries", "a list of 1 to 3", ""),
        ([GMM, GMM, "x", GMM], "", "modules has too many entries", "a list of 1 to 3", ""),
        ([GMM, "gmm"], "[1]", "each module is a mapping", "such as {type: gmm}", ""),
        ([{"sweeps": 3}], "[0].type", "the module's type is missing", "gmm, markov, topics", ""),
        (
            [GMM, {"type": "markow", "x": 1}],
            "[1].type",
            "there is no such module type",
            "gmm, markov, topics",
            "did you mean 'markov'?",
        ),
        ([{"type": ["gmm"]}], "[0].type", "there is no such module type", "gmm, markov", ""),
        (
            [{**GMM, "sweep": 3}],
            "[0].sweep",
            "unknown key 'sweep'",
            "type, sweeps, inference, scale, weight",
            "did you mean 'sweeps'?",
        ),
        ([{"type": "markov", "sweeps": 3}], "[0].sweeps", "unknown key", "type", "leave it out"),
        ([{"type": "topics"}], "[0].count", "count is missing", "a whole", "add count: How many."),
        ([GMM, {**GMM, "sweeps": 0}], "[1].sweeps", "sweeps is too small", "from 1", ""),
        ([{**GMM, "scale": float("nan")}], "[0].scale", "scale is not a finite number", "", ""),
        ([{**GMM, "weight": {"end": -1, "ramp": 2}}], "[0].weight.end", "too small", "from 0", ""),
        (
            [{"type": "topics", "count": 2, "words": [{"type": "plane"}]}],
            "[0].words[0].type",
            "there is no such entry type",
            "plain",
            "did you mean 'plain'?",
        ),
    ],
)
def test_entries_are_looked_at_like_layers(
    problems_of: ProblemsOf,
    tree: dict[str, Any],
    modules: Any,
    path: str,
    message: str,
    allowed: str,
    advice: str,
) -> None:
    (problem,) = problems_of({**tree, "head": {"type": "modular", "modules": modules}})
    assert problem.dotted_path == f"head.modules{path}"
    assert message in problem.message
    assert allowed in str(problem.allowed)
    assert advice in str(problem.advice)


def test_every_entry_with_a_problem_is_named(problems_of: ProblemsOf, tree: dict[str, Any]) -> None:
    modules = [{**GMM, "sweeps": "5", "x": 1}, GMM, {"type": "topics", "count": 2, "words": []}]
    problems = problems_of({**tree, "head": {"type": "modular", "modules": modules}})
    assert {problem.dotted_path: problem.message for problem in problems} == {
        "head.modules[0].x": "unknown key 'x'",
        "head.modules[0].sweeps": "sweeps has the wrong type",
        "head.modules[2].words": "words has too few entries",
    }


def test_messages_never_hold_a_schema(problems_of: ProblemsOf, tree: dict[str, Any]) -> None:
    tree["layers"] = [{"type": "Dense", "num_units": {"a": list(range(1000))}}] * 2
    tree["head"] = {"type": "modular", "modules": [GMM] * 1000, "readers": {}}
    text = "\n".join(map(str, problems_of(tree)))
    assert len(text) < 1000
    for word in ("$ref", "anyOf", "additionalProperties", "Traceback"):
        assert word not in text
