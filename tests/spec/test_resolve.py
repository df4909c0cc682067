from __future__ import annotations

import json
from typing import Any

import pytest

from archbuild.spec import Vocabulary, resolve, spec_from_tree


def test_defaults_are_filled_in(vocabulary: Vocabulary, tree: dict[str, Any]) -> None:
    spec = resolve(tree, vocabulary)
    assert (spec.batch_size, spec.use_batch_norm, spec.decoder, spec.augment) == (
        256,
        False,
        None,
        None,
    )
    assert spec.layers[1].config["stride"] == 1
    assert spec.layers[1].config["conv_mode"] == "valid"
    assert spec.input_shape == (1, 8, 8)
    assert spec.pretrain["epochs"] == 50
    assert spec.pretrain["schedule"] == "one_cycle"
    assert spec.cluster["epochs"] == 20
    assert spec.cluster["learning_rate"] == 5e-4


def test_absent_head_is_kld(vocabulary: Vocabulary, tree: dict[str, Any]) -> None:
    spec = resolve(tree, vocabulary)
    assert spec.head.type == "kld"
    assert spec.head.config["n_clusters"] is None
    without = Vocabulary(vocabulary.layers, {"picky": vocabulary.heads["picky"]})
    with pytest.raises(KeyError, match="kld"):
        resolve(tree, without)


def test_output_non_linearity_is_the_first_encoder_layers(
    vocabulary: Vocabulary, tree: dict[str, Any]
) -> None:
    tree["layers"][1]["non_linearity"] = "elu"
    assert resolve(tree, vocabulary).output_non_linearity == "elu"
    tree["output_non_linearity"] = "sigmoid"
    assert resolve(tree, vocabulary).output_non_linearity == "sigmoid"
    tree["layers"] = [tree["layers"][0], {"type": "Flatten"}]
    del tree["output_non_linearity"]
    assert resolve(tree, vocabulary).output_non_linearity == "linear"


def test_the_tree_is_canonical(vocabulary: Vocabulary, tree: dict[str, Any]) -> None:
    tree |= {
        "augment": {"rotate": 10},
        "head": {"n_clusters": 7},
        "pretrain": None,
        "cluster": {"warm_up": 1},
        "decoder": [
            {"type": "Dense", "num_units": 64},
            {"type": "Reshape", "output_shape": [1, 8, 8]},
        ],
    }
    spec = spec_from_tree(tree, vocabulary)
    text = json.dumps(spec.tree)
    assert resolve(json.loads(text), vocabulary) == spec
    again = spec_from_tree(json.loads(text), vocabulary)
    assert again == spec
    assert json.dumps(again.tree) == text
    assert spec.tree["spec_version"] == 1
    assert spec.tree["head"]["n_clusters"] == 7
    assert spec.decoder is not None
    assert [layer.type for layer in spec.decoder] == ["Dense", "Reshape"]


def test_one_and_one_point_zero_are_the_same_number(
    vocabulary: Vocabulary, tree: dict[str, Any]
) -> None:
    texts = {
        json.dumps(resolve({**tree, "cluster": {"warm_up": value}}, vocabulary).tree)
        for value in (1, 1.0)
    }
    assert len(texts) == 1


FULL = {
    "start": 0.0,
    "end": 1.0,
    "ramp": 5.0,
    "hold": 0.0,
    "power": 1.0,
    "repeat": False,
    "unit": "epochs",
}


@pytest.mark.parametrize(
    ("given", "canonical"),
    [
        (1, 1.0),
        (0.5, 0.5),
        ({"end": 1, "ramp": 5}, FULL),
        ({"end": 1.0, "ramp": 5, "start": 0}, FULL),
        (FULL, FULL),
        ({"end": 1, "ramp": 5, "unit": "steps"}, {**FULL, "unit": "steps"}),
    ],
)
def test_a_schedule_has_one_canonical_form(
    vocabulary: Vocabulary, tree: dict[str, Any], given: Any, canonical: Any
) -> None:
    spec = resolve({**tree, "head": {"type": "gmm", "kl_weight": given}}, vocabulary)
    assert json.dumps(spec.head.config["kl_weight"]) == json.dumps(canonical)
    assert resolve(spec.tree, vocabulary) == spec


def test_a_section_of_a_head_is_filled_or_absent(
    vocabulary: Vocabulary, tree: dict[str, Any]
) -> None:
    def gamma(given: Any) -> Any:
        head = {"type": "gmm", "gamma_training": given}
        return resolve({**tree, "head": head}, vocabulary).tree["head"]["gamma_training"]

    assert gamma(None) is None
    filled = {"weight": 1.0, "length": 5.0, "unit": "epochs"}
    assert json.dumps(gamma({"weight": 1, "length": 5})) == json.dumps(filled)


GMM = {"type": "gmm", "sweeps": 100, "inference": "gibbs", "scale": 1.0, "weight": 0.0}


@pytest.mark.parametrize(
    ("given", "canonical"),
    [
        ({}, {"modules": [GMM], "readers": None}),
        (
            {"modules": [{"type": "markov"}, {"type": "gmm", "scale": 2, "weight": 1}]},
            {
                "modules": [{"type": "markov"}, {**GMM, "scale": 2.0, "weight": 1.0}],
                "readers": None,
            },
        ),
        (
            {"modules": [{"type": "topics", "count": 2}], "readers": [{"type": "picky"}]},
            {
                "modules": [{"type": "topics", "count": 2, "words": None}],
                "readers": [{"type": "picky", "n_clusters": None}],
            },
        ),
        (
            {"modules": [{"type": "gmm", "weight": {"end": 1, "ramp": 5}}], "readers": None},
            {"modules": [{**GMM, "weight": FULL}], "readers": None},
        ),
    ],
)
def test_every_entry_of_a_list_is_filled_in(
    vocabulary: Vocabulary, tree: dict[str, Any], given: Any, canonical: Any
) -> None:
    spec = spec_from_tree({**tree, "head": {"type": "modular", **given}}, vocabulary)
    assert json.dumps(spec.head.config) == json.dumps(canonical)
    assert spec_from_tree(spec.tree, vocabulary) == spec


def test_a_default_list_is_a_fresh_copy(vocabulary: Vocabulary, tree: dict[str, Any]) -> None:
    tree["head"] = {"type": "modular"}
    resolve(tree, vocabulary).tree["head"]["modules"][0]["sweeps"] = 7
    assert resolve(tree, vocabulary).tree["head"]["modules"] == [GMM]


def test_the_stage_that_trains_from_scratch_has_defaults_of_its_own(
    vocabulary: Vocabulary, tree: dict[str, Any]
) -> None:
    spec = resolve({**tree, "train": {"decay_steps": 10, "lowest_rate": 1}}, vocabulary)
    assert (spec.train["epochs"], spec.train["schedule"]) == (100, "constant")
    assert (spec.train["decay_steps"], spec.train["lowest_rate"]) == (10, 1.0)
    assert spec.pretrain["decay_steps"] is None


def test_the_given_tree_is_left_alone(vocabulary: Vocabulary, tree: dict[str, Any]) -> None:
    before = json.dumps(tree)
    spec = resolve(tree, vocabulary)
    spec.tree["layers"][0]["output_shape"].append(9)
    assert json.dumps(tree) == before
