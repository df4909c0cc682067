"""The declared tables: what they may say, and that those of the repository can be run."""

from __future__ import annotations

import pytest

from archbuild.data.registry import DATASETS
from archbuild.errors import UsageError
from benchmarks.reproduce.declared import Run, command, read_tables
from benchmarks.reproduce.specs import digest
from tests.benchmarks.conftest import DECLARED

RUNS = [(table.name, run) for table in read_tables().values() for run in table.runs]


@pytest.mark.parametrize(("table", "run"), RUNS, ids=lambda part: getattr(part, "label", part))
def test_every_declared_run_has_a_dataset_and_a_spec(table, run):
    assert run.own or run.dataset in DATASETS
    assert digest(run) != digest(run.changed(["batch_size=7"]))


def test_runs_that_share_a_folder_agree_about_the_lengths_of_stages():
    seen = {}
    for _, run in RUNS:
        shared = (run.dataset, run.arch, run.overrides, run.stages.get("pretrain"), run.head)
        for stage, length in run.stages.items():
            assert seen.setdefault((*shared, stage), length) == length, run.label


def test_labels_are_unique_in_a_table():
    for table in read_tables().values():
        labels = [run.label for run in table.runs]
        assert len(set(labels)) == len(labels)


def test_a_figure_may_have_a_deviation_and_a_tag_for_each_column(tmp_path):
    path = tmp_path / "tables.yaml"
    row = "{method: A, acc: [0.7, 0.1], nmi: 0.6, tag: {acc: paper, nmi: unverified}}"
    runs = "[{label: a, arch: 0, train: 1}]"
    path.write_text(
        f"t: {{title: T, dataset: DIGITS, columns: [acc, nmi], peers: [{row}], runs: {runs}}}"
    )
    (published,) = read_tables(path)["t"].peers
    assert published.scores == {"acc": (0.7, 0.1), "nmi": (0.6, None)}
    assert published.tags == {"acc": "paper", "nmi": "unverified"}


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("tag: third party", "tag: hearsay", "'hearsay' is unknown"),
        ("seeds: 3", "sedes: 3", "'sedes' is unknown"),
        ("columns: [acc", "columns: [accuracy", "'accuracy' is unknown"),
        ("title: A tiny table", "note: none", "'title' is missing"),
        ("arch: vade-digits, train: 2, ", "train: 2, ", "expected arch, or data"),
        ("arch: vade-digits, train: 2", "arch: 0, data: a.csv, train: 2", "expected arch, or data"),
        ("train: 2, ", "", "expected one of pretrain, cluster, train"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(tmp_path, old, new, said):
    path = tmp_path / "tables.yaml"
    assert old in DECLARED
    path.write_text(DECLARED.replace(old, new))
    with pytest.raises(UsageError, match=f"tiny.*{said}"):
        read_tables(path)


def test_the_command_is_what_a_user_would_type(tiny):
    first, second = (command(run.arguments, 1) for run in tiny.runs)
    named = "archbuild -d DIGITS -a vade-digits"
    assert first == f"{named} --train 2 --set head.start=k-means --metrics --seed 1"
    assert second == f"{named} --pretrain --cluster 1 --metrics --seed 1"


def test_a_changed_length_takes_the_place_of_the_declared_one():
    run = Run("a", "DIGITS", "0", {"pretrain": 5, "cluster": 6}, overrides=("batch_size=9",))
    changed = run.changed(["cluster.epochs=1"])
    assert changed.stages == {"pretrain": 5, "cluster": None}
    assert changed.overrides == ("batch_size=9", "cluster.epochs=1")
    assert changed.changes == ("cluster.epochs=1",)
