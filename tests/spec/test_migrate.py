from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from archbuild.errors import SpecError
from archbuild.spec import Vocabulary, make_plan, validate_document
from archbuild.spec.migrate import MIGRATIONS, migrate
from archbuild.spec.stages import CLASSIC_CLUSTER, CLASSIC_PRETRAIN
from archbuild.spec.top import CURRENT_VERSION

FIXTURES = Path(__file__).parent / "fixtures"
CLASSIC_LAYERS = [
    {"type": "Input", "output_shape": [1, 1, 6]},
    {"type": "Dense", "num_units": 2, "non_linearity": "rectify"},
]


def classic(**changes: Any) -> dict[str, Any]:
    return {"name": "fc-2", "batch_size": 5, "layers": CLASSIC_LAYERS, **changes}


@pytest.mark.parametrize("version", range(CURRENT_VERSION + 1))
def test_files_of_every_version_load_for_ever(vocabulary: Vocabulary, version: int) -> None:
    files = sorted(FIXTURES.glob(f"version_{version}*"))
    assert files, "a version without a frozen file"
    for path in files:
        for spec in validate_document(path, vocabulary):
            assert spec.tree["spec_version"] == CURRENT_VERSION


def test_every_older_version_has_a_step() -> None:
    assert set(MIGRATIONS) == set(range(CURRENT_VERSION))


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


@pytest.mark.parametrize("version", [2, 99, -1, "1", True, None, 1.5, [1]])
def test_unknown_versions(version: Any) -> None:
    migrated, (problem,) = migrate(classic(spec_version=version))
    assert migrated is None
    assert problem.path == ("spec_version",)


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


def test_version_1_is_not_migrated() -> None:
    tree = json.loads((FIXTURES / "version_1.json").read_text())
    assert migrate(tree) == (tree, [])
