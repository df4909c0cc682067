"""Run folders of the first version open, and answer as they did."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import numpy as np
import pytest

from archbuild.data import dataset_from_arrays, load_dataset
from archbuild.errors import DataError, RunError
from archbuild.models.measuring import measure
from archbuild.models.run import open_run

EARLY = Path(__file__).parent / "fixtures" / "early"


@pytest.fixture
def folder(tmp_path):
    shutil.copytree(EARLY / "saved_params" / "flowers", tmp_path / "flowers")
    return tmp_path / "flowers"


def flowers():
    return load_dataset(str(EARLY / "flowers.csv"))


@pytest.mark.parametrize(
    ("name", "stages"),
    [("tiny", ["pretrain", "cluster-kld"]), ("tiny-prior", ["train-gmvae"])],
)
def test_an_early_run_answers_as_it_did(folder, name, stages):
    run = open_run(folder / name / "0")
    assert [stage.name for stage in run.stages] == stages
    (found,) = run.latest().open().predict(flowers())
    with (EARLY / f"{name}.csv").open() as file:
        rows = list(csv.reader(file))[1:]
    assert [int(row[1]) for row in rows] == found.clusters.tolist()
    expected = np.array([row[3:] for row in rows], float)
    # rtol: these bits were written on one machine, and are read on any
    np.testing.assert_allclose(found.probabilities, expected, rtol=1e-4, atol=1e-6)


def test_an_early_run_is_measured_with_the_rows_that_it_is_given(folder):
    with pytest.raises(DataError, match=r"archbuild\.open\(folder, dataset"):
        open_run(folder / "tiny" / "0").values("raw")
    rows = measure(open_run(folder / "tiny" / "0", flowers()))["rows"]
    assert [row["space"] for row in rows] == ["raw", "pretrain", "kld", "kld"]


def test_opened_stages_never_share_weights(folder):
    """Opening another stage left the first with the other's weights, in the first version."""
    run, rows = open_run(folder / "tiny" / "0"), flowers()
    first = run.stage("cluster-kld").open()
    before = first.codes(first.feed(rows))
    other = run.stage("pretrain").open()
    other.network.set_weights([weights + 1 for weights in other.network.get_weights()])
    np.testing.assert_array_equal(first.codes(first.feed(rows)), before)


def test_a_moved_run_keeps_its_pictures_with_it(folder, tmp_path, monkeypatch):
    shutil.copytree(folder / "tiny" / "0", tmp_path / "moved")
    monkeypatch.chdir(tmp_path)
    assert open_run("moved").plots == Path("moved/plots")
    assert open_run(tmp_path / "moved").plots == tmp_path / "moved" / "plots"


def test_what_is_not_there_is_named(folder):
    run = open_run(folder / "tiny" / "0")
    for name in ("assignments", "clusters"):
        with pytest.raises(RunError, match="'pretrain' assigns rows to no clusters"):
            getattr(run.stage("pretrain"), name)
    with pytest.raises(RunError, match="there is no folder"):
        open_run(folder / "nowhere")


def test_other_rows_than_those_of_training_are_refused(folder):
    rows = flowers()
    other = dataset_from_arrays("other", rows.values[:50], rows.labels[:50])
    with pytest.raises(DataError, match="is not what"):
        open_run(folder / "tiny" / "0", other)
    with pytest.raises(DataError, match="dataset_from_arrays"):
        open_run(folder / "tiny" / "0", rows.values)
