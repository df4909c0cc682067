from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import keras
import numpy as np
import pytest
from click.testing import CliRunner, Result

from archbuild.cli.export import _FORMATS, _PARTS, export
from archbuild.data import load_dataset
from archbuild.errors import ArchbuildError
from archbuild.experiments.experiment import Experiment
from archbuild.experiments.request import ExperimentRequest
from archbuild.models.exports import FORMATS, PARTS
from tests.cli.calling import SHORT, SPEC, Archbuild

pytestmark = pytest.mark.graphs(False)


def called(*arguments: object) -> Result:
    """``archbuild export`` with arguments; errors as they come to ``main``."""
    return CliRunner().invoke(export, list(map(str, arguments)), standalone_mode=False)


def said(result: Result) -> str:
    assert isinstance(result.exception, ArchbuildError), result.exception
    return str(result.exception)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of two runs on DIGITS: seed 0 has a head, seed 1 is only pretrained."""
    folder = tmp_path_factory.mktemp("run")
    (folder / "tiny.json").write_text(json.dumps({**SPEC, "head": {"type": "kld"}}))
    request = ExperimentRequest("DIGITS", str(folder / "tiny.json"), None, SHORT, out=folder)
    experiment = Experiment(request)
    experiment.pretrain()
    shutil.copytree(experiment.folder.path, experiment.folder.path.with_name("1"))
    experiment.cluster()
    return folder


def test_every_part_and_format_can_be_asked_for() -> None:
    assert (*PARTS,) == _PARTS
    assert (*FORMATS,) == _FORMATS


def test_the_file_gives_the_numbers_of_predict(
    archbuild: Archbuild, run: Path, elsewhere: Path
) -> None:
    which = ("-d", "DIGITS", "-a", run / "tiny.json", "--out", run)
    result = called(*which, "--format", "keras", "--part", "assign", "--output", "new/a.keras")
    stage = run / "saved_params/DIGITS/tiny/0/cluster-kld"
    assert (result.exit_code, result.output) == (0, f"new/a.keras: assign of {stage}\n")
    assert archbuild("predict", *which, "--output", "clusters.npz").status == 0
    rows = load_dataset("DIGITS").rows(slice(None))
    found = keras.saving.load_model("new/a.keras").predict(rows, verbose=0)
    with np.load("clusters.npz") as predicted:
        np.testing.assert_allclose(found, predicted["probabilities"], rtol=1e-5)
        np.testing.assert_array_equal(found.argmax(axis=1), predicted["cluster"])


def test_the_run_is_found_without_its_data(run: Path, elsewhere: Path) -> None:
    wanted = ("--format", "saved_model", "--part", "encoder", "--output", "encoder")
    named = called("-a", "tiny", "--out", run, *wanted)
    assert "encoder of" in named.output
    folder = run / "saved_params/DIGITS/tiny/0"
    again = called("--run", folder, *wanted, "--force")
    assert again.output == named.output
    assert Path("encoder/saved_model.pb").is_file()


def test_without_a_head_the_pretrained_network_is_exported(run: Path, elsewhere: Path) -> None:
    which = ("-a", "tiny", "--seed", 1, "--out", run, "--format", "keras", "--output", "a.keras")
    result = called(*which, "--part", "decoder")
    assert result.output == f"a.keras: decoder of {run / 'saved_params/DIGITS/tiny/1/pretrain'}\n"
    for more in (("--part", "assign"), ("--part", "encoder", "--head", "kld")):
        assert "holds no" in said(called(*which, *more, "--force"))


def test_what_is_there_is_kept(run: Path, elsewhere: Path) -> None:
    Path("a.onnx").write_text("precious")
    result = called("-a", "none", "--format", "onnx", "--part", "encoder", "--output", "a.onnx")
    assert "a.onnx already exists" in said(result)
    assert Path("a.onnx").read_text() == "precious"


def test_mistakes_are_told_before_keras_is_there(
    clean_environment: Mapping[str, str], elsewhere: Path
) -> None:
    code = """
import sys
from archbuild.cli.export import export
try:
    export(["-a", "none", "--format", "keras", "--part", "encoder", "--output", "a.keras"],
           standalone_mode=False)
finally:
    assert "keras" not in sys.modules and "tensorflow" not in sys.modules
"""
    command = [sys.executable, "-c", code]
    done = subprocess.run(
        command, env=clean_environment, capture_output=True, text=True, check=False
    )
    assert "AssertionError" not in done.stderr
    assert "no run of 'none'" in done.stderr
