"""Runs whose spec is written when they begin, and k-means beside them."""

from __future__ import annotations

import numpy as np
import pytest

from archbuild.data import dataset_from_arrays, load_dataset
from benchmarks.reproduce import own_data, running
from benchmarks.reproduce.declared import Run, command, read_tables
from benchmarks.reproduce.specs import digest

SHORT = ("pretrain.epochs=1", "cluster.epochs=1", "batch_size=100")


@pytest.fixture
def run(tmp_path, monkeypatch):
    """A run of a table of 80 rows below the data folder."""
    rng = np.random.default_rng(0)
    groups = np.arange(80) % 2
    rows = rng.normal(size=(80, 4)) + 6 * groups[:, None]
    lines = [
        ",".join([*(f"{each:.3f}" for each in row), f"g{group}"])
        for row, group in zip(rows, groups, strict=True)
    ]
    folder = tmp_path / "data" / "TABLES"
    folder.mkdir(parents=True)
    (folder / "two.csv").write_text("\n".join(["a,b,c,d,kind", *lines]) + "\n")
    monkeypatch.setenv("ARCHBUILD_DATA", str(tmp_path / "data"))
    stages = {"pretrain": None, "cluster": None}
    return Run("two", "TABLES/two.csv:kind", "two-csv.yaml", stages, overrides=SHORT, own=True)


@pytest.mark.graphs(False)
def test_the_spec_is_written_and_trained_with_k_means_beside_it(run, tmp_path, processes):
    found = running.execute(run, 1, tmp_path / "runs")
    new, trained = processes
    data = f"{tmp_path / 'data' / 'TABLES' / 'two.csv'}:kind"
    assert new[:3] == ["new", "--for", data]
    assert trained[:3] == ["-d", data, "-a"]
    assert trained[3] == new[4]
    assert found["methods"] == ["head"]
    assert found["scores"]["acc_standardised"] == found["scores"]["nmi_standardised"] == 1.0
    assert 0 < found["scores"]["acc"] <= 1
    assert found["data"] == {"rows": 80}
    assert found["stages"]["pretrain"]["length"] == {"epochs": 1}
    assert found["stages"]["pretrain"]["of_spec"]["epochs"] > 1


def test_what_is_made_need_not_be_in_the_data_folder(tmp_path, processes, monkeypatch):
    monkeypatch.setenv("ARCHBUILD_DATA", str(tmp_path / "nowhere"))
    asked = Run("a", "mixed.csv:group", "mixed-csv.yaml", {"pretrain": 1}, own=True)
    there = own_data.placed(asked, tmp_path / "runs")
    dataset = load_dataset(there.dataset)
    assert (len(dataset), dataset.n_classes) == (600, 3)
    assert there.arch == str(tmp_path / "runs" / "mixed-csv.yaml")
    assert (tmp_path / "runs" / "mixed-csv.yaml").is_file()
    again = own_data.placed(asked, tmp_path / "runs")
    assert again == there


def test_k_means_sees_features_of_one_size_and_the_mean_for_gaps(rng):
    groups = np.arange(60) % 2
    rows = np.stack([1e6 * rng.normal(size=60), groups + 0.01 * rng.normal(size=60)], axis=1)
    dataset = dataset_from_arrays("two", rows, groups)
    alone = dataset_from_arrays("one", rows[:, 1:], groups)
    assert own_data.of_k_means(alone, 0)["acc_standardised"] == 1.0
    # of the rows as they are k-means sees the first feature alone
    assert own_data.of_k_means(dataset, 0)["nmi_standardised"] > 0.9


def test_the_commands_are_those_of_a_user_in_the_data_folder(run):
    assert (
        command(run.preparation) == "archbuild new --for TABLES/two.csv:kind --output two-csv.yaml"
    )
    assert command(run.arguments, "S").startswith(
        "archbuild -d TABLES/two.csv:kind -a two-csv.yaml"
    )


def test_a_spec_that_is_written_is_named_after_the_data(tmp_path):
    path = tmp_path / "tables.yaml"
    run = '{label: a, data: "UCI/opt.tes:65", pretrain: spec}'
    path.write_text(f"t: {{title: T, dataset: X, columns: [acc], runs: [{run}]}}")
    (run,) = read_tables(path)["t"].runs
    assert (run.dataset, run.arch, run.own) == ("UCI/opt.tes:65", "opt-tes.yaml", True)


def test_another_template_is_another_spec(run, monkeypatch):
    before = digest(run)
    monkeypatch.setattr("benchmarks.reproduce.specs._templates", lambda: ["another"])
    assert digest(run) != before
