from __future__ import annotations

import numpy as np
import pytest

from archbuild.figures.gallery import choose_members, draw_gallery, gallery_figure
from archbuild.figures.style import styled

SHAPES = [(60, 8, 8, 1), (20, 128, 128, 3), (60, 16, 2), (60, 5), (60, 80)]


@pytest.fixture
def assignments(rng) -> np.ndarray:
    """(60, 4): cluster 2 is empty."""
    return rng.dirichlet([1, 1, 1e-9, 1], 60)


def test_typical_and_doubtful_by_hand():
    assignments = np.array(
        [[0.9, 0.1, 0.0], [0.5, 0.1, 0.4], [0.6, 0.0, 0.4], [0.7, 0.2, 0.1], [0.1, 0.8, 0.1]]
    )
    first, second, third = choose_members(assignments, shown=2)
    assert first.rows.tolist() == [0, 1, 2, 3]
    assert first.typical.tolist() == [0, 3]
    assert first.doubtful.tolist() == [1, 2]
    assert first.rivals.tolist() == [2, 2]
    assert first.share == 0.8
    assert second.typical.tolist() == [4]
    assert second.doubtful.size == third.rows.size == 0
    assert first.label == "cluster 0\n4 · 80.0%"
    assert third.label == "cluster 2\nempty"


def test_nobody_is_shown_twice(assignments):
    for member in choose_members(assignments):
        assert not set(member.typical) & set(member.doubtful)
        assert set(member.typical) | set(member.doubtful) <= set(member.rows)


def test_a_single_cluster_has_no_rival():
    (only,) = choose_members(np.ones((20, 1)))
    assert only.doubtful.size == 8
    assert set(only.rivals) == {0}


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_every_kind_of_data(tmp_path, rng, shape, assignments, pixels):
    values, q = rng.random(shape).astype(np.float32), assignments[: shape[0]]
    paths = [tmp_path / name for name in ("a.png", "b.png", "c.png")]
    for path, array in zip(paths, (values, values, values[::-1]), strict=True):
        assert draw_gallery(array, q, "DIGITS · clusters of kld", path) == path
    assert paths[0].read_bytes() == paths[1].read_bytes()
    assert not np.array_equal(pixels(paths[0]), pixels(paths[2]))


@pytest.mark.parametrize("shape", [(60, 8, 8, 1), (60, 16, 2), (60, 5)], ids=str)
def test_clusters_are_named_with_size_and_share_and_empty_ones_say_so(
    rng, shape, assignments, words
):
    sizes = np.bincount(assignments.argmax(axis=1), minlength=4)
    with styled():
        found = words(gallery_figure(rng.random(shape), assignments, "a title"))
    for number in (0, 1, 3):
        assert f"cluster {number}\n{sizes[number]} · {sizes[number] / 60:.1%}" in found
    assert "cluster 2\nempty" in found


def test_rivals_stand_on_the_doubtful(words):
    assignments = np.tile([0.5, 0.1, 0.4], (20, 1))
    with styled():
        figure = gallery_figure(np.zeros((20, 8, 8, 1)), assignments, "a title")
        assert [text.get_text() for text in figure.axes[1].texts] == ["2"] * 8


def test_the_images_are_the_chosen_ones():
    values = np.linspace(0, 1, 40).reshape(40, 1, 1, 1) * np.ones((1, 8, 8, 1))
    assignments = np.column_stack([np.linspace(0.6, 1, 40), np.linspace(0.4, 0, 40)])
    with styled():
        left, right = gallery_figure(values, assignments, "a title").axes
    typical, doubtful = (np.asarray(axes.images[0].get_array()) for axes in (left, right))
    # Row 39 is the most typical and the whitest, row 0 the most doubtful and black.
    middle, first = typical.shape[0] // 4, typical.shape[1] // 16
    assert typical[middle, first, 0] == 1
    assert doubtful[middle, first, 0] == 0


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_no_cluster_has_the_colour_of_a_class(tmp_path, rng, shape, assignments, pixels):
    values, path = rng.random(shape), tmp_path / "a.png"
    if len(shape) == 4:
        values = values.mean(axis=-1, keepdims=True)
    picture = pixels(draw_gallery(values, assignments[: shape[0]], "clusters", path)).astype(int)
    assert np.ptp(picture, axis=-1).max() == 0


def test_hard_assignments_say_what_their_order_means(words):
    with styled():
        figure = gallery_figure(np.zeros((6, 8, 8, 1)), np.eye(3)[[0, 0, 1, 1, 2, 2]], "k-means")
        assert any("assignments are hard" in text for text in words(figure))


def test_profile_is_the_mean_of_the_z_scores():
    values = np.array([[0.0, 7.0], [0.0, 7.0], [2.0, 7.0], [2.0, 7.0]])
    assignments = np.eye(2)[[0, 0, 1, 1]]
    with styled():
        figure = gallery_figure(values, assignments, "a table", feature_names=["x", "$y"])
    dots = [axes.containers[0].lines[0].get_ydata().tolist() for axes in figure.axes]
    assert dots == [[-1, 0], [1, 0]]
    assert [tick.get_text() for tick in figure.axes[-1].get_xticklabels()] == ["x", r"\$y"]


def test_profile_has_the_means_in_words_where_there_is_room(words):
    def in_words(means):
        return [f"{mean:g} kg" for mean in means]

    assignments = np.eye(2)[[0, 0, 1, 1]]
    with styled():
        values = np.array([[1.0], [2.0], [5.0], [6.0]])
        found = words(gallery_figure(values, assignments, "a table", in_words=in_words))
        assert {"1.5 kg", "5.5 kg"} <= set(found)
        wide = np.repeat(values, 30, axis=1)
        found = words(gallery_figure(wide, assignments, "a table", in_words=in_words))
    assert not any("kg" in text for text in found)


@pytest.mark.parametrize("clusters", [2, 40])
def test_few_and_many_clusters(tmp_path, rng, clusters, pixels):
    images, q = rng.random((70, 8, 8, 1)), rng.dirichlet(np.ones(clusters), 70)
    picture = pixels(draw_gallery(images, q, "a title", tmp_path / "a.png"))
    assert picture.shape[0] > 60 * clusters


def test_rows_that_do_not_match_are_refused(rng):
    with pytest.raises(ValueError, match="each of the 5 rows"):
        gallery_figure(rng.random((5, 2)), rng.random((4, 3)), "x")
