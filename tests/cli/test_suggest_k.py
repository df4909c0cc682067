"""The verb, called by itself and as part of a run."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from archbuild.cli.suggest_k import suggest_k
from archbuild.errors import ArchbuildError
from archbuild.experiments.experiment import Experiment
from archbuild.experiments.request import ExperimentRequest
from tests.cli.calling import ROOT, SPEC

pytestmark = pytest.mark.graphs(False)
LAYERS = [{"type": "Input", "output_shape": [4]}, {"type": "Dense", "num_units": 4}]
RUN = ("-d", "mine.npy", "-a", "mine.json")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished pretrained run of three clouds without labels."""
    folder = tmp_path_factory.mktemp("run")
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(150, 4)) + 20 * np.eye(3, 4)[np.arange(150) % 3]
    np.save(folder / "mine.npy", rows.astype(np.float32))
    (folder / "mine.json").write_text(json.dumps({**SPEC, "layers": LAYERS}))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        Experiment(
            ExperimentRequest(RUN[1], RUN[3], overrides=("head.n_clusters=2", "pretrain.epochs=0"))
        ).pretrain()
    return folder


@pytest.fixture
def inside(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The run, as the working directory."""
    monkeypatch.chdir(folder)
    return folder


def call(*arguments: object) -> Result:
    return CliRunner().invoke(suggest_k, [str(argument) for argument in arguments])


def refusal(*arguments: object) -> str:
    error = call(*arguments).exception
    assert isinstance(error, ArchbuildError)
    return str(error)


FOLDER = "saved_params/mine/tiny/0"


@pytest.mark.parametrize("named", [RUN, ("--run", FOLDER)], ids=["by its spec", "by its folder"])
def test_the_table_the_words_and_the_next_command(inside: Path, named: tuple[str, ...]) -> None:
    ended = call(*named, "--max", 5)
    assert ended.exit_code == 0
    *table, blank, words = ended.stdout.splitlines()
    assert [line.split()[0] for line in table] == ["clusters", "1", "2", "3", "4", "5"]
    assert table[3].endswith("suggested")
    assert (blank, words[:10]) == ("", "3 clusters")
    assert ended.stderr.splitlines() == [
        "picture: plots/mine/tiny/0/candidates.png",
        "next: archbuild -d mine.npy -a mine.json --seed 0 --set pretrain.epochs=0 "
        "--set head.n_clusters=3 --cluster",
    ]
    assert (inside / "plots/mine/tiny/0/candidates.png").read_bytes().startswith(b"\x89PNG")


def test_one_json_document(inside: Path) -> None:
    ended = call(*RUN, "--max", 5, "--json")
    document = json.loads(ended.stdout)
    assert (document["n_clusters"], document["clear"]) == (3, True)
    assert [candidate["n_clusters"] for candidate in document["candidates"]] == [2, 3, 4, 5]
    kept = json.loads((inside / FOLDER / "n_clusters.json").read_text())
    assert document.items() <= kept.items()


def test_without_a_run_the_command_that_makes_one_is_named(inside: Path) -> None:
    message = refusal(*RUN, "--seed", 7)
    assert "no run of 'tiny' with seed 7 is under saved_params" in message
    assert message.endswith("archbuild -d mine.npy -a mine.json --seed 7 --pretrain")
    assert not (inside / "plots/mine/tiny/7").exists()


def test_without_latents_the_command_that_makes_them_is_named(inside: Path, tmp_path: Path) -> None:
    unfinished = tmp_path / "saved_params" / "mine" / "tiny" / "0"
    shutil.copytree(inside / FOLDER, unfinished)
    shutil.move(unfinished / "pretrain", unfinished / "train-kld")
    message = refusal("--run", unfinished)
    assert "tiny/0/pretrain holds none that are finished" in message
    assert message.endswith("--set pretrain.epochs=0 --pretrain 0")


def test_the_run_has_to_be_named() -> None:
    assert "no run is named; give its spec with -a, or its folder with --run" in refusal("--max", 5)


def test_more_clusters_than_the_rows_can_tell_are_refused(inside: Path) -> None:
    assert "150 rows are too few to try 30 clusters on" in refusal(*RUN, "--min", 30, "--max", 40)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--min", 9, "--max", 5), "--min 9 is above --max 5"),
        (("--min", 1), "'1' is not a whole number from 2 to 100"),
        (("--max", 101), "'101' is not a whole number from 2 to 100"),
    ],
)
def test_numbers_out_of_range_are_refused(options: tuple[object, ...], words: str) -> None:
    ended = call("-d", "none", "-a", "none", *options)
    assert ended.exit_code != 0
    assert words in ended.output + str(ended.exception)


def test_keras_is_not_needed(inside: Path) -> None:
    program = (
        "import sys; from archbuild.cli.suggest_k import suggest_k; "
        f"suggest_k.main({[*RUN, '--max', '5']!r}, standalone_mode=False); "
        "assert not {'keras', 'tensorflow'} & set(sys.modules)"
    )
    environment = {"PYTHONPATH": str(ROOT), "PATH": ""}
    subprocess.run([sys.executable, "-c", program], check=True, env=environment, cwd=inside)
