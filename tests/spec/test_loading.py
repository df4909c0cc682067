from __future__ import annotations

import contextlib
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archbuild.errors import Problem, SpecError
from archbuild.registry import default_vocabulary
from archbuild.spec import Vocabulary, load_spec, resolve, spec_from_tree, validate_document
from archbuild.spec.locate import PACKAGED
from archbuild.spec.reading import read_document

Write = Callable[[str, Any], Path]

YAML = """\
- spec_version: 1
  name: good
  layers:
    - {type: Input, output_shape: [9]}
    - {type: Dense, num_units: 3}
- spec_version: 1
  name: bad one
  pretrain: {learning_rate: 1e-3, epoch: 3}
  layers:
    - {type: Input, output_shape: [1, 9, 9]}
    - {type: Conv2D, num_filters: 3, filter_size: 12}
"""


def problems_in(path: Path, vocabulary: Vocabulary, **options: Any) -> tuple[Problem, ...]:
    with pytest.raises(SpecError) as caught:
        validate_document(path, vocabulary, **options)
    return caught.value.problems


def test_all_problems_of_all_specs_with_their_places(vocabulary: Vocabulary, write: Write) -> None:
    path = write("a.yaml", YAML)
    found = problems_in(path, vocabulary)
    assert [(p.line, p.column, p.dotted_path) for p in found] == [
        (7, 9, "[1].name"),
        (8, 35, "[1].pretrain.epoch"),
        (11, 7, "[1].layers[1]"),
    ]
    assert str(found[0]).startswith(f"{path}:7:9: [1].name: ")


def test_one_spec_of_a_list_is_loaded_although_another_is_bad(
    vocabulary: Vocabulary, write: Write
) -> None:
    path = write("a.yaml", YAML)
    assert load_spec(f"{path}:good", vocabulary).name == "good"
    with pytest.raises(SpecError):
        load_spec(f"{path}:1", vocabulary)


def test_a_list_has_at_least_one_spec(vocabulary: Vocabulary, write: Write) -> None:
    (problem,) = problems_in(write("a.json", []), vocabulary)
    assert "no spec" in problem.message


def test_classic_and_new_specs_share_a_list(
    vocabulary: Vocabulary, write: Write, tree: dict[str, Any]
) -> None:
    classic = {k: v for k, v in tree.items() if k != "spec_version"} | {"use_batch_norm": 1}
    old, new = validate_document(write("a.json", [classic, tree]), vocabulary)
    assert (old.use_batch_norm, new.use_batch_norm) == (True, False)
    assert (old.pretrain["optimizer"], new.pretrain["optimizer"]) == ("sgd", "adam")


def test_overrides_are_applied_before_the_check(
    vocabulary: Vocabulary, write: Write, tree: dict[str, Any]
) -> None:
    tree["batch_size"] = -3
    path = write("a.json", tree)
    (spec,) = validate_document(path, vocabulary, ["batch_size=7"])
    assert spec.batch_size == 7
    (problem,) = problems_in(path, vocabulary, overrides=["batch_size=0"])
    assert problem.source == "--set batch_size=0"


def test_a_missing_key_points_at_its_mapping(
    vocabulary: Vocabulary, write: Write, tree: dict[str, Any]
) -> None:
    del tree["layers"][3]["num_units"]
    (problem,) = problems_in(write("a.json", tree), vocabulary)
    assert problem.dotted_path == "layers[3].num_units"
    assert problem.line > 1


MODULAR = {
    "yaml": """\
spec_version: 1
name: modular
layers:
  - {type: Input, output_shape: [9]}
  - {type: Dense, num_units: 3}
head:
  type: modular
  modules:
    - type: gmm
      sweep: 3
      sweeps: 0
    - type: topics
    - type: markof
""",
    "json": """\
{
  "spec_version": 1,
  "name": "modular",
  "layers": [{"type": "Input", "output_shape": [9]}, {"type": "Dense", "num_units": 3}],
  "head": {
    "type": "modular",
    "modules": [
      {"type": "gmm",
       "sweep": 3, "sweeps": 0},
      {"type": "topics"}, {"type": "markof"}
    ]
  }
}
""",
}


@pytest.mark.parametrize(
    ("kind", "places"),
    [
        ("yaml", [(10, 7), (11, 15), (12, 7), (13, 13)]),
        ("json", [(9, 8), (9, 30), (10, 7), (10, 36)]),
    ],
)
def test_problems_of_entries_have_their_places(
    vocabulary: Vocabulary, write: Write, kind: str, places: list[tuple[int, int]]
) -> None:
    path = write(f"modular.{kind}", MODULAR[kind])
    found = problems_in(path, vocabulary)
    assert [problem.dotted_path for problem in found] == [
        "head.modules[0].sweep",
        "head.modules[0].sweeps",
        "head.modules[1].count",
        "head.modules[2].type",
    ]
    assert [(problem.line, problem.column) for problem in found] == places
    assert {problem.source for problem in found} == {str(path)}


def test_an_unknown_version_is_the_only_problem(
    vocabulary: Vocabulary, write: Write, tree: dict[str, Any]
) -> None:
    tree |= {"spec_version": 2, "novelty": 1}
    (problem,) = problems_in(write("a.json", tree), vocabulary)
    assert problem.path == ("spec_version",)
    assert "newer archbuild" in str(problem.advice)


def test_head_and_its_settings_from_the_command_line(vocabulary: Vocabulary) -> None:
    spec = load_spec("2", vocabulary, stem="mnist", head="kmeans", overrides=["head.n_clusters=12"])
    assert (spec.head.type, spec.head.config["n_clusters"]) == ("kmeans", 12)


_VALUES = (
    st.sampled_from([None, True, 0, -1, 1, 10**15, 0.5, 1e300, "", "x", "mirror", [], {}, [[]]])
    | st.sampled_from([{"type": "Dense"}, {"type": "Gaussian", "num_units": 3}, [1, 2, 3], [0]])
    | st.integers()
    | st.text(max_size=5)
)
_MODULES = [
    {"type": "gmm", "sweeps": 3, "weight": {"end": 1.0, "ramp": 2.0}},
    {"type": "topics", "count": 2, "words": [{"type": "plain"}]},
]
_LAYERS = [{"type": "Input", "output_shape": [9]}, {"type": "Dense", "num_units": 3}]
_MODULAR = {
    "spec_version": 1,
    "name": "modular",
    "layers": _LAYERS,
    "head": {"type": "modular", "modules": _MODULES},
}
_SHIPPED = [tree for path in sorted(PACKAGED.iterdir()) for tree in read_document(path).tree]


def paths_of(tree: Any) -> list[tuple[Any, ...]]:
    """The paths of all values below the top."""
    entries = tree.items() if isinstance(tree, dict) else enumerate(tree)
    return [
        (key, *rest)
        for key, value in entries
        for rest in [(), *(paths_of(value) if isinstance(value, dict | list) else [])]
    ]


@given(st.data())
def test_no_change_of_a_value_ends_in_anything_but_a_spec_or_problems(
    vocabulary: Vocabulary, data: st.DataObject
) -> None:
    tree = deepcopy(data.draw(st.just(_MODULAR) | st.sampled_from(_SHIPPED)))
    for path in data.draw(st.lists(st.sampled_from(paths_of(tree)), min_size=1, max_size=2)):
        node = tree
        for part in path[:-1]:
            node = node[part] if isinstance(node, list | dict) and part in _keys(node) else {}
        if isinstance(node, list | dict) and path[-1] in _keys(node):
            node[path[-1]] = data.draw(_VALUES)
    with contextlib.suppress(SpecError):
        spec = spec_from_tree(tree, vocabulary)
        assert resolve(spec.tree, vocabulary) == spec


def _keys(node: Any) -> Any:
    return node if isinstance(node, dict) else range(len(node))


MESSAGES = {
    "spec_version": 1,
    "name": "messages",
    "layers": [
        {"type": "Input", "output_shape": [6]},
        {"type": "Gaussian", "num_units": 2},
    ],
    "head": {"type": "messages"},
}


def counted(tree=MESSAGES, **how):
    spec = spec_from_tree(tree, default_vocabulary(), **how)
    epochs = {stage: spec.tree[stage]["epochs"] for stage in ("pretrain", "cluster", "train")}
    return epochs, spec.head.config.get("rounds")


def test_the_length_of_a_stage_is_what_its_head_counts():
    epochs, _ = counted()
    assert counted(lengths={"train": 7}) == (epochs, 7)
    assert counted(lengths={"pretrain": 3, "cluster": 7}) == ({**epochs, "pretrain": 3}, 7)
    kld = {**MESSAGES, "head": None}
    assert counted(kld, lengths={"train": 7}) == ({**epochs, "train": 7}, None)


def test_the_head_that_is_asked_for_counts_not_the_files():
    epochs, _ = counted()
    for how in ({"head": "kld"}, {"overrides": ["head={type: kld}"]}):
        assert counted(lengths={"train": 7}, **how) == ({**epochs, "train": 7}, None)
    other = {**MESSAGES, "head": None}
    assert counted(other, overrides=["head.type=messages"], lengths={"train": 7})[1] == 7


def test_a_length_is_named_as_it_was_given():
    with pytest.raises(SpecError, match="--train 0") as caught:
        counted(lengths={"train": 0})
    assert caught.value.problems[0].path == ("head", "rounds")
    with pytest.raises(SpecError, match=r"--cluster 3 and --train 7: .* one number"):
        counted(lengths={"cluster": 3, "train": 7})
    assert counted(lengths={"cluster": 3, "train": 3})[1] == 3
