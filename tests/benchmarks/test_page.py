"""The page of a table, and the one that lists all."""

from __future__ import annotations

import re

import pytest

from benchmarks.reproduce.declared import read_tables
from benchmarks.reproduce.index import index
from benchmarks.reproduce.page import page
from tests.benchmarks.conftest import result


def lines(text, beginning):
    """The cells of each line of a table whose first cell begins so."""
    rows = [re.split(r"(?<!\\)\|", line)[1:-1] for line in text.splitlines() if line[:1] == "|"]
    stripped = [[cell.strip() for cell in row] for row in rows]
    return [row for row in stripped if row[0].startswith(beginning)]


@pytest.fixture
def three(tiny, records):
    """A table whose first run has three seeds."""
    for seed, acc in enumerate((0.82, 0.80, 0.87)):
        records.add(tiny.runs[0], seed, result(acc))
    return tiny


def test_what_was_not_run_says_so(tiny):
    (row, made) = lines(page(tiny, []), "**first**") + lines(page(tiny, []), "first")
    assert row == ["**first**", "ours", "not run", "", "", "", "", "", "0 of 3", "not run", ""]
    assert made[1].startswith("`archbuild -d DIGITS -a vade-digits --train 2")
    assert made[2] == "not run"


def test_seeds_are_put_together(three, records):
    (row,) = lines(page(three, records.all), "**first**")
    # mean and n - 1 deviation of .82, .80, .87; S; active units; median, best and worst; budget
    assert row[2:5] == ["0.830 ± 0.036", "50", "2 1"]
    assert row[5:] == ["0.820", "0.870", "0.800", "3", "2 (spec: 100)", "1.5"]


def test_where_less_is_better_the_best_is_the_least(declared, records):
    table = read_tables(declared)["other"]
    for seed, acc in enumerate((0.9, 0.7)):
        records.add(table.runs[0], seed, result(acc))
    (row,) = lines(page(table, records.all), "**third**")
    assert row[2:5] == ["20.00% ± 14.14%", "20.00%", "10.00%"]
    assert row[5] == "30.00%"


def test_published_rows_have_their_tags(tiny):
    text = page(tiny, [])
    (old,), (peer,), (lucky,) = (lines(text, name) for name in ("Old", "Peer", "Lucky"))
    assert old[1:7] == ["paper, paper", "0.700 ± 0.020", "", "", "", "0.750"]
    assert peer[1:3] == ["peer, third party", "0.800"]
    assert lucky[:2] == ["Lucky (chosen by labels)", "paper, unverified"]
    assert "*third party*: read in" in text
    assert "*authors' code*" not in text


def test_other_settings_have_a_row_of_their_own(three, records):
    records.add(three.runs[0].changed(["batch_size=9"]), 0, result(0.9))
    records.add(three.runs[0], 0, {"failed": "the process ended with status 1"})
    declared, changed = lines(page(three, records.all), "**first")
    assert declared[8] == "2 of 3, 1 failed"
    assert changed[0] == "**first (batch_size=9)**"
    assert changed[2] == "0.900"
    made = lines(page(three, records.all), "first (batch_size=9)")
    assert any("--set batch_size=9 --metrics --seed S`" in row[1] for row in made)


def test_an_earlier_spec_is_named(three, records, monkeypatch):
    monkeypatch.setattr("benchmarks.reproduce.records.digest", lambda run: "another")
    now, before = lines(page(three, records.all), "**first")
    assert (now[2], before[0]) == ("not run", "**first (an earlier spec)**")


def test_the_labels_that_training_read_are_said(tiny, records):
    scores = {"acc": 0.8, "labels_used": 6}
    records.add(tiny.runs[0], 0, result(0.8, scores=scores))
    (row,) = lines(page(tiny, records.all), "**first")
    assert row[0] == "**first (6 labels)**"


def test_a_part_of_a_dataset_is_said(tiny, records):
    records.add(tiny.runs[0], 0, result(0.8, data={"rows": 9, "part": "9 of 12 rows are here"}))
    (row,) = lines(page(tiny, records.all), "**first")
    assert row[0] == "**first (9 of 12 rows are here)**"


def test_k_means_beside_own_data_is_in_both_pages(tmp_path, records):
    path = tmp_path / "tables.yaml"
    run = "{label: mine, data: FOLDER/a.csv, pretrain: 5, seeds: 2}"
    columns = "[acc, acc_standardised]"
    path.write_text(f"t: {{title: T, dataset: FOLDER/a.csv, columns: {columns}, runs: [{run}]}}")
    table = read_tables(path)["t"]
    for seed, (acc, beside) in enumerate(((0.8, 0.5), (0.9, 0.7))):
        records.add(table.runs[0], seed, result(0, scores={"acc": acc, "acc_standardised": beside}))
    (row,), (made, _, _) = (lines(page(table, records.all), name) for name in ("**mine", "mine"))
    assert row[2:5] == ["0.850 ± 0.071", "0.600 ± 0.141", "0.850 / 0.600"]
    assert made[1].startswith("`archbuild new --for FOLDER/a.csv --output a-csv.yaml`, then `arch")
    (line,) = lines(index([table], {"t": records.all}), "[t]")
    assert line[3:5] == ["0.850 ± 0.071, median 0.850, mine", "0.600 ± 0.141, k-means beside it"]


def test_the_index_has_the_best_of_both(three, declared, records):
    records.add(three.runs[1], 0, result(0.85))
    records.add(three.runs[0].changed(["batch_size=9"]), 0, result(0.99))
    found = {"tiny": records.all, "other": []}
    text = index(read_tables(declared).values(), found)
    (tiny,), (other,) = lines(text, "[tiny]"), lines(text, "[other]")
    assert tiny[:3] == ["[tiny](tiny.md)", "DIGITS", "ACC ↑"]
    assert tiny[3:] == ["0.850, second", "0.800, Peer (third party)", "4 of 4"]
    assert other[2:] == ["error ↓", "not run", "1.00%, Better (paper)", "0 of 1"]
