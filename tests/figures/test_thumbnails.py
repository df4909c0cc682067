from __future__ import annotations

import numpy as np
import pytest

from archbuild.figures.thumbnails import (
    cell_ratio,
    display_range,
    kind_of,
    montage,
    pictured,
    to_rgb,
)


def test_kind_is_read_from_the_shape():
    assert kind_of(np.zeros((2, 3))) == "table"
    assert kind_of(np.zeros((2, 3, 1))) == "series"
    assert kind_of(np.zeros((2, 3, 3, 1))) == "images"
    with pytest.raises(ValueError, match=r"got \(2,\)"):
        kind_of(np.zeros(2))


def test_volumes_are_pictured_by_their_middle(rng):
    volumes = rng.random((3, 2, 5, 4, 6, 1))
    assert np.array_equal(pictured(volumes[0]), volumes[0][:, 2])
    assert np.array_equal(pictured(volumes, axes=2), volumes[:, :, 2])
    assert np.array_equal(pictured(volumes[0, :, 0]), volumes[0, :, 0])


def test_one_channel_becomes_grey_and_three_stay(rng):
    grey, colour = rng.random((2, 4, 4, 1)), rng.random((2, 4, 4, 3))
    assert np.array_equal(to_rgb(grey), grey.repeat(3, axis=-1))
    assert np.array_equal(to_rgb(colour), colour)


def test_other_numbers_of_channels(rng):
    four, two = rng.random((1, 2, 2, 4)), rng.random((1, 2, 2, 2))
    assert np.array_equal(to_rgb(four), four[..., :3])
    assert np.allclose(to_rgb(two)[..., 0], two.mean(axis=-1))


def test_levels_are_clipped_and_broken_pixels_are_red():
    image = np.array([-1.0, 0.5, 2.0, np.nan]).reshape(1, 2, 2, 1)
    levels = to_rgb(image).reshape(4, 3)
    assert levels[:3, 0].tolist() == [0, 0.5, 1]
    assert levels[3].tolist() == [1, 0, 0]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0, 1], (0, 1)),
        ([-0.1, 1.1], (0, 1)),
        ([0, 255], (0, 255)),
        ([-1, 1], (-1, 1)),
        ([np.nan], (0, 1)),
        ([np.nan, -3, 3], (-3, 3)),
    ],
)
def test_display_range(values, expected):
    assert display_range(np.array(values, dtype=float)) == expected


def test_montage_puts_each_image_in_its_cell():
    rows = [np.zeros((1, 8, 8, 3)), np.full((2, 8, 8, 3), 0.5)]
    canvas = montage(rows, 3)
    high, wide = canvas.shape[0] // 2, canvas.shape[1] // 3
    middles = canvas[high // 2 :: high, wide // 2 :: wide, 0]
    assert middles.tolist() == [[0, 1, 1], [0.5, 0.5, 1]]


def test_small_images_are_enlarged_by_whole_pixels():
    board = np.indices((8, 8)).sum(axis=0) % 2
    canvas = montage([np.repeat(board[None, ..., None], 3, axis=-1)], 1)
    assert set(np.unique(canvas)) == {0, 1}
    assert canvas.shape[0] >= 56


def test_an_empty_row_is_white():
    assert (montage([np.zeros((0, 8, 8, 3))], 4) == 1).all()


@pytest.mark.parametrize(
    ("height", "width", "low", "high"),
    [(8, 8, 1, 1), (128, 96, 1.2, 1.4), (8, 64, 0.6, 0.7), (64, 8, 2, 2.1)],
)
def test_cells_follow_the_images_within_reason(height, width, low, high):
    assert low <= cell_ratio((1, height, width, 1)) <= high
