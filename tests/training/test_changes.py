"""Where changes take the values of rows, against NumPy and SciPy."""

from __future__ import annotations

from math import cos, radians, sin

import numpy as np
import pytest
from scipy import ndimage
from scipy.interpolate import CubicSpline

from archbuild.layers.sampling import sample, sample_series
from archbuild.training.changes import (
    AFFINE_DRAWS,
    affine_maps,
    outside_span,
    speed_curves,
    warped_places,
)
from tests.objectives.tensors import evaluate

SIDES = (9, 12)


@pytest.fixture
def images(rng):
    return rng.random((3, *SIDES, 2), dtype=np.float32)


def changed(images, amounts, **draws):
    """The images under one draw of every number, 0 where none is given."""
    drawn = np.zeros((len(images), len(AFFINE_DRAWS)))
    for name, value in draws.items():
        drawn[:, AFFINE_DRAWS.index(name)] = value
    sides = images.shape[1:3]
    return evaluate(
        lambda rows, of: sample(rows, affine_maps(of, amounts, sides), sides), images, drawn
    )


def by_scipy(images, forward):
    """The images under a 3 x 3 matrix that moves places, (down, right) of the middle."""
    middle = (np.array(images.shape[1:3]) - 1) / 2
    back = np.linalg.inv(forward)
    offset = back[:2, :2] @ -middle + back[:2, 2] + middle
    planes = [
        [
            ndimage.affine_transform(plane, back[:2, :2], offset, order=1, mode="grid-constant")
            for plane in np.moveaxis(image, -1, 0)
        ]
        for image in images
    ]
    return np.moveaxis(np.array(planes), 1, -1)


def matrix(a=1.0, b=0.0, c=0.0, d=0.0, e=1.0, f=0.0):
    return np.array([[a, b, c], [d, e, f], [0, 0, 1]])


def rotation(degrees):
    """Anticlockwise on the screen: what was on the right goes up."""
    c, s = cos(radians(degrees)), sin(radians(degrees))
    return matrix(a=c, b=-s, d=s, e=c)


@pytest.mark.parametrize("degrees", [13.0, -70.0, 90.0, 180.0])
def test_rotation_is_that_of_scipy(images, degrees):
    turned = changed(images, {"rotate": abs(degrees)}, rotate=np.sign(degrees))
    expected = ndimage.rotate(
        images, degrees, axes=(1, 2), reshape=False, order=1, mode="grid-constant"
    )
    # SciPy turns its second axis towards its first: axes=(1, 2) is anticlockwise on the screen
    np.testing.assert_allclose(turned, expected, atol=2e-5)


@pytest.mark.parametrize("move", [(0.2, -0.3), (0.13, -0.26), (-0.05, 0.025), (0.5, 0.0)])
def test_shift_is_that_of_scipy(images, move):
    moved = changed(images, {"shift": 0.5}, down=2 * move[0], right=2 * move[1])
    pixels = np.array(move) * SIDES
    expected = ndimage.shift(images, (0, *pixels, 0), order=1, mode="grid-constant")
    np.testing.assert_allclose(moved, expected, atol=1e-5)


@pytest.mark.parametrize(
    ("amounts", "draws", "forward"),
    [
        ({"scale": 0.5}, {"scale": 1}, matrix(a=1.5, e=1.5)),
        ({"scale": 0.5}, {"scale": -0.8}, matrix(a=0.6, e=0.6)),
        ({"shear": 0.4}, {"shear": 1}, matrix(d=0.4)),
        ({"shear": 0.4}, {"shear": -0.5}, matrix(d=-0.2)),
        ({"flip": True}, {"flip": -0.1}, matrix(e=-1)),
        ({"flip": True}, {"flip": 0.1}, matrix()),
    ],
)
def test_each_map_is_that_of_its_matrix(images, amounts, draws, forward):
    np.testing.assert_allclose(
        changed(images, amounts, **draws), by_scipy(images, forward), atol=2e-5
    )


def test_a_crop_is_a_window_of_the_image_enlarged(images):
    draws = {"crop": 0.5, "window_down": -0.5, "window_right": 1}
    cropped = changed(images, {"crop": 0.4}, **draws)
    # three quarters of .4 are cut away; the window ends at the right side
    rows = np.linspace(0.25 * 0.3 * 8, (1 - 0.75 * 0.3) * 8, 9)
    columns = np.linspace(0.3 * 11, 11, 12)
    places = np.stack(np.meshgrid(rows, columns, indexing="ij"))
    expected = [
        [ndimage.map_coordinates(image[..., k], places, order=1) for k in (0, 1)]
        for image in images
    ]
    np.testing.assert_allclose(cropped, np.moveaxis(expected, 1, -1), atol=2e-5)


def test_all_maps_together_follow_in_their_order(images):
    amounts = {"rotate": 30, "shift": 0.2, "scale": 0.2, "shear": 0.3, "flip": True, "crop": 0.5}
    draws = {
        "rotate": 0.7,
        "down": 0.5,
        "right": -0.3,
        "scale": -0.4,
        "shear": 0.6,
        "flip": -1,
        "crop": -0.2,
        "window_down": 0.3,
        "window_right": -0.8,
    }
    middle, cut = (np.array(SIDES) - 1) / 2, 0.5 * 0.4
    window = matrix(c=-0.3 * cut * middle[0], f=0.8 * cut * middle[1])
    enlarged = matrix(a=1 / (1 - cut), e=1 / (1 - cut)) @ window
    sheared = matrix(d=0.18) @ matrix(a=0.92, e=0.92) @ matrix(e=-1) @ enlarged
    shift = matrix(c=0.1 * SIDES[0], f=-0.06 * SIDES[1])
    expected = by_scipy(images, shift @ rotation(21) @ sheared)
    np.testing.assert_allclose(changed(images, amounts, **draws), expected, atol=5e-5)


def test_a_positive_angle_turns_anticlockwise_and_a_positive_shift_goes_down_and_right():
    image = np.zeros((1, 5, 5, 1), np.float32)
    image[0, 2, 4] = 1  # right of the middle
    turned = changed(image, {"rotate": 90}, rotate=1)
    assert np.unravel_index(turned[0, ..., 0].argmax(), (5, 5)) == (0, 2)
    moved = changed(image, {"shift": 0.2}, down=1, right=-1)
    assert np.unravel_index(moved[0, ..., 0].argmax(), (5, 5)) == (3, 3)


def test_each_image_has_its_own_map(images, rng):
    amounts, draws = {"rotate": 40, "crop": 0.3}, rng.uniform(-1, 1, (3, len(AFFINE_DRAWS)))
    together = evaluate(lambda of: affine_maps(of, amounts, SIDES), draws)
    alone = [
        evaluate(lambda of: affine_maps(of, amounts, SIDES), draws[k : k + 1]) for k in range(3)
    ]
    np.testing.assert_allclose(together, np.concatenate(alone), atol=1e-6)
    assert np.all(np.ptp(together, axis=0) > 0)


def test_an_image_of_one_line_keeps_it(rng):
    line = rng.random((1, 1, 7, 1), dtype=np.float32)
    turned = changed(line, {"rotate": 10, "shear": 0.3}, rotate=0, shear=1)
    np.testing.assert_allclose(turned, line, atol=1e-6)


# -- series ----------------------------------------------------------------------------------


def test_places_between_steps_are_interpolated(rng):
    series = rng.random((2, 6, 3))
    places = np.array([[0.0, 0.25, 5.0, 2.0], [-1.0, 4.5, 7.0, 3.9]])
    found = evaluate(sample_series, series, places)
    for row, at, values in zip(series, places, found, strict=True):
        expected = [np.interp(at, np.arange(6), row[:, k]) for k in range(3)]
        np.testing.assert_allclose(values, np.transpose(expected), atol=1e-6)


def test_places_that_are_no_numbers_are_read_from_the_series(rng):
    assert np.all(np.isfinite(evaluate(sample_series, rng.random((1, 4, 1)), [[np.nan, 1.0]])))


def test_time_goes_as_fast_as_its_speeds_say_and_the_ends_stay(rng):
    logs = rng.normal(size=(3, 9))
    places = evaluate(warped_places, logs)
    np.testing.assert_allclose(places[:, [0, -1]], [[0, 9]] * 3, atol=1e-5)
    speeds = np.diff(places, axis=1)
    np.testing.assert_allclose(np.log(speeds / speeds[:, :1]), logs - logs[:, :1], atol=1e-4)
    np.testing.assert_allclose(
        evaluate(warped_places, np.zeros((1, 9))), [np.arange(10)], atol=1e-5
    )


@pytest.mark.parametrize("length", [2, 3, 50])
def test_speeds_are_natural_splines_of_what_is_drawn(length, rng):
    drawn = rng.normal(size=6)
    between = (np.arange(length - 1) + 0.5) / (length - 1)
    expected = CubicSpline(np.linspace(0, 1, 6), drawn, bc_type="natural")(between)
    np.testing.assert_allclose(drawn @ speed_curves(length), expected, atol=1e-6)


@pytest.mark.parametrize(
    ("start", "hidden"), [(0.0, [0, 1, 2]), (0.5, [3, 4, 5]), (1.0, [7, 8, 9])]
)
def test_a_span_hides_its_share_of_the_steps(start, hidden):
    (kept,) = evaluate(lambda starts: outside_span(starts, 10, 0.3), [[start]])
    np.testing.assert_array_equal(np.flatnonzero(kept == 0), hidden)
