"""The package in ``examples/plugin``, installed, and each of its three things in use."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from archbuild.data import DATASETS
from archbuild.heads import HEADS
from archbuild.layers import LAYERS
from archbuild.plugins import Registry
from tests.cli.calling import ROOT, Archbuild
from tests.layers.contract import plan_of, run_layer_contract

pytestmark = pytest.mark.graphs(False)
PLUGIN = ROOT / "examples" / "plugin"
SPEC = PLUGIN / "stripes.yaml"
REGISTRIES: tuple[Registry, ...] = (LAYERS, HEADS, DATASETS)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What an editable install leaves in ``site-packages``: the path, and the metadata."""
    site = tmp_path_factory.mktemp("site")
    project = tomllib.loads((PLUGIN / "pyproject.toml").read_text())["project"]
    metadata = site / f"archbuild_example-{project['version']}.dist-info"
    metadata.mkdir()
    said = f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
    (metadata / "METADATA").write_text(said)
    lines = [
        line
        for group, entries in project["entry-points"].items()
        for line in (f"[{group}]", *(f"{name} = {place}" for name, place in entries.items()))
    ]
    (metadata / "entry_points.txt").write_text("\n".join(lines))
    return site


@pytest.fixture
def installed(site: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Have this process find the plugin, as one that starts does."""
    monkeypatch.syspath_prepend(str(PLUGIN))
    monkeypatch.syspath_prepend(str(site))
    _look_again()
    yield
    monkeypatch.undo()
    _look_again()


def _look_again() -> None:
    for registry in REGISTRIES:
        for name in ("_found", "_usable"):
            vars(registry).pop(name, None)
        registry._loaded.clear()


def test_a_new_process_knows_the_three(site: Path, tmp_path: Path) -> None:
    path = os.pathsep.join(map(str, (ROOT, site, PLUGIN)))

    def said(*arguments: object) -> str:
        command = [sys.executable, "-m", "archbuild", *map(str, arguments)]
        environment = {**os.environ, "PYTHONPATH": path}
        done = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
        )
        assert not done.stderr
        return done.stdout

    assert "valid, 1 spec" in said("validate", SPEC)
    definitions = json.loads(said("schema"))["definitions"]
    assert "RmsPool2D" in definitions["layers"]
    assert "infomax" in definitions["heads"]
    assert "STRIPES" in said("list", "datasets")


@pytest.mark.usefixtures("installed")
def test_show_train_measure_and_predict(archbuild: Archbuild, elsewhere: Path) -> None:
    assert "rms[2x2]" in archbuild("show", "-a", SPEC).out
    whole = ("-d", "STRIPES", "-a", SPEC, "--set", "batch_size=100")  # a third
    ended = archbuild(*whole, "--pretrain", 2, "--cluster", 2, "--metrics")
    assert ended.status == 0, ended.err
    metrics = json.loads((elsewhere / "saved_params/STRIPES/stripes/0/metrics.json").read_text())
    assert ("infomax", "head") in {(row["space"], row["method"]) for row in metrics["rows"]}
    ended = archbuild("predict", "-d", "stripes", "-a", "stripes", "--output", "clusters.npz")
    assert ended.status == 0, ended.err
    with np.load(elsewhere / "clusters.npz") as answers:
        assert answers["probabilities"].shape == (300, 3)


@pytest.mark.usefixtures("installed")
def test_the_layer_passes_the_contract() -> None:
    image = {"type": "Input", "output_shape": [2, 7, 9]}
    pool = {"type": "RmsPool2D", "filter_size": [2, 3]}
    run_layer_contract(plan_of(image, pool, {"type": "Dense", "num_units": 3}), "encoder", 1)


@pytest.mark.usefixtures("installed")
def test_a_slip_of_the_pen_brings_the_plugins_names(archbuild: Archbuild, elsewhere: Path) -> None:
    slips = SPEC.read_text().replace("infomax", "infomaks").replace("RmsPool2D", "RmzPool2D")
    (elsewhere / "spec.yaml").write_text(slips)
    said = archbuild("validate", "spec.yaml").err
    assert "did you mean 'infomax'?" in said
    assert "did you mean 'RmsPool2D'?" in said
    assert "did you mean STRIPES?" in archbuild("show", "-d", "STRIPE", "-a", "0").err
