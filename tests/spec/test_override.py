from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from archbuild.errors import Problem, SpecError
from archbuild.spec import Vocabulary, load_spec, spec_from_tree
from archbuild.spec.override import apply_overrides, switch_head

ProblemsOf = Callable[..., tuple[Problem, ...]]


def test_values_are_yaml(tree: dict[str, Any]) -> None:
    assignments = [
        "head.n_clusters=16",
        "layers[3].num_units=300",
        "pretrain.learning_rate=1e-3",
        "layers[1].filter_size=[5, 3]",
        "augment={rotate: 10}",
        "name='12'",
        "use_batch_norm=true",
        "scaling=null",
    ]
    changed, origins = apply_overrides(tree, assignments)
    assert changed["head"] == {"n_clusters": 16}
    assert changed["layers"][3]["num_units"] == 300
    assert changed["pretrain"] == {"learning_rate": 0.001}
    assert changed["layers"][1]["filter_size"] == [5, 3]
    assert changed["augment"] == {"rotate": 10}
    assert (changed["name"], changed["use_batch_norm"], changed["scaling"]) == ("12", True, None)
    assert origins["head", "n_clusters"] == "--set head.n_clusters=16"
    assert "head" not in tree


def test_numbers_behind_a_point_are_offered_in_brackets(tree: dict[str, Any]) -> None:
    with pytest.raises(SpecError, match=r"did you mean 'layers\[2\].num_units'\?"):
        apply_overrides(tree, ["layers.2.num_units=3"])


@pytest.mark.parametrize(
    ("assignment", "words"),
    [
        ("batch_size", "not an assignment"),
        ("=3", "not an assignment"),
        ("layers.[0]=3", "not an assignment"),
        ("layers[x].num_units=3", "not an assignment"),
        ("layers[-1].num_units=3", "not an assignment"),
        ("a..b=3", "not an assignment"),
        ("batch_size=", "no value"),
        ("batch_size=[1", "not YAML"),
        ("batch_size=.nan", "not finite"),
        ("layers[9].num_units=3", "4 entries, from [0] to [3]"),
        ("layers.num_units=3", "a number in brackets"),
        ("head[0]=3", "head is not given, so it has no entries"),
        ("layers[0][1]=3", "a key must follow"),
        ("name.first=3", 'name is "small", which nothing can follow'),
    ],
)
def test_bad_assignments(tree: dict[str, Any], assignment: str, words: str) -> None:
    with pytest.raises(SpecError) as caught:
        apply_overrides(tree, [assignment])
    (problem,) = caught.value.problems
    assert words in problem.message
    assert problem.source.startswith("--set ")


def test_all_bad_assignments_at_once(tree: dict[str, Any]) -> None:
    with pytest.raises(SpecError) as caught:
        apply_overrides(tree, ["x", "layers[9]=3", "batch_size=3"])
    assert len(caught.value.problems) == 2


@pytest.mark.parametrize(
    "assignment",
    ["batch_size=-1", "layers[3].num_unitz=3", "haed.n_clusters=3", "layers[1].filter_size=[1, x]"],
)
def test_problems_name_the_override(
    problems_of: ProblemsOf, tree: dict[str, Any], assignment: str
) -> None:
    (problem,) = problems_of(tree, overrides=[assignment], source="a.json")
    assert problem.source == f"--set {assignment}"
    assert problem.line == 0


def test_a_mapping_that_an_override_begins_is_its_own(
    problems_of: ProblemsOf, tree: dict[str, Any]
) -> None:
    tree["head"] = {"type": "gmm", "responsibilities": "none"}
    of_the_file, of_the_override = problems_of(tree, overrides=["head.kl_weight.end=1"])
    assert (of_the_file.dotted_path, of_the_file.source) == ("head.responsibilities", "spec")
    assert of_the_override.dotted_path == "head.kl_weight.ramp"
    assert of_the_override.source == "--set head.kl_weight.end=1"


def test_what_a_head_of_the_command_line_wants_is_not_the_files_fault(
    problems_of: ProblemsOf, tree: dict[str, Any]
) -> None:
    tree["head"] = {"type": "kld"}
    (problem,) = problems_of(tree, head="gmm")
    assert "the bottleneck has no variance" in problem.message
    assert (problem.source, problem.dotted_path) == ("--head gmm", "head")


def test_an_entry_of_a_list_that_the_file_gives_is_set(
    vocabulary: Vocabulary, tree: dict[str, Any]
) -> None:
    tree["head"] = {"type": "modular", "modules": [{"type": "markov"}, {"type": "gmm"}]}
    spec = spec_from_tree(tree, vocabulary, overrides=["head.modules[1].sweeps=5"])
    assert spec.tree["head"]["modules"][1]["sweeps"] == 5


def test_a_whole_list_of_entries_is_set(vocabulary: Vocabulary, tree: dict[str, Any]) -> None:
    tree["head"] = {"type": "modular"}
    overrides = ["head.modules=[{type: markov}, {type: gmm}]", "head.modules[1].sweeps=5"]
    spec = spec_from_tree(tree, vocabulary, overrides=overrides)
    modules = spec.tree["head"]["modules"]
    assert [module["type"] for module in modules] == ["markov", "gmm"]
    assert modules[1]["sweeps"] == 5


@pytest.mark.parametrize(
    ("assignment", "path"),
    [
        ("head.modules[0].sweeps=0", "head.modules[0].sweeps"),
        ("head.modules[0].sweep=1", "head.modules[0].sweep"),
        ("head.modules=[{type: gmm, sweeps: 0}]", "head.modules[0].sweeps"),
        ("head.modules[0]={type: gnn}", "head.modules[0].type"),
    ],
)
def test_problems_of_entries_name_the_override(
    problems_of: ProblemsOf, tree: dict[str, Any], assignment: str, path: str
) -> None:
    tree["head"] = {"type": "modular", "modules": [{"type": "gmm"}]}
    (problem,) = problems_of(tree, overrides=[assignment])
    assert (problem.dotted_path, problem.source) == (path, f"--set {assignment}")


def test_an_entry_that_is_there_by_default_only_is_not_set(
    problems_of: ProblemsOf, tree: dict[str, Any]
) -> None:
    tree["head"] = {"type": "modular"}
    (problem,) = problems_of(tree, overrides=["head.modules[0].sweeps=5"])
    assert problem.message == "head.modules is not given, so it has no entries to change"
    assert problem.advice == "if it is a list, give all of it: --set 'head.modules=[...]'"


def test_the_last_of_two_wins(vocabulary: Vocabulary, tree: dict[str, Any]) -> None:
    overrides = ["head.n_clusters=3", "head.n_clusters=4"]
    spec = spec_from_tree(tree, vocabulary, overrides=overrides)
    assert spec.head.config["n_clusters"] == 4


def test_overrides_apply_after_migration(vocabulary: Vocabulary) -> None:
    spec = load_spec("0", vocabulary, stem="mnist", overrides=["pretrain.learning_rate=0.5"])
    assert spec.pretrain["learning_rate"] == 0.5
    assert spec.pretrain["optimizer"] == "sgd"


def test_switching_the_head_keeps_the_number_of_clusters(tree: dict[str, Any]) -> None:
    tree["head"] = {"type": "kld", "n_clusters": 9, "cluster_weight": 2}
    switched, origins = switch_head(tree, "picky")
    assert switched["head"] == {"type": "picky", "n_clusters": 9}
    assert origins == {("head", "type"): "--head picky"}
    assert switch_head(tree, "kld")[0] == tree
    assert switch_head(tree, None)[0] == tree


def test_an_unknown_head_on_the_command_line(problems_of: ProblemsOf, tree: dict[str, Any]) -> None:
    (problem,) = problems_of(tree, head="pickey")
    assert (problem.source, problem.advice) == ("--head pickey", "did you mean 'picky'?")


def test_the_number_of_clusters_can_be_left_to_the_latents(
    vocabulary: Vocabulary, tree: dict[str, Any]
) -> None:
    tree["layers"][-1] = {"type": "Gaussian", "num_units": 5}
    tree["head"] = {"type": "gmm", "start_sample": 10, "start_epochs": 0}
    spec = spec_from_tree(tree, vocabulary, overrides=["head.n_clusters=auto"])
    assert spec.head.config["n_clusters"] == "auto"
    assert spec_from_tree(spec.tree, vocabulary) == spec
