from __future__ import annotations

import json
from collections.abc import Iterator
from importlib.resources import files
from typing import Any

import pytest
from jsonschema import Draft7Validator

from archbuild.registry import own_vocabulary
from archbuild.spec import Vocabulary, build_schema, parse_text, spec_from_tree, template
from archbuild.spec.locate import PACKAGED
from archbuild.spec.reading import read_document

GAUSSIAN = [{"type": "Input", "output_shape": [3]}, {"type": "Gaussian", "num_units": 2}]


@pytest.fixture(scope="module")
def validator(vocabulary: Vocabulary) -> Draft7Validator:
    schema = build_schema(vocabulary)
    Draft7Validator.check_schema(schema)
    return Draft7Validator(json.loads(json.dumps(schema)))


def test_the_packaged_schema_is_the_generated_one() -> None:
    packaged = json.loads((files("archbuild") / "spec" / "schema.json").read_text())
    mend = "run: archbuild schema > archbuild/spec/schema.json"
    assert packaged == build_schema(own_vocabulary()), mend


def test_version_and_dialect(vocabulary: Vocabulary) -> None:
    schema = build_schema(vocabulary)
    assert schema["$id"] == "urn:archbuild:spec:1"
    assert schema["$schema"].endswith("draft-07/schema#")
    assert set(schema["definitions"]["layers"]) == set(vocabulary.layers)
    assert set(schema["definitions"]["heads"]) == set(vocabulary.heads)


def test_shipped_specs_templates_and_resolved_trees_fit(
    validator: Draft7Validator, vocabulary: Vocabulary, tree: dict[str, Any]
) -> None:
    for path in PACKAGED.iterdir():
        assert validator.is_valid(read_document(path).tree), path
    for kind in ("dense", "conv", "conv1d"):
        assert validator.is_valid(parse_text(template(kind), kind, "yaml").tree)
    for head in ("kld", "picky", "modular"):
        resolved = spec_from_tree({**tree, "head": {"type": head}}, vocabulary).tree
        assert validator.is_valid(resolved), head


@pytest.mark.parametrize(
    "change",
    [
        {"nme": 1},
        {"name": "a b"},
        {"batch_size": 0},
        {"spec_version": 2},
        {"layers": []},
        {"layers": [{"type": "Input", "output_shape": [3]}, {"type": "Unpool2D"}]},
        {"layers": [{"type": "Input", "output_shape": [3]}, {"num_units": 3}]},
        {"layers": [{"type": "Input", "output_shape": [3]}, {"type": "Dense", "units": 3}]},
        {"layers": [{"type": "Input", "output_shape": [3]}, {"type": "Dense"}]},
        {"decoder": "no"},
        {"decoder": [{"type": "Input", "output_shape": [3]}]},
        {"head": {"type": "nothing"}},
        {"head": {"n_clusters": 0}},
        {"head": {"n_clusters": "automatic"}},
        {"head": {"type": "kmeans", "degrees_of_freedom": 1}},
        {"augment": {"rotate": 181}},
        {"pretrain": {"epoch": 1}},
        {"cluster": {"learning_rate": 0}},
        {"train": {"epoch": 1}},
        {"train": {"decay_steps": 0}},
        {"head": {"type": "gmm", "kl_weight": "big"}},
        {"head": {"type": "gmm", "kl_weight": -1}},
        {"head": {"type": "gmm", "kl_weight": {"ramp": 5}}},
        {"head": {"type": "gmm", "kl_weight": {"end": 1, "ramp": 0}}},
        {"head": {"type": "gmm", "kl_weight": {"end": 1, "ramp": 5, "rmap": 1}}},
        {"head": {"type": "gmm", "gamma_training": {"weight": 1}}},
        {"head": {"type": "modular", "modules": None}},
        {"head": {"type": "modular", "modules": {"type": "gmm"}}},
        {"head": {"type": "modular", "modules": []}},
        {"head": {"type": "modular", "modules": [{"type": "gmm"}] * 4}},
        {"head": {"type": "modular", "modules": ["gmm"]}},
        {"head": {"type": "modular", "modules": [{"sweeps": 3}]}},
        {"head": {"type": "modular", "modules": [{"type": "kmeans"}]}},
        {"head": {"type": "modular", "modules": [{"type": "gmm", "sweep": 3}]}},
        {"head": {"type": "modular", "modules": [{"type": "gmm"}, {"type": "gmm", "sweeps": 0}]}},
        {"head": {"type": "modular", "modules": [{"type": "markov", "sweeps": 3}]}},
        {"head": {"type": "modular", "modules": [{"type": "topics"}]}},
        {"head": {"type": "modular", "modules": [{"type": "topics", "count": 2, "words": [{}]}]}},
        {"head": {"type": "modular", "readers": [{"type": "picky", "n_clusters": 0}]}},
    ],
)
def test_schema_and_check_refuse_the_same(
    validator: Draft7Validator, problems_of: Any, tree: dict[str, Any], change: Any
) -> None:
    assert not validator.is_valid({**tree, **change})
    assert problems_of({**tree, **change})


@pytest.mark.parametrize(
    "change",
    [
        {"head": None},
        {"head": {"n_clusters": None}},
        {"head": {"n_clusters": "auto"}},
        {"head": {"cluster_weight": 3}},
        {"augment": {}},
        {"pretrain": None},
        {"cluster": {"batch_size": None}},
        {"output_non_linearity": None},
        {"decoder": "mirror"},
        {"train": {"decay_steps": None}},
        {"layers": GAUSSIAN, "head": {"type": "gmvae", "alpha": 0}},
        {"layers": GAUSSIAN, "head": {"type": "gmm", "kl_weight": {"end": 1, "ramp": 5}}},
        {"layers": GAUSSIAN, "head": {"type": "gmm", "gamma_training": None}},
        {
            "layers": GAUSSIAN,
            "head": {"type": "gmm", "gamma_training": {"weight": 1, "length": 5}},
        },
        {"head": {"type": "modular"}},
        {"head": {"type": "modular", "modules": [{"type": "gmm"}, {"type": "markov"}]}},
        {"head": {"type": "modular", "modules": [{"type": "gmm", "sweeps": 3, "weight": 1}]}},
        {"head": {"type": "modular", "modules": [{"type": "topics", "count": 2, "words": None}]}},
        {"head": {"type": "modular", "readers": None}},
        {"head": {"type": "modular", "readers": [{"type": "picky", "n_clusters": None}]}},
    ],
)
def test_schema_and_check_accept_the_same(
    validator: Draft7Validator, vocabulary: Vocabulary, tree: dict[str, Any], change: Any
) -> None:
    assert validator.is_valid({**tree, **change})
    spec_from_tree({**tree, **change}, vocabulary)


@pytest.mark.parametrize("document", [[], 3, [3], [[]], None])
def test_a_document_is_a_spec_or_a_list(validator: Draft7Validator, document: Any) -> None:
    assert not validator.is_valid(document)


def test_every_key_is_explained(vocabulary: Vocabulary) -> None:
    definitions = build_schema(vocabulary)["definitions"]
    del definitions["classic_spec"]
    keys = [entry for schema in within(definitions) for entry in properties_of(schema)]
    assert {"name", "num_units", "modules", "sweeps", "inference", "words"} <= dict(keys).keys()
    for name, part in keys:
        assert name == "type" or part["description"]


def test_the_keys_of_entries_have_their_defaults(vocabulary: Vocabulary) -> None:
    head = build_schema(vocabulary)["definitions"]["heads"]["modular"]
    assert head["required"] == []
    assert head["properties"]["modules"]["default"] == [{"type": "gmm"}]
    defaults = {
        name: part["default"]
        for schema in within(head["properties"]["modules"])
        for name, part in properties_of(schema)
        if "default" in part
    }
    assert (defaults["sweeps"], defaults["inference"], defaults["words"]) == (100, "gibbs", None)
    assert "count" not in defaults


def within(schema: Any) -> Iterator[dict[str, Any]]:
    """All mappings that a schema holds, itself among them."""
    if isinstance(schema, dict):
        yield schema
    for part in schema.values() if isinstance(schema, dict) else schema:
        if isinstance(part, dict | list):
            yield from within(part)


def properties_of(schema: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """The keys that a schema of a mapping names."""
    properties = schema.get("properties", {})
    return list(properties.items()) if schema.get("additionalProperties") is False else []
