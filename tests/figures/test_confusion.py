from __future__ import annotations

import numpy as np
import pytest

from archbuild.figures.confusion import column_order, confusion_figure, draw_confusion
from archbuild.figures.style import styled

LABELS = np.array([0] * 6 + [1] * 4 + [2] * 2)
CLUSTERS = np.array([2] * 5 + [0] + [0] * 4 + [1] * 2)
MATCHING = {2: 0, 0: 1, 1: 2}


def _cells(figure) -> dict[tuple[float, float], str]:
    return {text.get_position(): text.get_text() for text in figure.axes[0].texts}


def _frames(figure) -> set[tuple[float, float]]:
    return {(patch.get_x() + 0.5, patch.get_y() + 0.5) for patch in figure.axes[0].patches}


def _ticks(axis) -> list[str]:
    return [tick.get_text() for tick in axis.get_ticklabels()]


def test_matched_clusters_stand_on_the_diagonal_with_counts_and_percent():
    with styled():
        figure = confusion_figure(LABELS, CLUSTERS, MATCHING, ["a", "b", "c"], "DIGITS")
    axes = figure.axes[0]
    assert _ticks(axes.xaxis) == ["2", "0", "1"]
    assert _ticks(axes.yaxis) == ["a  (6)", "b  (4)", "c  (2)"]
    assert _cells(figure) == {
        (0, 0): "5\n83%",
        (1, 0): "1\n17%",
        (1, 1): "4\n100%",
        (2, 2): "2\n100%",
    }
    assert _frames(figure) == {(0, 0), (1, 1), (2, 2)}
    assert np.allclose(axes.images[0].get_array(), [[5 / 6, 1 / 6, 0], [0, 1, 0], [0, 0, 1]])


def test_the_agreement_is_said_in_words(words):
    with styled():
        figure = confusion_figure(LABELS, CLUSTERS, MATCHING, None, "DIGITS · kld", "Seed 3.")
        found = " ".join(words(figure))
    assert "11 of 12 rows (91.7%) lie in a cluster of their class. Seed 3." in found
    assert "DIGITS · kld" in found


def test_unmatched_clusters_come_last_by_size():
    counts = np.array([[1, 0, 7, 2], [0, 3, 0, 0]])
    assert column_order(counts, {1: 1, 0: 0}) == [0, 1, 2, 3]
    assert column_order(counts, {}) == [2, 1, 3, 0]


def test_many_to_one_matching_groups_the_clusters():
    counts = np.array([[1, 0, 7, 2], [0, 3, 0, 0]])
    assert column_order(counts, {0: 0, 1: 1, 2: 0, 3: 0}) == [2, 3, 0, 1]


def test_more_clusters_than_classes_and_an_empty_one():
    with styled():
        figure = confusion_figure(LABELS, CLUSTERS, {2: 0}, None, "x", n_clusters=5)
    assert _ticks(figure.axes[0].xaxis) == ["2", "0", "1", "3\nempty", "4\nempty"]
    assert _frames(figure) == {(0, 0)}


def test_fewer_clusters_than_classes():
    with styled():
        figure = confusion_figure(LABELS, np.zeros(12, int), {0: 0}, None, "x")
    assert _cells(figure) == {(0, 0): "6\n100%", (0, 1): "4\n100%", (0, 2): "2\n100%"}


def test_unlabelled_rows_are_left_out_and_absent_classes_get_no_row():
    labels = np.where(LABELS == 1, -1, LABELS)
    with styled():
        figure = confusion_figure(labels, CLUSTERS, {2: 0, 1: 2}, ["a", "b", "c"], "x")
    assert _ticks(figure.axes[0].yaxis) == ["a  (6)", "c  (2)"]
    assert _frames(figure) == {(0, 0), (1, 1)}


def test_a_small_share_is_not_called_nothing():
    labels = np.zeros(1001, int)
    with styled():
        figure = confusion_figure(labels, np.r_[1, np.zeros(1000, int)], {0: 0}, None, "x")
    assert _cells(figure)[(1, 0)] == "1\n<1%"


@pytest.mark.parametrize(("classes", "k"), [(2, 2), (10, 10), (20, 20), (10, 40), (20, 5)])
def test_numbers_stay_inside_their_cells(tmp_path, rng, classes, k, pixels):
    labels, clusters = rng.integers(0, classes, 70_000), rng.integers(0, k, 70_000)
    names = [f"a long class name with $ and ñ, {i}" for i in range(classes)]
    matching = {i: i for i in range(min(classes, k))}
    with styled():
        figure = confusion_figure(labels, clusters, matching, names, "many rows")
        figure.draw_without_rendering()
        axes = figure.axes[0]
        room = axes.get_window_extent()
        assert len(axes.texts) == classes * k
        for text in axes.texts:
            extent = text.get_window_extent()
            assert extent.width <= room.width / k
            assert extent.height <= room.height / classes
    pixels(draw_confusion(labels, clusters, matching, names, "many rows", tmp_path / "a.png"))


def test_same_input_same_bytes_other_input_other_picture(tmp_path, pixels):
    paths = [tmp_path / name for name in ("a.png", "b.png", "c.png")]
    for path, clusters in zip(paths, (CLUSTERS, CLUSTERS, CLUSTERS[::-1]), strict=True):
        assert draw_confusion(LABELS, clusters, MATCHING, None, "x", path) == path
    assert paths[0].read_bytes() == paths[1].read_bytes()
    assert not np.array_equal(pixels(paths[0]), pixels(paths[2]))


@pytest.mark.parametrize(
    ("labels", "clusters"), [([0, 1], [0]), ([-1, -1], [0, 0]), ([], [])], ids=str
)
def test_what_cannot_be_counted_is_refused(labels, clusters):
    with pytest.raises(ValueError, match="at least one label"):
        confusion_figure(np.array(labels), np.array(clusters), {}, None, "x")
