from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from archbuild.data import augment as module
from archbuild.data.augment import augment, rotate_and_shift


@pytest.fixture
def images() -> np.ndarray:
    return np.random.default_rng(0).random((3, 9, 12, 2), dtype=np.float32)


@pytest.mark.parametrize("degrees", [0.0, 13.0, -70.0, 90.0, 180.0])
def test_rotation_is_that_of_scipy(images, degrees):
    turned = rotate_and_shift(images, np.full(3, degrees), np.zeros((3, 2)))
    expected = ndimage.rotate(
        images, degrees, axes=(1, 2), reshape=False, order=1, mode="grid-constant"
    )
    # SciPy turns its second axis towards its first: axes=(1, 2) is anticlockwise on the screen
    np.testing.assert_allclose(turned, expected, atol=2e-5)


@pytest.mark.parametrize("move", [(2.0, -3.0), (1.3, -2.6), (-0.5, 0.25), (40.0, 0.0)])
def test_shift_is_that_of_scipy(images, move):
    moved = rotate_and_shift(images, np.zeros(3), np.full((3, 2), move))
    expected = ndimage.shift(images, (0, *move, 0), order=1, mode="grid-constant")
    np.testing.assert_allclose(moved, expected, atol=1e-5)


def test_each_image_has_its_own_amounts_across_blocks(images, monkeypatch):
    degrees, moves = np.array([5.0, -20.0, 0.0]), np.array([[1, 0], [0, 2], [0, 0]])
    together = rotate_and_shift(images, degrees, moves)
    monkeypatch.setattr(module, "_BLOCK_PIXELS", 108)
    one_by_one = rotate_and_shift(images, degrees, moves)
    np.testing.assert_array_equal(together, one_by_one)
    np.testing.assert_allclose(together[2], images[2], atol=1e-6)
    single = rotate_and_shift(images[1:2], degrees[1:2], moves[1:2])
    np.testing.assert_array_equal(together[1], single[0])


def test_a_positive_angle_turns_anticlockwise_and_a_positive_move_goes_down_and_right():
    image = np.zeros((1, 5, 5, 1), np.float32)
    image[0, 2, 4] = 1  # right of the middle
    turned = rotate_and_shift(image, np.array([90.0]), np.zeros((1, 2)))
    assert np.unravel_index(turned[0, ..., 0].argmax(), (5, 5)) == (0, 2)
    moved = rotate_and_shift(image, np.zeros(1), np.array([[1.0, -2.0]]))
    assert np.unravel_index(moved[0, ..., 0].argmax(), (5, 5)) == (3, 2)


def test_augment_stays_within_its_bounds_and_repeats_with_the_generator():
    image = np.zeros((200, 21, 41, 1), np.float32)
    image[:, 10, 20] = 1
    moved = augment(image, 0.0, 0.1, np.random.default_rng(1))
    rows, columns = np.arange(21), np.arange(41)
    down = (moved[..., 0].sum(axis=2) * rows).sum(axis=1) - 10
    right = (moved[..., 0].sum(axis=1) * columns).sum(axis=1) - 20
    assert 1.8 < abs(down).max() <= 2.1 + 1e-4
    assert 3.6 < abs(right).max() <= 4.1 + 1e-4
    again = augment(image, 0.0, 0.1, np.random.default_rng(1))
    np.testing.assert_array_equal(moved, again)


def test_augment_by_nothing_returns_the_images(images):
    assert augment(images, 0, 0, np.random.default_rng(0)) is images
    table = np.zeros((3, 7), np.float32)
    assert augment(table, 0.0, 0.0, np.random.default_rng(0)) is table


def test_augment_refuses_flat_rows():
    with pytest.raises(ValueError, match="expected \\(batch, height, width, channels\\)"):
        augment(np.zeros((3, 784), np.float32), 10, 0.1, np.random.default_rng(0))
