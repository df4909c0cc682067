from __future__ import annotations

import json
import re
from dataclasses import asdict

import numpy as np
import pytest

from archbuild.errors import DataError
from archbuild.evaluation.collapse import Occupancy, collapse_in_words, occupancy


def sentences(text):
    return re.split(r"(?<=\.) (?=[A-Z0-9])", text)


def test_occupancy_is_what_counting_gives():
    result = occupancy(np.array([0, 0, 0, 2]), 4, previous=np.array([0, 0, 1, 1]))
    assert result == Occupancy(
        occupied=2,
        n_clusters=4,
        smallest_share=0.0,
        largest_share=0.75,
        entropy=pytest.approx(-(0.75 * np.log(0.75) + 0.25 * np.log(0.25))),
        label_change=0.5,
        shares=[0.75, 0.0, 0.25, 0.0],
    )


def test_even_clusters_reach_the_greatest_entropy():
    result = occupancy(np.arange(40) % 4, 4)
    assert result.entropy == pytest.approx(np.log(4))
    assert result.smallest_share == result.largest_share == 0.25
    assert result.label_change is None


def test_shares_are_short_and_survive_json():
    result = occupancy(np.repeat([0, 1], [1, 2]), 3)
    assert result.shares == [0.333333, 0.666667, 0.0]
    assert json.loads(json.dumps(asdict(result))) == asdict(result)


def test_one_cluster_for_all_has_entropy_zero():
    result = occupancy(np.zeros(5, int), 3)
    assert (result.occupied, result.entropy, str(result.entropy)) == (1, 0.0, "0.0")


def test_healthy_clusters_raise_no_warning():
    text = collapse_in_words(occupancy(np.arange(100) % 10, 10))
    assert text == (
        "10 of 10 clusters are populated, with 10.0% to 10.0% of the points each "
        "(entropy 2.30 of 2.30 nats)."
    )


def test_label_change_is_said():
    clusters = np.arange(100) % 10
    previous = np.where(np.arange(100) < 3, 9, clusters)
    text = collapse_in_words(occupancy(clusters, 10, previous))
    assert "3.00% of the points changed cluster" in text
    assert len(sentences(text)) == 2
    assert "Warning" not in text


@pytest.mark.parametrize(
    ("counts", "concern"),
    [
        ([10, 10, 10, 0], "Warning: 1 cluster is empty; see first"),
        ([10, 10, 0, 0], "Warning: 2 clusters are empty; see first"),
        ([60, 20, 20, 17], "Warning: one cluster holds 51% of the points; see first"),
        ([400, 400, 400, 10], "Warning: one cluster holds only 0.83% of the points; see first"),
        ([99, 1, 0, 0], "2 clusters are empty and one cluster holds 99% of the points; see first"),
    ],
)
def test_collapse_is_warned_about_with_advice(counts, concern):
    clusters = np.repeat(np.arange(4), counts)
    text = collapse_in_words(occupancy(clusters, 4, clusters))
    assert concern in text
    assert len(sentences(text)) == 3
    assert "another start or seed" in text


@pytest.mark.parametrize("counts", [[50, 50, 50, 50], [100, 40, 40, 20], [13, 13, 13, 1]])
def test_the_bounds_themselves_are_healthy(counts):
    text = collapse_in_words(occupancy(np.repeat(np.arange(4), counts), 4))
    assert "Warning" not in text


def test_two_clusters_may_be_a_little_uneven():
    assert "Warning" not in collapse_in_words(occupancy(np.repeat([0, 1], [51, 49]), 2))


@pytest.mark.parametrize(
    ("clusters", "previous", "message"),
    [
        ([], None, "one cluster for each point"),
        ([0, 4], None, "from 0 to 3; they came from 0 to 4"),
        ([-1, 0], None, "came from -1 to 0"),
        ([0, 1], [0], "cannot compare"),
    ],
)
def test_what_does_not_fit_is_refused(clusters, previous, message):
    previous = None if previous is None else np.array(previous)
    with pytest.raises(DataError, match=message):
        occupancy(np.array(clusters, dtype=int), 4, previous)


def test_a_group_that_is_small_and_well_separated_is_no_fault():
    clusters = np.repeat([0, 1], [970, 30])
    points = np.random.default_rng(0).normal(size=(1000, 2)) + 20 * clusters[:, None]
    result = occupancy(clusters, 2, points=points)
    assert result.smallest_separation > 0.9
    assert "Warning" not in collapse_in_words(result)


def test_a_small_cluster_amid_the_others_is_one():
    clusters = np.repeat([0, 1], [970, 30])
    points = np.random.default_rng(0).normal(size=(1000, 2))
    text = collapse_in_words(occupancy(clusters, 2, points=points))
    assert "only 3.00%" in text
    assert "whether the rows differ" in text
