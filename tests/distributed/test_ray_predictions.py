"""Predictions by two workers of a Ray cluster, compared with those of this process."""

from __future__ import annotations

import logging
import shutil
from pathlib import Path

import numpy as np
import pytest

from archbuild.cli.main import cli
from archbuild.models import ray_predictions
from archbuild.models.model import Prediction
from archbuild.models.new_rows import NewRows
from archbuild.models.published import find_published
from archbuild.models.ray_predictions import RayCluster, predict_by_ray
from archbuild.models.run import open_run
from archbuild.models.stage import Stage
from tests.distributed.dying import MARKER, DyingOnce

pytestmark = [pytest.mark.distributed, pytest.mark.graphs(False)]
DIGITS = NewRows("DIGITS")
CHUNK = 100


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    """A stage in a folder of this test's own."""
    run = shutil.copytree(find_published("digits").run.path, tmp_path / "run")
    found = open_run(run).latest(None)
    assert found is not None
    return found


def same(found: list[Prediction], expected: list[Prediction]) -> bool:
    """Whether the bytes agree, and the rows that stand together."""
    return len(found) == len(expected) and all(
        one.start == other.start
        and one.probabilities.tobytes() == other.probabilities.tobytes()
        and one.latents.tobytes() == other.latents.tobytes()
        for one, other in zip(found, expected, strict=True)
    )


def test_the_answers_of_two_workers_are_the_same_bytes_though_one_machine_is_lost(
    address: str, stage: Stage, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    model = stage.open()
    rows = DIGITS.load(model)
    expected = list(model.predict(rows, chunk=CHUNK))
    monkeypatch.setattr(ray_predictions, "ReadingAnswerer", DyingOnce)
    cluster = RayCluster(address, workers=2, shared=True)
    with caplog.at_level(logging.WARNING, logger="archbuild"):
        found = list(predict_by_ray(stage.folder, DIGITS, rows, cluster, chunk=CHUNK))
    assert same(found, expected)
    assert sum(len(part.latents) for part in found) == len(rows)
    assert (stage.path.parents[1] / MARKER).exists()
    assert "a Ray worker died" in caplog.text


def test_a_command_sends_run_and_rows_and_writes_the_same_file(
    address: str, stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    rows = np.random.default_rng(0).random((300, 8, 8, 1), dtype=np.float32)
    np.save("rows.npy", rows)
    asked = ["predict", "-d", "rows.npy", "--run", str(stage.path.parent), "--chunk", "64"]
    by_ray = ["--engine", "ray", "--address", address]
    for name, options in {"local": [], "ray": by_ray}.items():
        for kind in ("csv", "parquet", "npz"):
            output = ["--output", f"{name}.{kind}", "--latent", "--quiet"]
            if name == "local" or kind == "parquet":
                cli([*asked, *output, *options], standalone_mode=False)
    assert Path("ray.parquet").read_bytes() == Path("local.parquet").read_bytes()
