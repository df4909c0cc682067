from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from archbuild.errors import SpecError
from archbuild.spec import (
    Vocabulary,
    load_spec,
    make_plan,
    shipped_archs,
    spec_from_tree,
    validate_document,
)
from archbuild.spec.classic import CLASSIC_CLUSTER, CLASSIC_PRETRAIN, CONVOLUTIONAL, FLAT
from archbuild.spec.migrate import migrate

FIXTURES = Path(__file__).parent / "fixtures"
CLASSIC_LAYERS = [
    {"type": "Input", "output_shape": [1, 1, 6]},
    {"type": "Dense", "num_units": 2, "non_linearity": "rectify"},
]


def classic(**changes: Any) -> dict[str, Any]:
    return {"name": "fc-2", "batch_size": 5, "layers": CLASSIC_LAYERS, **changes}


def test_the_seeds_mnist_networks(vocabulary: Vocabulary) -> None:
    first, second = validate_document(FIXTURES / "version_0_mnist.json", vocabulary)
    assert (first.name, first.batch_size, first.use_batch_norm) == (
        "c-3-32_p_c-3-64_p_fc-32",
        50,
        False,
    )
    assert (second.use_batch_norm, second.batch_size) == (True, 100)
    assert first.output_non_linearity == second.output_non_linearity == "rectify"
    assert [layer.config["conv_mode"] for layer in second.layers if layer.type == "Conv2D"] == [
        "valid"
    ] * 3
    for spec, latent in ((first, 32), (second, 120)):
        plan = make_plan(spec, vocabulary)
        assert plan.latent_size == latent
        assert plan.decoder[-1].output_shape == (1, 28, 28)


@pytest.mark.parametrize(
    ("name", "network_type", "shape"),
    [
        ("fc-500_fc-10", None, [6]),
        ("fc_big", None, [6]),
        ("c-3-32_fc-10", None, [1, 1, 6]),
        ("fcx", None, [1, 1, 6]),
        ("fc-500", "CAE", [1, 1, 6]),
        ("anything", "AE", [6]),
        ("fc-500", "convolutional", [1, 1, 6]),
        ("anything", "fully connected", [6]),
    ],
)
def test_network_type_decides_whether_rows_are_flat(
    name: str, network_type: str | None, shape: list[int]
) -> None:
    tree = classic(name=name)
    if network_type:
        tree["network_type"] = network_type
    migrated, problems = migrate(tree)
    assert not problems
    assert migrated["layers"][0]["output_shape"] == shape
    assert "network_type" not in migrated
    assert tree["layers"][0]["output_shape"] == [1, 1, 6]


def test_unknown_network_type() -> None:
    _, (problem,) = migrate(classic(network_type="VAE"))
    assert problem.path == ("network_type",)
    assert problem.received == '"VAE"'
    assert problem.allowed is not None
    assert all(f"'{word}'" in problem.allowed for word in (*FLAT, *CONVOLUTIONAL))


@pytest.mark.parametrize(("old", "new"), [(0, False), (1, True), (True, True), (2, 2), ("x", "x")])
def test_use_batch_norm(old: Any, new: Any) -> None:
    value = migrate(classic(use_batch_norm=old))[0]["use_batch_norm"]
    assert value == new
    assert type(value) is type(new)


def test_the_loaders_stray_keys_are_dropped_in_classic_specs_only(
    vocabulary: Vocabulary, write: Callable[[str, Any], Path]
) -> None:
    stray = {"output_shape": [1, 2], "conv_mode": "valid"}
    layers = [{**CLASSIC_LAYERS[0], "conv_mode": "same"}, {**CLASSIC_LAYERS[1], **stray}]
    validate_document(write("old.json", [classic(layers=layers)]), vocabulary)
    layers = [CLASSIC_LAYERS[0], {**CLASSIC_LAYERS[1], **stray}]
    path = write("new.json", [classic(layers=layers, spec_version=1)])
    with pytest.raises(SpecError) as caught:
        validate_document(path, vocabulary)
    assert len(caught.value.problems) == 2


def test_stages_are_the_seeds_unless_the_file_says_otherwise() -> None:
    migrated, _ = migrate(classic(pretrain={"learning_rate": 0.5}))
    assert migrated["pretrain"] == {**CLASSIC_PRETRAIN, "learning_rate": 0.5}
    assert migrated["cluster"] == dict(CLASSIC_CLUSTER)


@pytest.mark.parametrize(
    "tree",
    [
        {"layers": 3},
        {"layers": [3, None]},
        {"name": 7, "layers": [{"type": ["x"], "output_shape": 1}]},
        {"name": "fc", "layers": [{"type": "Input", "output_shape": [1, "x"]}]},
        {"pretrain": 3, "cluster": []},
        {},
    ],
)
def test_what_is_malformed_is_left_for_the_check(vocabulary: Vocabulary, tree: Any) -> None:
    migrated, problems = migrate(tree)
    assert not problems
    assert migrated["spec_version"] == 1


def test_problems_of_classic_files_keep_their_places(
    vocabulary: Vocabulary, write: Callable[[str, Any], Path]
) -> None:
    text = (FIXTURES / "version_0_mnist.json").read_text()
    broken = text.replace('"num_filters": 120', '"num_filtres": 120')
    with pytest.raises(SpecError) as caught:
        validate_document(write("a.json", broken), vocabulary)
    unknown = next(p for p in caught.value.problems if "num_filtres" in p.message)
    line = broken.split("\n")[unknown.line - 1]
    assert line[unknown.column - 1 :].startswith('"num_filtres"')
    assert unknown.path == (1, "layers", 5, "num_filtres")


# --- the head ------------------------------------------------------------------------------------

KLD = {"cluster_weight": 1.0, "reconstruction_weight": 1.0, "reduction": "sum"}
IDEC = {"cluster_weight": 0.1, "reconstruction_weight": 1.0, "reduction": "mean"}
KMEANS = {"cluster_weight": 0.1, "reconstruction_weight": 1.0, "distance": "norm"}


def weights(spec: Any, expected: dict[str, Any]) -> dict[str, Any]:
    return {key: spec.head.config.get(key) for key in expected}


def test_without_a_head_the_losses_are_the_projects_own(vocabulary: Vocabulary) -> None:
    spec = spec_from_tree(classic(), vocabulary)
    assert spec.head.type == "kld"
    assert weights(spec, KLD) == KLD


def test_another_type_on_the_command_line_is_the_projects_own_too(vocabulary: Vocabulary) -> None:
    for options in ({"head": "kmeans"}, {"overrides": ["head.type=kmeans"]}):
        spec = spec_from_tree(classic(), vocabulary, **options)
        assert spec.head.type == "kmeans"
        assert weights(spec, KMEANS) == KMEANS


def test_a_type_that_the_project_did_not_have_keeps_its_defaults(vocabulary: Vocabulary) -> None:
    layers = [CLASSIC_LAYERS[0], {"type": "Gaussian", "num_units": 2}]
    old = spec_from_tree(classic(layers=layers), vocabulary, head="gmm")
    new = spec_from_tree(classic(layers=layers, spec_version=1), vocabulary, head="gmm")
    assert old.tree["head"] == new.tree["head"]


@pytest.mark.parametrize("head", [None, {}, {"n_clusters": 7}])
def test_settings_without_a_type_stand_beside_the_projects_own(
    vocabulary: Vocabulary, head: Any
) -> None:
    spec = spec_from_tree(classic(head=head), vocabulary, overrides=["head.reduction=mean"])
    assert weights(spec, KLD) == {**KLD, "reduction": "mean"}
    assert spec.head.config["n_clusters"] == (head or {}).get("n_clusters")


def test_a_head_that_the_file_names_means_what_the_reference_says(vocabulary: Vocabulary) -> None:
    named = classic(head={"type": "kld"})
    for tree in (named, classic(spec_version=1)):
        spec = spec_from_tree(tree, vocabulary)
        assert weights(spec, IDEC) == IDEC
    spec = spec_from_tree(named, vocabulary, head="kmeans")
    assert spec.head.config["distance"] == "squared"


def test_a_resolved_classic_spec_goes_on_meaning_what_it_says(vocabulary: Vocabulary) -> None:
    """A run folder of before, whose spec.json says IDEC's weights, keeps them."""
    tree = {**spec_from_tree(classic(), vocabulary).tree}
    tree["head"] = {**tree["head"], **IDEC}
    spec = spec_from_tree(tree, vocabulary)
    assert weights(spec, IDEC) == IDEC


def test_the_check_still_names_a_head_that_there_is_not(
    problems_of: Callable[..., tuple[Any, ...]],
) -> None:
    (problem,) = problems_of(classic(), head="kdl")
    assert "kld" in str(problem.advice)
    (problem,) = problems_of(classic(head=3))
    assert problem.path == ("head",)


def test_the_shipped_classic_specs_have_the_projects_losses(vocabulary: Vocabulary) -> None:
    """Those without spec_version: eight of COIL-20, one of MNIST, and TUM's own MNIST."""
    summed = []
    for path, index, _ in shipped_archs():
        spec = load_spec(f"{path}:{index}", vocabulary)
        if spec.head.config.get("reduction") == "sum":
            summed.append((path.stem, index))
    assert summed == [*(("coil20", i) for i in range(8)), ("literature", 7), ("mnist", 0)]


# --- what their README lists ---------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["MaxPool2D", "MaxPool2D*"])
def test_filters_of_a_pool_are_ignored_with_a_note(
    vocabulary: Vocabulary, caplog: pytest.LogCaptureFixture, kind: str
) -> None:
    def pooled(**fields: Any) -> dict[str, Any]:
        pool = {"type": kind, "filter_size": [1, 2], **fields}
        return classic(name="c-2", layers=[CLASSIC_LAYERS[0], pool, CLASSIC_LAYERS[1]])

    with caplog.at_level(logging.WARNING):
        plain = spec_from_tree(pooled(), vocabulary)
        assert caplog.messages == []
        assert spec_from_tree(pooled(num_filters=50), vocabulary) == plain
    (message,) = caplog.messages
    assert "layers[1].num_filters is ignored" in message
    with pytest.raises(SpecError) as caught:
        spec_from_tree({**pooled(num_filters=50), "spec_version": 1}, vocabulary)
    assert "unknown key 'num_filters'" in str(caught.value)
