"""``--backend``, and the whole way of a run on whichever backend runs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import click
import keras
import numpy as np
import pytest

import archbuild as package
from archbuild.cli.main import cli
from tests.cli.calling import Archbuild

BACKEND = keras.backend.backend()
OTHER = "jax" if BACKEND != "jax" else "torch"


@pytest.fixture(autouse=True)
def kept_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """A choice of backend that ends with the test."""
    monkeypatch.setenv("KERAS_BACKEND", BACKEND)


@pytest.mark.parametrize("verb", [None, "predict", "generate", "export", "sweep", "doctor"])
def test_each_verb_that_starts_keras_has_the_option(verb: str | None) -> None:
    command: click.Command = cli if verb is None else cli.commands[verb]
    assert "--backend" in [name for option in command.params for name in option.opts]


def test_an_unknown_backend_is_refused(archbuild: Archbuild) -> None:
    ended = archbuild("doctor", "--backend", "theano")
    assert ended.status == 2
    assert "'tensorflow', 'jax', 'torch'" in ended.err


def test_a_backend_other_than_the_running_one_is_refused(archbuild: Archbuild) -> None:
    ended = archbuild("doctor", "--backend", OTHER)
    assert ended.status == 2
    assert f"Keras runs on '{BACKEND}' in this process" in ended.err


def test_the_option_goes_before_the_variable(elsewhere: Path) -> None:
    command = [sys.executable, "-m", "archbuild", "doctor", "--backend", "jax"]
    environment = os.environ | {"KERAS_BACKEND": "tensorflow"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "jax: works" in done.stdout


@pytest.mark.backends
@pytest.mark.graphs(False)
def test_a_run_goes_all_its_way(
    archbuild: Archbuild, prior: Path, elsewhere: Path, few_rows: None, plain_maps: None
) -> None:
    which = ("-d", "DIGITS", "-a", prior)
    chosen = ("--backend", BACKEND)
    stages = ("--pretrain", 1, "--cluster", 1)
    shown = ("--metrics", "--report")
    assert archbuild(*which, *stages, *shown, *chosen).status == 0
    assert "cluster-gmm: already done" in archbuild(*which, *stages, *chosen).err
    predicted = archbuild("predict", *which, "--output", "a.npz", *chosen)
    assert (predicted.status, len(np.load("a.npz")["cluster"])) == (0, 300)
    drawn = archbuild("generate", *which, "--per-cluster", 2, "--output", "a.npy", *chosen)
    assert (drawn.status, np.load("a.npy").shape[1:]) == (0, (2, 8, 8, 1))
    run = package.open("saved_params/DIGITS/prior/0")
    for stage in run.stages:
        assert stage.manifest["versions"]["backend"] == BACKEND
        assert BACKEND in stage.manifest["versions"]
    assert BACKEND in next(elsewhere.glob("plots/**/report.html")).read_text()


@pytest.mark.backends
@pytest.mark.graphs(False)
def test_tensorflow_exports_what_another_has_trained(
    archbuild: Archbuild, tiny: Path, elsewhere: Path, few_rows: None
) -> None:
    which = ("-d", "DIGITS", "-a", tiny)
    assert archbuild(*which, "--pretrain", 1).status == 0
    words = ("export", *which, "--part", "encoder", "--format", "keras", "--output", "a.keras")
    if BACKEND != "tensorflow":
        refused = archbuild(*words)
        assert refused.status == 2
        assert "add --backend tensorflow" in refused.err
    command = [sys.executable, "-m", "archbuild", *map(str, words), "--backend", "tensorflow"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert keras.saving.load_model("a.keras").output_shape == (None, 4)
