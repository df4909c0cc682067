from __future__ import annotations

import numpy as np
import pytest

from archbuild.figures.reconstructions import (
    choose_rows,
    draw_reconstructions,
    errors_of,
    reconstructions_figure,
)
from archbuild.figures.style import styled

SHAPES = [(30, 8, 8, 1), (5, 128, 128, 3), (1, 9, 7, 2), (6, 15, 2), (1, 3), (50, 200)]


def test_error_is_the_root_mean_square():
    originals = np.zeros((2, 2, 2, 1))
    outputs = originals + np.array([3.0, 4.0]).reshape(2, 1, 1, 1)
    outputs[0, 0] = 0
    assert np.allclose(errors_of(originals, outputs), [np.sqrt(4.5), 4.0])


def test_rows_by_chance_and_then_the_worst():
    errors = np.arange(100.0)
    *chance, worst = choose_rows(errors, 2, 5, seed=3)
    assert [len(rows) for rows in chance] == [5, 5]
    assert (np.diff(np.concatenate(chance)) > 0).all()
    assert worst.tolist() == [99, 98, 97, 96, 95]
    assert np.array_equal(chance[0], choose_rows(errors, 2, 5, seed=3)[0])


def test_no_worst_where_all_are_shown():
    assert [rows.tolist() for rows in choose_rows(np.arange(7.0), 2, 5, 0)] == [
        [0, 1, 2, 3, 4],
        [5, 6],
    ]


def test_an_error_that_is_not_a_number_is_the_worst():
    errors = np.arange(50.0)
    errors[4] = np.nan
    assert choose_rows(errors, 1, 3, 0)[-1].tolist() == [4, 49, 48]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_every_kind_of_data(tmp_path, rng, shape, pixels):
    originals = rng.random(shape).astype(np.float32)
    paths = [tmp_path / name for name in ("a.png", "b.png", "c.png")]
    for path, outputs in zip(paths, (originals * 0.9, originals * 0.9, 1 - originals), strict=True):
        assert draw_reconstructions(originals, outputs, "DIGITS", path) == path
    assert paths[0].read_bytes() == paths[1].read_bytes()
    assert not np.array_equal(pixels(paths[0]), pixels(paths[2]))


def test_errors_stand_below_the_images(words):
    originals = np.zeros((3, 8, 8, 1))
    with styled():
        figure = reconstructions_figure(originals, originals + 0.125, "DIGITS · after pretrain")
        assert words(figure).count("0.125") == 3
        assert {"original", "reconstructed", "all there are"} <= set(words(figure))


def test_the_worst_image_is_shown(words, rng):
    originals = rng.random((200, 8, 8, 1))
    outputs = originals.copy()
    outputs[137] += 0.5
    with styled():
        figure = reconstructions_figure(originals, outputs, "DIGITS")
        assert {"taken at random", "the worst of all", "0.5"} <= set(words(figure))


def test_originals_and_reconstructions_share_one_scale(rng):
    originals = rng.random((5, 8, 8, 1)) * 255
    with styled():
        axes = reconstructions_figure(originals, originals / 2, "0 to 255").axes[0]
    canvas = np.asarray(axes.images[0].get_array())
    above, below = np.split(canvas, 2)
    assert np.allclose(above[above < 1].mean() / 2, below[below < 1].mean(), atol=0.02)


def test_explained_variance_of_each_feature(words):
    originals = np.array([[0.0, 0.0, 5.0], [2.0, 2.0, 5.0]])
    outputs = np.array([[0.0, 2.0, 5.0], [2.0, 0.0, 5.0]])
    with styled():
        figure = reconstructions_figure(
            originals, outputs, "a table", feature_names=["good", "bad", "same"]
        )
        bars = [bar.get_height() for bar in figure.axes[2].patches]
        assert {"good", "bad", "same"} <= set(words(figure))
    # Swapped values miss by twice the spread: 1 - 4 / 1, cut at -1; no variance, no share.
    assert bars[:2] == [1.0, -1.0]
    assert np.isnan(bars[2])


def test_shapes_that_differ_are_refused(rng):
    with pytest.raises(ValueError, match="one shape"):
        reconstructions_figure(rng.random((3, 4)), rng.random((3, 5)), "x")
    with pytest.raises(ValueError, match="at least one row"):
        reconstructions_figure(np.zeros((0, 4)), np.zeros((0, 4)), "x")
