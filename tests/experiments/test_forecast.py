"""What is foretold of a run: pure sums, and the states and refusals of its stages."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from archbuild.errors import RunError, UsageError
from archbuild.experiments import forecast as forecasts
from archbuild.experiments.forecast import (
    Forecast,
    MemoryForecast,
    StageForecast,
    forecast,
    free_disk,
    memory_of,
    seconds_of_epochs,
    shortages,
)
from archbuild.training.costs import Costs, Passes
from tests import small_runs

pytestmark = pytest.mark.graphs(False)
COSTS = Costs(
    startup=100.0,
    step=0.5,
    encoding=7.0,
    refresh=11.0,
    measuring=13.0,
    saving=2.0,
    checkpoint_bytes=1,
    weight_bytes=10,
    optimizer_bytes=20,
    gradient_bytes=30,
    call_bytes=40,
    row_bytes=50,
)
STAGE = StageForecast("pretrain", "new", 3, 0, 4, seconds=10.0, disk=100, disk_peak=400)
FOUND = Forecast(
    run=Path("run"),
    n_rows=5,
    shape=(2,),
    parameters=6,
    stages=(STAGE, replace(STAGE, name="cluster-kld", head_parameters=8, disk_peak=350)),
    memory=MemoryForecast(available=100),
    disk_free=1000,
    notes=(),
)


def test_the_seconds_of_epochs_are_steps_checkpoints_and_passes():
    expected = 3 * (4 * 0.5 + 2) + 5 * 7 + 2 * 11 + 1 * 13
    assert seconds_of_epochs(COSTS, Passes(5, 2, 1), epochs=3, steps=4) == pytest.approx(expected)


def test_the_start_up_is_no_part_of_epochs():
    assert seconds_of_epochs(COSTS, Passes(0, 0, 0), epochs=0, steps=4) == 0


def test_memory_is_what_was_measured_and_what_is_held_of_all_rows():
    memory = memory_of(COSTS)
    assert memory.peak == 10 + 20 + 30 + 40 + 50
    assert replace(memory, process=1000).peak == 1050


def test_the_larger_of_two_stages_counts():
    both = MemoryForecast(weights=3, rows=1).larger(MemoryForecast(weights=2, rows=9))
    assert (both.weights, both.rows) == (3, 9)


def test_the_process_that_measures_has_ended_when_training_begins():
    memory = MemoryForecast(rows=500, process=1000, available=400)
    assert memory.missing == 100
    assert replace(memory, available=500).missing == 0
    assert replace(memory, available=None).missing == 0


def test_files_of_a_finished_stage_stay_while_the_next_one_runs():
    assert (FOUND.disk, FOUND.disk_peak) == (200, 450)
    assert FOUND.seconds == 20
    document = FOUND.to_json()
    assert document["disk"] == {"kept": 200, "peak": 450, "free": 1000}
    assert document["parameters"] == {"network": 6, "head": 8}


def test_a_shortage_is_said_with_what_to_do():
    assert not list(shortages(FOUND))
    memory, disk = shortages(replace(FOUND, disk_free=440, memory=MemoryForecast(200, available=1)))
    assert "199 bytes of memory are missing: close" in memory
    assert "10 bytes of disk are missing: free some space" in disk


def test_free_disk_is_that_of_the_folder_that_is_there(tmp_path):
    assert free_disk(tmp_path / "not" / "yet") > 0


def test_nothing_is_written_and_every_part_is_estimated(tmp_path):
    experiment = small_runs.make_experiment(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    found = forecast(experiment, ["pretrain", "cluster", "train"])
    assert sorted(tmp_path.rglob("*")) == before
    assert [stage.name for stage in found.stages] == ["pretrain", "cluster-gmm", "train-gmm"]
    assert [stage.epochs for stage in found.stages] == [1, 1, 4]
    for stage in found.stages:
        assert stage.state == "new"
        assert stage.steps == 3
        assert stage.seconds > stage.startup > 0
        assert stage.seconds >= stage.epochs * stage.steps * stage.step > 0
        assert stage.disk_peak > stage.disk > 4 * found.parameters
    assert found.stages[1].head_parameters > found.stages[0].head_parameters == 0
    assert found.memory.optimizer > found.memory.weights  # of Adam
    assert found.memory.peak > found.memory.rows > 150 * 3 * 4
    assert any("start: k-means" in note for note in found.notes)


def test_finished_and_stopped_stages_are_told_from_new_ones(gmm_runs, tmp_path):
    experiment = small_runs.experiment_from(tmp_path, gmm_runs / "pretrained")
    pretrain, cluster = forecast(experiment, ["pretrain", "cluster"]).stages
    assert (pretrain.state, pretrain.seconds, pretrain.done) == ("finished", 0, 1)
    assert cluster.state == "new"
    (again,) = forecast(experiment, ["pretrain"], fresh=True).stages
    assert (again.state, again.done) == ("new", 0)


def test_a_stage_that_resumes_has_fewer_epochs_left(gmm_runs, tmp_path):
    experiment = small_runs.experiment_from(tmp_path, gmm_runs / "epoch-3")
    (train,) = forecast(experiment, ["train"]).stages
    assert (train.state, train.done, train.epochs) == ("resumes", 3, 4)


def test_what_the_run_would_refuse_is_refused(gmm_runs, tmp_path):
    with pytest.raises(RunError, match="starts from a pretrained network"):
        forecast(small_runs.make_experiment(tmp_path), ["cluster"])
    changes = {"overrides": ("pretrain.epochs=7",)}
    other = small_runs.experiment_from(tmp_path / "other", gmm_runs / "pretrained", **changes)
    with pytest.raises(RunError, match=r"pretrain\.epochs: 1 -> 7"):
        forecast(other, ["pretrain"])
    long = {"overrides": ("head.gamma_training.length=9",)}
    with pytest.raises(UsageError, match="would never be trained"):
        forecast(small_runs.make_experiment(tmp_path, **long), ["train"])


def test_a_number_of_clusters_that_is_not_known_yet_is_supposed_aloud(tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr(
        forecasts,
        "_stage",
        lambda experiment, *_: (
            seen.append(experiment.spec.head.config["n_clusters"]) or (STAGE, MemoryForecast())
        ),
    )
    auto = {"overrides": ("head.n_clusters=auto",)}
    found = forecast(small_runs.make_experiment(tmp_path, **auto), ["pretrain", "cluster"])
    assert seen == [10, 10]
    assert found.notes[0] == "head.n_clusters is auto: 10 clusters are supposed here"
