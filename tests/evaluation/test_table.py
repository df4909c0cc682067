from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from archbuild.clustering.kmeans import kmeans
from archbuild.evaluation.accuracy import confident_point_accuracy
from archbuild.evaluation.scores import label_free_scores, label_scores
from archbuild.evaluation.table import (
    directions,
    evaluate_head,
    evaluate_space,
    format_table,
    method_in_words,
    metrics_document,
    tables_of,
)

ROOT = Path(__file__).parents[2]
FREE = {
    "silhouette": 0.0569,
    "calinski_harabasz": 2687.5887,
    "davies_bouldin": 2.7776,
    "simplified_silhouette": 0.1042,
    "centre_separation": 1.25,
}
LABELLED = {"acc": 0.5348, "nmi": 0.49992, "ari": 0.3667, "purity": 0.5812}
ROW = {"space": "raw", "method": "k-means", **LABELLED, **FREE}


@pytest.fixture
def blobs():
    random = np.random.default_rng(0)
    labels = np.arange(90) % 3
    return random.normal(size=(90, 2, 2, 1)) + 3 * labels[:, None, None, None], labels


def test_a_space_is_clustered_by_k_means_with_twenty_starts(blobs):
    values, labels = blobs
    row = evaluate_space("raw", values, 3, labels, seed=1)
    clusters = kmeans(values, 3, seed=1, n_init=20).clusters
    assert row == {
        "space": "raw",
        "method": "k-means",
        **label_scores(labels, clusters),
        **label_free_scores(values, clusters, seed=1),
    }
    assert list(row) == list(ROW)


def test_a_head_is_measured_by_its_own_clusters(blobs):
    values, labels = blobs
    clusters = np.where(np.arange(90) < 9, 0, labels)
    assignments = 0.6 * np.eye(3)[clusters] + 0.4 / 3
    row = evaluate_head("kld", values, assignments, labels, seed=1)
    assert (row["space"], row["method"]) == ("kld", "head")
    assert row["acc"] == label_scores(labels, clusters)["acc"] < 1
    assert row["acc_aae"] == confident_point_accuracy(labels, assignments)
    assert row["silhouette"] == label_free_scores(values, clusters, seed=1)["silhouette"]


def test_a_sample_has_the_scores_of_points_and_labels_count_on_all_rows(blobs):
    values, labels = blobs
    clusters = np.where(np.arange(90) < 9, 0, labels)
    assignments, chosen = 0.6 * np.eye(3)[clusters] + 0.4 / 3, np.arange(5, 90, 2)
    row = evaluate_head("kld", values[chosen], assignments, labels, seed=1, chosen=chosen)
    whole = evaluate_head("kld", values, assignments, labels, seed=1)
    shown = evaluate_head("kld", values[chosen], assignments[chosen], labels[chosen], seed=1)
    assert row["rows"] == len(chosen)
    assert row == shown | {key: whole[key] for key in LABELLED} | {"rows": len(chosen)}
    assert "acc" not in evaluate_head("kld", values[chosen], assignments, None, 1, chosen=chosen)


def test_the_table_says_how_many_rows_were_measured():
    lines = format_table([ROW | {"rows": 50}, ROW]).splitlines()
    assert [line.split()[2] for line in lines] == ["rows", "50", "all"]


def test_rows_that_read_no_labels_say_so_beside_those_that_did():
    rows = [ROW | {"supervision": "head", "labels_used": 20}, ROW]
    lines = format_table(rows).splitlines()
    assert [line.split()[2:4] for line in lines] == [
        ["supervision", "labels"],
        ["head", "20"],
        ["-", "0"],
    ]


def test_a_method_has_the_number_of_labels_that_it_read():
    assert method_in_words({"method": "head", "labels_used": 1200}) == "head, 1,200 labels"
    assert method_in_words({"method": "head", "labels_used": 0}) == "head"
    assert method_in_words({"method": "k-means"}) == "k-means"


def test_a_head_without_labels_is_measured_without_them(blobs):
    row = evaluate_head("gmvae", blobs[0], np.eye(3)[blobs[1]], None, seed=1, method="posterior")
    assert list(row) == ["space", "method", *FREE]
    assert row["method"] == "posterior"


def test_without_labels_there_are_no_label_scores(blobs):
    row = evaluate_space("raw", blobs[0], 3, None, seed=1)
    assert list(row) == ["space", "method", *FREE]


def test_the_document_is_json_and_the_same_twice(blobs):
    values, labels = blobs
    texts = {
        json.dumps(
            metrics_document("DIGITS", "fc", 0, [evaluate_space("raw", values, 3, labels, seed=0)])
        )
        for _ in range(2)
    }
    (text,) = texts
    document = json.loads(text)
    assert list(document) == ["dataset", "arch", "seed", "rows"]
    assert document["rows"][0]["space"] == "raw"


def test_the_table_is_aligned():
    rows = [ROW, ROW | {"space": "vade", "method": "head", "silhouette": None, "acc_aae": 0.5}]
    assert format_table(rows).splitlines() == [
        "space  method      ACC     NMI     ARI  purity  ACC-AAE  silhouette  Calinski-H.  "
        "Davies-B.",
        "raw    k-means  0.5348  0.4999  0.3667  0.5812        -      0.0569       2687.6  "
        "   2.7776",
        "vade   head     0.5348  0.4999  0.3667  0.5812   0.5000           -       2687.6  "
        "   2.7776",
    ]


def test_the_table_leaves_out_labels_that_nobody_has():
    heading = format_table([{"space": "raw", "method": "k-means", **FREE}]).splitlines()[0]
    assert heading.split() == [
        "space", "method", "silhouette", "Calinski-H.", "Davies-B.", "simplified", "separation"
    ]  # fmt: skip


def test_scores_of_later_heads_follow_as_far_as_they_fit():
    bare = {"space": "gmm", "method": "head", **FREE}
    table = format_table([bare | {"bound": -98.25, "active": 7}])
    assert table.splitlines()[0].split()[-2:] == ["bound", "active"]
    assert table.splitlines()[1].split()[-2:] == ["-98.2500", "7"]
    crowded = format_table([ROW | {"bound": -98.25, "x" * 90: 1.0}])
    assert max(map(len, crowded.splitlines())) <= 100
    assert "xxx" not in crowded


def test_the_table_never_passes_a_hundred_columns():
    row = ROW | {"space": "a-head-with-an-extraordinarily-long-name", "calinski_harabasz": 1e9}
    lines = format_table([row]).splitlines()
    assert len({*map(len, lines)}) == 1
    assert len(lines[0]) <= 100
    assert lines[0].endswith("Davies-B.")


def test_what_everybody_reads_fits_beside_the_usual_names():
    row = ROW | {"space": "pretrain", "ari": -0.25, "acc_aae": 0.5, "calinski_harabasz": 1e6}
    assert format_table([row]).splitlines()[0].endswith("Davies-B.")


def test_no_rows_make_no_text():
    assert format_table([]) == ""


def test_importing_the_room_loads_nothing_heavy():
    code = (
        "import sys, archbuild.runs, archbuild.evaluation.table, archbuild.evaluation.collapse;"
        "print({'sklearn', 'scipy', 'threadpoolctl', 'keras', 'filelock'} & set(sys.modules))"
    )
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True
    )
    assert answer.stdout.strip() == "set()"


BOUND = {"space": "train-ladder", "method": "bound", "elbo": -85.5, "nats": -82.25, "draws": 5000}
LEVELS = {"kl_1": 14.25, "active_1": 30, "kl_2": 3.0, "active_2": 8}


def test_bounds_have_a_table_of_their_own_with_a_column_for_all_levels():
    first, second = format_table([ROW, {**BOUND, **LEVELS}]).split("\n\n")
    assert first == format_table([ROW])
    assert second.splitlines() == [
        "space         method      elbo      nats  draws  KL by level  active units",
        "train-ladder  bound   -85.5000  -82.2500   5000     14.2 3.0          30 8",
    ]


def test_rows_that_share_a_score_stay_in_one_table():
    rows = [ROW, {"space": "kld", "method": "head", "acc": 0.5}]
    assert tables_of(rows) == [rows]
    assert tables_of([BOUND]) == [[BOUND]]
    assert tables_of([]) == []


@pytest.mark.parametrize(
    ("scores", "words"),
    [
        ({"acc": 0.9, "nmi": 0.8}, "Higher is better."),
        ({"acc": 0.9, "davies_bouldin": 1.0}, "Higher is better; of Davies-B. lower."),
        ({"error": 0.1}, "Lower is better."),
        ({"sequence_error": 0.1}, "Lower is better."),
        ({"nats": -80.0}, ""),
    ],
)
def test_the_direction_of_each_score_is_said(scores, words):
    assert directions([{"space": "kld", "method": "head", **scores}]) == words
