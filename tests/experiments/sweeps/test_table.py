from __future__ import annotations

import csv
import json

import pytest

from archbuild.experiments.sweeps import document, write_table
from tests.experiments.sweeps.conftest import finish


@pytest.fixture
def plan(planned):
    """Two heads with two seeds each in two settings."""
    return planned(heads=["kld", "kmeans"], grid={"batch_size": ["64", "128"]})


def test_the_table_has_a_row_for_each_setting_space_and_method(plan):
    done = [part for _, part in plan.parts]
    for index, part in enumerate(done):
        finish(part, acc=index / 10)
    found = document(plan, done)
    assert (found["dataset"], found["arch"]) == ("DIGITS", "tiny")
    assert found["seeds"] == [0, 1]
    assert found["heads"] == ["kld", "kmeans"]
    assert found["grid"] == {"batch_size": ["64", "128"]}
    table = [(row["setting"]["batch_size"], row["space"]) for row in found["table"]]
    spaces = ("raw", "pretrain", "kld", "kmeans")
    assert table == [(size, space) for size in ("64", "128") for space in spaces]
    assert found["table"][0]["scores"]["acc"]["mean"] == pytest.approx(0.2)  # of 0.1 and 0.3
    assert found["table"][0]["seeds"] == [0, 1]


def test_what_is_missing_is_named_and_left_out(plan):
    for _, part in plan.parts:
        finish(part)
    done = [part for run, part in plan.parts if (run.seed, part.head) != (0, "kmeans")]
    found = document(plan, done)
    assert [run["missing"] for run in found["runs"]] == [["kmeans"], [], ["kmeans"], []]
    seeds = {row["space"]: row["seeds"] for row in found["table"]}
    assert seeds == {"raw": [0, 1], "pretrain": [0, 1], "kld": [0, 1], "kmeans": [1]}


def test_files_for_programs(plan, tmp_path):
    done = [part for _, part in plan.parts]
    for part in done:
        finish(part, acc=0.25)
    found = document(plan, done)
    paths = write_table(tmp_path / "sweeps" / "batch_size-0.5.json", found)
    assert [path.name for path in paths] == ["batch_size-0.5.json", "batch_size-0.5.csv"]
    assert json.loads(paths[0].read_bytes()) == found
    with paths[1].open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == 4 * 4
    assert rows[0]["space"] == "raw"
    assert rows[0]["epochs"] == ""
    assert {key: rows[1][key] for key in ("batch_size", "seed", "space", "acc", "nmi")} == {
        "batch_size": "64",
        "seed": "0",
        "space": "pretrain",
        "acc": "0.25",
        "nmi": "",
    }
    assert (rows[1]["epochs"], rows[1]["seconds"]) == ("1", "1.5")
    assert (rows[1]["supervision"], rows[1]["labels_used"]) == ("", "0")


def test_rows_say_how_many_labels_were_used(plan, tmp_path):
    done = [part for _, part in plan.parts]
    for part in done:
        finish(part)
        told = {"space": "kld", "method": "head", "supervision": "semi-supervised"}
        found = json.loads(part.folder.metrics_path.read_text())
        found["rows"].append({**told, "labels_used": 30, "acc": 0.9})
        part.folder.metrics_path.write_text(json.dumps(found))
    table = document(plan, done)
    (row, *_) = [row for row in table["table"] if row["method"] == "head"]
    assert (row["supervision"], row["labels_used"]) == ("semi-supervised", 30)
    _, path = write_table(tmp_path / "table.json", table)
    assert "kld,head,semi-supervised,30," in path.read_text()


def test_nothing_done_is_an_empty_table(plan):
    found = document(plan, [])
    assert found["table"] == []
    assert [run["rows"] for run in found["runs"]] == [[]] * 4
